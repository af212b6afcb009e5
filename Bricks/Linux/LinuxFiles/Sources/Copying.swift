import Bytes
import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import VFS

// Calls that move bytes from one file to another: sendfile(2), copy_file_range(2), splice(2).
extension LinuxThread {
    private static var pieceByteCount: Int { 1 << 16 }

    /// One step: read, then write all of it; `from` and `to` nil are the files' own offsets. What was read and could not be written is
    /// given back to a file that has an offset.
    private func copy(
        _ source: OpenFile, at from: Int64?, _ target: OpenFile, at to: Int64?, _ count: Int, _ buffer: inout [UInt8]
    ) throws(Errno) -> Int {
        let limit = try room(in: target, at: to, for: min(count, Self.pieceByteCount))
        if buffer.count != limit { buffer = [UInt8](repeating: 0, count: limit) }
        // Nothing is taken from a source that gives it only once while the target takes nothing.
        if source.kind != .regular, !target.readiness.contains(.output), to == nil {
            _ = try blocking(target) { () throws(Errno) in
                if target.readiness.isDisjoint(with: [.output, .error, .hangUp]) { throw .eagain }
                return 0
            }
        }
        let read: Int
        if let from {
            read = try source.fill(&buffer, at: from)
        } else {
            read = try blocking(source) { () throws(Errno) in try source.fill(&buffer) }
        }
        guard read > 0 else { return 0 }
        if read < buffer.count { buffer.removeLast(buffer.count - read) }
        let written: Int
        do {
            if let to { written = try target.write(at: to, buffer.raw) } else { written = try writeAll(target, buffer) }
        } catch {
            if from == nil { _ = try? source.seek(to: -Int64(read), from: 1) }
            throw error
        }
        if written < read, from == nil { _ = try? source.seek(to: Int64(written - read), from: 1) }
        return written
    }

    /// Goes on until `count`, the end, or an error after something was moved.
    private func copyAll(
        _ source: OpenFile, at from: inout Int64?, _ target: OpenFile, at to: inout Int64?, _ count: Int, once: Bool = false
    ) throws(Errno) -> Int {
        var total = 0
        var buffer: [UInt8] = []
        while total < count {
            let moved: Int
            do {
                moved = try copy(source, at: from, target, at: to, count - total, &buffer)
            } catch {
                guard total > 0 else { throw error }
                break
            }
            if moved == 0 { break }
            total += moved
            from = from.map { $0 + Int64(moved) }
            to = to.map { $0 + Int64(moved) }
            if once || moved < min(count - total + moved, Self.pieceByteCount) { break }
        }
        if total > 0 {
            source.report(.access)
            target.report(.modify)
        }
        return total
    }

    /// The offset that an argument points at, nil without one. `.einval`: negative.
    private func offset(at address: UInt64) throws(Errno) -> Int64? {
        guard address != 0 else { return nil }
        let offset = try memory.read(Int64.self, at: address)
        guard offset >= 0 else { throw .einval }
        return offset
    }
    private func store(_ offset: Int64?, at address: UInt64) throws(Errno) {
        guard let offset, address != 0 else { return }
        try memory.write(offset, at: address)
    }

    static func sysSendfile(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let source = try thread.readable(arguments.descriptor(1)), target = try thread.writable(arguments.descriptor(0))
        var from = try thread.offset(at: arguments[2])
        if from != nil, source.kind == .fifo || source.kind == .socket { throw .espipe }
        guard source.kind == .regular || source.kind == .characterDevice || source.kind == .blockDevice else { throw .einval }
        guard !target.flags.contains(.append) else { throw .einval }
        var to: Int64?
        do {
            let total = try thread.copyAll(source, at: &from, target, at: &to, arguments.byteCount(3))
            try thread.store(from, at: arguments[2])
            return total
        } catch {
            try thread.signalBrokenPipe(error)
        }
    }

    private func signalBrokenPipe(_ error: Errno) throws(Errno) -> Never {
        if error == .epipe { _ = send(linux_signal_information(signal: 13, code: 0)) }
        throw error
    }

    static func sysCopyFileRange(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let source = try thread.readable(arguments.descriptor(0)), target = try thread.writable(arguments.descriptor(2))
        guard source.kind != .directory, target.kind != .directory else { throw .eisdir }
        guard source.kind == .regular, target.kind == .regular, arguments[5] == 0 else { throw .einval }
        guard !target.flags.contains(.append) else { throw .ebadf }
        var from = try thread.offset(at: arguments[1]), to = try thread.offset(at: arguments[3])
        let count = arguments.byteCount(4)
        if source.vnode === target.vnode {
            let first = from ?? ((try? source.seek(to: 0, from: 1)) ?? 0), second = to ?? ((try? target.seek(to: 0, from: 1)) ?? 0)
            let (end, overflow) = max(first, second).addingReportingOverflow(Int64(count))
            guard !overflow, end - Int64(count) >= min(first, second) + Int64(count) || count == 0 else { throw .einval }
        }
        let total = try thread.copyAll(source, at: &from, target, at: &to, count)
        try thread.store(from, at: arguments[1])
        try thread.store(to, at: arguments[3])
        return total
    }

    /// One side is a pipe. SPLICE_F_NONBLOCK is 2.
    static func sysSplice(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let source = try thread.readable(arguments.descriptor(0)), target = try thread.writable(arguments.descriptor(2))
        guard arguments.uint32(5) & ~0xf == 0, source.kind == .fifo || target.kind == .fifo else { throw .einval }
        if source.kind == .fifo, arguments[1] != 0 { throw .espipe }
        if target.kind == .fifo, arguments[3] != 0 { throw .espipe }
        guard !target.flags.contains(.append) else { throw .einval }
        var from = try thread.offset(at: arguments[1]), to = try thread.offset(at: arguments[3])
        if arguments.uint32(5) & 2 != 0 {
            if source.kind == .fifo, source.readiness.isDisjoint(with: [.input, .hangUp]) { throw .eagain }
            if target.kind == .fifo, target.readiness.isDisjoint(with: [.output, .error]) { throw .eagain }
        }
        do {
            let total = try thread.copyAll(source, at: &from, target, at: &to, arguments.byteCount(4), once: true)
            try thread.store(from, at: arguments[1])
            try thread.store(to, at: arguments[3])
            return total
        } catch {
            try thread.signalBrokenPipe(error)
        }
    }

    /// To a pipe as writev(2), from one as readv(2).
    static func sysVmsplice(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.file(arguments.descriptor(0))
        guard arguments.uint32(3) & ~0xf == 0 else { throw .einval }
        let vector = try Vector(at: arguments[1], count: arguments[2], in: thread.memory)
        if vector.byteCount == 0 { return 0 }
        guard file.kind == .fifo else { throw .ebadf }
        let isNonBlocking = arguments.uint32(3) & 2 != 0
        if file.flags.isWritable { return try thread.write(file, vector, isNonBlocking: isNonBlocking) }
        return try thread.read(file, vector, isNonBlocking: isNonBlocking)
    }
}
