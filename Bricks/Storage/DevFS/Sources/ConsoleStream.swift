import Errno
import VFS

/// The console of an instance when it is no terminal: a stream in and a stream out, like a pipe's ends.
public final class ConsoleStream: OpenFile {
    /// Where the bytes come from and go to.
    open class Port {
        public let observers = ObserverList()
        public init() {}
        open func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int { 0 }
        open func write(_ bytes: RawSpan) throws(Errno) -> Int { bytes.byteCount }
        open var readiness: PollEvents { [.input, .output] }
    }

    private let port: Port
    private let relay = Relay()

    public init(_ port: Port, _ flags: OpenFlags) {
        self.port = port
        super.init(flags)
        relay.target = observers
        port.observers.add(relay)
    }

    public override var kind: FileKind { .fifo }
    public override var displayName: [UInt8] { Array("pipe:[1]".utf8) }
    public override var readiness: PollEvents {
        var events = port.readiness
        if !flags.isReadable { events.remove(.input) }
        if !flags.isWritable { events.remove(.output) }
        return events
    }
    public override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int { try port.read(into: &bytes) }
    public override func write(_ bytes: RawSpan) throws(Errno) -> Int { try port.write(bytes) }
    public override func attributes() -> Attributes {
        var attributes = Attributes(kind: .fifo, permissions: Permissions(mode: 0o600))
        attributes.inode = 1
        return attributes
    }
    public override func lastClose() { port.observers.remove(relay) }
}
