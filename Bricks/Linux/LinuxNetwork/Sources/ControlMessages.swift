import Bytes
import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import NetFormats
import VFS

/// What goes beside the bytes of a message (cmsg(3), unix(7), ip(7)).
private enum Control {
    static var headerByteCount: Int { 16 }
    /// /proc/sys/net/core/optmem_max
    static var byteLimit: UInt64 { 20_480 }
    static var socketLevel: Int32 { 1 }
    static var rights: Int32 { 1 }
    static var credentials: Int32 { 2 }
}

extension LinuxThread {
    func readControl(_ header: linux_message_header, _ socket: Socket, _ message: inout SentMessage) throws(Errno) {
        guard header.msg_controllen <= Control.byteLimit else { throw .enobufs }
        var offset: UInt64 = 0
        while header.msg_controllen - offset >= UInt64(Control.headerByteCount) {
            let item = try memory.read(linux_control_message_header.self, at: header.msg_control &+ offset)
            guard item.cmsg_len >= UInt64(Control.headerByteCount), item.cmsg_len <= header.msg_controllen - offset else { throw .einval }
            let data = header.msg_control &+ offset &+ UInt64(Control.headerByteCount)
            let byteCount = Int(item.cmsg_len) - Control.headerByteCount
            if item.cmsg_level == Control.socketLevel, socket.family == .unix {
                try readControl(item.cmsg_type, data, byteCount, &message)
            }
            let step = (item.cmsg_len + 7) & ~7
            guard step <= header.msg_controllen - offset else { break }
            offset += step
        }
    }

    private func readControl(_ type: Int32, _ data: UInt64, _ byteCount: Int, _ message: inout SentMessage) throws(Errno) {
        switch type {
        case Control.rights:
            guard message.files.count + byteCount / 4 <= SentMessage.fileLimit else { throw .einval }
            for index in 0..<byteCount / 4 {
                let descriptor = try memory.read(Int32.self, at: data &+ UInt64(index * 4))
                message.files.append(try process.descriptors[descriptor])
            }
        case Control.credentials:
            guard byteCount == MemoryLayout<linux_credentials>.size else { throw .einval }
            let claimed = try memory.read(linux_credentials.self, at: data)
            let own = process.credentials
            let isPrivileged = own.effectiveUser == 0
            // Only the privileged say that they are somebody else; there is no other process.
            guard claimed.pid == process.identifier,
                isPrivileged || claimed.uid == own.user || claimed.uid == own.effectiveUser || claimed.uid == own.savedUser,
                isPrivileged || claimed.gid == own.group || claimed.gid == own.effectiveGroup || claimed.gid == own.savedGroup
            else { throw claimed.pid == process.identifier ? .eperm : .esrch }
            message.credentials = SocketCredentials(process: claimed.pid, user: claimed.uid, group: claimed.gid)
        default: throw .einval
        }
    }

    /// Writes what came with a message, as far as there is room; descriptors without room are closed.
    func writeControl(
        _ header: inout linux_message_header, _ socket: Socket, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) {
        var writer = ControlWriter(thread: self, address: header.msg_control, room: header.msg_control == 0 ? 0 : header.msg_controllen)
        if let credentials = message.credentials {
            let data = linux_credentials(pid: credentials.process, uid: credentials.user, gid: credentials.group)
            try writer.add(Control.socketLevel, Control.credentials, MemoryLayout<linux_credentials>.size) { (address) throws(Errno) in
                try memory.write(data, at: address)
            }
        }
        if !message.files.isEmpty { try writer.add(message.files, closesOnExec: flags.contains(.closeOnExec)) }
        for file in message.files { file.release() }
        message.files = []
        if let information = message.packetInformation { try writer.add(information, isIPv6: socket.family == .inet6) }
        if writer.isTruncated { message.flags.insert(.controlTruncated) }
        header.msg_controllen = writer.used
    }
}

private struct ControlWriter {
    let thread: LinuxThread
    let address: UInt64
    let room: UInt64
    var used: UInt64 = 0
    var isTruncated = false

    init(thread: LinuxThread, address: UInt64, room: UInt64) {
        self.thread = thread
        self.address = address
        self.room = room
    }

    mutating func add(
        _ level: Int32, _ type: Int32, _ byteCount: Int, _ body: (UInt64) throws(Errno) -> Void
    ) throws(Errno) {
        let length = UInt64(16 + byteCount)
        guard room - used >= length else {
            isTruncated = true
            return
        }
        let header = linux_control_message_header(cmsg_len: length, cmsg_level: level, cmsg_type: type)
        try thread.memory.write(header, at: address &+ used)
        try body(address &+ used &+ 16)
        used = min(room, used + (length + 7) & ~7)
    }

    mutating func add(_ files: [OpenFile], closesOnExec: Bool) throws(Errno) {
        let fitting = room - used >= 20 ? min(files.count, Int(min(room - used - 16, 4096)) / 4) : 0
        if fitting < files.count { isTruncated = true }
        guard fitting > 0 else { return }
        var descriptors: [Int32] = []
        for file in files.prefix(fitting) {
            guard let descriptor = try? thread.process.descriptors.insert(file, closesOnExec: closesOnExec) else {
                isTruncated = true
                break
            }
            descriptors.append(descriptor)
        }
        guard !descriptors.isEmpty else { return }
        let memory = thread.memory
        try add(1, 1, descriptors.count * 4) { (address) throws(Errno) in
            for (index, descriptor) in descriptors.enumerated() { try memory.write(descriptor, at: address &+ UInt64(index * 4)) }
        }
    }

    /// struct in_pktinfo: interface, own address, address in the header. struct in6_pktinfo: address, interface.
    mutating func add(_ information: PacketInformation, isIPv6: Bool) throws(Errno) {
        let name = SocketName(SocketAddress(address: information.destination, port: 0), isIPv6: isIPv6)
        let memory = thread.memory
        if isIPv6 {
            try add(41, 50, 20) { (address) throws(Errno) in
                try memory.copyOut(name.bytes.extracting(8..<24), to: address)
                try memory.write(information.interface, at: address &+ 16)
            }
        } else {
            try add(0, 8, 12) { (address) throws(Errno) in
                try memory.write(information.interface, at: address)
                try memory.copyOut(name.bytes.extracting(4..<8), to: address &+ 4)
                try memory.copyOut(name.bytes.extracting(4..<8), to: address &+ 8)
            }
        }
    }
}
