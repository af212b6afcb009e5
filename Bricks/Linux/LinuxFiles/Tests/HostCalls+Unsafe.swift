import Glibc
import LinuxFormat

/// The same calls to Linux itself, in a folder of their own on a tmpfs.
final class HostCalls {
    private let folder: String
    let root: Int32

    init?() {
        let name = "/dev/shm/brique-files-\(UInt64.random(in: .min ... .max))"
        // SAFETY (all below): strings live through the calls; addresses are of memory that the test's machine has mapped, or of none,
        // which Linux answers with EFAULT.
        guard unsafe mkdir(name, 0o755) == 0 else { return nil }
        folder = name
        root = unsafe open(name, O_RDONLY | O_DIRECTORY)
    }

    func remove() {
        close(root)
        Self.remove(folder)
    }

    private static func remove(_ folder: String) {
        guard let directory = unsafe opendir(folder) else { return }
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            let path = "\(folder)/\(name)"
            if unsafe entry.pointee.d_type == DT_DIR { remove(path) } else { unsafe unlink(path) }
        }
        unsafe closedir(directory)
        unsafe rmdir(folder)
    }

    /// The result, or a negative error.
    func call(_ number: SyscallNumber, _ a: [UInt64]) -> Int {
        func text(_ index: Int) -> UnsafePointer<CChar> {
            unsafe UnsafePointer(bitPattern: UInt(a[index])) ?? UnsafePointer(bitPattern: 1)!
        }
        func memory(_ index: Int) -> UnsafeMutableRawPointer? { unsafe UnsafeMutableRawPointer(bitPattern: UInt(a[index])) }
        func int(_ index: Int) -> Int32 { Int32(truncatingIfNeeded: a[index]) }
        func word(_ index: Int) -> UInt32 { UInt32(truncatingIfNeeded: a[index]) }
        func long(_ index: Int) -> Int { Int(bitPattern: UInt(a[index])) }
        errno = 0
        let result: Int
        switch number {
        case .openat: result = Int(unsafe openat(int(0), text(1), int(2), word(3)))
        case .close: result = Int(close(int(0)))
        case .read: result = unsafe read(int(0), memory(1), long(2))
        case .write: result = unsafe write(int(0), memory(1), long(2))
        case .pread64: result = unsafe pread(int(0), memory(1), long(2), long(3))
        case .pwrite64: result = unsafe pwrite(int(0), memory(1), long(2), long(3))
        case .lseek: result = lseek(int(0), long(1), int(2))
        case .mkdirat: result = Int(unsafe mkdirat(int(0), text(1), word(2)))
        case .unlinkat: result = Int(unsafe unlinkat(int(0), text(1), int(2)))
        case .renameat: result = Int(unsafe renameat(int(0), text(1), int(2), text(3)))
        case .linkat: result = Int(unsafe linkat(int(0), text(1), int(2), text(3), int(4)))
        case .symlinkat: result = Int(unsafe symlinkat(text(0), int(1), text(2)))
        case .readlinkat:
            result = unsafe readlinkat(int(0), text(1), memory(2)!.assumingMemoryBound(to: CChar.self), long(3))
        case .fchmod: result = Int(fchmod(int(0), word(1)))
        case .ftruncate: result = Int(ftruncate(int(0), long(1)))
        case .fallocate: result = -Int(posix_fallocate(int(0), long(2), long(3)))
        case .dup: result = Int(dup(int(0)))
        case .flock: result = Int(flock(int(0), int(1)))
        case .fsync: result = Int(fsync(int(0)))
        case .fadvise64: result = -Int(posix_fadvise(int(0), long(1), long(2), int(3)))
        case .newfstatat: result = Int(unsafe fstatat(int(0), text(1), memory(2)!.assumingMemoryBound(to: stat.self), int(3)))
        case .fcntl: result = Int(fcntl(int(0), int(1), int(2)))
        default: result = -1
        }
        // These two return the error itself.
        if number == .fallocate || number == .fadvise64 { return result }
        return result == -1 ? -Int(errno) : result
    }
}
