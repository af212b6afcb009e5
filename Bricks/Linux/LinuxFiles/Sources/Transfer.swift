import Bytes
import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import VFS

/// Where bytes go from or to in a program: one buffer or several (readv(2)).
struct Vector {
    var parts: [(address: UInt64, byteCount: Int)]
    let byteCount: Int

    /// UIO_MAXIOV, and what one call moves at most.
    static var partLimit: Int { 1024 }
    static var byteLimit: Int { 0x7fff_f000 }

    init(_ address: UInt64, _ byteCount: Int) {
        parts = [(address, byteCount)]
        self.byteCount = byteCount
    }

    /// A call's one buffer. `.efault`: no program could have so much.
    init(_ address: UInt64, wanted byteCount: UInt64) throws(Errno) {
        try Self.checkAddresses(address, byteCount)
        self.init(address, Int(min(byteCount, UInt64(Self.byteLimit))))
    }

    /// The first `count` bytes of it.
    func prefix(_ count: Int) -> Vector {
        var parts: [(address: UInt64, byteCount: Int)] = []
        var rest = count
        for part in self.parts where rest > 0 {
            parts.append((part.address, min(part.byteCount, rest)))
            rest -= parts[parts.count - 1].byteCount
        }
        return Vector(parts)
    }
    private init(_ parts: [(address: UInt64, byteCount: Int)]) {
        self.parts = parts
        byteCount = parts.reduce(0) { $0 + $1.byteCount }
    }

    static func checkAddresses(_ address: UInt64, _ byteCount: UInt64) throws(Errno) {
        guard address <= addressLimit, byteCount <= addressLimit - address else { throw .efault }
    }

    /// Addresses that no program on Linux could have (TASK_SIZE_MAX) are refused before the file is looked at.
    func checkAddresses() throws(Errno) {
        for part in parts { try Self.checkAddresses(part.address, UInt64(part.byteCount)) }
    }
    private static var addressLimit: UInt64 { 0x7fff_ffff_f000 }

    /// `.einval`: too many, or more in sum than a signed size; `.efault`.
    init(at address: UInt64, count: UInt64, in memory: AddressSpace) throws(Errno) {
        guard count <= UInt64(Self.partLimit) else { throw .einval }
        var parts: [(address: UInt64, byteCount: Int)] = []
        parts.reserveCapacity(Int(count))
        var total = 0
        for index in 0..<count {
            let part = try memory.read(linux_iovec.self, at: address &+ index &* 16)
            guard part.iov_len <= UInt64(Int64.max), Int(part.iov_len) <= Int.max - total else { throw .einval }
            let byteCount = min(Int(part.iov_len), Self.byteLimit - min(total, Self.byteLimit))
            total += Int(part.iov_len)
            if byteCount > 0 { parts.append((part.iov_base, byteCount)) }
        }
        self.parts = parts
        byteCount = min(total, Self.byteLimit)
    }
}

// read(2), write(2) and their kin.
extension LinuxThread {
    /// So much of a file's contents is moved in one step: no more of the program's memory is brought in than is filled.
    private static var pieceByteCount: Int { 1 << 17 }
    /// What others than files take or give in one step; several buffers are one message then.
    private static var messageByteCount: Int { 1 << 16 }

    /// `.einval`: no file has such a place, or it would end behind the last one.
    private func check(_ offset: Int64?, _ vector: Vector) throws(Errno) {
        guard let offset else { return }
        guard offset >= 0, !offset.addingReportingOverflow(Int64(vector.byteCount)).overflow else { throw .einval }
    }

    /// `offset` nil: at the file's own.
    func read(_ file: OpenFile, _ vector: Vector, at offset: Int64? = nil, isNonBlocking: Bool = false) throws(Errno) -> Int {
        try vector.checkAddresses()
        try check(offset, vector)
        if file.kind == .directory { throw .eisdir }
        if file.kind != .regular && vector.parts.count > 1 {
            return try readMessage(file, vector, isNonBlocking)
        }
        var total = 0
        if vector.parts.isEmpty { return try readPiece(file, 4096, 0, offset, isNonBlocking) }
        for part in vector.parts {
            var done = 0
            repeat {
                let count = min(part.byteCount - done, Self.pieceByteCount)
                let moved: Int
                do {
                    moved = try readPiece(
                        file, part.address + UInt64(done), count, offset.map { $0 + Int64(total) }, isNonBlocking || total > 0)
                } catch {
                    guard total > 0 else { throw error }
                    return total
                }
                done += moved
                total += moved
                // Only a file's contents go on: what comes otherwise has its own ends.
                if moved < count || file.kind != .regular && file.kind != .characterDevice { return ended(file, total) }
            } while done < part.byteCount
        }
        return ended(file, total)
    }

    private func ended(_ file: OpenFile, _ total: Int) -> Int {
        if total > 0, file.origin != nil { file.report(.access) }
        return total
    }

    private func readPiece(_ file: OpenFile, _ address: UInt64, _ count: Int, _ offset: Int64?, _ isNonBlocking: Bool) throws(Errno) -> Int
    {
        do {
            return try readWhole(file, address, count, offset, isNonBlocking)
        } catch {
            guard error == .efault, file.kind == .regular else { throw error }
            let shorter = accessible(address, count, isWrite: true)
            guard shorter < count else {
                // At the end of the file nothing is stored.
                guard let place = offset ?? (try? file.seek(to: 0, from: 1)), place >= file.attributes().byteCount else { throw error }
                return 0
            }
            return try readWhole(file, address, shorter, offset, isNonBlocking)
        }
    }

    private func readWhole(_ file: OpenFile, _ address: UInt64, _ count: Int, _ offset: Int64?, _ isNonBlocking: Bool) throws(Errno) -> Int
    {
        try blocking(file, isNonBlocking: isNonBlocking, timeout: file.readTimeout) { () throws(Errno) in
            do throws(Errno) {
                return try memory.withWritable(address, count) { (bytes) throws(Errno) in
                    if let offset { return try file.read(at: offset, into: &bytes) }
                    return try file.read(into: &bytes)
                }
            } catch {
                // Nothing is stored yet: what waits, waits first.
                guard error == .efault, offset == nil, file.canBePolled,
                    file.readiness.isDisjoint(with: [.input, .hangUp, .error, .readHangUp])
                else { throw error }
                throw .eagain
            }
        }
    }

    /// How much of a buffer is there: a file's contents go as far as that. All of it when not even the first byte is.
    private func accessible(_ address: UInt64, _ count: Int, isWrite: Bool) -> Int {
        var done = 0
        while done < count {
            let step = min(count - done, Int(4096 - (address &+ UInt64(done)) % 4096))
            if (try? memory.prepare(address &+ UInt64(done), step, isWrite: isWrite)) == nil { break }
            done += step
        }
        return done == 0 ? count : done
    }

    private func readMessage(_ file: OpenFile, _ vector: Vector, _ isNonBlocking: Bool) throws(Errno) -> Int {
        for part in vector.parts { try memory.prepare(part.address, min(part.byteCount, Self.messageByteCount), isWrite: true) }
        var buffer = [UInt8](repeating: 0, count: min(vector.byteCount, Self.messageByteCount))
        let count = try blocking(file, isNonBlocking: isNonBlocking, timeout: file.readTimeout) { () throws(Errno) in
            try file.fill(&buffer)
        }
        var done = 0
        for part in vector.parts where done < count {
            let share = min(part.byteCount, count - done)
            try memory.copyOut(buffer.raw.extracting(done..<done + share), to: part.address)
            done += share
        }
        return count
    }

    /// Blocks until all is written where Linux does: pipes, sockets, terminals.
    func write(_ file: OpenFile, _ vector: Vector, at offset: Int64? = nil, isNonBlocking: Bool = false) throws(Errno) -> Int {
        try vector.checkAddresses()
        try check(offset, vector)
        let vector = try limited(vector, file, offset)
        do {
            let total: Int
            if file.kind != .regular, vector.parts.count > 1, vector.byteCount <= Self.messageByteCount {
                total = try writeMessage(file, vector, isNonBlocking)
            } else {
                total = try writeParts(file, vector, offset, isNonBlocking)
            }
            if total > 0, file.origin != nil { file.report(.modify) }
            return total
        } catch {
            if error == .epipe { _ = send(linux_signal_information(signal: 13, code: 0)) }
            throw error
        }
    }

    private func limited(_ vector: Vector, _ file: OpenFile, _ offset: Int64?) throws(Errno) -> Vector {
        let room = try room(in: file, at: offset, for: vector.byteCount)
        return vector.byteCount <= room ? vector : vector.prefix(room)
    }

    /// RLIMIT_FSIZE: a file is written up to there, and nothing beyond it.
    func room(in file: OpenFile, at offset: Int64?, for count: Int) throws(Errno) -> Int {
        let limit = process.limits.soft[1]
        guard limit < UInt64(Int64.max), file.kind == .regular, count > 0 else { return count }
        var start = offset ?? ((try? file.seek(to: 0, from: 1)) ?? 0)
        if file.flags.contains(.append) { start = file.attributes().byteCount }
        try checkFileSize(start &+ 1 > start ? start + 1 : start)
        return min(count, Int(clamping: limit - min(limit, UInt64(start))))
    }

    private func writeParts(_ file: OpenFile, _ vector: Vector, _ offset: Int64?, _ isNonBlocking: Bool) throws(Errno) -> Int {
        var total = 0
        if vector.parts.isEmpty { return try writePiece(file, 4096, 0, offset, isNonBlocking) }
        for part in vector.parts {
            var done = 0
            repeat {
                let count = min(part.byteCount - done, Self.pieceByteCount)
                let moved: Int
                do {
                    moved = try writePiece(file, part.address + UInt64(done), count, offset.map { $0 + Int64(total) }, isNonBlocking)
                } catch {
                    guard total > 0 else { throw error }
                    return total
                }
                done += moved
                total += moved
                if moved < count, isNonBlocking || file.flags.contains(.nonBlock) || file.kind == .regular || moved == 0 { return total }
            } while done < part.byteCount
        }
        return total
    }

    private func writePiece(_ file: OpenFile, _ address: UInt64, _ count: Int, _ offset: Int64?, _ isNonBlocking: Bool) throws(Errno) -> Int
    {
        do {
            return try writeWhole(file, address, count, offset, isNonBlocking)
        } catch {
            guard error == .efault, file.kind == .regular else { throw error }
            let shorter = accessible(address, count, isWrite: false)
            guard shorter < count else { throw error }
            return try writeWhole(file, address, shorter, offset, isNonBlocking)
        }
    }

    private func writeWhole(_ file: OpenFile, _ address: UInt64, _ count: Int, _ offset: Int64?, _ isNonBlocking: Bool) throws(Errno) -> Int
    {
        try blocking(file, isNonBlocking: isNonBlocking, timeout: file.writeTimeout) { () throws(Errno) in
            try memory.withReadable(address, count) { (bytes) throws(Errno) in
                if let offset { return try file.write(at: offset, bytes) }
                return try file.write(bytes)
            }
        }
    }

    /// One buffer, as much of it as is taken at once; SIGPIPE if nobody reads.
    private func writeOnce(_ file: OpenFile, _ address: UInt64, _ count: Int) throws(Errno) -> Int {
        do throws(Errno) {
            return try writePiece(file, address, count, nil, false)
        } catch {
            if error == .epipe { _ = send(linux_signal_information(signal: 13, code: 0)) }
            throw error
        }
    }

    private func writeMessage(_ file: OpenFile, _ vector: Vector, _ isNonBlocking: Bool) throws(Errno) -> Int {
        var buffer: [UInt8] = []
        buffer.reserveCapacity(vector.byteCount)
        for part in vector.parts {
            try memory.withReadable(part.address, part.byteCount) { (bytes) throws(Errno) in buffer.append(bytes) }
        }
        return try writeAll(file, buffer, isNonBlocking)
    }

    /// What a blocking file cannot take at once goes on later.
    func writeAll(_ file: OpenFile, _ buffer: [UInt8], _ isNonBlocking: Bool = false) throws(Errno) -> Int {
        var done = 0
        repeat {
            let moved: Int
            do {
                moved = try blocking(file, isNonBlocking: isNonBlocking, timeout: file.writeTimeout) { () throws(Errno) in
                    try file.write(buffer.raw.extracting(droppingFirst: done))
                }
            } catch {
                guard done > 0 else { throw error }
                return done
            }
            done += moved
            if moved == 0 || isNonBlocking || file.flags.contains(.nonBlock) || file.kind == .regular { break }
        } while done < buffer.count
        return done
    }

    // MARK: Calls

    static func sysRead(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.readable(arguments.descriptor(0))
        // One buffer for what has no place of its own: nothing is made for the call.
        if file.origin == nil, file.kind == .socket || file.kind == .fifo || file.kind == .anonymous {
            try Vector.checkAddresses(arguments[1], arguments[2])
            return try thread.readPiece(file, arguments[1], min(arguments.byteCount(2), pieceByteCount), nil, false)
        }
        return try thread.read(file, Vector(arguments[1], wanted: arguments[2]))
    }
    static func sysWrite(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.writable(arguments.descriptor(0))
        if file.origin == nil, file.kind == .socket || file.kind == .fifo || file.kind == .anonymous {
            try Vector.checkAddresses(arguments[1], arguments[2])
            let count = arguments.byteCount(2)
            if count <= pieceByteCount {
                let moved = try thread.writeOnce(file, arguments[1], count)
                if moved == count || file.flags.contains(.nonBlock) || moved == 0 { return moved }
                do throws(Errno) {
                    return moved + (try thread.write(file, Vector(arguments[1] &+ UInt64(moved), count - moved)))
                } catch {
                    return moved
                }
            }
        }
        return try thread.write(file, Vector(arguments[1], wanted: arguments[2]))
    }
    static func sysPread64(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int64(3) >= 0 else { throw .einval }
        let file = try thread.readable(arguments.descriptor(0))
        return try thread.read(try positioned(file), Vector(arguments[1], wanted: arguments[2]), at: arguments.int64(3))
    }
    static func sysPwrite64(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int64(3) >= 0 else { throw .einval }
        let file = try thread.writable(arguments.descriptor(0))
        return try thread.write(try positioned(file), Vector(arguments[1], wanted: arguments[2]), at: arguments.int64(3))
    }
    /// Calls with an offset are for what has one.
    private static func positioned(_ file: OpenFile) throws(Errno) -> OpenFile {
        guard file.kind != .fifo, file.kind != .socket else { throw .espipe }
        return file
    }
    static func sysReadv(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.readable(arguments.descriptor(0))
        return try thread.read(file, Vector(at: arguments[1], count: arguments[2], in: thread.memory))
    }
    static func sysWritev(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.writable(arguments.descriptor(0))
        return try thread.write(file, Vector(at: arguments[1], count: arguments[2], in: thread.memory))
    }
    static func sysPreadv(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int64(3) >= 0 else { throw .einval }
        let file = try positioned(thread.readable(arguments.descriptor(0)))
        return try thread.read(file, Vector(at: arguments[1], count: arguments[2], in: thread.memory), at: arguments.int64(3))
    }
    static func sysPwritev(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int64(3) >= 0 else { throw .einval }
        let file = try positioned(thread.writable(arguments.descriptor(0)))
        return try thread.write(file, Vector(at: arguments[1], count: arguments[2], in: thread.memory), at: arguments.int64(3))
    }

    /// RWF_HIPRI, DSYNC, SYNC change nothing here; NOWAIT is 8.
    static func sysPreadv2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(5)
        let file = try thread.readable(arguments.descriptor(0))
        let vector = try Vector(at: arguments[1], count: arguments[2], in: thread.memory)
        if vector.byteCount == 0 { return 0 }
        guard flags & ~0xf == 0 else { throw .eopnotsupp }
        let isNonBlocking = flags & 8 != 0
        if arguments.int64(3) == -1 { return try thread.read(file, vector, isNonBlocking: isNonBlocking) }
        return try thread.read(try positioned(file), vector, at: arguments.int64(3), isNonBlocking: isNonBlocking)
    }
    /// RWF_APPEND is 0x10.
    static func sysPwritev2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(5)
        let file = try thread.writable(arguments.descriptor(0))
        let vector = try Vector(at: arguments[1], count: arguments[2], in: thread.memory)
        if vector.byteCount == 0 { return 0 }
        guard flags & ~0x1f == 0 else { throw .eopnotsupp }
        let isNonBlocking = flags & 8 != 0
        if flags & 0x10 != 0, file.kind == .regular { return try thread.write(file, vector, at: file.attributes().byteCount) }
        if arguments.int64(3) == -1 { return try thread.write(file, vector, isNonBlocking: isNonBlocking) }
        return try thread.write(try positioned(file), vector, at: arguments.int64(3), isNonBlocking: isNonBlocking)
    }
    static func sysLseek(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.file(arguments.descriptor(0))
        guard arguments[2] <= 4 else { throw .einval }
        return Int(try file.seek(to: arguments.int64(1), from: arguments.int32(2)))
    }
}

extension OpenFile {
    /// Reads into all of an array.
    func fill(_ buffer: inout [UInt8]) throws(Errno) -> Int {
        var span = buffer.mutableSpan
        var raw = span.raw
        return try read(into: &raw)
    }
    func fill(_ buffer: inout [UInt8], at offset: Int64) throws(Errno) -> Int {
        var span = buffer.mutableSpan
        var raw = span.raw
        return try read(at: offset, into: &raw)
    }
}
