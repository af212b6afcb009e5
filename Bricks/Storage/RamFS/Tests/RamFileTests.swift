import Bytes
import Errno
import PageFrames
import Random
import RamFS
import Testing
import VFS

struct RamFileTests {
    @Test func `what is written is read, with zeros between`() throws {
        let sample = try Sample()
        let file = try sample.open("/a", [.readWrite, .create])
        #expect(try file.write(text: "hello") == 5)
        #expect(try file.write(at: 10_000, Array("end".utf8).raw) == 3)
        #expect(try file.seek(to: 0, from: 0) == 0)
        let bytes = try file.readBytes(20_000)
        #expect(bytes.count == 10_003)
        #expect(Array(bytes[..<5]) == Array("hello".utf8) && bytes[5..<10_000].allSatisfy { $0 == 0 } && bytes[10_000] == 0x65)
        #expect(file.attributes().sectorCount == 16)
        #expect(sample.ram.usedPageCount == 2)
    }

    @Test func `random writes, truncations and holes match an array of bytes`() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let sample = try Sample()
        let file = try sample.open("/a", [.readWrite, .create])
        var model: [UInt8] = []
        for _ in 0..<600 {
            let offset = Int(random.next() % 40_000), count = Int(random.next() % 9000) + 1
            switch random.next() % 6 {
            case 0, 1:
                let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                #expect(try file.write(at: Int64(offset), bytes.raw) == count)
                if model.count < offset + count { model += [UInt8](repeating: 0, count: offset + count - model.count) }
                model.replaceSubrange(offset..<offset + count, with: bytes)
            case 2:
                try file.truncate(to: Int64(offset))
                model = Array(model.prefix(offset)) + [UInt8](repeating: 0, count: max(0, offset - model.count))
            case 3:
                try file.allocate(.punchHole, at: Int64(offset), byteCount: Int64(count))
                for index in offset..<max(offset, min(model.count, offset + count)) { model[index] = 0 }
            case 4:
                let keeps = (random.next() % 2 == 0)
                let isZero = (random.next() % 2 == 0)
                try file.allocate(
                    isZero ? .zero(keepSize: keeps) : .reserve(keepSize: keeps), at: Int64(offset), byteCount: Int64(count))
                if isZero { for index in offset..<max(offset, min(model.count, offset + count)) { model[index] = 0 } }
                if !keeps, model.count < offset + count { model += [UInt8](repeating: 0, count: offset + count - model.count) }
            default: break
            }
            #expect(file.attributes().byteCount == Int64(model.count))
            _ = try file.seek(to: 0, from: 0)
            #expect(try file.readBytes(1 << 17) == model)
        }
        try file.truncate(to: 0)
        #expect(sample.ram.usedPageCount == 0 && sample.frames.usedCount == 0)
    }

    @Test func `a full file system says so, and keeps what was written`() throws {
        let sample = try Sample(byteLimit: 3 * 4096)
        let file = try sample.open("/a", [.readWrite, .create])
        #expect(try file.write([UInt8](repeating: 1, count: 20_000).raw) == 3 * 4096)
        #expect(failure { () throws(Errno) in _ = try file.write(text: "x") } == .enospc)
        #expect(failure { () throws(Errno) in try file.allocate(.reserve(keepSize: false), at: 0, byteCount: 1 << 40) } == .enospc)
        #expect(try file.write(at: 0, Array("y".utf8).raw) == 1)
        try sample.unlink("/a")
        #expect(sample.ram.usedPageCount == 3)
        file.release()
    }

    @Test func `no memory is no space, and files are counted`() throws {
        let small = try Sample(chunkLimit: 1)
        let file = try small.open("/a", [.readWrite, .create])
        #expect(try file.write([UInt8](repeating: 1, count: 100 * 4096).raw) == 64 * 4096)
        let few = try Sample(inodeLimit: 3)
        try few.write("/a", "")
        try few.link("/a", at: "/b")
        #expect(failure { () throws(Errno) in try few.write("/c", "") } == .enospc)
        try few.unlink("/b")
        try few.context.link(few.resolve("/a"), to: Array("/d".utf8))
        #expect(failure { () throws(Errno) in try few.makeDirectory("/e") } == .enospc)
        try few.unlink("/a")
        try few.makeDirectory("/e")
    }

    @Test func `an unlinked file lives until it is closed`() throws {
        let sample = try Sample()
        do {
            let file = try sample.open("/a", [.readWrite, .create])
            #expect(try file.write(text: "kept") == 4)
            try sample.unlink("/a")
            #expect(file.attributes().linkCount == 0)
            #expect(try file.write(at: 0, Array("K".utf8).raw) == 1)
            #expect(String(decoding: sample.context.path(of: file), as: UTF8.self) == "/a (deleted)")
            file.release()
        }
        #expect(sample.ram.usedPageCount == 0 && sample.ram.usedInodeCount == 1)
    }

    @Test func `a mapped page is the file's, and what lies behind the end is not seen later`() throws {
        let sample = try Sample()
        let file = try sample.open("/a", [.readWrite, .create])
        #expect(try file.write(text: "abc") == 3)
        let frame = try file.frame(at: 0, forWriting: true)
        sample.frames.withBytes(of: frame) { page in
            page.storeBytes(of: 0x58, toByteOffset: 1, as: UInt8.self)
            page.storeBytes(of: 0x59, toByteOffset: 100, as: UInt8.self)
        }
        _ = try file.seek(to: 0, from: 0)
        #expect(try file.text() == "aXc")
        try file.truncate(to: 200)
        _ = try file.seek(to: 0, from: 0)
        #expect(try file.readBytes(200)[100] == 0)
        #expect(failure { () throws(Errno) in _ = try file.frame(at: 1, forWriting: false) } == .enxio)
        try file.truncate(to: 0)
        #expect(sample.frames.usedCount == 1)
        sample.frames.release(frame)
        #expect(sample.frames.usedCount == 0)
    }

    @Test func `data and holes are found`() throws {
        let sample = try Sample()
        let file = try sample.open("/a", [.readWrite, .create])
        _ = try file.write(at: 8192, [1].raw)
        try file.truncate(to: 1 << 40)
        #expect(try file.seek(to: 0, from: 3) == 8192)
        #expect(try file.seek(to: 0, from: 4) == 0)
        #expect(try file.seek(to: 8200, from: 4) == 12288)
        #expect(failure { () throws(Errno) in _ = try file.seek(to: 12288, from: 3) } == .enxio)
        #expect(failure { () throws(Errno) in _ = try file.seek(to: 1 << 40, from: 4) } == .enxio)
        #expect(failure { () throws(Errno) in _ = try file.seek(to: .min, from: 1) } == .einval)
        #expect(failure { () throws(Errno) in _ = try file.write(at: .max, [1].raw) } == .efbig)
    }

    @Test func `seals hold`() throws {
        let sample = try Sample()
        let file = try sample.ram.makeMemoryFile(Array("m".utf8), owner: Permissions(mode: 0o777), allowsSealing: true)
        let vnode = try #require(file.vnode)
        _ = try file.write(text: "sealed")
        try vnode.addSeals(Seals.grow | Seals.shrink)
        #expect(failure { () throws(Errno) in try file.truncate(to: 1) } == .eperm)
        #expect(failure { () throws(Errno) in try file.truncate(to: 100) } == .eperm)
        #expect(try file.write(at: 0, Array("S".utf8).raw) == 1)
        try vnode.addSeals(Seals.write | Seals.seal)
        #expect(failure { () throws(Errno) in _ = try file.write(at: 0, Array("s".utf8).raw) } == .eperm)
        #expect(failure { () throws(Errno) in try vnode.addSeals(Seals.write) } == .eperm)
        #expect(vnode.seals == 15)
    }
}
