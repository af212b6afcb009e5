import Bytes
import Errno
import VFS

/// What both ends of a pipe share (pipe(7)).
public final class Pipe {
    /// PIPE_BUF: writes of at most so many bytes are not mixed with others.
    public static var atomicByteCount: Int { 4096 }
    public static var defaultCapacity: Int { 65_536 }
    /// /proc/sys/fs/pipe-max-size.
    public static var greatestCapacity: Int { 1 << 20 }
    /// Packets (O_DIRECT) that may wait; Linux keeps one a page.
    static var packetLimit: Int { 256 }

    var ring = ByteRing()
    public internal(set) var capacity = Pipe.defaultCapacity
    /// Lengths of what was written as packets; bytes written otherwise stand before the first or behind the last of them.
    var packets: [Int] = []
    var ends: [PipeEnd] = []
    public internal(set) var readerCount = 0
    public internal(set) var writerCount = 0
    /// Whether there ever was one: opening a FIFO waits for the first.
    public internal(set) var readersSeen = 0
    public internal(set) var writersSeen = 0
    /// Those who wait in open(2) of a FIFO.
    public let openers = ObserverList()
    public let number: UInt64
    /// The FIFO that names it, nil for pipe(2).
    let vnode: Vnode?

    public init(number: UInt64, vnode: Vnode? = nil) {
        self.number = number
        self.vnode = vnode
    }

    public var byteCount: Int { ring.count }
    var room: Int { max(0, capacity - ring.count) }

    func notify(_ events: PollEvents) {
        for end in ends { end.observers.notify(events) }
    }

    /// The two descriptions of pipe2(2).
    public static func make(number: UInt64, _ flags: OpenFlags) -> (reader: PipeEnd, writer: PipeEnd) {
        let pipe = Pipe(number: number)
        return (PipeEnd(pipe, flags), PipeEnd(pipe, flags.union(.writeOnly)))
    }

    /// F_SETPIPE_SZ: rounded up to a power of two pages. Returns the new capacity.
    public func setCapacity(_ wanted: Int, isPrivileged: Bool) throws(Errno) -> Int {
        guard wanted >= 0, wanted <= 1 << 31 else { throw .einval }
        var rounded = 4096
        while rounded < wanted { rounded *= 2 }
        guard rounded <= Self.greatestCapacity || isPrivileged else { throw .eperm }
        guard rounded <= Self.greatestCapacity * 16 else { throw .enomem }
        guard rounded >= ring.count else { throw .ebusy }
        let hadRoom = room > 0
        capacity = rounded
        if !hadRoom, room > 0 { notify(.output) }
        return rounded
    }
}

/// One end of a pipe, or both (a FIFO opened for reading and writing).
public final class PipeEnd: OpenFile {
    public let pipe: Pipe

    public init(_ pipe: Pipe, _ flags: OpenFlags) {
        self.pipe = pipe
        super.init(flags)
        pipe.ends.append(self)
        if flags.isReadable {
            pipe.readerCount += 1
            pipe.readersSeen += 1
        }
        if flags.isWritable {
            pipe.writerCount += 1
            pipe.writersSeen += 1
        }
        pipe.openers.notify(.input)
    }

    public override var kind: FileKind { .fifo }
    public override var vnode: Vnode? { pipe.vnode }
    public override var displayName: [UInt8] { numbered(Array("pipe:[".utf8), pipe.number) }

    public override func attributes() -> Attributes {
        if let vnode { return vnode.attributes }
        var attributes = Attributes(kind: .fifo, permissions: Permissions(mode: 0o600))
        attributes.inode = pipe.number
        return attributes
    }

    public override var readiness: PollEvents {
        var events: PollEvents = []
        if flags.isReadable {
            if pipe.byteCount > 0 { events.insert(.input) }
            if pipe.writerCount == 0, pipe.vnode == nil || pipe.writersSeen > 0 { events.insert(.hangUp) }
        }
        if flags.isWritable {
            if pipe.room >= Pipe.atomicByteCount || pipe.byteCount == 0 { events.insert(.output) }
            if pipe.readerCount == 0 { events.insert(.error) }
        }
        return events
    }

    public override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        if bytes.byteCount == 0 { return 0 }
        guard pipe.byteCount > 0 else {
            if pipe.writerCount == 0 { return 0 }
            throw .eagain
        }
        guard let packet = pipe.packets.first else {
            let count = pipe.ring.copy(into: &bytes)
            take(count)
            return count
        }
        // The rest of a packet is lost.
        var part = bytes._mutatingExtracting(first: min(packet, bytes.byteCount))
        let count = pipe.ring.copy(into: &part)
        pipe.packets.removeFirst()
        take(packet)
        return count
    }

    private func take(_ count: Int) {
        let hadRoom = pipe.room >= Pipe.atomicByteCount
        pipe.ring.removeFirst(count)
        if !hadRoom || pipe.byteCount == 0 { pipe.notify(.output) }
    }

    /// `.epipe`: nobody reads; the caller sends SIGPIPE.
    public override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        if bytes.byteCount == 0 { return 0 }
        if pipe.readerCount == 0 { throw .epipe }
        let isPackets = flags.contains(.direct)
        var count = min(bytes.byteCount, pipe.room)
        if isPackets {
            count = min(bytes.byteCount, Pipe.atomicByteCount)
            guard count <= pipe.room, pipe.packets.count < Pipe.packetLimit else { throw .eagain }
            if pipe.packets.isEmpty, pipe.byteCount > 0 { pipe.packets.append(pipe.byteCount) }
        } else if bytes.byteCount <= Pipe.atomicByteCount, count < bytes.byteCount {
            throw .eagain
        }
        guard count > 0 else { throw .eagain }
        pipe.ring.append(bytes.extracting(first: count))
        if isPackets || !pipe.packets.isEmpty { pipe.packets.append(count) }
        pipe.notify(.input)
        return count
    }

    /// tee(2): up to `count` bytes of another pipe, which keeps them.
    func copy(_ source: PipeEnd, _ count: Int) throws(Errno) -> Int {
        guard source.pipe !== pipe else { throw .einval }
        if pipe.readerCount == 0 { throw .epipe }
        guard source.pipe.byteCount > 0 else {
            if source.pipe.writerCount == 0 { return 0 }
            throw .eagain
        }
        let wanted = min(count, source.pipe.packets.first ?? source.pipe.byteCount, pipe.room)
        guard wanted > 0 else { throw .eagain }
        var buffer = [UInt8](repeating: 0, count: wanted)
        var span = buffer.mutableSpan
        var raw = span.raw
        let copied = source.pipe.ring.copy(into: &raw)
        pipe.ring.append(buffer.raw.extracting(first: copied))
        if !pipe.packets.isEmpty { pipe.packets.append(copied) }
        pipe.notify(.input)
        return copied
    }

    public override func capacity() throws(Errno) -> Int { pipe.capacity }
    public override func setCapacity(_ byteCount: Int, isPrivileged: Bool) throws(Errno) -> Int {
        try pipe.setCapacity(byteCount, isPrivileged: isPrivileged)
    }

    public override var openingObservers: ObserverList? { opening?.isWaiting == true ? pipe.openers : nil }
    /// What open(2) of a FIFO waits for.
    var opening: FIFOOpening?

    /// FIONREAD.
    public override func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        guard request == 0x541b else { throw .enotty }
        try user.copyOut(UInt32(pipe.byteCount), to: argument)
        return 0
    }

    public override func lastClose() {
        if let index = pipe.ends.firstIndex(where: { $0 === self }) { pipe.ends.remove(at: index) }
        if flags.isReadable { pipe.readerCount -= 1 }
        if flags.isWritable { pipe.writerCount -= 1 }
        if pipe.readerCount == 0, pipe.writerCount == 0 {
            pipe.ring.removeAll()
            pipe.packets = []
            pipe.vnode?.object = nil
        }
        if flags.isWritable, pipe.writerCount == 0 { pipe.notify([.hangUp, .input]) }
        if flags.isReadable, pipe.readerCount == 0 { pipe.notify([.error, .output]) }
    }
}

/// "pipe:[7]"
public func numbered(_ prefix: [UInt8], _ number: UInt64) -> [UInt8] {
    var digits: [UInt8] = []
    var rest = number
    repeat {
        digits.append(UInt8(ascii: "0") + UInt8(rest % 10))
        rest /= 10
    } while rest > 0
    return prefix + digits.reversed() + [UInt8(ascii: "]")]
}
