import DMAMemory
import Synchronization
import VirtioFormat

/// What a device did that no device may. The queue is of no use after it.
public enum VirtqueueError: Error, Equatable {
    /// The used index moved by more than there were buffers with the device.
    case indexJump
    /// A used element names a descriptor that the device does not have.
    case unknownDescriptor
    /// The device claims to have written more than the buffer holds.
    case lengthBeyondBuffer
}

/// A buffer that came back.
public struct UsedBuffer: Equatable {
    public let descriptor: UInt16
    /// What the device wrote: at most the buffer's length, and zero for a buffer it could only read.
    public let byteCount: Int
}

/// The driver's end of a split virtqueue, virtio 1.2 §2.7, of `size` descriptors, each a buffer of its own.
///
/// What the driver must know it keeps to itself; from the shared memory it reads the used ring alone, each word once.
public struct Virtqueue<let size: Int>: ~Copyable {
    private var memory = SharedMemory()
    /// Which descriptors the device has, and how much it may write to each.
    private var isOut = InlineArray<size, Bool>(repeating: false)
    private var writableByteCounts = InlineArray<size, UInt32>(repeating: 0)
    private var availableIndex: UInt16 = 0
    private var usedIndex: UInt16 = 0
    /// Buffers that the device has.
    public private(set) var outCount: UInt16 = 0

    public static var layout: SplitQueueLayout { SplitQueueLayout(size: size) }

    /// A queue without memory, of no use before `place`.
    public init() { precondition(size > 0 && size <= 32_768 && size & (size - 1) == 0) }

    /// Puts a fresh queue into `memory`, which is zeroed, 16-byte aligned, and holds `layout.byteCount` bytes.
    public mutating func place(in memory: SharedMemory) {
        precondition(memory.byteCount >= Self.layout.byteCount && outCount == 0)
        self.memory = memory
    }

    public var descriptorsAddress: UInt64 { memory.deviceAddress }
    public var availableAddress: UInt64 { memory.deviceAddress &+ UInt64(Self.layout.availableOffset) }
    public var usedAddress: UInt64 { memory.deviceAddress &+ UInt64(Self.layout.usedOffset) }

    /// Gives the device a buffer, by the descriptor `descriptor`, which it must not have yet; then notify it.
    public mutating func add(_ descriptor: UInt16, address: UInt64, byteCount: UInt32, deviceWrites: Bool) {
        let index = Int(descriptor)
        precondition(!isOut[index])
        isOut[index] = true
        writableByteCounts[index] = deviceWrites ? byteCount : 0
        outCount &+= 1
        let entry = index &* SplitQueueLayout.descriptorByteCount
        memory.store64(address, at: entry)
        memory.store32(byteCount, at: entry &+ 8)
        memory.store16(deviceWrites ? SplitQueueLayout.flagWrite : 0, at: entry &+ 12)
        let available = Self.layout.availableOffset
        memory.store16(descriptor, at: available &+ SplitQueueLayout.ringOffset &+ 2 &* (Int(availableIndex) & (size &- 1)))
        availableIndex &+= 1
        // §2.7.13: buffer and ring are written before the index that offers them.
        atomicMemoryFence(ordering: .releasing)
        memory.store16(availableIndex, at: available &+ SplitQueueLayout.ringIndexOffset)
    }

    /// The next buffer that the device is done with, or nil.
    public mutating func takeUsed() throws(VirtqueueError) -> UsedBuffer? {
        let used = Self.layout.usedOffset
        let pending = memory.load16(at: used &+ SplitQueueLayout.ringIndexOffset) &- usedIndex
        if pending == 0 { return nil }
        guard pending <= outCount else { throw .indexJump }
        atomicMemoryFence(ordering: .acquiring)
        let element = used &+ SplitQueueLayout.ringOffset &+ SplitQueueLayout.usedElementByteCount &* (Int(usedIndex) & (size &- 1))
        let descriptor = memory.load32(at: element)
        let byteCount = memory.load32(at: element &+ 4)
        let index = Int(descriptor)
        guard index < size, isOut[index] else { throw .unknownDescriptor }
        let writable = writableByteCounts[index]
        // Some devices report the length of what they read: only what they wrote matters.
        guard writable == 0 || byteCount <= writable else { throw .lengthBeyondBuffer }
        isOut[index] = false
        outCount &-= 1
        usedIndex &+= 1
        return UsedBuffer(descriptor: UInt16(truncatingIfNeeded: descriptor), byteCount: writable == 0 ? 0 : Int(byteCount))
    }
}
