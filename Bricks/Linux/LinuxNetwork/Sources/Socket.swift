import Bytes
import Errno
import LinuxPipes
import NetFormats
import Time
import VFS

/// A socket (socket(2)): the part of its calls that does not block.
///
/// `.eagain` means wait for `blockedOn`, or if that is nil for the socket's own observers, then try again.
open class Socket: OpenFile {
    public final let family: SocketFamily
    public final let socketKind: SocketKind
    public final let protocolNumber: Int32
    public final let network: SocketNetwork
    public final var options = SocketOptions()
    public final let number: UInt64
    /// Whose observers tell when the call that threw `.eagain` may be tried again.
    public internal(set) final var blockedOn: ObserverList?
    final func forgetBlocked() { blockedOn = nil }
    final var isReadShut = false
    final var isWriteShut = false

    init(_ network: SocketNetwork, _ family: SocketFamily, _ kind: SocketKind, _ protocolNumber: Int32, _ flags: OpenFlags) {
        self.network = network
        self.family = family
        self.protocolNumber = protocolNumber
        socketKind = kind
        number = network.nextNumber()
        super.init(flags.union(.readWrite))
    }

    open override var kind: FileKind { .socket }
    open override var displayName: [UInt8] { numbered(Array("socket:[".utf8), number) }
    open override func attributes() -> Attributes {
        var attributes = Attributes(kind: .socket, permissions: Permissions(mode: 0o777))
        attributes.inode = number
        return attributes
    }

    open override func seek(to offset: Int64, from whence: Int32) throws(Errno) -> Int64 { throw .espipe }

    open override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        var message = ReceivedMessage()
        let count = try receive(into: &bytes, [], &message)
        for file in message.files { file.release() }
        return count
    }

    open override func write(_ bytes: RawSpan) throws(Errno) -> Int { try send(bytes, [], SentMessage()) }

    public final override var readTimeout: Duration? { options.receiveTimeout }
    public final override var writeTimeout: Duration? { options.sendTimeout }
    /// Bytes without borders between them: a call may take or give a part.
    public final var isStream: Bool { socketKind == .stream }

    // MARK: What kinds of sockets differ in

    open func bind(to name: SocketName) throws(Errno) { throw .eopnotsupp }
    open func listen(backlog: Int32) throws(Errno) { throw .eopnotsupp }
    open var isListening: Bool { false }
    /// The new socket has no descriptor yet; what is not kept must be discarded.
    open func accept(_ flags: OpenFlags) throws(Errno) -> Socket { throw .eopnotsupp }
    /// `.einprogress`: wait until it is ready for output or failed, then ask `takeError()`.
    open func connect(to name: SocketName) throws(Errno) { throw .eopnotsupp }
    open func localName() throws(Errno) -> SocketName { SocketName() }
    /// `.enotconn`
    open func peerName() throws(Errno) -> SocketName { throw .enotconn }
    /// 0 reading, 1 writing, 2 both.
    open func shutDown(_ how: Int32) throws(Errno) { throw .enotconn }
    /// `.epipe`: the caller sends SIGPIPE unless MSG_NOSIGNAL is given or the socket is no stream.
    open func send(_ bytes: RawSpan, _ flags: MessageFlags, _ message: borrowing SentMessage) throws(Errno) -> Int { throw .eopnotsupp }
    open func receive(
        into bytes: inout MutableRawSpan, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) -> Int { throw .eopnotsupp }
    /// SO_ERROR: what failed since the last look.
    open func takeError() -> Errno? { nil }
    /// FIONREAD and SIOCOUTQ.
    open var readableByteCount: Int { 0 }
    open var unsentByteCount: Int { 0 }
    open var peerCredentials: SocketCredentials { .nobody }
    /// An option has changed that something must be done for.
    open func optionsChanged() {}
    open func tcpInformation() throws(Errno) -> TCPInformation { throw .eopnotsupp }

    /// A socket that never got a descriptor.
    public final func discard() {
        retain()
        release()
    }

    open override func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        switch request {
        case InterfaceRequest.readable:
            if isListening { throw .einval }
            try user.copyOut(UInt32(clamping: readableByteCount), to: argument)
        case InterfaceRequest.unsent: try user.copyOut(UInt32(clamping: unsentByteCount), to: argument)
        default: return try network.control(request, argument, user)
        }
        return 0
    }
}

/// What TCP_INFO tells; all else is zero.
public struct TCPInformation: Equatable, Sendable {
    /// tcpi_state, as Linux numbers the states.
    public var state: UInt8 = 7
    public var retransmissions: UInt32 = 0
    public var segmentSize: UInt32 = 0
    public var roundTripMicroseconds: UInt32 = 0
    public var congestionWindow: UInt32 = 0
    public var unacknowledged: UInt32 = 0
}
