import Errno
import LinuxMemory
import LinuxProcess
import Time
import VFS

// The one place where calls on sockets block.
extension LinuxThread {
    func socket(_ descriptor: Int32) throws(Errno) -> Socket {
        guard let socket = try process.descriptors[descriptor] as? Socket else { throw .enotsock }
        return socket
    }

    var sockets: SocketNetwork {
        get throws(Errno) {
            for attachment in process.attachments { if let network = attachment as? SocketNetwork { return network } }
            throw .eafnosupport
        }
    }

    var socketCredentials: SocketCredentials {
        SocketCredentials(
            process: process.identifier, user: process.credentials.effectiveUser, group: process.credentials.effectiveGroup)
    }

    /// Tries until it no longer throws `.eagain`. With a time limit of the socket's it is EAGAIN after all, and no signal starts it again.
    @inline(__always) func blocking(
        _ socket: Socket, _ isNonBlocking: Bool, _ timeout: Duration?, _ attempt: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        do throws(Errno) {
            return try attempt()
        } catch {
            guard error == .eagain, !isNonBlocking, !socket.flags.contains(.nonBlock) else { throw error }
        }
        let deadline = timeout.map { process.system.now.advanced(by: $0) }
        // Another thread may close the descriptor meanwhile.
        socket.retain()
        defer { socket.release() }
        while true {
            try waitOnce(socket, deadline)
            do throws(Errno) {
                return try attempt()
            } catch {
                guard error == .eagain else { throw error }
            }
        }
    }

    func waitOnce(_ socket: Socket, _ deadline: Instant?) throws(Errno) {
        let list = socket.blockedOn ?? socket.observers
        socket.forgetBlocked()
        do throws(Errno) {
            try wait(on: list, deadline: deadline)
        } catch {
            if error == .etimedout { throw .eagain }
            throw error == .restart && deadline != nil ? .eintr : error
        }
    }

    /// How long an address or a router is waited for that may still come.
    private static var configurationLimit: Duration { .seconds(10) }
    private static var configurationStep: Duration { .milliseconds(5) }

    /// Tries again while there is no way to `name` but one may turn up: programs do not expect to be quicker than their network.
    func waitingForWay(
        _ network: SocketNetwork, _ name: borrowing SocketName, _ attempt: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let limit = process.system.now.advanced(by: Self.configurationLimit)
        while true {
            do throws(Errno) {
                return try attempt()
            } catch {
                guard error == .enetunreach, process.system.now < limit, network.mayBecomeReachable(name) else { throw error }
            }
            do throws(Errno) {
                try wait(until: process.system.now.advanced(by: Self.configurationStep))
            } catch {
                guard error == .etimedout else { throw error }
            }
        }
    }

    // MARK: Addresses

    func socketName(at address: UInt64, _ byteCount: Int32) throws(Errno) -> SocketName {
        guard byteCount >= 0, Int(byteCount) <= SocketName.greatestByteCount else { throw .einval }
        return try memory.withReadable(address, Int(byteCount)) { (bytes) throws(Errno) in try SocketName(bytes) }
    }

    /// Writes as much of a name as there is room for, and its whole length.
    func write(_ name: borrowing SocketName, at address: UInt64, lengthAt place: UInt64) throws(Errno) {
        let room = try memory.read(Int32.self, at: place)
        guard room >= 0 else { throw .einval }
        try memory.copyOut(name.bytes.extracting(first: min(Int(room), name.byteCount)), to: address)
        try memory.write(UInt32(name.byteCount), at: place)
    }
}
