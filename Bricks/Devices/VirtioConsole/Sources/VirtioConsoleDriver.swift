import DMAMemory
import RegisterBank
import VirtioFormat
import VirtioTransport
import Virtqueue

/// Port 0 of a virtio console (virtio 1.2 §5.3), without the multiport and size features.
public struct VirtioConsoleDriver<Bank: RegisterBank>: ~Copyable {
    /// Receive buffers, and descriptors of either queue.
    public static var bufferCount: Int { 4 }
    public static var bufferByteCount: Int { 1024 }
    private static var queueByteCount: Int { (Virtqueue<4>.layout.byteCount + 15) & ~15 }
    /// What `init` needs.
    public static var memoryByteCount: Int { 2 * queueByteCount + bufferCount * bufferByteCount }

    private let device: ReadyDevice<Bank>
    private let buffers: SharedMemory
    private var receive: Virtqueue<4>
    private var transmit: Virtqueue<4>
    /// Input that was received and not yet read: of one buffer, the bytes [start, end).
    private var descriptor: UInt16 = 0
    private var start = 0
    private var end = 0
    private var broke = false

    /// `memory` is zeroed, 16-byte aligned, and holds `memoryByteCount` bytes.
    public init(_ probed: consuming ProbedDevice<Bank>, memory: SharedMemory) throws(NegotiationError) {
        receive = Virtqueue(memory: memory.slice(at: 0, byteCount: Self.queueByteCount))
        transmit = Virtqueue(memory: memory.slice(at: Self.queueByteCount, byteCount: Self.queueByteCount))
        buffers = memory.slice(at: 2 * Self.queueByteCount, byteCount: Self.bufferCount * Self.bufferByteCount)
        let negotiated = try probed.negotiate()
        try negotiated.configure(queue: VirtioConsoleQueue.receive, receive)
        try negotiated.configure(queue: VirtioConsoleQueue.transmit, transmit)
        device = negotiated.start()
        var index: UInt16 = 0
        while index < UInt16(Self.bufferCount) {
            offer(index)
            index += 1
        }
        device.notify(queue: VirtioConsoleQueue.receive)
    }

    private mutating func offer(_ index: UInt16) {
        receive.add(
            index, address: buffers.deviceAddress + UInt64(Int(index) * Self.bufferByteCount), byteCount: UInt32(Self.bufferByteCount),
            deviceWrites: true)
    }

    /// The device broke the rules: it is not listened to any more.
    public func isBroken() -> Bool { broke }

    /// Starts sending; the bytes stay unchanged until `isSending` is false. Only one write at a time.
    public mutating func send(address: UInt64, byteCount: UInt32) {
        transmit.add(0, address: address, byteCount: byteCount, deviceWrites: false)
        device.notify(queue: VirtioConsoleQueue.transmit)
    }

    /// The device still has what was sent.
    public mutating func isSending() -> Bool {
        guard !broke, transmit.outCount > 0 else { return false }
        do throws(VirtqueueError) { _ = try transmit.takeUsed() } catch { broke = true }
        return !broke && transmit.outCount > 0
    }

    /// Input is there to be read.
    public mutating func hasInput() -> Bool {
        while start == end, !broke {
            do throws(VirtqueueError) {
                guard let used = try receive.takeUsed() else { return false }
                descriptor = used.descriptor
                start = 0
                end = used.byteCount
                if end == 0 { giveBack() }
            } catch { broke = true }
        }
        return start != end
    }

    /// Fills `bytes` with the input there is; returns its count, which is zero when there is none.
    public mutating func read(into bytes: inout MutableSpan<UInt8>) -> Int {
        guard hasInput() else { return 0 }
        let count = min(end - start, bytes.count)
        var index = 0
        while index < count {
            bytes[index] = buffers.load8(at: Int(descriptor) * Self.bufferByteCount + start + index)
            index += 1
        }
        start += count
        if start == end { giveBack() }
        return count
    }

    private mutating func giveBack() {
        offer(descriptor)
        device.notify(queue: VirtioConsoleQueue.receive)
    }

    /// To be called before the rings are looked at for the last time before a sleep.
    public func acknowledgeInterrupt() { device.acknowledgeInterrupt() }
}
