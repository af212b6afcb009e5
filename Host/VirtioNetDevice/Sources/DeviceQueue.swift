import DMAMemory
import Synchronization
import VirtioFormat

/// A range of guest memory that was checked.
public struct DeviceRange: Equatable, Sendable {
    /// From the start of guest memory.
    public let offset: Int
    public let byteCount: Int
}

/// What a driver did that no driver may. The device needs a reset after it.
enum DeviceQueueError: Error {
    case indexJump, badDescriptor, outOfMemory
}

/// The device's end of a split virtqueue (virtio 1.3 §2.7). The driver may write anything at any time: each word is read once, and checked.
struct DeviceQueue {
    static let sizeLimit = 256
    /// Ranges of one chain: a frame in so many pieces is nobody's.
    static let chainLimit = 64

    var size = 0
    var isReady = false
    var descriptors: UInt64 = 0
    var available: UInt64 = 0
    var used: UInt64 = 0
    private var nextAvailable: UInt16 = 0
    private var nextUsed: UInt16 = 0
    /// The used index at the last decision whether to interrupt.
    private var announcedUsed: UInt16 = 0
    private var layout: SplitQueueLayout { SplitQueueLayout(size: size) }

    /// A chain that the driver offers.
    struct Chain {
        var head: UInt16
        var ranges: [DeviceRange] = []
        var byteCount = 0
    }

    /// The range of guest memory at a guest address, or nil.
    private static func range(_ address: UInt64, _ byteCount: Int, in memory: SharedMemory) throws(DeviceQueueError) -> DeviceRange {
        let (offset, isBelow) = address.subtractingReportingOverflow(memory.deviceAddress)
        guard !isBelow, offset <= UInt64(memory.byteCount), byteCount <= memory.byteCount - Int(offset) else { throw .outOfMemory }
        return DeviceRange(offset: Int(offset), byteCount: byteCount)
    }

    /// Where the three parts are, once a whole queue fits there.
    private func part(_ address: UInt64, byteCount: Int, in memory: SharedMemory) throws(DeviceQueueError) -> Int {
        guard address % 2 == 0 else { throw .outOfMemory }
        return try Self.range(address, byteCount, in: memory).offset
    }

    /// The next chain, which stays the driver's until `push`; nil if there is none.
    mutating func pop(writable: Bool, in memory: SharedMemory) throws(DeviceQueueError) -> Chain? {
        guard isReady else { return nil }
        let ring = try part(available, byteCount: 6 + 2 * size, in: memory)
        let pending = memory.load16(at: ring + SplitQueueLayout.ringIndexOffset) &- nextAvailable
        guard pending > 0 else { return nil }
        guard Int(pending) <= size else { throw .indexJump }
        atomicMemoryFence(ordering: .acquiring)
        let head = memory.load16(at: ring + SplitQueueLayout.ringOffset + 2 * (Int(nextAvailable) & (size - 1)))
        let chain = try chain(from: head, writable: writable, in: memory)
        nextAvailable &+= 1
        return chain
    }

    /// Gives back the last chain that was popped: the next `pop` finds it again.
    mutating func unpop() { nextAvailable &-= 1 }

    private func chain(from head: UInt16, writable: Bool, in memory: SharedMemory) throws(DeviceQueueError) -> Chain {
        let table = try part(descriptors, byteCount: SplitQueueLayout.descriptorByteCount * size, in: memory)
        var chain = Chain(head: head)
        var next = head
        while true {
            guard Int(next) < size, chain.ranges.count < Self.chainLimit else { throw .badDescriptor }
            let entry = table + Int(next) * SplitQueueLayout.descriptorByteCount
            let address = memory.load64(at: entry), byteCount = memory.load32(at: entry + 8)
            let flags = memory.load16(at: entry + 12)
            guard flags & SplitQueueLayout.flagIndirect == 0, (flags & SplitQueueLayout.flagWrite != 0) == writable else {
                throw .badDescriptor
            }
            chain.ranges.append(try Self.range(address, Int(byteCount), in: memory))
            chain.byteCount += Int(byteCount)
            guard flags & SplitQueueLayout.flagNext != 0 else { return chain }
            next = memory.load16(at: entry + 14)
        }
    }

    /// Puts a chain into the used ring; the driver sees it after `publish`.
    mutating func push(_ head: UInt16, byteCount: Int, in memory: SharedMemory) throws(DeviceQueueError) {
        let ring = try part(used, byteCount: 6 + SplitQueueLayout.usedElementByteCount * size, in: memory)
        let slot = SplitQueueLayout.usedElementByteCount * (Int(nextUsed) & (size - 1))
        memory.store32(UInt32(head), at: ring + SplitQueueLayout.ringOffset + slot)
        memory.store32(UInt32(truncatingIfNeeded: byteCount), at: ring + SplitQueueLayout.ringOffset + slot + 4)
        nextUsed &+= 1
    }

    /// Shows the driver what was pushed. True: it wants an interrupt.
    mutating func publish(hasEventIndex: Bool, in memory: SharedMemory) throws(DeviceQueueError) -> Bool {
        guard isReady, nextUsed != announcedUsed else { return false }
        let usedRing = try part(used, byteCount: 6 + SplitQueueLayout.usedElementByteCount * size, in: memory)
        let availableRing = try part(available, byteCount: 6 + 2 * size, in: memory)
        atomicMemoryFence(ordering: .releasing)
        memory.store16(nextUsed, at: usedRing + SplitQueueLayout.ringIndexOffset)
        let old = announcedUsed
        announcedUsed = nextUsed
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard hasEventIndex else { return memory.load16(at: availableRing) & SplitQueueLayout.flagNoInterrupt == 0 }
        let event = memory.load16(at: availableRing + layout.usedEventOffset - layout.availableOffset)
        // vring_need_event, §2.7.10.
        return nextUsed &- event &- 1 < nextUsed &- old
    }

    /// Asks to be notified of the next chain. True: there is one already.
    func enableNotification(hasEventIndex: Bool, in memory: SharedMemory) throws(DeviceQueueError) -> Bool {
        guard isReady else { return false }
        let usedRing = try part(used, byteCount: 6 + SplitQueueLayout.usedElementByteCount * size, in: memory)
        let availableRing = try part(available, byteCount: 6 + 2 * size, in: memory)
        if hasEventIndex { memory.store16(nextAvailable, at: usedRing + layout.availableEventOffset - layout.usedOffset) }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return memory.load16(at: availableRing + SplitQueueLayout.ringIndexOffset) != nextAvailable
    }
}
