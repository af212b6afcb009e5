import Bytes
import Errno
import RamFS
import Testing
import VFS

struct TreeTests {
    @Test func `paths lead through dots, slashes and links`() throws {
        let sample = try Sample()
        try sample.makeDirectory("/a")
        try sample.makeDirectory("/a/b")
        try sample.write("/a/b/c", "text")
        try sample.link("b", at: "/a/l")
        try sample.link("/a/l/../b", at: "/far")
        try sample.link("loop", at: "/loop")
        try sample.link("/nothing", at: "/dangling")
        for path in ["/a/b/c", "//a///b/./c", "/../a/l/c", "/far/c", "a/b/../b/c"] { #expect(try sample.read(path) == "text") }
        #expect(failure { () throws(Errno) in _ = try sample.read("/loop") } == .eloop)
        #expect(failure { () throws(Errno) in _ = try sample.read("/dangling") } == .enoent)
        #expect(failure { () throws(Errno) in _ = try sample.read("/a/b/c/") } == .enotdir)
        #expect(failure { () throws(Errno) in _ = try sample.read("/a/b/c/d") } == .enotdir)
        #expect(failure { () throws(Errno) in _ = try sample.read("") } == .enoent)
        #expect(failure { () throws(Errno) in _ = try sample.open("/far", .noFollow) } == .eloop)
        #expect(failure { () throws(Errno) in _ = try sample.read("/" + String(repeating: "n", count: 256)) } == .enametoolong)
        #expect(failure { () throws(Errno) in _ = try sample.read(String(repeating: "/a", count: 2048)) } == .enametoolong)
        #expect(try sample.resolve("/far", .noFollow).vnode.kind == .symbolicLink)
        #expect(try sample.resolve("/far/", .noFollow).vnode.kind == .directory)
        // Creating through a dangling link makes what it names.
        try sample.write("/dangling", "made")
        #expect(try sample.read("/nothing") == "made")
        #expect(failure { () throws(Errno) in _ = try sample.open("/dangling", [.create, .exclusive]) } == .eexist)
    }

    @Test func `forty links are followed, forty-one are not`() throws {
        let sample = try Sample()
        try sample.write("/0", "end")
        for index in 1...41 { try sample.link("/\(index - 1)", at: "/\(index)") }
        #expect(try sample.read("/40") == "end")
        #expect(failure { () throws(Errno) in _ = try sample.read("/41") } == .eloop)
    }

    @Test func `a resolution may be kept inside`() throws {
        let sample = try Sample()
        try sample.makeDirectory("/jail")
        try sample.write("/jail/in", "in")
        try sample.write("/out", "out")
        try sample.link("/out", at: "/jail/absolute")
        try sample.link("../out", at: "/jail/up")
        try sample.link("in", at: "/jail/fine")
        let jail = try sample.resolve("/jail")
        func find(_ path: String, _ options: Resolution) -> Errno? {
            failure { () throws(Errno) in _ = try sample.context.resolve(Array(path.utf8), from: jail, options) }
        }
        #expect(find("fine", .beneath) == nil)
        #expect(find("absolute", .beneath) == .exdev)
        #expect(find("up", .beneath) == .exdev)
        #expect(find("/out", .beneath) == .exdev)
        #expect(find("..", .beneath) == .exdev)
        #expect(find("absolute", .inRoot) == .enoent)
        #expect(find("up", .inRoot) == .enoent)
        #expect(find("/in", .inRoot) == nil)
        #expect(find("fine", .noLinks) == .eloop)
        #expect(find("", .allowEmpty) == nil)
    }

    @Test func `rights are looked at`() throws {
        let sample = try Sample()
        try sample.makeDirectory("/private", mode: 0o700)
        try sample.makeDirectory("/sticky", mode: 0o1777)
        try sample.makeDirectory("/shared")
        try sample.context.setAttributes(of: sample.resolve("/shared"), AttributeChange(mode: 0o2777))
        try sample.write("/private/a", "x")
        try sample.write("/sticky/root", "x")
        sample.context.credentials = Credentials(user: 1000, group: 1000, groups: [50])
        #expect(failure { () throws(Errno) in _ = try sample.read("/private/a") } == .eacces)
        #expect(failure { () throws(Errno) in try sample.write("/a", "x") } == .eacces)
        #expect(failure { () throws(Errno) in try sample.write("/sticky/root", "x") } == .eacces)
        #expect(failure { () throws(Errno) in try sample.unlink("/sticky/root") } == .eperm)
        try sample.write("/sticky/own", "x")
        let own = try sample.resolve("/sticky/own")
        #expect(own.vnode.permissions == Permissions(mode: 0o644, user: 1000, group: 1000))
        try sample.context.setAttributes(of: own, AttributeChange(mode: 0o4755))
        try sample.context.setAttributes(of: own, AttributeChange(group: 50))
        #expect(own.vnode.permissions == Permissions(mode: 0o755, user: 1000, group: 50))
        #expect(failure { () throws(Errno) in try sample.context.setAttributes(of: own, AttributeChange(group: 51)) } == .eperm)
        #expect(failure { () throws(Errno) in try sample.context.setAttributes(of: own, AttributeChange(user: 0)) } == .eperm)
        try sample.rename("/sticky/own", "/sticky/renamed")
        try sample.makeDirectory("/shared/d")
        #expect(try sample.resolve("/shared/d").vnode.permissions == Permissions(mode: 0o2755, user: 1000, group: 0))
        #expect(
            failure { () throws(Errno) in
                try sample.context.setAttributes(of: sample.resolve("/sticky/root"), AttributeChange(modified: .zero), isNow: true)
            } == .eacces)
    }

    @Test func `a directory knows its path wherever it moves`() throws {
        let sample = try Sample()
        for path in ["/a", "/a/b", "/a/b/c", "/x"] { try sample.makeDirectory(path) }
        sample.context.workingDirectory = try sample.resolve("/a/b/c")
        func here() throws(Errno) -> String {
            String(decoding: try sample.context.path(of: sample.context.workingDirectory), as: UTF8.self)
        }
        #expect(try here() == "/a/b/c")
        try sample.rename("/a/b", "/x/y")
        #expect(try here() == "/x/y/c")
        #expect(failure { () throws(Errno) in try sample.rename("/x", "/x/y/c/z") } == .einval)
        #expect(failure { () throws(Errno) in try sample.rename("/x/y/c", "/x") } == .enotempty)
        sample.context.root = try sample.resolve("/x")
        #expect(try here() == "/y/c")
        #expect(try sample.resolve("../../../..") == sample.context.root)
        try sample.context.removeDirectory(Array("/y/c".utf8))
        #expect(failure { () throws(Errno) in _ = try here() } == .enoent)
        #expect(failure { () throws(Errno) in try sample.write("new", "") } == .enoent)
    }

    @Test func `mounts cover, and lead out again`() throws {
        let sample = try Sample()
        let other = try Sample()
        try sample.makeDirectory("/mnt")
        try sample.write("/mnt/hidden", "x")
        #expect(sample.context.mounts.mount(other.ram, root: other.context.root.vnode, at: try sample.resolve("/mnt")))
        #expect(failure { () throws(Errno) in _ = try sample.read("/mnt/hidden") } == .enoent)
        try sample.write("/mnt/seen", "seen")
        #expect(try other.read("/seen") == "seen")
        #expect(try sample.resolve("/mnt/..") == sample.context.root)
        sample.context.workingDirectory = try sample.resolve("/mnt")
        #expect(try sample.context.path(of: sample.context.workingDirectory) == Array("/mnt".utf8))
        #expect(failure { () throws(Errno) in try sample.rename("/mnt/seen", "/seen") } == .exdev)
        #expect(failure { () throws(Errno) in try sample.context.removeDirectory(Array("/mnt".utf8)) } == .ebusy)
        #expect(failure { () throws(Errno) in _ = try sample.resolve("/mnt/seen", .noCrossing) } == .exdev)
    }

    @Test func `a hundred thousand entries are found, read once each, and removed`() throws {
        let sample = try Sample(inodeLimit: 200_000)
        try sample.makeDirectory("/d")
        let directory = try sample.resolve("/d").vnode
        let owner = NewFile(kind: .regular, permissions: Permissions(mode: 0o600))
        for index in 0..<100_000 { _ = try directory.create(Array("file\(index)".utf8).raw, owner) }
        let reader = try sample.open("/d", .directory)
        var seen = 0
        try reader.readDirectory { _, _, _, _ in
            seen += 1
            return seen < 50_000
        }
        for index in stride(from: 0, to: 100_000, by: 2) {
            let name = Array("file\(index)".utf8)
            try directory.unlink(name.raw, try directory.lookup(name.raw))
        }
        let rest = try reader.names()
        #expect(rest.count == 25_002 && Set(rest).count == rest.count)
        #expect(try sample.names("/d").count == 50_002)
    }

    @Test func `a temporary file gets a name, a name once gone stays gone`() throws {
        let sample = try Sample()
        let file = try sample.open("/", [.temporary, .directory, .readWrite], mode: 0o600)
        _ = try file.write(text: "now")
        let place = try #require(file.origin?.place)
        try sample.context.link(place, to: Array("/named".utf8))
        #expect(try sample.read("/named") == "now")
        try sample.write("/b", "")
        let other = try sample.open("/b", [])
        try sample.unlink("/b")
        let gone = try #require(other.origin?.place)
        #expect(failure { () throws(Errno) in try sample.context.link(gone, to: Array("/c".utf8)) } == .enoent)
    }

    @Test func `watches hear what happens`() throws {
        final class Recorder: Watch {
            var heard: [String] = []
            override func report(_ events: WatchEvents, cookie: UInt32, name: RawSpan) {
                heard.append("\(events.rawValue) \(cookie) \(String(decoding: Array(copying: name), as: UTF8.self))")
            }
        }
        let sample = try Sample()
        let recorder = Recorder()
        sample.context.root.vnode.add(recorder)
        try sample.write("/a", "x")
        try sample.rename("/a", "/b")
        try sample.makeDirectory("/d")
        try sample.unlink("/b")
        #expect(recorder.heard == ["256 0 a", "32 0 a", "8 0 a", "64 1 a", "128 1 b", "1073742080 0 d", "512 0 b"])
        sample.context.root.vnode.remove(recorder)
        #expect(!sample.context.root.vnode.isWatched)
    }
}
