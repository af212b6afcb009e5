import Bytes
import Errno
import VFS

/// The pending signals of whoever reads from a signalfd: those of the process and of the calling thread.
open class SignalSource {
    public init() {}
    /// Whether one of `mask` (bit n-1 is signal n) is pending.
    open func isPending(_ mask: UInt64) -> Bool { false }
    /// Takes the first pending signal of `mask`, as the 128 bytes of signalfd_siginfo. False: there is none.
    open func take(_ mask: UInt64, into bytes: inout MutableRawSpan) -> Bool { false }
    /// Told when a signal becomes pending.
    public final let observers = ObserverList()
}

/// signalfd(2).
public final class SignalFile: OpenFile {
    /// Passes on what the source tells.
    private final class Relay: Observer {
        var file: SignalFile?
        override func notify(_ events: PollEvents) { file?.observers.notify(.input) }
    }

    public static var recordByteCount: Int { 128 }
    /// SIGKILL and SIGSTOP are never taken.
    private static var untakable: UInt64 { 1 << 8 | 1 << 18 }

    private let source: SignalSource
    private let relay = Relay()
    public private(set) var mask: UInt64

    public init(_ source: SignalSource, mask: UInt64, _ flags: OpenFlags) {
        self.source = source
        self.mask = mask & ~Self.untakable
        super.init(flags.union(.readWrite))
        relay.file = self
        source.observers.add(relay)
    }

    public func setMask(_ mask: UInt64) {
        self.mask = mask & ~Self.untakable
        observers.notify(.input)
    }

    public override var displayName: [UInt8] { Array("anon_inode:[signalfd]".utf8) }
    public override var readiness: PollEvents { source.isPending(mask) ? .input : [] }

    public override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard bytes.byteCount >= Self.recordByteCount else { throw .einval }
        var offset = 0
        while bytes.byteCount - offset >= Self.recordByteCount {
            var rest = bytes._mutatingExtracting(droppingFirst: offset)
            var record = rest._mutatingExtracting(first: Self.recordByteCount)
            guard source.take(mask, into: &record) else { break }
            offset += Self.recordByteCount
        }
        guard offset > 0 else { throw .eagain }
        return offset
    }

    public override func write(_ bytes: RawSpan) throws(Errno) -> Int { throw .einval }

    public override func lastClose() {
        source.observers.remove(relay)
        relay.file = nil
    }
}
