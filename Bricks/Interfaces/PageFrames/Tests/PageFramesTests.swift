import Bytes
import Errno
import PageFrames
import Testing

struct PageFramesTests {
    @Test func `frames come zeroed, are counted, and go back`() throws {
        let frames = TestFrames(chunkLimit: 2)
        let frame = try frames.allocate()
        frames.withBytes(of: frame) { bytes in bytes.storeBytes(of: 0x55, toByteOffset: 17, as: UInt8.self) }
        try frames.retain(frame)
        frames.release(frame)
        #expect(frames.referenceCount(frame) == 1)
        frames.release(frame)
        #expect(frames.usedCount == 0)
        #expect(frames.chunkCount == 0)
        let again = try frames.allocate()
        let byte = frames.withBytes(of: again) { bytes in bytes.bytes.byte(at: 17) }
        #expect(byte == 0)
    }

    @Test func `runs are aligned to their size and do not overlap`() throws {
        let frames = TestFrames(chunkLimit: 2)
        let single = try frames.allocate()
        let run = try frames.allocate(count: 16)
        #expect(run.number % 16 == 0)
        #expect(single.number < run.number || single.number >= run.number + 16)
        #expect(frames.usedCount == 17)
    }

    @Test func `no more frames is an error, until one comes back`() throws {
        let frames = TestFrames(chunkLimit: 1)
        let first = try frames.allocate()
        for _ in 1..<64 { _ = try frames.allocate() }
        #expect(throws: Errno.enomem) { try frames.allocate() }
        frames.release(first)
        let again = try frames.allocate()
        #expect(again == first)
        #expect(throws: Errno.enomem) { try frames.allocate(count: 2) }
    }

    @Test func `a frame of no chunk is foreign and is left alone`() throws {
        let frames = TestFrames(chunkLimit: 1)
        let foreign = Frame(number: 1 << 26)
        #expect(frames.isForeign(foreign))
        try frames.retain(foreign)
        frames.release(foreign)
        #expect(frames.referenceCount(foreign) == PageFrames.referenceLimit)
    }
}
