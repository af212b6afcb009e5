import DMAMemory
import Synchronization
import VirtioFormat

/// The driver's end of a split virtqueue, virtio 1.3 §2.7, whose buffers are chains of descriptors: for devices that move many at once.
///
/// What the driver must know it keeps to itself; from the shared memory it reads the used ring and the event index, each word once.
public struct ChainQueue: ~Copyable {
    public static var sizeLimit: Int { 256 }

    /// Descriptors: a power of two, `sizeLimit` at most.
    public let size: Int
    private let memory: SharedMemory
    private let layout: SplitQueueLayout
    /// VIRTIO_F_EVENT_IDX: both sides say from which index on they want to hear.
    private let hasEventIndex: Bool
    /// For each descriptor that heads a chain which the device has: how many bytes the device may write, plus one.
    private var outByteCount: InlineArray<256, UInt32>
    private var availableIndex: UInt16 = 0
    /// What the device was last told.
    private var publishedIndex: UInt16 = 0
    private var usedIndex: UInt16 = 0
    /// Chains that the device has.
    public private(set) var outCount = 0

    public static func byteCount(size: Int) -> Int { (SplitQueueLayout(size: size).byteCount &+ 15) & ~15 }

    /// A fresh queue in `memory`, which is zeroed, 16-byte aligned, and holds `byteCount(size:)` bytes.
    public init(size: Int, in memory: SharedMemory, hasEventIndex: Bool) {
        precondition(size > 0 && size <= Self.sizeLimit && size & (size &- 1) == 0 && memory.byteCount >= Self.byteCount(size: size))
        self.size = size
        self.memory = memory
        self.hasEventIndex = hasEventIndex
        layout = SplitQueueLayout(size: size)
        outByteCount = InlineArray(repeating: 0)
    }

    public var descriptorsAddress: UInt64 { memory.deviceAddress }
    public var availableAddress: UInt64 { memory.deviceAddress &+ UInt64(layout.availableOffset) }
    public var usedAddress: UInt64 { memory.deviceAddress &+ UInt64(layout.usedOffset) }

    // MARK: Giving

    /// Fills a descriptor that the device does not have. `next`: the chain goes on there.
    public func set(_ descriptor: Int, address: UInt64, byteCount: Int, isWritable: Bool, next: Int? = nil) {
        precondition(descriptor >= 0 && descriptor < size && byteCount >= 0 && (next ?? 0) < size)
        let entry = descriptor &* SplitQueueLayout.descriptorByteCount
        memory.store64(address, at: entry)
        memory.store32(UInt32(byteCount), at: entry &+ 8)
        let flags = (isWritable ? SplitQueueLayout.flagWrite : 0) | (next == nil ? 0 : SplitQueueLayout.flagNext)
        memory.store16(flags, at: entry &+ 12)
        memory.store16(UInt16(next ?? 0), at: entry &+ 14)
    }

    /// Puts the chain that begins at `head` into the available ring; the device sees it after `publish`.
    ///
    /// - Parameter writableByteCount: how much the device may write to the whole chain.
    public mutating func offer(_ head: Int, writableByteCount: Int) {
        precondition(head >= 0 && head < size && outByteCount[head] == 0 && outCount < size)
        outByteCount[head] = UInt32(writableByteCount) &+ 1
        outCount &+= 1
        let slot = SplitQueueLayout.ringOffset &+ 2 &* (Int(availableIndex) & (size &- 1))
        memory.store16(UInt16(head), at: layout.availableOffset &+ slot)
        availableIndex &+= 1
    }

    /// Shows the device what was offered. True: it wants to be notified.
    public mutating func publish() -> Bool {
        let old = publishedIndex
        guard availableIndex != old else { return false }
        // §2.7.13: descriptors and ring are written before the index that offers them, the index before the look at what it wants.
        atomicMemoryFence(ordering: .releasing)
        memory.store16(availableIndex, at: layout.availableOffset &+ SplitQueueLayout.ringIndexOffset)
        publishedIndex = availableIndex
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard hasEventIndex else { return memory.load16(at: layout.usedOffset) & SplitQueueLayout.flagNoNotify == 0 }
        let event = memory.load16(at: layout.availableEventOffset)
        return needsEvent(event, new: availableIndex, old: old)
    }

    // MARK: Taking

    /// The next chain that the device is done with, and how many bytes it says that it wrote.
    public mutating func takeUsed() throws(VirtqueueError) -> (head: Int, byteCount: Int)? {
        let pending = memory.load16(at: layout.usedOffset &+ SplitQueueLayout.ringIndexOffset) &- usedIndex
        if pending == 0 { return nil }
        guard Int(pending) <= outCount else { throw .indexJump }
        atomicMemoryFence(ordering: .acquiring)
        let slot = SplitQueueLayout.usedElementByteCount &* (Int(usedIndex) & (size &- 1))
        let element = layout.usedOffset &+ SplitQueueLayout.ringOffset &+ slot
        let head = Int(memory.load32(at: element))
        let byteCount = memory.load32(at: element &+ 4)
        guard head < size, outByteCount[head] > 0 else { throw .unknownDescriptor }
        let limit = outByteCount[head] &- 1
        guard limit == 0 || byteCount <= limit else { throw .lengthBeyondBuffer }
        outByteCount[head] = 0
        outCount &-= 1
        usedIndex &+= 1
        return (head, limit == 0 ? 0 : Int(byteCount))
    }

    /// Whether `takeUsed` would find something.
    public var hasUsed: Bool { memory.load16(at: layout.usedOffset &+ SplitQueueLayout.ringIndexOffset) != usedIndex }

    /// Asks for an interrupt with the next used chain. True: there is one already, and perhaps none will come.
    public func enableInterrupt() -> Bool {
        if hasEventIndex {
            memory.store16(usedIndex, at: layout.usedEventOffset)
        } else {
            memory.store16(0, at: layout.availableOffset)
        }
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return hasUsed
    }

    /// Asks for no interrupts. A device may send some all the same (§2.7.10).
    public func disableInterrupt() {
        if hasEventIndex {
            // Half the numbers away: not before 32,768 more chains.
            memory.store16(usedIndex &+ 0x8000, at: layout.usedEventOffset)
        } else {
            memory.store16(SplitQueueLayout.flagNoInterrupt, at: layout.availableOffset)
        }
    }
}

/// Whether the index has moved past `event` on its way from `old` to `new`: `vring_need_event`, virtio 1.3 §2.7.7.2.
@inlinable
public func needsEvent(_ event: UInt16, new: UInt16, old: UInt16) -> Bool { new &- event &- 1 < new &- old }
