import Bytes
import EROFS
import Errno
import Foundation
import PageFrames
import Random
import Testing
import VFS

struct EROFSTests {
    static let tool = ["/usr/bin/mkfs.erofs", "/usr/sbin/mkfs.erofs", "/sbin/mkfs.erofs"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// A tree with all that a root has, in an image.
    static func image(_ options: [String], _ fill: (String) throws -> Void) throws -> [UInt8] {
        let folder = NSTemporaryDirectory() + "brique-erofs-\(UInt64.random(in: .min ... .max))"
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "/root", withIntermediateDirectories: true)
        defer { try? files.removeItem(atPath: folder) }
        try fill(folder + "/root")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(tool))
        process.arguments = options + [folder + "/image", folder + "/root"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/image")))
    }

    static func contents(_ seed: Int, _ count: Int) -> [UInt8] {
        var random = SplitMix(state: UInt64(seed))
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    static let sizes = [0, 1, 100, 4095, 4096, 4097, 8192, 12_000, 100_000]

    static func fillSample(_ root: String) throws {
        let files = FileManager.default
        try files.createDirectory(atPath: root + "/many", withIntermediateDirectories: true)
        try files.createDirectory(atPath: root + "/usr/lib/deep", withIntermediateDirectories: true)
        for index in 0..<1500 { try Data([UInt8(index & 255)]).write(to: URL(fileURLWithPath: "\(root)/many/file-\(index)")) }
        for (index, size) in sizes.enumerated() {
            try Data(contents(index, size)).write(to: URL(fileURLWithPath: "\(root)/size-\(size)"))
        }
        try files.createSymbolicLink(atPath: root + "/lib", withDestinationPath: "usr/lib")
        try files.linkItem(atPath: root + "/size-100", toPath: root + "/usr/lib/deep/same")
        try files.setAttributes([.posixPermissions: 0o4751], ofItemAtPath: root + "/size-1")
    }

    @Test(
        .enabled(if: tool != nil, "mkfs.erofs is not installed"),
        arguments: [["-Enoinline_data"], [], ["--chunksize=8192"], ["-Eforce-inode-extended"], ["-Eforce-inode-compact"]])
    func `an image of mkfs.erofs reads as the tree it was made from`(options: [String]) throws {
        let image = Image(try Self.image(options, Self.fillSample))
        let erofs = try image.mount()
        let context = PathContext(MountTable(root: erofs, erofs.root))
        for (index, size) in Self.sizes.enumerated() {
            let file = try context.open(Array("/size-\(size)".utf8), [])
            #expect(file.attributes().byteCount == Int64(size))
            #expect(try file.bytes() == Self.contents(index, size))
            let vnode = try #require(file.vnode)
            var mapped: [UInt8] = []
            for page in 0..<(size + 4095) / 4096 {
                let frame = try vnode.frame(at: Int64(page), forWriting: false)
                let again = try vnode.frame(at: Int64(page), forWriting: false)
                #expect(frame == again || page < size / 4096)
                image.frames.withBytes(of: frame) { mapped.append($0.bytes) }
                if options.first == "-Enoinline_data" { #expect(image.frames.isForeign(frame)) }
                image.frames.release(frame)
                image.frames.release(again)
            }
            #expect(Array(mapped.prefix(size)) == Self.contents(index, size) && mapped.dropFirst(size).allSatisfy { $0 == 0 })
            #expect(failure { () throws(Errno) in _ = try vnode.frame(at: Int64(size + 4095) / 4096, forWriting: false) } == .enxio)
        }
        for index in 0..<1500 {
            let file = try context.open(Array("/many/file-\(index)".utf8), [])
            #expect(try file.bytes() == [UInt8(index & 255)])
        }
        for name in ["", "file", "file-", "file-1500", "zzz", "a", "file-99999"] where !name.isEmpty {
            #expect(failure { () throws(Errno) in _ = try context.resolve(Array("/many/\(name)".utf8)) } == .enoent)
        }
        #expect(try context.open(Array("/many".utf8), .directory).names().count == 1502)
        let names = try context.open(Array("/".utf8), .directory).names()
        #expect(Set(names) == Set(Self.sizes.map { "size-\($0)" } + [".", "..", "many", "usr", "lib"]))
        let one = try context.resolve(Array("/size-100".utf8)), other = try context.resolve(Array("/lib/deep/same".utf8))
        #expect(one == other && one.vnode.attributes.linkCount == 2)
        #expect(try context.resolve(Array("/size-1".utf8)).vnode.attributes.mode == 0o104751)
        #expect(try context.path(of: context.resolve(Array("/lib/deep".utf8))) == Array("/usr/lib/deep".utf8))
        #expect(failure { () throws(Errno) in _ = try context.open(Array("/new".utf8), [.create, .writeOnly]) } == .erofs)
        #expect(failure { () throws(Errno) in _ = try context.open(Array("/size-1".utf8), .writeOnly) } == .erofs)
        #expect(failure { () throws(Errno) in try context.unlink(Array("/size-1".utf8)) } == .erofs)
    }

    @Test(.enabled(if: tool != nil, "mkfs.erofs is not installed"))
    func `reading a directory goes on where it was`() throws {
        let image = Image(try Self.image([], Self.fillSample))
        let erofs = try image.mount()
        let many = try PathContext(MountTable(root: erofs, erofs.root)).resolve(Array("/many".utf8)).vnode
        var names: Set<String> = []
        var position: Int64 = 2
        while true {
            let start = position
            var count = 0
            try many.readDirectory(from: position) { name, _, kind, next in
                guard count < 7 else { return false }
                count += 1
                names.insert(String(decoding: Array(copying: name), as: UTF8.self))
                position = next
                return true
            }
            if position == start { break }
        }
        #expect(names.count == 1500)
        try many.readDirectory(from: .max) { _, _, _, _ in false }
        try many.readDirectory(from: 4000) { _, _, _, _ in true }
    }

    @Test(.enabled(if: tool != nil, "mkfs.erofs is not installed"))
    func `a damaged image is an error, never a trap`() throws {
        let sample = try Self.image([], Self.fillSample)
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        for _ in 0..<60 {
            var bytes = sample
            for _ in 0..<Int(random.next() % 200) + 1 {
                // Most of the damage where inodes and entries are.
                let place = random.next() % 3 == 0 ? Int(random.next() % UInt64(bytes.count)) : 1024 + Int(random.next() % 100_000)
                bytes[min(place, bytes.count - 1)] = UInt8(truncatingIfNeeded: random.next())
            }
            bytes[1024...1027] = sample[1024...1027]
            if random.next() % 4 == 0 { bytes.removeLast(Int(random.next() % UInt64(bytes.count))) }
            let image = Image(bytes)
            guard let erofs = try? image.mount() else { continue }
            visitTree(erofs, image.frames)
        }
    }

    @Test func `what is no image is refused`() {
        #expect(failure { () throws(Errno) in _ = try Image([]).mount() } == .einval)
        #expect(failure { () throws(Errno) in _ = try Image([UInt8](repeating: 0, count: 8192)).mount() } == .einval)
        #expect(failure { () throws(Errno) in _ = try Image(SmallImage().bytes(features: 2)).mount() } == .einval)
        #expect(failure { () throws(Errno) in _ = try Image(SmallImage().bytes(blockShift: 13)).mount() } == .einval)
    }

    @Test func `a small image by hand`() throws {
        var small = SmallImage()
        small.entries = [("..", 36, 2), (".", 36, 2), ("dev", 40, 3), ("hello", 44, 1), ("z", 36, 2)].map { ($0.0, $0.1, UInt8($0.2)) }
        small.entries.sort { Array($0.name.utf8).lexicographicallyPrecedes(Array($1.name.utf8)) }
        let image = Image(small.bytes())
        let erofs = try image.mount()
        let context = PathContext(MountTable(root: erofs, erofs.root))
        #expect(try context.open(Array("/hello".utf8), []).bytes() == Array("hello, world".utf8))
        #expect(try context.resolve(Array("/dev".utf8)).vnode.attributes.representedDevice == deviceNumber(major: 1, minor: 3))
        // A directory that holds itself is a loop of names, not of parents.
        #expect(try context.resolve(Array("/z/z/z/hello".utf8)).vnode.kind == .regular)
        #expect(try context.path(of: context.resolve(Array("/z/z".utf8))) == Array("/".utf8))
    }
}

/// Everything that can be asked of a tree, each directory and file a bounded number of times.
func visitTree(_ erofs: EROFS, _ frames: PageFrames) {
    var queue: [Vnode] = [erofs.root]
    var visited = 0
    while let vnode = queue.popLast(), visited < 300 {
        visited += 1
        _ = vnode.attributes
        _ = try? vnode.readLink()
        for page in [0, 1, vnode.byteCount >> 12, 1 << 40] {
            guard let frame = try? vnode.frame(at: page, forWriting: false) else { continue }
            _ = frames.withBytes(of: frame) { $0.bytes.byte(at: 4095) }
            frames.release(frame)
        }
        var bytes = [UInt8](repeating: 0, count: 5000)
        var span = bytes.mutableSpan
        var raw = span.raw
        for offset in [0, 4000, vnode.byteCount - 1, .max] { _ = try? vnode.read(at: offset, into: &raw) }
        var names: [[UInt8]] = []
        try? vnode.readDirectory(from: 2) { name, _, _, _ in
            names.append(Array(copying: name))
            return names.count < 500
        }
        for name in names { if let child = try? vnode.lookup(name.raw) { queue.append(child) } }
    }
}

/// One directory at inode 36, a device at 40 and a file at 44, all in the second block.
struct SmallImage {
    var entries: [(name: String, number: UInt64, type: UInt8)] = [(".", 36, 2), ("..", 36, 2)]

    func bytes(features: UInt32 = 0, blockShift: UInt8 = 12) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 8192)
        func put(_ value: some FixedWidthInteger, at offset: Int) {
            for index in 0..<value.bitWidth / 8 { bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (index * 8)) }
        }
        put(UInt32(0xe0f5_e1e2), at: 1024)
        put(blockShift, at: 1036)
        put(UInt16(36), at: 1038)
        put(features, at: 1104)
        put(UInt32(1), at: 1064)
        var names: [UInt8] = []
        var table: [UInt8] = []
        for entry in entries {
            let nameOffset = UInt16(entries.count * 12 + names.count)
            table += (0..<8).map { UInt8(truncatingIfNeeded: entry.number >> (UInt64($0) * 8)) }
            table += [UInt8(truncatingIfNeeded: nameOffset), UInt8(nameOffset >> 8), entry.type, 0]
            names += Array(entry.name.utf8)
        }
        let directory = table + names
        func inode(_ number: Int, _ mode: UInt16, _ size: Int, _ union: UInt32, _ tail: [UInt8]) {
            let offset = 4096 + number * 32
            put(UInt16(2 << 1), at: offset)
            put(mode, at: offset + 4)
            put(UInt16(1), at: offset + 6)
            put(UInt32(size), at: offset + 8)
            put(union, at: offset + 16)
            bytes.replaceSubrange(offset + 32..<offset + 32 + tail.count, with: tail)
        }
        inode(40, 0o020666, 0, 0x103, [])
        inode(44, 0o100644, 12, 0, Array("hello, world".utf8))
        inode(36, 0o040755, directory.count, 0, directory)
        return bytes
    }
}

extension OpenFile {
    func bytes() throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0xaa, count: 200_000)
        var span = bytes.mutableSpan
        var raw = span.raw
        let read = try read(into: &raw)
        return Array(bytes.prefix(read))
    }
    func names() throws(Errno) -> [String] {
        var names: [String] = []
        try readDirectory { name, _, _, _ in
            names.append(String(decoding: Array(copying: name), as: UTF8.self))
            return true
        }
        return names
    }
}

func failure(_ body: () throws(Errno) -> Void) -> Errno? {
    do {
        try body()
        return nil
    } catch {
        return error
    }
}
