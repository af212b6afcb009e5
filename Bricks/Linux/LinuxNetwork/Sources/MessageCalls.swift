import Bytes
import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import Time
import VFS

/// The buffers of a message, read from the program as they are needed.
private struct Buffers {
    let address: UInt64
    let count: UInt64

    /// UIO_MAXIOV
    static var limit: UInt64 { 1024 }

    init(_ header: linux_message_header) throws(Errno) {
        guard header.msg_name == 0 || Int32(bitPattern: header.msg_namelen) >= 0 else { throw .einval }
        guard header.msg_iovlen <= Self.limit else { throw .emsgsize }
        address = header.msg_iov
        count = header.msg_iovlen
    }

    subscript(index: UInt64, memory: AddressSpace) -> linux_iovec {
        get throws(Errno) { try memory.read(linux_iovec.self, at: address &+ index &* 16) }
    }

    /// `.einval`: more than a signed size.
    func byteCount(_ memory: AddressSpace) throws(Errno) -> Int {
        var total = 0
        for index in 0..<count {
            let length = try self[index, memory].iov_len
            guard length <= UInt64(Int.max), Int(length) <= Int.max - total else { throw .einval }
            total += Int(length)
        }
        return total
    }
}

extension LinuxThread {
    /// So much of the program's memory is looked at in one step: no more is brought in than is used.
    private static var pieceByteCount: Int { 1 << 17 }
    /// No datagram is longer.
    private static var datagramByteCount: Int { 1 << 18 }

    // MARK: Sending

    /// Sends one buffer; a blocking stream takes all of it.
    private func send(
        _ socket: Socket, _ address: UInt64, _ count: Int, _ flags: MessageFlags, _ message: inout SentMessage
    ) throws(Errno) -> Int {
        let isNonBlocking = flags.contains(.dontWait)
        guard socket.isStream else {
            guard count <= Self.datagramByteCount else { throw .emsgsize }
            return try blocking(socket, isNonBlocking, socket.writeTimeout) { () throws(Errno) in
                try memory.withReadable(address, count) { (bytes) throws(Errno) in try socket.send(bytes, flags, message) }
            }
        }
        var done = 0
        repeat {
            let piece = min(count - done, Self.pieceByteCount)
            do throws(Errno) {
                done += try blocking(socket, isNonBlocking, socket.writeTimeout) { () throws(Errno) in
                    try memory.withReadable(address &+ UInt64(done), piece) { (bytes) throws(Errno) in
                        try socket.send(bytes, flags, message)
                    }
                }
            } catch {
                guard done > 0 else { throw error }
                return done
            }
            // What goes with the bytes goes with the first of them.
            if !message.files.isEmpty { message.files = [] }
        } while done < count
        return done
    }

    /// SIGPIPE for a stream that nobody reads any more.
    private func signallingPipe(
        _ socket: Socket, _ flags: MessageFlags, _ body: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        do throws(Errno) {
            return try body()
        } catch {
            if error == .epipe, socket.isStream, !flags.contains(.noSignal) { send(linux_signal_information(signal: Signal.pipe, code: 0)) }
            throw error
        }
    }

    static func sysSendto(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        let address = arguments[1], count = arguments.byteCount(2)
        let flags = MessageFlags(rawValue: arguments.uint32(3))
        var message = SentMessage()
        if arguments[4] != 0 {
            message.name = try thread.socketName(at: arguments[4], arguments.int32(5))
            return try thread.waitingForWay(socket.network, message.name) { () throws(Errno) in
                try thread.signallingPipe(socket, flags) { () throws(Errno) in try thread.send(socket, address, count, flags, &message) }
            }
        }
        return try thread.signallingPipe(socket, flags) { () throws(Errno) in try thread.send(socket, address, count, flags, &message) }
    }

    private func send(_ socket: Socket, header: linux_message_header, _ flags: MessageFlags) throws(Errno) -> Int {
        var message = SentMessage()
        if header.msg_name != 0, header.msg_namelen > 0 {
            guard header.msg_namelen <= Int32.max else { throw .einval }
            message.name = try socketName(at: header.msg_name, Int32(min(header.msg_namelen, UInt32(SocketName.greatestByteCount))))
        }
        let buffers = try Buffers(header)
        if header.msg_controllen > 0 { try readControl(header, socket, &message) }
        // They stay open until they are in the other's queue, whatever other threads close.
        let files = message.files
        for file in files { file.retain() }
        defer { for file in files { file.release() } }
        return try waitingForWay(socket.network, message.name) { () throws(Errno) in
            try signallingPipe(socket, flags) { () throws(Errno) in try send(socket, buffers, flags, &message) }
        }
    }

    private func send(
        _ socket: Socket, _ buffers: Buffers, _ flags: MessageFlags, _ message: inout SentMessage
    ) throws(Errno) -> Int {
        if buffers.count == 1 {
            let buffer = try buffers[0, memory]
            guard buffer.iov_len <= UInt64(Int.max) else { throw .einval }
            return try send(socket, buffer.iov_base, Int(min(buffer.iov_len, 0x7fff_f000)), flags, &message)
        }
        let total = try buffers.byteCount(memory)
        if !socket.isStream {
            guard total <= Self.datagramByteCount else { throw .emsgsize }
            var whole: [UInt8] = []
            whole.reserveCapacity(total)
            for index in 0..<buffers.count {
                let buffer = try buffers[index, memory]
                try memory.withReadable(buffer.iov_base, Int(buffer.iov_len)) { (bytes) throws(Errno) in whole.append(bytes) }
            }
            return try blocking(socket, flags.contains(.dontWait), socket.writeTimeout) { () throws(Errno) in
                try socket.send(whole.raw, flags, message)
            }
        }
        var done = 0
        for index in 0..<buffers.count {
            let buffer = try buffers[index, memory]
            let wanted = Int(min(buffer.iov_len, 0x7fff_f000))
            if wanted == 0 { continue }
            do throws(Errno) {
                let count = try send(socket, buffer.iov_base, wanted, flags, &message)
                done += count
                if count < wanted { return done }
            } catch {
                guard done > 0 else { throw error }
                return done
            }
        }
        return done
    }

    static func sysSendmsg(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        let header = try thread.memory.read(linux_message_header.self, at: arguments[1])
        return try thread.send(socket, header: header, MessageFlags(rawValue: arguments.uint32(2)))
    }

    static func sysSendmmsg(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        let flags = MessageFlags(rawValue: arguments.uint32(3))
        var sent = 0
        while sent < min(arguments.uint32(2), 1024) {
            let place = arguments[1] &+ UInt64(sent * MemoryLayout<linux_multiple_message_header>.stride)
            do throws(Errno) {
                let header = try thread.memory.read(linux_message_header.self, at: place)
                let count = try thread.send(socket, header: header, flags)
                try thread.memory.write(UInt32(clamping: count), at: place &+ UInt64(MemoryLayout<linux_message_header>.size))
            } catch {
                guard sent > 0 else { throw error }
                return sent
            }
            sent += 1
        }
        return sent
    }

    // MARK: Receiving

    /// Receives into one buffer; MSG_WAITALL fills it.
    private func receive(
        _ socket: Socket, _ address: UInt64, _ count: Int, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) -> Int {
        let isNonBlocking = flags.contains(.dontWait)
        let isWhole = socket.isStream && flags.contains(.waitAll) && !flags.contains(.peek)
        var done = 0
        while true {
            let piece = min(count - done, socket.isStream ? Self.pieceByteCount : Self.datagramByteCount)
            let moved: Int
            do throws(Errno) {
                moved = try blocking(socket, isNonBlocking, socket.readTimeout) { () throws(Errno) in
                    // What a connection drops is stored nowhere.
                    if flags.contains(.truncated), socket.isStream, socket.family != .unix {
                        return try drop(piece, from: socket, flags, &message)
                    }
                    return try memory.withWritable(address &+ UInt64(done), piece) { (bytes) throws(Errno) in
                        try socket.receive(into: &bytes, flags, &message)
                    }
                }
            } catch {
                guard done > 0 else { throw error }
                return done
            }
            done += moved
            guard isWhole, moved > 0, done < count, message.files.isEmpty else { return done }
        }
    }

    private func drop(_ count: Int, from socket: Socket, _ flags: MessageFlags, _ message: inout ReceivedMessage) throws(Errno) -> Int {
        var buffer = [UInt8](repeating: 0, count: count)
        var span = buffer.mutableSpan
        var bytes = span.raw
        return try socket.receive(into: &bytes, flags, &message)
    }

    static func sysRecvfrom(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        let flags = MessageFlags(rawValue: arguments.uint32(3))
        var message = ReceivedMessage()
        let count = try thread.receive(socket, arguments[1], arguments.byteCount(2), flags, &message)
        for file in message.files { file.release() }
        if arguments[4] != 0 {
            if message.name.isEmpty, !socket.isStream, socket.family == .unix { message.name = UnixName.unnamed.socketName }
            if message.name.isEmpty {
                if arguments[5] != 0 { try thread.memory.write(UInt32(0), at: arguments[5]) }
            } else {
                try thread.write(message.name, at: arguments[4], lengthAt: arguments[5])
            }
        }
        return flags.contains(.truncated) && !socket.isStream ? message.byteCount : count
    }

    /// `header` is where its results go too.
    private func receive(
        _ socket: Socket, header: inout linux_message_header, _ flags: MessageFlags
    ) throws(Errno) -> Int {
        let buffers = try Buffers(header)
        var message = ReceivedMessage()
        let count = try receive(socket, buffers, flags, &message)
        if header.msg_name != 0 {
            let name = message.name
            try memory.copyOut(
                name.bytes.extracting(first: min(Int(Int32(bitPattern: header.msg_namelen)), name.byteCount)), to: header.msg_name)
            header.msg_namelen = UInt32(name.byteCount)
        }
        try writeControl(&header, socket, flags, &message)
        header.msg_flags = Int32(bitPattern: message.flags.rawValue | (flags.rawValue & MessageFlags.closeOnExec.rawValue))
        return flags.contains(.truncated) && !socket.isStream ? message.byteCount : count
    }

    private func receive(
        _ socket: Socket, _ buffers: Buffers, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) -> Int {
        if buffers.count == 1 {
            let buffer = try buffers[0, memory]
            guard buffer.iov_len <= UInt64(Int.max) else { throw .einval }
            return try receive(socket, buffer.iov_base, Int(min(buffer.iov_len, 0x7fff_f000)), flags, &message)
        }
        let total = try buffers.byteCount(memory)
        // A datagram is received whole and then dealt out; so is a look at a stream, which takes nothing away.
        if !socket.isStream || flags.contains(.peek) { return try deal(socket, buffers, total, flags, &message) }
        var done = 0
        for index in 0..<buffers.count {
            let buffer = try buffers[index, memory]
            let wanted = Int(min(buffer.iov_len, 0x7fff_f000))
            if wanted == 0 { continue }
            let isFirst = done == 0 || flags.contains(.waitAll)
            do throws(Errno) {
                let count = try receive(socket, buffer.iov_base, wanted, isFirst ? flags : flags.union(.dontWait), &message)
                done += count
                if count < wanted || !message.files.isEmpty { break }
            } catch {
                guard done > 0 else { throw error }
                break
            }
        }
        return done
    }

    private func deal(
        _ socket: Socket, _ buffers: Buffers, _ total: Int, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) -> Int {
        var whole = [UInt8](repeating: 0, count: min(total, Self.datagramByteCount))
        let count = try blocking(socket, flags.contains(.dontWait), socket.readTimeout) { () throws(Errno) in
            var span = whole.mutableSpan
            var bytes = span.raw
            return try socket.receive(into: &bytes, flags, &message)
        }
        var done = 0
        for index in 0..<buffers.count where done < count {
            let buffer = try buffers[index, memory]
            let share = Int(min(buffer.iov_len, UInt64(count - done)))
            try memory.copyOut(whole.raw.extracting(done..<done + share), to: buffer.iov_base)
            done += share
        }
        return count
    }

    static func sysRecvmsg(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        var header = try thread.memory.read(linux_message_header.self, at: arguments[1])
        let count = try thread.receive(socket, header: &header, MessageFlags(rawValue: arguments.uint32(2)))
        try thread.memory.write(header, at: arguments[1])
        return count
    }

    static func sysRecvmmsg(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        var flags = MessageFlags(rawValue: arguments.uint32(3))
        var deadline: Instant?
        if arguments[4] != 0 {
            let time = try thread.memory.read(linux_timespec.self, at: arguments[4])
            guard time.tv_sec >= 0, time.tv_nsec >= 0, time.tv_nsec < 1_000_000_000 else { throw .einval }
            deadline = thread.process.system.now.advanced(by: .seconds(min(time.tv_sec, 1 << 33)) + .nanoseconds(time.tv_nsec))
        }
        var received = 0
        while received < min(arguments.uint32(2), 1024) {
            let place = arguments[1] &+ UInt64(received * MemoryLayout<linux_multiple_message_header>.stride)
            do throws(Errno) {
                var header = try thread.memory.read(linux_message_header.self, at: place)
                let count = try thread.receive(socket, header: &header, flags)
                try thread.memory.write(header, at: place)
                try thread.memory.write(UInt32(clamping: count), at: place &+ UInt64(MemoryLayout<linux_message_header>.size))
            } catch {
                guard received > 0 else { throw error }
                return received
            }
            received += 1
            if flags.contains(.waitForOne) { flags.insert(.dontWait) }
            // The time is looked at between messages only (recvmmsg(2), BUGS).
            if let deadline, thread.process.system.now >= deadline { break }
        }
        return received
    }
}
