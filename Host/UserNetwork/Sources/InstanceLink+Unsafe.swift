import Bytes
import Glibc
import LinuxSockets
import NetFormats
import PacketCapture
import Time
import VirtioFormat

/// The instance's socket: frames in and out in batches.
@safe final class InstanceLink {
    /// Messages received by one call.
    static let receiveLimit = 16
    /// A header, Ethernet and the largest IP packet.
    static let messageByteCountLimit = VirtioNetHeader.byteCount + EthernetHeader.byteCount + 65_535 + 16
    /// Frames that wait to be sent together.
    static let batchLimit = 32
    /// Longer frames are sent at once, from where they lie.
    static let gatheredByteCountLimit = 2048

    let descriptor: Int32
    let framing: InstanceFraming
    private let isSocket: Int32
    /// Set when the other end takes no more; then `send` refuses until `resume`.
    private(set) var isFull = false
    /// The other end is gone.
    private(set) var isClosed = false
    var capture: PacketCapture?
    private(set) var droppedFrameCount = 0

    private let inbox: UnsafeMutableRawPointer
    private let inboxPieces: UnsafeMutablePointer<iovec>
    private let inboxLengths: UnsafeMutablePointer<UInt32>
    private let outbox: UnsafeMutableRawPointer
    private let outboxPieces: UnsafeMutablePointer<iovec>
    private var outboxFirst = 0
    private var outboxCount = 0
    /// A long frame that found the other end full.
    private var isLateFramePresent = false
    private let lateFrame: UnsafeMutableRawPointer
    private var lateByteCount = 0

    init(descriptor: Int32, framing: InstanceFraming) {
        self.descriptor = descriptor
        self.framing = framing
        isSocket = brique_is_socket(descriptor)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        let buffer = HostSocket(descriptor: descriptor)
        buffer.set(SOL_SOCKET, SO_SNDBUF, 4 << 20)
        // SAFETY: all of it is owned by this object and freed in deinit; the message headers point into it for good, and every
        // piece has the length of its slot.
        unsafe inbox = .allocate(byteCount: Self.receiveLimit * Self.messageByteCountLimit, alignment: 64)
        unsafe inbox.initializeMemory(as: UInt8.self, repeating: 0, count: Self.receiveLimit * Self.messageByteCountLimit)
        unsafe inboxPieces = Self.pieces(Self.receiveLimit, inbox, Self.messageByteCountLimit)
        unsafe inboxLengths = .allocate(capacity: Self.receiveLimit)
        unsafe inboxLengths.initialize(repeating: 0, count: Self.receiveLimit)
        unsafe outbox = .allocate(byteCount: Self.batchLimit * Self.gatheredByteCountLimit, alignment: 64)
        unsafe outbox.initializeMemory(as: UInt8.self, repeating: 0, count: Self.batchLimit * Self.gatheredByteCountLimit)
        unsafe outboxPieces = Self.pieces(Self.batchLimit, outbox, Self.gatheredByteCountLimit)
        unsafe lateFrame = .allocate(byteCount: Self.messageByteCountLimit, alignment: 64)
        unsafe lateFrame.initializeMemory(as: UInt8.self, repeating: 0, count: Self.messageByteCountLimit)
    }

    deinit {
        unsafe inbox.deallocate()
        unsafe inboxLengths.deallocate()
        unsafe inboxPieces.deallocate()
        unsafe outbox.deallocate()
        unsafe outboxPieces.deallocate()
        unsafe lateFrame.deallocate()
    }

    private static func pieces(
        _ count: Int, _ memory: UnsafeMutableRawPointer, _ slotByteCount: Int
    ) -> UnsafeMutablePointer<iovec> {
        // SAFETY: freshly allocated for `count` elements, and initialized one by one.
        let pieces = UnsafeMutablePointer<iovec>.allocate(capacity: count)
        for index in 0..<count {
            unsafe (pieces + index).initialize(to: iovec(iov_base: memory + index * slotByteCount, iov_len: slotByteCount))
        }
        return unsafe pieces
    }

    /// Gives what has arrived to `body`, and returns how many frames that were; less than `receiveLimit`: all of them.
    func receive(at time: WallTime, _ body: (RawSpan, VirtioNetHeader) -> Void) -> Int {
        // SAFETY: the headers point into the inbox, see init.
        let count = unsafe brique_messages_receive(descriptor, isSocket, inboxPieces, inboxLengths, Int32(Self.receiveLimit))
        guard count > 0 else {
            if count < 0, errno != EAGAIN, errno != EINTR { isClosed = true }
            return 0
        }
        for index in 0..<Int(count) {
            let byteCount = unsafe min(Int(inboxLengths[index]), Self.messageByteCountLimit)
            // What has connections ends with empty messages; an empty datagram is nothing.
            guard byteCount > 0 else {
                if framing == .virtio, isSocket != 0 { isClosed = true }
                continue
            }
            // SAFETY: initialized memory of this object, which outlives the call; the body cannot keep the span.
            let message = unsafe UnsafeRawBufferPointer(start: inbox + index * Self.messageByteCountLimit, count: byteCount).bytes
            deliver(message, time, body)
        }
        return Int(count)
    }

    private func deliver(_ message: RawSpan, _ time: WallTime, _ body: (RawSpan, VirtioNetHeader) -> Void) {
        var reader = ByteReader(message)
        var header = VirtioNetHeader()
        if framing == .virtio {
            guard let parsed = try? VirtioNetHeader(parsing: &reader) else { return }
            header = parsed
        }
        capture?.record(reader.unread, at: time)
        body(reader.unread, header)
    }

    /// Sends a frame in three pieces, the first of which begins with room for the header if the framing has one. False: it is
    /// dropped, for there is no room.
    func send(_ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, at time: WallTime) -> Bool {
        let byteCount = headers.byteCount + payload.byteCount + rest.byteCount
        guard !isFull, byteCount <= Self.messageByteCountLimit else {
            droppedFrameCount += 1
            return false
        }
        if let capture {
            capture.record(headers.extracting(droppingFirst: framing == .virtio ? VirtioNetHeader.byteCount : 0), payload, rest, at: time)
        }
        if byteCount <= Self.gatheredByteCountLimit {
            // SAFETY: the slot is of this size, and `outboxCount` below the limit, or the batch has just been sent.
            unsafe Self.copy(headers, payload, rest, to: outbox + outboxCount * Self.gatheredByteCountLimit)
            unsafe outboxPieces[outboxCount].iov_len = byteCount
            outboxCount += 1
            if outboxCount == Self.batchLimit { flush() }
            return true
        }
        flush()
        if isFull || !sendNow(headers, payload, rest) {
            // SAFETY: `lateFrame` has room for every frame, see above.
            unsafe Self.copy(headers, payload, rest, to: lateFrame)
            lateByteCount = byteCount
            isLateFramePresent = true
            isFull = true
        }
        return true
    }

    private static func copy(_ a: RawSpan, _ b: RawSpan, _ c: RawSpan, to target: UnsafeMutableRawPointer) {
        // SAFETY: the caller has checked that all three fit behind one another.
        unsafe a.withUnsafeBytes { if let base = $0.baseAddress { unsafe memcpy(target, base, $0.count) } }
        unsafe b.withUnsafeBytes { if let base = $0.baseAddress { unsafe memcpy(target + a.byteCount, base, $0.count) } }
        unsafe c.withUnsafeBytes { if let base = $0.baseAddress { unsafe memcpy(target + a.byteCount + b.byteCount, base, $0.count) } }
    }

    /// False: the other end is full.
    private func sendNow(_ a: RawSpan, _ b: RawSpan, _ c: RawSpan) -> Bool {
        // SAFETY: the pieces are borrowed for the call alone.
        unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in
                unsafe c.withUnsafeBytes { c in
                    var pieces = unsafe (
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: a.baseAddress), iov_len: a.count),
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: b.baseAddress), iov_len: b.count),
                        iovec(iov_base: UnsafeMutableRawPointer(mutating: c.baseAddress), iov_len: c.count)
                    )
                    return unsafe withUnsafeMutablePointer(to: &pieces) { pieces in
                        let first = unsafe UnsafeMutableRawPointer(pieces).assumingMemoryBound(to: iovec.self)
                        return hasLeft(unsafe brique_message_send(descriptor, isSocket, first, 3))
                    }
                }
            }
        }
    }

    /// Whether the message is done with: sent, or lost because there is nobody any more.
    private func hasLeft(_ result: Int) -> Bool {
        guard result < 0 else { return true }
        if errno == EAGAIN || errno == ENOBUFS { return false }
        if errno != EMSGSIZE { isClosed = true }
        return true
    }

    /// Sends what has been gathered.
    func flush() {
        while outboxFirst < outboxCount {
            // SAFETY: pieces of this object, the first `outboxCount` of them filled.
            let count = unsafe brique_messages_send(descriptor, isSocket, outboxPieces + outboxFirst, Int32(outboxCount - outboxFirst))
            if count > 0 {
                outboxFirst += Int(count)
            } else if hasLeft(-1) {
                outboxFirst += 1
            } else {
                isFull = true
                return
            }
        }
        (outboxFirst, outboxCount) = (0, 0)
    }

    /// The other end may have room again.
    func resume() {
        guard isFull else { return }
        isFull = false
        flush()
        guard !isFull, isLateFramePresent else { return }
        // SAFETY: `lateByteCount` bytes were stored.
        let frame = unsafe UnsafeRawBufferPointer(start: lateFrame, count: lateByteCount).bytes
        if sendNow(frame, frame.extracting(first: 0), frame.extracting(first: 0)) {
            isLateFramePresent = false
        } else {
            isFull = true
        }
    }
}
