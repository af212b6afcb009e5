import Bytes
import Errno
import VFS

/// eventfd(2).
public final class EventCounter: OpenFile {
    private static var greatestValue: UInt64 { .max - 1 }

    public private(set) var value: UInt64
    private let isSemaphore: Bool

    public init(value: UInt32, isSemaphore: Bool, _ flags: OpenFlags) {
        self.value = UInt64(value)
        self.isSemaphore = isSemaphore
        super.init(flags.union(.readWrite))
    }

    public override var displayName: [UInt8] { Array("anon_inode:[eventfd]".utf8) }

    public override var readiness: PollEvents {
        var events: PollEvents = []
        if value > 0 { events.insert(.input) }
        if value < Self.greatestValue { events.insert(.output) }
        if value == .max { events.insert(.error) }
        return events
    }

    public override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard bytes.byteCount >= 8 else { throw .einval }
        guard value > 0 else { throw .eagain }
        let taken = isSemaphore ? 1 : value
        value -= taken
        bytes.storeBytes(of: taken.littleEndian, toByteOffset: 0, as: UInt64.self)
        observers.notify(.output)
        return 8
    }

    public override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        guard bytes.byteCount >= 8 else { throw .einval }
        var added: UInt64 = 0
        for index in (0..<8).reversed() { added = added << 8 | UInt64(bytes.byte(at: index)) }
        guard added != .max else { throw .einval }
        guard Self.greatestValue - min(value, Self.greatestValue) >= added else { throw .eagain }
        value += added
        observers.notify(.input)
        return 8
    }
}
