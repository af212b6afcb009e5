import Errno
import LinuxMemory
import PageFrames
import Testing

struct AddressSpaceTests {
    private let frames = TestFrames(chunkLimit: 64)
    private let mapper = RecordingMapper()

    private func makeSpace() -> AddressSpace { AddressSpace(frames: frames, mapper: mapper) }

    @Test func `pages come with the first access and go with the mapping`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x10_0000, [.read, .write])
        #expect(mapper.pages.isEmpty)
        try space.fault(0x40_5123, isWrite: true)
        #expect(mapper.pages[0x40_5000]?.protection == [.read, .write])
        try space.unmap(0x40_0000, 0x10_0000)
        #expect(mapper.pages.isEmpty)
        #expect(frames.usedCount == 0)
        #expect(space.mappedByteCount == 0)
    }

    @Test func `what is not mapped, or not allowed, is a fault`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x2000, .read)
        #expect(throws: MemoryFault.notMapped) { try space.fault(0x40_2000, isWrite: false) }
        #expect(throws: MemoryFault.protected) { try space.fault(0x40_0000, isWrite: true) }
        #expect(throws: MemoryFault.protected) { try space.fault(0x40_0000, isWrite: false, isExecution: true) }
        #expect(throws: Errno.efault) { try space.prepare(0x40_1fff, 2, isWrite: false) }
        #expect(throws: Errno.efault) { try space.prepare(.max - 1, 8, isWrite: false) }
    }

    @Test func `without room for more tables only pages of those that are there come`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x80_0000, [.read, .write])
        try space.fault(0x40_0000, isWrite: true)
        frames.tableRoom = false
        try space.fault(0x5f_f000, isWrite: true)
        #expect(throws: MemoryFault.outOfMemory) { try space.fault(0x60_0000, isWrite: true) }
    }

    @Test func `areas split at their borders and join again`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x3000, [.read, .write])
        try space.protect(0x40_1000, 0x1000, .read)
        #expect(space.areas.count == 3)
        try space.protect(0x40_1000, 0x1000, [.read, .write])
        #expect(space.areas.count == 1)
        try space.unmap(0x40_1000, 0x1000)
        #expect(space.areas.count == 2)
        #expect(throws: Errno.enomem) { try space.protect(0x40_0000, 0x3000, .read) }
    }

    @Test func `a page keeps its frame while nobody may touch it`() throws {
        let space = makeSpace()
        try space.map(0x40_0000, 0x1000, [.read, .write])
        try space.fault(0x40_0000, isWrite: true)
        let before = mapper.pages[0x40_0000]?.physical
        try space.protect(0x40_0000, 0x1000, [])
        #expect(mapper.pages[0x40_0000] == nil)
        try space.protect(0x40_0000, 0x1000, [.read, .write])
        #expect(mapper.pages[0x40_0000]?.physical == before)
    }

    @Test func `a free place is found from the top down, and not inside of anything`() throws {
        let space = makeSpace()
        let first = try space.findFree(0x4000)
        try space.map(first, 0x4000, .read)
        let second = try space.findFree(0x2000)
        #expect(second + 0x2000 <= first)
        #expect(throws: Errno.enomem) { try space.findFree(1 << 46) }
    }
}
