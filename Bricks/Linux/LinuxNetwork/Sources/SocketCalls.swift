import Errno
import LinuxMemory
import LinuxProcess
import VFS

/// SOCK_NONBLOCK and SOCK_CLOEXEC are the flags of open(2).
private func openFlags(_ type: UInt32) throws(Errno) -> OpenFlags {
    let flags = OpenFlags(rawValue: type & ~0xf)
    guard flags.isSubset(of: [.nonBlock, .closeOnExec]) else { throw .einval }
    return flags
}

extension LinuxThread {
    private func insert(_ socket: Socket, closesOnExec: Bool) throws(Errno) -> Int32 {
        socket.retain()
        defer { socket.release() }
        return try process.descriptors.insert(socket, closesOnExec: closesOnExec)
    }

    static func sysSocket(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = try openFlags(arguments.uint32(1))
        let kind = SocketKind(rawValue: arguments.int32(1) & 0xf)
        let socket = try thread.sockets.makeSocket(
            SocketFamily(rawValue: arguments.int32(0)), kind, arguments.int32(2), thread.socketCredentials, flags)
        return Int(try thread.insert(socket, closesOnExec: flags.contains(.closeOnExec)))
    }

    static func sysSocketpair(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = try openFlags(arguments.uint32(1))
        switch SocketFamily(rawValue: arguments.int32(0)) {
        case .unix: break
        case .inet, .inet6, .netlink: throw .eopnotsupp
        default: throw .eafnosupport
        }
        let protocolNumber = arguments.int32(2)
        guard protocolNumber == 0 || protocolNumber == 1 else { throw .eprotonosupport }
        try thread.process.descriptors.checkRoom(for: 2)
        let (one, other) = try UnixSocket.pair(
            thread.sockets, SocketKind(rawValue: arguments.int32(1) & 0xf), thread.socketCredentials, flags)
        other.retain()
        defer { other.release() }
        let closes = flags.contains(.closeOnExec)
        let first = try thread.insert(one, closesOnExec: closes)
        do throws(Errno) {
            let second = try thread.insert(other, closesOnExec: closes)
            do throws(Errno) {
                let pair = UInt64(UInt32(bitPattern: first)) | UInt64(UInt32(bitPattern: second)) << 32
                try thread.memory.write(pair, at: arguments[3])
            } catch {
                _ = try thread.process.descriptors.close(second)
                throw error
            }
        } catch {
            _ = try thread.process.descriptors.close(first)
            throw error
        }
        return 0
    }

    static func sysBind(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        try socket.bind(to: try thread.socketName(at: arguments[1], arguments.int32(2)))
        return 0
    }

    static func sysListen(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.socket(arguments.descriptor(0)).listen(backlog: arguments.int32(1))
        return 0
    }

    // MARK: Connections

    private func accept(_ descriptor: Int32, _ address: UInt64, _ length: UInt64, _ type: UInt32) throws(Errno) -> Int {
        let flags = try openFlags(type)
        let socket = try socket(descriptor)
        try process.descriptors.checkRoom()
        var accepted: Socket?
        _ = try blocking(socket, false, socket.readTimeout) { () throws(Errno) in
            accepted = try socket.accept(flags)
            return 0
        }
        guard let accepted else { throw .einval }
        accepted.retain()
        defer { accepted.release() }
        if address != 0 {
            // One that is over already has no name any more.
            let name = (try? accepted.peerName()) ?? SocketName()
            try write(name, at: address, lengthAt: length)
        }
        return Int(try process.descriptors.insert(accepted, closesOnExec: flags.contains(.closeOnExec)))
    }

    static func sysAccept(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.accept(arguments.descriptor(0), arguments[1], arguments[2], 0)
    }
    static func sysAccept4(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.uint32(3) & 0xf == 0 else { throw .einval }
        return try thread.accept(arguments.descriptor(0), arguments[1], arguments[2], arguments.uint32(3))
    }

    static func sysConnect(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        let name = try thread.socketName(at: arguments[1], arguments.int32(2))
        do throws(Errno) {
            return try thread.waitingForWay(socket.network, name) { () throws(Errno) in
                try thread.blocking(socket, false, socket.writeTimeout) { () throws(Errno) in
                    try socket.connect(to: name)
                    return 0
                }
            }
        } catch {
            // A call that a signal cut short waits on when it is made again.
            guard error == .einprogress || error == .ealready, !socket.flags.contains(.nonBlock), let stream = socket as? TCPSocket else {
                throw error
            }
            return try thread.finish(stream)
        }
    }

    private func finish(_ socket: TCPSocket) throws(Errno) -> Int {
        do throws(Errno) {
            return try blocking(socket, false, socket.writeTimeout) { () throws(Errno) in
                try socket.finishConnect()
                return 0
            }
        } catch {
            throw error == .eagain ? .einprogress : error
        }
    }

    static func sysShutdown(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        guard arguments.int32(1) >= 0, arguments.int32(1) <= 2 else { throw .einval }
        try socket.shutDown(arguments.int32(1))
        return 0
    }

    // MARK: Names

    static func sysGetsockname(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.write(try thread.socket(arguments.descriptor(0)).localName(), at: arguments[1], lengthAt: arguments[2])
        return 0
    }
    static func sysGetpeername(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.write(try thread.socket(arguments.descriptor(0)).peerName(), at: arguments[1], lengthAt: arguments[2])
        return 0
    }
}
