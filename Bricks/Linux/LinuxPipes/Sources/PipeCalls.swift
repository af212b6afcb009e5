import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import VFS

extension LinuxThread {
    /// Gives a new file the lowest descriptor; one that finds none is closed.
    func insert(_ file: OpenFile, closesOnExec: Bool) throws(Errno) -> Int32 {
        file.retain()
        defer { file.release() }
        return try process.descriptors.insert(file, closesOnExec: closesOnExec)
    }

    private func makePipe(_ address: UInt64, _ flags: OpenFlags) throws(Errno) -> Int {
        guard flags.isSubset(of: [.nonBlock, .closeOnExec, .direct]) else { throw .einval }
        try process.descriptors.checkRoom(for: 2)
        let (reader, writer) = Pipe.make(number: process.pipeServices.nextNumber(), flags)
        let isClosed = flags.contains(.closeOnExec)
        writer.retain()
        defer { writer.release() }
        let first = try insert(reader, closesOnExec: isClosed)
        do throws(Errno) {
            let second = try insert(writer, closesOnExec: isClosed)
            do throws(Errno) {
                try memory.write(UInt64(UInt32(bitPattern: first)) | UInt64(UInt32(bitPattern: second)) << 32, at: address)
            } catch {
                _ = try process.descriptors.close(second)
                throw error
            }
        } catch {
            _ = try process.descriptors.close(first)
            throw error
        }
        return 0
    }

    static func sysPipe(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makePipe(arguments[0], [])
    }
    static func sysPipe2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makePipe(arguments[0], OpenFlags(rawValue: arguments.uint32(1)))
    }

    /// SPLICE_F_NONBLOCK is 2.
    static func sysTee(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(3)
        guard flags & ~0xf == 0 else { throw .einval }
        guard arguments[2] > 0 else { return 0 }
        let from = try thread.process.descriptors[arguments.descriptor(0)], to = try thread.process.descriptors[arguments.descriptor(1)]
        guard from.flags.isReadable, to.flags.isWritable else { throw .ebadf }
        guard let source = from as? PipeEnd, let target = to as? PipeEnd, source.pipe !== target.pipe else { throw .einval }
        let isNonBlocking = flags & 2 != 0 || source.flags.contains(.nonBlock) || target.flags.contains(.nonBlock)
        source.retain()
        target.retain()
        defer {
            source.release()
            target.release()
        }
        while true {
            do throws(Errno) {
                return try target.copy(source, arguments.byteCount(2))
            } catch {
                if error == .epipe { _ = thread.send(linux_signal_information(signal: Signal.pipe, code: 0)) }
                guard error == .eagain, !isNonBlocking else { throw error }
            }
            try thread.wait(on: source.pipe.byteCount > 0 ? target.observers : source.observers)
        }
    }

    // MARK: eventfd

    private func makeCounter(_ value: UInt32, _ flags: UInt32) throws(Errno) -> Int {
        // EFD_SEMAPHORE is 1, the others are those of open(2).
        let openFlags = OpenFlags(rawValue: flags & ~1)
        guard openFlags.isSubset(of: [.nonBlock, .closeOnExec]) else { throw .einval }
        let counter = EventCounter(value: value, isSemaphore: flags & 1 != 0, openFlags)
        return Int(try insert(counter, closesOnExec: openFlags.contains(.closeOnExec)))
    }

    static func sysEventfd(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeCounter(arguments.uint32(0), 0)
    }
    static func sysEventfd2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeCounter(arguments.uint32(0), arguments.uint32(1))
    }

    // MARK: signalfd

    private func signalFile(_ descriptor: Int32, _ address: UInt64, _ size: UInt64, _ flags: OpenFlags) throws(Errno) -> Int {
        guard flags.isSubset(of: [.nonBlock, .closeOnExec]), size == 8 else { throw .einval }
        let mask = try memory.read(UInt64.self, at: address)
        if descriptor != -1 {
            guard let file = try process.descriptors[descriptor] as? SignalFile else { throw .einval }
            file.setMask(mask)
            return Int(descriptor)
        }
        let file = SignalFile(process.pipeServices.signals(of: process), mask: mask, flags)
        return Int(try insert(file, closesOnExec: flags.contains(.closeOnExec)))
    }

    static func sysSignalfd(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.signalFile(arguments.descriptor(0), arguments[1], arguments[2], [])
    }
    static func sysSignalfd4(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.signalFile(arguments.descriptor(0), arguments[1], arguments[2], OpenFlags(rawValue: arguments.uint32(3)))
    }
}
