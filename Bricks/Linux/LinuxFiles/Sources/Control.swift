import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import VFS

// fcntl(2), ioctl(2), flock(2).
extension LinuxThread {
    static func sysFcntl(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let descriptor = arguments.descriptor(0), command = arguments.int32(1), argument = arguments[2]
        let file = try thread.process.descriptors[descriptor]
        switch command {
        case 0, 1030:
            return Int(
                try thread.process.descriptors.insert(
                    file, from: Int32(clamping: Int64(bitPattern: argument)), closesOnExec: command == 1030))
        case 1: return try thread.process.descriptors.closesOnExec(descriptor) ? 1 : 0
        case 2:
            try thread.process.descriptors.setClosesOnExec(descriptor, argument & 1 != 0)
            return 0
        case 3: return Int(file.flags.union(file.flags.contains(.path) ? [] : .largeFile).rawValue)
        default: break
        }
        // With O_PATH there is nothing else to ask.
        guard !file.flags.contains(.path) else { throw .ebadf }
        switch command {
        case 4:
            thread.setFlags(of: file, OpenFlags(rawValue: UInt32(truncatingIfNeeded: argument)))
            return 0
        case 5, 36: return try thread.findLock(file, argument, isOfFile: command == 36)
        case 6, 7: return try thread.setLock(file, argument, isOfFile: false, waits: command == 7)
        case 37, 38: return try thread.setLock(file, argument, isOfFile: true, waits: command == 38)
        default: return try thread.controlOwner(file, command, argument)
        }
    }

    private func setFlags(of file: OpenFile, _ flags: OpenFlags) {
        file.flags = file.flags.subtracting(.changeable).union(flags.intersection(.changeable))
        file.flagsChanged()
    }

    /// Owners of signals, pipes' sizes, seals, leases.
    private func controlOwner(_ file: OpenFile, _ command: Int32, _ argument: UInt64) throws(Errno) -> Int {
        switch command {
        case 8: file.ownerProcess = Int32(truncatingIfNeeded: argument)
        case 9: return Int(file.ownerProcess)
        case 10:
            guard argument <= 64 else { throw .einval }
            file.ownerSignal = Int32(argument)
        case 11: return Int(file.ownerSignal)
        case 15:
            guard try memory.copyIn(Int32.self, at: argument) <= 2 else { throw .einval }
            file.ownerProcess = try memory.copyIn(Int32.self, at: argument &+ 4)
        case 16:
            try memory.copyOut(Int32(1), to: argument)
            try memory.copyOut(file.ownerProcess, to: argument &+ 4)
        case 1024:
            // A lease would be broken by nobody but the process itself.
            guard argument == 2 else { throw file.kind == .regular ? .eagain : .einval }
        case 1025: return 2
        case 1031:
            return try file.setCapacity(Int(UInt32(truncatingIfNeeded: argument)), isPrivileged: process.paths.credentials.isPrivileged)
        case 1032: return try file.capacity()
        case 1033:
            guard file.flags.isWritable else { throw .eperm }
            guard let vnode = file.vnode, vnode.seals != nil else { throw .einval }
            try vnode.addSeals(UInt32(truncatingIfNeeded: argument))
        case 1034:
            guard let seals = file.vnode?.seals else { throw .einval }
            return Int(seals)
        // Hints about how long what is written lives.
        case 1035, 1037: try memory.copyOut(UInt64(0), to: argument)
        case 1036, 1038: _ = try memory.copyIn(UInt64.self, at: argument)
        default: throw .einval
        }
        return 0
    }

    // MARK: Locks

    /// F_RDLCK 0, F_WRLCK 1, F_UNLCK 2.
    private func range(of lock: linux_flock, in file: OpenFile) throws(Errno) -> Range<Int64> {
        let base: Int64
        switch lock.l_whence {
        case 0: base = 0
        case 1: base = (try? file.seek(to: 0, from: 1)) ?? 0
        case 2: base = file.attributes().byteCount
        default: throw .einval
        }
        var (start, overflow) = base.addingReportingOverflow(lock.l_start)
        guard !overflow else { throw .eoverflow }
        guard start >= 0 else { throw .einval }
        if lock.l_len == 0 { return start..<Int64.max }
        if lock.l_len < 0 {
            let end = start
            (start, overflow) = start.addingReportingOverflow(lock.l_len)
            guard !overflow, start >= 0 else { throw .einval }
            return start..<end
        }
        let (end, tooFar) = start.addingReportingOverflow(lock.l_len)
        guard !tooFar else { throw .eoverflow }
        return start..<end
    }

    private func lock(_ file: OpenFile, _ request: linux_flock, isOfFile: Bool) throws(Errno) -> FileLock {
        guard request.l_type >= 0, request.l_type <= 2 else { throw .einval }
        // A lock of the file's own is nobody's process.
        if isOfFile, request.l_pid != 0 { throw .einval }
        return FileLock(
            owner: isOfFile ? file : process, process: isOfFile ? -1 : process.identifier, isExclusive: request.l_type == 1,
            range: try range(of: request, in: file))
    }

    private func findLock(_ file: OpenFile, _ address: UInt64, isOfFile: Bool) throws(Errno) -> Int {
        var request = try memory.read(linux_flock.self, at: address)
        guard request.l_type != 2 else { throw .einval }
        let wanted = try lock(file, request, isOfFile: isOfFile)
        if let vnode = file.vnode, vnode.hasLocks, let other = vnode.locks.conflict(with: wanted) {
            request.l_type = other.isExclusive ? 1 : 0
            request.l_whence = 0
            request.l_start = other.range.lowerBound
            request.l_len = other.range.upperBound == .max ? 0 : other.range.upperBound - other.range.lowerBound
            request.l_pid = other.process
        } else {
            request.l_type = 2
        }
        try memory.write(request, at: address)
        return 0
    }

    private func setLock(_ file: OpenFile, _ address: UInt64, isOfFile: Bool, waits: Bool) throws(Errno) -> Int {
        let request = try memory.read(linux_flock.self, at: address)
        let wanted = try lock(file, request, isOfFile: isOfFile)
        guard let vnode = file.vnode else { throw .einval }
        if request.l_type == 2 {
            if vnode.hasLocks { vnode.locks.unlock(wanted.range, of: wanted.owner) }
            return 0
        }
        guard request.l_type == 1 ? file.flags.isWritable : file.flags.isReadable else { throw .ebadf }
        while true {
            do {
                try vnode.locks.set(wanted)
                return 0
            } catch {
                guard error == .eagain, waits else { throw error }
            }
            try wait(for: vnode.locks.observers, of: file)
        }
    }

    /// LOCK_SH 1, LOCK_EX 2, LOCK_NB 4, LOCK_UN 8.
    static func sysFlock(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let operation = arguments.uint32(1), kind = operation & ~4
        guard kind == 1 || kind == 2 || kind == 8 else { throw .einval }
        let file = try thread.file(arguments.descriptor(0))
        if kind == 8 {
            if let vnode = file.vnode, vnode.hasLocks { vnode.locks.unlockWhole(owner: file) }
            return 0
        }
        guard file.flags.isReadable || file.flags.isWritable else { throw .ebadf }
        guard let vnode = file.vnode else { return 0 }
        while true {
            do {
                try vnode.locks.setWhole(owner: file, isExclusive: operation & 2 != 0)
                return 0
            } catch {
                guard error == .eagain, operation & 4 == 0 else { throw error }
            }
            try thread.wait(for: vnode.locks.observers, of: file)
        }
    }

    // MARK: ioctl

    static func sysIoctl(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let descriptor = arguments.descriptor(0), request = arguments.uint32(1), argument = arguments[2]
        let file = try thread.file(descriptor)
        switch request {
        case 0x5451, 0x5450:
            try thread.process.descriptors.setClosesOnExec(descriptor, request == 0x5451)
            return 0
        case 0x5421, 0x5452:
            let flag: OpenFlags = request == 0x5421 ? .nonBlock : .async
            let isOn = try thread.memory.copyIn(Int32.self, at: argument) != 0
            if isOn { file.flags.insert(flag) } else { file.flags.remove(flag) }
            file.flagsChanged()
            return 0
        case 0x541b where file.kind == .regular:
            let rest = file.attributes().byteCount - ((try? file.seek(to: 0, from: 1)) ?? 0)
            try thread.memory.copyOut(Int32(clamping: max(0, rest)), to: argument)
            return 0
        // FIGETBSZ
        case 2 where file.kind == .regular || file.kind == .directory:
            try thread.memory.copyOut(UInt32(4096), to: argument)
            return 0
        // FICLONE, FICLONERANGE
        case 0x4004_9409, 0x4020_940d: throw .eopnotsupp
        default: return try file.control(request, argument, thread.memory)
        }
    }
}
