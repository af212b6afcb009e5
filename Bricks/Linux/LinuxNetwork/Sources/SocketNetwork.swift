import Bytes
import Errno
import NetFormats
import NetStack
import Time
import VFS

/// What all sockets of an instance share: its TCP/IP stack, the names of Unix sockets, and the ports that are taken.
public final class SocketNetwork {
    /// /proc/sys/net/core/somaxconn
    public static var backlogLimit: Int { 4096 }
    /// Descriptors on their way in messages.
    public static var heldFileLimit: Int { 16_384 }
    public static var abstractNameLimit: Int { 4096 }

    public let stack: NetStack
    /// Where Unix sockets have their paths; none: they have none.
    public var paths: PathContext?
    private var lastNumber: UInt64 = 0x1000
    private var abstractNames: [(name: [UInt8], socket: UnixSocket)] = []
    private var lastUnnamed: UInt32 = 0
    private var heldFileCount = 0
    var tcpPorts = PortTable()
    var udpPorts = PortTable()

    public init(_ stack: NetStack, paths: PathContext? = nil) {
        self.stack = stack
        self.paths = paths
    }

    /// Inode numbers of sockets and pipes.
    public func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    // MARK: socket(2)

    public func makeSocket(
        _ family: SocketFamily, _ kind: SocketKind, _ protocolNumber: Int32, _ credentials: SocketCredentials, _ flags: OpenFlags
    ) throws(Errno) -> Socket {
        guard kind.rawValue >= 0, kind.rawValue <= 10 else { throw .einval }
        switch family {
        case .unix:
            guard protocolNumber == 0 || protocolNumber == 1 else { throw .eprotonosupport }
            return try UnixSocket(self, kind == .raw ? .datagram : kind, credentials, flags)
        case .inet, .inet6:
            // IPPROTO_MAX
            guard protocolNumber >= 0, protocolNumber < 263 else { throw .einval }
            switch kind {
            case .stream:
                guard protocolNumber == 0 || protocolNumber == 6 else { throw .eprotonosupport }
                return TCPSocket(self, family, flags)
            case .datagram:
                guard protocolNumber == 0 || protocolNumber == 17 else { throw .eprotonosupport }
                return UDPSocket(self, family, flags)
            case .raw: throw .eperm
            case .sequencedPacket: throw .esocktnosupport
            default: throw kind.rawValue >= 0 && kind.rawValue <= 10 ? .esocktnosupport : .einval
            }
        case .netlink:
            guard kind == .raw || kind == .datagram else { throw .esocktnosupport }
            guard protocolNumber == 0 else { throw .eprotonosupport }
            return NetlinkSocket(self, kind, flags)
        default: throw .eafnosupport
        }
    }

    /// There is no way to `name` now, but its address or router may still come.
    func mayBecomeReachable(_ name: borrowing SocketName) -> Bool {
        guard let isIPv6 = name.family.map({ $0 == .inet6 }), let address = try? name.address(isIPv6: isIPv6) else { return false }
        return stack.mayBecomeReachable(address.address)
    }

    // MARK: Names of Unix sockets

    func abstractSocket(_ name: [UInt8]) -> UnixSocket? {
        for entry in abstractNames where entry.name.count == name.count && entry.name.hasSameBytes(as: name.raw, from: 0) {
            return entry.socket
        }
        return nil
    }

    func bindAbstract(_ name: [UInt8], _ socket: UnixSocket) { abstractNames.append((name, socket)) }

    func unbindAbstract(_ name: [UInt8], _ socket: UnixSocket) {
        abstractNames.removeAll { $0.socket === socket }
    }

    /// Five hexadecimal digits that nobody else has (unix(7), autobind).
    func bindUnnamed(_ socket: UnixSocket) throws(Errno) -> UnixName {
        guard abstractNames.count < Self.abstractNameLimit else { throw .enomem }
        while true {
            lastUnnamed = (lastUnnamed + 1) & 0xfffff
            var name: [UInt8] = []
            for shift in [16, 12, 8, 4, 0] as [UInt32] {
                let digit = UInt8(lastUnnamed >> shift & 15)
                name.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
            if abstractSocket(name) != nil { continue }
            bindAbstract(name, socket)
            return .abstract(name)
        }
    }

    func makeNode(_ path: [UInt8], _ socket: UnixSocket) throws(Errno) -> Vnode {
        guard let paths else { throw .eperm }
        do throws(Errno) {
            let place = try paths.makeNode(path, .socket, mode: 0o777)
            place.vnode.object = socket
            return place.vnode
        } catch {
            throw error == .eexist ? .eaddrinuse : error
        }
    }

    func socket(at path: [UInt8]) throws(Errno) -> UnixSocket {
        guard let paths else { throw .enoent }
        let place = try paths.resolve(path)
        guard place.vnode.kind == .socket else { throw .econnrefused }
        if !paths.credentials.isPrivileged { try paths.checkAccess(to: place, 2, by: paths.credentials) }
        guard let socket = place.vnode.object as? UnixSocket, !socket.isClosed else { throw .econnrefused }
        return socket
    }

    // MARK: Descriptors in messages

    /// Keeps files open while they are in a queue.
    func hold(_ files: [OpenFile]) throws(Errno) {
        guard heldFileCount + files.count <= Self.heldFileLimit else { throw .etoomanyrefs }
        heldFileCount += files.count
        for file in files { file.retain() }
    }

    /// They are the receiver's from now on.
    func letGo(_ count: Int) { heldFileCount -= count }
}
