import DMAMemory
import Random
import Testing
import VirtioFormat
import Virtqueue

/// The device's end, which answers as a test tells it to: honest or not.
struct ScriptedDevice {
    let memory: SharedMemory
    let layout: SplitQueueLayout
    var availableIndex: UInt16 = 0
    var usedIndex: UInt16 = 0

    /// The descriptor that the driver offered next, or nil.
    mutating func take() -> UInt16? {
        guard memory.load16(at: layout.availableOffset + 2) != availableIndex else { return nil }
        let slot = Int(availableIndex) % layout.size
        availableIndex &+= 1
        return memory.load16(at: layout.availableOffset + 4 + 2 * slot)
    }

    mutating func give(_ descriptor: UInt32, byteCount: UInt32) {
        let element = layout.usedOffset + 4 + 8 * (Int(usedIndex) % layout.size)
        memory.store32(descriptor, at: element)
        memory.store32(byteCount, at: element + 4)
        usedIndex &+= 1
        memory.store16(usedIndex, at: layout.usedOffset + 2)
    }
}

/// A queue that the test macros can look at: they copy what they are shown.
final class Queue {
    private var queue = Virtqueue<4>()

    init(memory: SharedMemory, writable: UInt32) { queue.place(in: memory, writableByteCount: writable) }

    func add(_ descriptor: UInt16, address: UInt64, byteCount: UInt32) { queue.add(descriptor, address: address, byteCount: byteCount) }
    func takeUsed() throws(VirtqueueError) -> UsedBuffer? { try queue.takeUsed() }
    var outCount: UInt16 { queue.outCount }
    var availableAddress: UInt64 { queue.availableAddress }
    var usedAddress: UInt64 { queue.usedAddress }
}

struct VirtqueueTests {
    let shared = TestMemory(byteCount: 4096)
    var device: ScriptedDevice { ScriptedDevice(memory: shared.memory, layout: Virtqueue<4>.layout) }

    func queue(writable: UInt32) -> Queue { Queue(memory: shared.memory, writable: writable) }

    @Test func `the rings follow each other as the specification has them`() {
        let layout = SplitQueueLayout(size: 4)
        #expect(layout.availableOffset == 64)
        #expect(layout.usedOffset == 80)
        #expect(layout.byteCount == 118)
        let queue = queue(writable: 0)
        #expect(queue.availableAddress == TestMemory.deviceAddress + 64)
        #expect(queue.usedAddress == TestMemory.deviceAddress + 80)
    }

    @Test func `a buffer is described before it is offered`() {
        let queue = queue(writable: 512)
        queue.add(2, address: 0x1234_5678_9abc, byteCount: 512)
        #expect(shared.memory.load64(at: 32) == 0x1234_5678_9abc)
        #expect(shared.memory.load32(at: 40) == 512)
        #expect(shared.memory.load16(at: 44) == SplitQueueLayout.flagWrite)
        var device = device
        #expect(device.take() == 2)
        #expect(device.take() == nil)
    }

    @Test func `buffers come and go past every wrap of the indices`() throws {
        let queue = queue(writable: 100)
        var device = device
        for round in 0..<70_000 {
            let descriptor = UInt16(round % 4)
            queue.add(descriptor, address: 0, byteCount: 100)
            #expect(device.take() == descriptor)
            device.give(UInt32(descriptor), byteCount: UInt32(round % 101))
            let used = try queue.takeUsed()
            #expect(used?.descriptor == descriptor && used?.byteCount == round % 101)
        }
        #expect(queue.outCount == 0)
    }

    @Test func `buffers may come back in another order`() throws {
        let queue = queue(writable: 8)
        for descriptor in 0..<4 as Range<UInt16> { queue.add(descriptor, address: 0, byteCount: 8) }
        var device = device
        for descriptor in [3, 0, 2, 1] as [UInt32] { device.give(descriptor, byteCount: 8) }
        for descriptor in [3, 0, 2, 1] as [UInt16] { #expect(try queue.takeUsed()?.descriptor == descriptor) }
        #expect(try queue.takeUsed() == nil)
    }

    @Test(arguments: [1, 2, 4, 5, 0x7fff, 0xffff] as [UInt16])
    func `an index that moves too far is refused`(jump: UInt16) {
        let queue = queue(writable: 8)
        if jump <= 4 { for descriptor in 0..<jump - 1 { queue.add(descriptor, address: 0, byteCount: 8) } }
        shared.memory.store16(jump, at: device.layout.usedOffset + 2)
        #expect(throws: VirtqueueError.indexJump) { try queue.takeUsed() }
    }

    @Test(arguments: [1, 3, 4, 63, 64, 65, 0x1_0000, 0x1_0002, .max] as [UInt32])
    func `a descriptor that the device does not have is refused`(descriptor: UInt32) {
        let queue = queue(writable: 8)
        queue.add(2, address: 0, byteCount: 8)
        var device = device
        device.give(descriptor, byteCount: 8)
        #expect(throws: VirtqueueError.unknownDescriptor) { try queue.takeUsed() }
    }

    @Test func `a descriptor comes back once`() throws {
        let queue = queue(writable: 8)
        queue.add(0, address: 0, byteCount: 8)
        queue.add(1, address: 0, byteCount: 8)
        var device = device
        device.give(0, byteCount: 8)
        device.give(0, byteCount: 8)
        #expect(try queue.takeUsed()?.descriptor == 0)
        #expect(throws: VirtqueueError.unknownDescriptor) { try queue.takeUsed() }
    }

    @Test(arguments: [9, 10, 0x8000_0000, .max] as [UInt32])
    func `more bytes than the buffer holds are refused`(byteCount: UInt32) {
        let queue = queue(writable: 8)
        queue.add(0, address: 0, byteCount: 8)
        var device = device
        device.give(0, byteCount: byteCount)
        #expect(throws: VirtqueueError.lengthBeyondBuffer) { try queue.takeUsed() }
    }

    @Test func `what a device says it read does not matter`() throws {
        let queue = queue(writable: 0)
        queue.add(0, address: 0, byteCount: 8)
        var device = device
        device.give(0, byteCount: 5000)
        let used = try queue.takeUsed()
        #expect(used?.descriptor == 0 && used?.byteCount == 0)
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `random used rings never give a buffer twice nor too long`(seed: UInt64) {
        var random = SplitMix(state: seed)
        let queue = queue(writable: 64)
        var out: Set<UInt16> = []
        rounds: for _ in 0..<200 {
            for descriptor in 0..<4 as Range<UInt16> where !out.contains(descriptor) {
                queue.add(descriptor, address: 0, byteCount: 64)
                out.insert(descriptor)
            }
            // Mostly plausible values, so that the checks behind the first one are reached.
            let base = Virtqueue<4>.layout.usedOffset
            for slot in 0..<4 {
                let element = base + 4 + 8 * slot
                shared.memory.store32(UInt32.random(in: 0...(Bool.random(using: &random) ? 4 : .max), using: &random), at: element)
                shared.memory.store32(UInt32.random(in: 0...(Bool.random(using: &random) ? 65 : .max), using: &random), at: element + 4)
            }
            let step = UInt16.random(in: 0...5, using: &random)
            shared.memory.store16(shared.memory.load16(at: base + 2) &+ step, at: base + 2)
            do {
                while let used = try queue.takeUsed() {
                    #expect(out.remove(used.descriptor) != nil, "seed \(seed)")
                    #expect(used.byteCount <= 64, "seed \(seed)")
                }
            } catch { break rounds }
            #expect(Int(queue.outCount) == out.count, "seed \(seed)")
        }
    }
}
