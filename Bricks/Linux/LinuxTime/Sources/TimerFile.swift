import Bytes
import Errno
import Time
import VFS

/// timerfd_create(2).
public final class TimerFile: OpenFile {
    private final class Ticker: IntervalTimer, @unchecked Sendable {
        var file: TimerFile?
        override func expired(_ count: UInt64) { file?.expired(count) }
    }

    private let ticker: Ticker
    private var expirations: UInt64 = 0

    public init(_ source: TimeSource, _ clock: ClockKind, _ flags: OpenFlags) {
        ticker = Ticker(source, clock)
        super.init(flags.union(.readWrite))
        ticker.file = self
    }

    public var timer: IntervalTimer { ticker }

    /// timerfd_settime(2): expirations that nobody has read are forgotten.
    public func set(_ value: UInt64, interval: UInt64, isAbsolute: Bool) {
        expirations = 0
        ticker.set(value, interval: interval, isAbsolute: isAbsolute)
    }

    private func expired(_ count: UInt64) {
        expirations &+= count
        observers.notify(.input)
    }

    public override var displayName: [UInt8] { Array("anon_inode:[timerfd]".utf8) }
    public override var readiness: PollEvents { expirations > 0 ? .input : [] }

    public override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard bytes.byteCount >= 8 else { throw .einval }
        guard expirations > 0 else { throw .eagain }
        bytes.storeBytes(of: expirations.littleEndian, toByteOffset: 0, as: UInt64.self)
        expirations = 0
        return 8
    }

    public override func lastClose() {
        ticker.disarm()
        ticker.file = nil
    }
}
