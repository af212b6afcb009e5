import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import RamFS
import VFS

// Sizes, room, and what makes data durable, which memory has no more to do for.
extension LinuxThread {
    static func sysTruncate(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int64(1) >= 0 else { throw .einval }
        let entry = try thread.process.paths.entry(try thread.path(at: arguments[0]))
        try thread.checkFileSize(arguments.int64(1))
        try thread.process.paths.truncate(entry, to: arguments.int64(1))
        return 0
    }
    static func sysFtruncate(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int64(1) >= 0 else { throw .einval }
        let file = try thread.file(arguments.descriptor(0))
        guard file.kind == .regular, file.flags.isWritable else { throw .einval }
        try thread.checkFileSize(arguments.int64(1))
        try file.truncate(to: arguments.int64(1))
        file.report(.modify)
        return 0
    }

    /// RLIMIT_FSIZE: beyond it, EFBIG and SIGXFSZ.
    func checkFileSize(_ byteCount: Int64) throws(Errno) {
        guard UInt64(byteCount) > process.limits.soft[1] else { return }
        _ = send(linux_signal_information(signal: 25, code: 0))
        throw .efbig
    }

    /// FALLOC_FL_KEEP_SIZE 1, PUNCH_HOLE 2, COLLAPSE_RANGE 8, ZERO_RANGE 0x10, INSERT_RANGE 0x20.
    static func sysFallocate(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.file(arguments.descriptor(0))
        let flags = arguments.uint32(1)
        guard arguments.int64(2) >= 0, arguments.int64(3) > 0 else { throw .einval }
        let mode: AllocationMode
        switch flags & ~1 {
        case 0: mode = .reserve(keepSize: flags & 1 != 0)
        case 2:
            guard flags & 1 != 0 else { throw .eopnotsupp }
            mode = .punchHole
        case 8: mode = .collapse
        case 0x10: mode = .zero(keepSize: flags & 1 != 0)
        case 0x20: mode = .insert
        default: throw .eopnotsupp
        }
        guard file.flags.isWritable else { throw .ebadf }
        switch file.kind {
        case .regular: break
        case .fifo: throw .espipe
        case .directory: throw .eisdir
        case .anonymous, .characterDevice, .blockDevice, .symbolicLink, .socket: throw .enodev
        }
        let (end, overflow) = arguments.int64(2).addingReportingOverflow(arguments.int64(3))
        guard !overflow else { throw .efbig }
        if flags & ~1 == 0 || flags & ~1 == 0x10 { try thread.checkFileSize(end) }
        try file.allocate(mode, at: arguments.int64(2), byteCount: arguments.int64(3))
        file.report(.modify)
        return 0
    }

    static func sysFsync(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.file(arguments.descriptor(0)).synchronize()
        return 0
    }
    static func sysSync(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { 0 }
    static func sysSyncfs(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        _ = try thread.file(arguments.descriptor(0))
        return 0
    }
    static func sysSyncFileRange(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.file(arguments.descriptor(0))
        guard arguments.int64(1) >= 0, arguments.int64(2) >= 0, arguments.uint32(3) & ~7 == 0 else { throw .einval }
        guard file.kind == .regular || file.kind == .directory || file.kind == .blockDevice else { throw .espipe }
        return 0
    }
    static func sysFadvise64(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.file(arguments.descriptor(0))
        guard file.kind != .fifo else { throw .espipe }
        guard arguments.int64(2) >= 0, arguments.uint32(3) <= 5 else { throw .einval }
        return 0
    }
    static func sysReadahead(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard try thread.readable(arguments.descriptor(0)).kind == .regular else { throw .einval }
        return 0
    }

    /// MFD_CLOEXEC 1, ALLOW_SEALING 2, HUGETLB 4, NOEXEC_SEAL 8, EXEC 0x10.
    static func sysMemfdCreate(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(1)
        guard flags & ~0x1f == 0, flags & 4 == 0, flags & 0x18 != 0x18 else { throw .einval }
        let name: [UInt8]
        do {
            name = try thread.memory.string(at: arguments[0], limit: 250)
        } catch {
            throw error == .enametoolong ? .einval : error
        }
        let credentials = thread.process.paths.credentials
        let owner = Permissions(mode: flags & 8 != 0 ? 0o666 : 0o777, user: credentials.user, group: credentials.group)
        try thread.process.descriptors.checkRoom()
        let file = try thread.process.fileServices().memory.makeMemoryFile(name, owner: owner, allowsSealing: flags & 10 != 0)
        if flags & 8 != 0 { try file.vnode?.addSeals(32) }
        return Int(try thread.process.descriptors.insert(file, closesOnExec: flags & 1 != 0))
    }
}
