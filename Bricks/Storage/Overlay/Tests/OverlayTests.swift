import Bytes
import Errno
import Overlay
import PageFrames
import Random
import RamFS
import Testing
import VFS

/// An overlay with one process in it.
final class Sample {
    let frames = TestFrames(chunkLimit: 16)
    let layer: Layer
    let ram: RamFS
    let context: PathContext

    init(byteLimit: Int64 = 1 << 20, inodeLimit: Int = 1000, _ make: (Layer) -> [LayerNode]) {
        layer = Layer(frames)
        ram = Self.memory(frames, byteLimit, inodeLimit)
        let overlay = Overlay(make(layer), over: ram, device: 5)
        context = PathContext(MountTable(root: overlay, overlay.root))
    }

    static func memory(_ frames: PageFrames, _ byteLimit: Int64 = 1 << 20, _ inodeLimit: Int = 1000) -> RamFS {
        RamFS(
            device: 6, frames: frames, byteLimit: byteLimit, inodeLimit: inodeLimit, key: SipHash.Key(low: 1, high: 2),
            clock: { FileTime(seconds: 1000, nanoseconds: 0) })
    }
}

extension PathContext {
    func open(_ path: String, _ flags: OpenFlags = []) throws(Errno) -> OpenFile { try open(Array(path.utf8), flags, mode: 0o644) }
    func text(_ path: String) throws(Errno) -> String {
        let file = try open(path)
        var bytes = [UInt8](repeating: 0, count: 100_000)
        var span = bytes.mutableSpan
        var raw = span.raw
        let count = try file.read(into: &raw)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
    func write(_ path: String, _ text: String, at offset: Int64 = 0) throws(Errno) {
        let file = try open(path, [.writeOnly, .create])
        _ = try file.write(at: offset, Array(text.utf8).raw)
    }
    func names(_ path: String) throws(Errno) -> [String] {
        var names: [String] = []
        let file = try open(path, .directory)
        // One by one: positions are kept.
        var before = -1
        while before != names.count {
            before = names.count
            var taken = false
            try file.readDirectory { name, _, _, _ in
                guard !taken else { return false }
                taken = true
                names.append(String(decoding: Array(copying: name), as: UTF8.self))
                return true
            }
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }
    func place(_ path: String) throws(Errno) -> Place { try resolve(Array(path.utf8), .noFollow) }
    func failure(_ body: (PathContext) throws(Errno) -> Void) -> Errno? {
        do {
            try body(self)
            return nil
        } catch {
            return error
        }
    }
}

struct OverlayTests {
    private static func two(_ layer: Layer) -> [LayerNode] {
        let top = layer.directory([
            ("a", layer.file("top a")), ("d", layer.directory([("x", layer.file("top x")), ("gone", layer.whiteout())])),
        ])
        let bottom = layer.directory([
            ("a", layer.file("bottom a")), ("b", layer.file("bottom b")),
            ("d", layer.directory([("x", layer.file("x")), ("y", layer.file("y")), ("gone", layer.file("g"))])), ("l", layer.link("d/y")),
        ])
        return [top, bottom]
    }

    @Test func `layers are merged, the topmost wins`() throws {
        let context = Sample(Self.two).context
        #expect(try context.names("/") == ["a", "b", "d", "l"])
        #expect(try context.names("/d") == ["x", "y"])
        #expect(try context.text("/a") == "top a" && context.text("/b") == "bottom b" && context.text("/l") == "y")
        #expect(context.failure { (c) throws(Errno) in _ = try c.text("/d/gone") } == .enoent)
    }

    @Test func `a removed name stays removed, and can come back as another file`() throws {
        let context = Sample(Self.two).context
        try context.unlink(Array("/a".utf8))
        #expect(try context.names("/") == ["b", "d", "l"])
        #expect(context.failure { (c) throws(Errno) in _ = try c.text("/a") } == .enoent)
        try context.write("/a", "new")
        #expect(try context.text("/a") == "new")
        #expect(context.failure { (c) throws(Errno) in try c.removeDirectory(Array("/d".utf8)) } == .enotempty)
        try context.unlink(Array("/d/x".utf8))
        try context.unlink(Array("/d/y".utf8))
        try context.removeDirectory(Array("/d".utf8))
        try context.makeDirectory(Array("/d".utf8), mode: 0o755)
        #expect(try context.names("/d") == [])
        #expect(try context.names("/") == ["a", "b", "d", "l"])
    }

    @Test func `a directory moves with all that is in its layers`() throws {
        let context = Sample(Self.two).context
        let inode = try context.place("/d/y").vnode.attributes.inode
        try context.rename(Array("/d".utf8), to: Array("/e".utf8))
        #expect(try context.names("/e") == ["x", "y"])
        #expect(try context.text("/e/x") == "top x")
        #expect(try context.place("/e/y").vnode.attributes.inode == inode)
        #expect(try context.path(of: context.place("/e")) == Array("/e".utf8))
        try context.rename(Array("/e/x".utf8), to: Array("/b".utf8))
        #expect(try context.text("/b") == "top x" && context.names("/e") == ["y"])
    }

    private static let large = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    private static func big(_ layer: Layer) -> [LayerNode] { [layer.directory([("big", layer.file(large))])] }

    @Test func `a copy lends its pages until they are written`() throws {
        let sample = Sample(Self.big)
        let place = try sample.context.place("/big")
        let before = place.vnode.attributes
        let lent = try place.vnode.frame(at: 1, forWriting: false)
        #expect(sample.frames.isForeign(lent))
        try sample.context.write("/big", "changed", at: 5000)
        // The page that was written, and the tail.
        #expect(sample.ram.usedPageCount == 2)
        #expect(try place.vnode.frame(at: 0, forWriting: false) == sample.frames.foreign(0))
        var expected = Self.large
        expected.replaceSubrange(5000..<5007, with: Array("changed".utf8))
        let file = try sample.context.open("/big")
        var bytes = [UInt8](repeating: 0, count: 30_000)
        var span = bytes.mutableSpan
        var raw = span.raw
        #expect(try file.read(into: &raw) == 20_000)
        #expect(Array(bytes.prefix(20_000)) == expected)
        let after = place.vnode.attributes
        #expect(after.inode == before.inode && after.byteCount == before.byteCount && after.permissions == before.permissions)
    }

    @Test func `whoever maps a page hears that it is another one now`() throws {
        final class Recorder: PageMapping {
            var dropped: [Range<Int64>] = []
            override func drop(_ range: Range<Int64>) { dropped.append(range) }
        }
        let sample = Sample(Self.big)
        let recorder = Recorder()
        let vnode = try sample.context.place("/big").vnode
        vnode.add(recorder)
        try sample.context.write("/big", "x", at: 4096)
        #expect(recorder.dropped == [4..<Int64.max, 1..<2])
        vnode.remove(recorder)
        #expect(!vnode.isMapped)
    }

    @Test func `a full overlay says so before anything is lost, and removing works`() throws {
        let sample = Sample(byteLimit: 4096, Self.big)
        try sample.context.write("/fill", "x")
        #expect(sample.context.failure { (c) throws(Errno) in try c.write("/big", "y") } == .enospc)
        #expect(try sample.context.place("/big").vnode.byteCount == 20_000)
        #expect(sample.ram.usedPageCount == 1)
        try sample.context.unlink(Array("/fill".utf8))
        try sample.context.truncate(sample.context.place("/big"), to: 0)
        try sample.context.write("/big", "y")
        #expect(try sample.context.text("/big") == "y")
        let few = Sample(inodeLimit: 1, Self.two)
        try few.context.write("/new", "")
        #expect(few.context.failure { (c) throws(Errno) in try c.write("/other", "") } == .enospc)
        try few.context.unlink(Array("/a".utf8))
        try few.context.rename(Array("/b".utf8), to: Array("/c".utf8))
        #expect(try few.context.names("/") == ["c", "d", "l", "new"])
    }

    @Test func `names of one lower file stay one file`() throws {
        let sample = Sample { layer in
            let file = layer.file("one")
            file.links = 2
            return [layer.directory([("p", file), ("q", file)])]
        }
        try sample.context.write("/p", "ONE")
        #expect(try sample.context.text("/q") == "ONE")
        try sample.context.unlink(Array("/p".utf8))
        #expect(try sample.context.place("/q").vnode.attributes.linkCount == 1)
    }

    /// Any sequence of calls over a layer ends as over the same files in memory alone.
    @Test func `random calls end as without layers`() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let names = ["/a", "/b", "/d", "/d/x", "/d/y", "/d/e", "/d/e/z", "/n", "/d/n", "/l", "/n/m", "/d/e/n"]
        for _ in 0..<40 {
            let sample = Sample { layer in
                let inner = layer.directory([("z", layer.file("z"))])
                let top = layer.directory([("a", layer.file("a")), ("d", layer.directory([("y", layer.file("y"))]))])
                let d = layer.directory([("e", inner), ("x", layer.file("x")), ("y", layer.link("hidden"))])
                return [top, layer.directory([("a", layer.link("no")), ("b", layer.file("b")), ("d", d), ("l", layer.link("d/e"))])]
            }
            let plain = Sample.memory(sample.frames)
            let model = PathContext(MountTable(root: plain, try plain.makeRoot()))
            for name in ["/d", "/d/e"] { try model.makeDirectory(Array(name.utf8), mode: 0o755) }
            for name in ["/a", "/b", "/d/x", "/d/y", "/d/e/z"] { try model.write(name, String(name.last!)) }
            try model.makeSymbolicLink(to: Array("d/e".utf8), at: Array("/l".utf8))
            var trail: [String] = []
            for _ in 0..<60 {
                let one = names[Int(random.next() % UInt64(names.count))], two = names[Int(random.next() % UInt64(names.count))]
                let kind = random.next() % 9
                let ours = sample.context.failure { (c) throws(Errno) in try Self.call(kind, one, two, c) }
                let theirs = model.failure { (c) throws(Errno) in try Self.call(kind, one, two, c) }
                trail.append("\(kind) \(one) \(two) \(ours?.rawValue ?? 0) \(theirs?.rawValue ?? 0)")
                guard ours == theirs, Self.tree(sample.context, "") == Self.tree(model, "") else {
                    Issue.record("seed \(seed): \(trail) \(Self.tree(sample.context, "")) \(Self.tree(model, ""))")
                    return
                }
            }
        }
    }

    private static func call(_ kind: UInt64, _ one: String, _ two: String, _ context: PathContext) throws(Errno) {
        let first = Array(one.utf8), second = Array(two.utf8)
        switch kind {
        case 0: try context.makeDirectory(first, mode: 0o755)
        case 1: try context.write(one, two, at: 2)
        case 2: try context.rename(first, to: second)
        case 3: try context.unlink(first)
        case 4: try context.removeDirectory(first)
        case 5: try context.link(context.resolve(first, .noFollow), to: second)
        case 6: try context.makeSymbolicLink(to: second, at: first)
        case 7: try context.rename(first, to: second, .exchange)
        default: try context.setAttributes(of: context.resolve(first), AttributeChange(mode: 0o700))
        }
    }

    private static func tree(_ context: PathContext, _ path: String) -> [String] {
        guard let names = try? context.names(path + "/") else { return ["unreadable"] }
        return names.flatMap { name -> [String] in
            guard let vnode = try? context.place("\(path)/\(name)").vnode else { return ["\(name) is listed only"] }
            let line = "\(path)/\(name) \(vnode.attributes.mode) \(vnode.kind == .directory ? 0 : vnode.attributes.linkCount)"
            switch vnode.kind {
            case .directory: return [line] + tree(context, "\(path)/\(name)")
            case .regular: return ["\(line) \((try? context.text("\(path)/\(name)")) ?? "?")"]
            default: return ["\(line) \(String(decoding: (try? vnode.readLink()) ?? [], as: UTF8.self))"]
            }
        }
    }
}
