import Errno
import LinuxMemory
import PageFrames
import Testing

struct MoveTests {
    private let frames = TestFrames(chunkLimit: 64)
    private let mapper = RecordingMapper()

    private func makeSpace() -> AddressSpace { AddressSpace(frames: frames, mapper: mapper) }

    @Test func `pages move with their frames, and the old addresses are free`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x4000, [.read, .write])
        try space.fault(0x40_1000, isWrite: true)
        let frame = mapper.pages[0x40_1000]?.physical
        let used = frames.usedCount
        try space.move(from: 0x40_0000, 0x4000, to: 0x80_0000, 0x8000)
        #expect(mapper.pages[0x80_1000]?.physical == frame)
        #expect(mapper.pages[0x80_1000]?.protection == [.read, .write])
        #expect(mapper.pages[0x40_1000] == nil)
        #expect(frames.usedCount == used)
        #expect(space.areas.count == 1)
        #expect(space.mappedByteCount == 0x8000)
        try space.fault(0x80_7000, isWrite: true)
        try space.unmap(0x80_0000, 0x8000)
        #expect(frames.usedCount == 0)
        #expect(space.mappedByteCount == 0)
    }

    @Test func `a part of an area moves alone, and can leave its addresses mapped`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x4000, [.read, .write])
        try space.fault(0x40_1000, isWrite: true)
        try space.move(from: 0x40_1000, 0x1000, to: 0x80_0000, 0x1000)
        #expect(space.areas.count == 3)
        try space.move(from: 0x80_0000, 0x1000, to: 0x90_0000, 0x1000, keepsArea: true)
        #expect(space.areas.count == 4)
        #expect(mapper.pages[0x80_0000] == nil)
        #expect(mapper.pages[0x90_0000] != nil)
        #expect(space.mappedByteCount == 0x5000)
        space.removeAll()
        #expect(frames.usedCount == 0)
    }

    @Test func `a platform without room leaves everything as it was`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x4000, [.read, .write])
        try space.fault(0x40_0000, isWrite: true)
        mapper.isFull = true
        #expect(throws: Errno.enomem) { try space.move(from: 0x40_0000, 0x4000, to: 0x80_0000, 0x4000) }
        mapper.isFull = false
        #expect(mapper.pages[0x40_0000] != nil)
        #expect(mapper.pages[0x80_0000] == nil)
        #expect(space.areas.count == 1)
    }

    @Test func `an area grows where nothing is behind it`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x1000, .read)
        try space.map(0x40_3000, 0x1000, .read)
        try space.extend(0x40_1000, by: 0x2000)
        #expect(space.areas.count == 1)
        #expect(throws: Errno.enomem) { try space.extend(0x40_1000, by: 0x1000) }
    }

    @Test func `shared memory is seen at two addresses and outlives what is forgotten`() throws {
        let space = makeSpace()
        let memory = SharedMemory(frames, byteCount: 0x4000)
        try space.map(0x40_0000, 0x4000, [.read, .write], isShared: true, file: memory)
        try space.duplicate(0x40_0000, at: 0x80_0000, 0x4000)
        try space.fault(0x40_1000, isWrite: true)
        try space.fault(0x80_1000, isWrite: false)
        #expect(mapper.pages[0x40_1000]?.physical == mapper.pages[0x80_1000]?.physical)
        let physical = mapper.pages[0x40_1000]?.physical
        let isWhole = try space.forEachPart(0x40_0000, 0x40_4000) { (part) throws(Errno) in space.forget(part) }
        #expect(isWhole)
        #expect(mapper.pages[0x40_1000] == nil)
        try space.fault(0x40_1000, isWrite: false)
        #expect(mapper.pages[0x40_1000]?.physical == physical)
        _ = try space.forEachPart(0x80_0000, 0x80_4000) { (part) throws(Errno) in _ = space.clear(part) }
        #expect(mapper.pages[0x40_1000] == nil)
        #expect(frames.usedCount == 0)
        try space.fault(0x40_1000, isWrite: true)
        space.removeAll()
        #expect(frames.usedCount == 0)
    }

    @Test func `holes are told`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x1000, .read)
        try space.map(0x40_2000, 0x1000, .read)
        var seen: [UInt64] = []
        let isWhole = try space.forEachPart(0x40_0000, 0x40_3000) { (part) throws(Errno) in seen.append(part.start) }
        #expect(!isWhole)
        #expect(seen == [0x40_0000, 0x40_2000])
    }
}
