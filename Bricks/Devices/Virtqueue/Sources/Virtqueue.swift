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

/// The driver's end of a split virtqueue, virtio 1.2 §2.7, of `size` descriptors (a power of two, 64 at most).
///
/// Each is a buffer of its own; the device reads all of them, or writes all of them.
/// What the driver must know it keeps to itself; from the shared memory it reads the used ring alone, each word once.
public struct Virtqueue<let size: Int>: ~Copyable {
    private var memory = SharedMemory()
    /// The descriptors that the device has, a bit each.
    private var outMask: UInt64 = 0
    private var writableByteCount: UInt32 = 0
    private var availableIndex: UInt16 = 0
    private var usedIndex: UInt16 = 0
    /// Buffers that the device has.
    public private(set) var outCount: UInt16 = 0

    public static var layout: SplitQueueLayout { SplitQueueLayout(size: size) }

    /// A queue without memory, of no use before `place`.
    public init() {}

    /// Puts a fresh queue into `memory`, which is zeroed, 16-byte aligned, and holds `layout.byteCount` bytes.
    ///
    /// - Parameter writableByteCount: how much the device may write to each buffer; zero: it may only read them.
    public mutating func place(in memory: SharedMemory, writableByteCount: UInt32) {
        precondition(size > 0 && size <= 64 && size & (size &- 1) == 0 && memory.byteCount >= Self.layout.byteCount && outCount == 0)
        self.memory = memory
        self.writableByteCount = writableByteCount
    }

    public var descriptorsAddress: UInt64 { memory.deviceAddress }
    public var availableAddress: UInt64 { memory.deviceAddress &+ UInt64(Self.layout.availableOffset) }
    public var usedAddress: UInt64 { memory.deviceAddress &+ UInt64(Self.layout.usedOffset) }

    /// Gives the device a buffer, by the descriptor `descriptor`, which it must not have yet; then notify it.
    ///
    /// - Parameter byteCount: of a buffer that the device writes, `writableByteCount`.
    public mutating func add(_ descriptor: UInt16, address: UInt64, byteCount: UInt32) {
        let index = Int(descriptor)
        let bit: UInt64 = 1 &<< UInt64(index)
        precondition(index < size && outMask & bit == 0 && (writableByteCount == 0 || byteCount == writableByteCount))
        outMask |= bit
        outCount &+= 1
        let entry = index &* SplitQueueLayout.descriptorByteCount
        memory.store64(address, at: entry)
        memory.store32(byteCount, at: entry &+ 8)
        memory.store16(writableByteCount > 0 ? SplitQueueLayout.flagWrite : 0, at: entry &+ 12)
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
        let bit: UInt64 = 1 &<< UInt64(descriptor & 63)
        guard descriptor < UInt32(truncatingIfNeeded: size), outMask & bit != 0 else { throw .unknownDescriptor }
        // Some devices report the length of what they read: only what they wrote matters.
        guard writableByteCount == 0 || byteCount <= writableByteCount else { throw .lengthBeyondBuffer }
        outMask &= ~bit
        outCount &-= 1
        usedIndex &+= 1
        return UsedBuffer(descriptor: UInt16(truncatingIfNeeded: descriptor), byteCount: writableByteCount == 0 ? 0 : Int(byteCount))
    }
}
