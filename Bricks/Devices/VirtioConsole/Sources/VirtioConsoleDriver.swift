import DMAMemory
import RegisterBank
import VirtioFormat
import VirtioTransport
import Virtqueue

/// Port 0 of a virtio console (virtio 1.2 §5.3), without the multiport and size features.
///
/// It has no device until `attach`, and until then neither sends nor receives.
public struct VirtioConsoleDriver<Bank: RegisterBank>: ~Copyable {
    /// Receive buffers, and descriptors of either queue.
    public static var bufferCount: Int { 4 }
    public static var bufferByteCount: Int { 1024 }
    private static var queueByteCount: Int { (Virtqueue<4>.layout.byteCount &+ 15) & ~15 }
    /// What `attach` needs.
    public static var memoryByteCount: Int { 2 &* queueByteCount &+ bufferCount &* bufferByteCount }

    private var device: ReadyDevice<Bank>?
    private var buffers = SharedMemory()
    private var receive = Virtqueue<4>()
    private var transmit = Virtqueue<4>()
    /// Input that was received and not yet read: the bytes [start, end) of `buffers`, in the buffer of `descriptor`.
    private var descriptor: UInt16 = 0
    private var start = 0
    private var end = 0
    /// The device broke the rules: it is not listened to any more.
    public private(set) var isBroken = false

    public init() { device = nil }

    /// Starts a console device; `memory` is zeroed, 16-byte aligned, and holds `memoryByteCount` bytes.
    public mutating func attach(_ probed: consuming ProbedDevice<Bank>, memory: SharedMemory) throws(NegotiationError) {
        buffers = memory.slice(at: 2 &* Self.queueByteCount, byteCount: Self.bufferCount &* Self.bufferByteCount)
        let negotiated = try probed.negotiate()
        try Self.place(&receive, VirtioConsoleQueue.receive, of: negotiated, memory, writableByteCount: UInt32(Self.bufferByteCount))
        try Self.place(&transmit, VirtioConsoleQueue.transmit, of: negotiated, memory, writableByteCount: 0)
        device = negotiated.start()
        while Int(descriptor) < Self.bufferCount {
            offer()
            descriptor &+= 1
        }
    }

    /// A queue in its own part of the console's memory, which the device is told.
    @inline(never) private static func place(
        _ queue: inout Virtqueue<4>, _ index: UInt32, of device: borrowing NegotiatedDevice<Bank>, _ memory: SharedMemory,
        writableByteCount: UInt32
    ) throws(NegotiationError) {
        queue.place(
            in: memory.slice(at: Int(index) &* queueByteCount, byteCount: queueByteCount), writableByteCount: writableByteCount)
        try device.configure(queue: index, queue)
    }

    /// Gives the device the buffer of `descriptor`.
    @inline(never) private mutating func offer() {
        let offset = UInt64(descriptor) &* UInt64(Self.bufferByteCount)
        receive.add(descriptor, address: buffers.deviceAddress &+ offset, byteCount: UInt32(Self.bufferByteCount))
        device?.notify(queue: VirtioConsoleQueue.receive)
    }

    /// Starts sending; the bytes stay unchanged until `isSending` is false. Only one write at a time, and none when broken.
    public mutating func send(address: UInt64, byteCount: UInt32) {
        if isBroken { return }
        transmit.add(0, address: address, byteCount: byteCount)
        device?.notify(queue: VirtioConsoleQueue.transmit)
    }

    /// The device still has what was sent.
    @inline(never) public mutating func isSending() -> Bool {
        if isBroken || transmit.outCount == 0 { return false }
        do throws(VirtqueueError) { _ = try transmit.takeUsed() } catch { isBroken = true }
        return !isBroken && transmit.outCount > 0
    }

    /// Input is there to be read.
    @inline(never) public mutating func hasInput() -> Bool {
        if start < end { return true }
        if isBroken || receive.outCount == 0 { return false }
        do throws(VirtqueueError) {
            while let used = try receive.takeUsed() {
                descriptor = used.descriptor
                start = Int(descriptor) &* Self.bufferByteCount
                end = start &+ used.byteCount
                if start < end { return true }
                offer()
            }
        } catch { isBroken = true }
        return false
    }

    /// The next byte of input, or nil when there is none.
    @inline(never) public mutating func read() -> UInt8? {
        guard hasInput() else { return nil }
        let byte = buffers.load8(at: start)
        start &+= 1
        if start == end { offer() }
        return byte
    }

    /// To be called before the rings are looked at for the last time before a sleep.
    public func acknowledgeInterrupt() { device?.acknowledgeInterrupt() }
}
