import Errno
import LinuxFormat
import LinuxProcess
import RamFS
import VFS

/// What calls on files need beside the process: it hangs on the process.
public final class FileServices {
    /// Where files of memfd_create(2) take their room.
    public let memory: RamFS
    public init(memory: RamFS) { self.memory = memory }
}

extension LinuxProcess {
    func fileServices() throws(Errno) -> FileServices {
        for attachment in attachments { if let services = attachment as? FileServices { return services } }
        throw .enosys
    }
}

/// The rows of the catalogue for calls on files.
public enum FileCalls {
    public static func add(to catalogue: Catalogue) {
        addTransfers(to: catalogue)
        addOpening(to: catalogue)
        addNames(to: catalogue)
        addAttributes(to: catalogue)
        addRoom(to: catalogue)
        addExtendedAttributes(to: catalogue)
    }

    private static func addTransfers(to catalogue: Catalogue) {
        catalogue.add(Syscall(.read, .full, LinuxThread.sysRead))
        catalogue.add(Syscall(.write, .full, LinuxThread.sysWrite))
        catalogue.add(Syscall(.pread64, .full, LinuxThread.sysPread64))
        catalogue.add(Syscall(.pwrite64, .full, LinuxThread.sysPwrite64))
        catalogue.add(Syscall(.readv, .full, LinuxThread.sysReadv))
        catalogue.add(Syscall(.writev, .full, LinuxThread.sysWritev))
        catalogue.add(Syscall(.preadv, .full, LinuxThread.sysPreadv))
        catalogue.add(Syscall(.pwritev, .full, LinuxThread.sysPwritev))
        catalogue.add(Syscall(.preadv2, .full, LinuxThread.sysPreadv2))
        catalogue.add(Syscall(.pwritev2, .full, LinuxThread.sysPwritev2))
        catalogue.add(Syscall(.lseek, .full, LinuxThread.sysLseek))
        catalogue.add(Syscall(.sendfile, .full, LinuxThread.sysSendfile))
        catalogue.add(Syscall(.copyFileRange, .full, LinuxThread.sysCopyFileRange))
        catalogue.add(Syscall(.splice, .partial("copies; what a target refuses after a pipe gave it is lost"), LinuxThread.sysSplice))
        catalogue.add(Syscall(.vmsplice, .partial("copies, gifts are not taken"), LinuxThread.sysVmsplice))
    }

    private static func addOpening(to catalogue: Catalogue) {
        catalogue.add(Syscall(.open, .full, LinuxThread.sysOpen))
        catalogue.add(Syscall(.openat, .full, LinuxThread.sysOpenat))
        catalogue.add(Syscall(.openat2, .partial("RESOLVE_CACHED is never met"), LinuxThread.sysOpenat2))
        catalogue.add(Syscall(.creat, .full, LinuxThread.sysCreat))
        catalogue.add(Syscall(.close, .full, LinuxThread.sysClose))
        catalogue.add(Syscall(.closeRange, .full, LinuxThread.sysCloseRange))
        catalogue.add(Syscall(.dup, .full, LinuxThread.sysDup))
        catalogue.add(Syscall(.dup2, .full, LinuxThread.sysDup2))
        catalogue.add(Syscall(.dup3, .full, LinuxThread.sysDup3))
        catalogue.add(Syscall(.fcntl, .partial("no leases, no signals of directories"), LinuxThread.sysFcntl))
        catalogue.add(Syscall(.ioctl, .partial("those of files, terminals and sockets"), LinuxThread.sysIoctl))
        catalogue.add(Syscall(.flock, .full, LinuxThread.sysFlock))
        catalogue.add(Syscall(.memfdCreate, .partial("no large pages"), LinuxThread.sysMemfdCreate))
        catalogue.add(Syscall(.inotifyInit, .full, LinuxThread.sysInotifyInit))
        catalogue.add(Syscall(.inotifyInit1, .full, LinuxThread.sysInotifyInit1))
        catalogue.add(Syscall(.inotifyAddWatch, .full, LinuxThread.sysInotifyAddWatch))
        catalogue.add(Syscall(.inotifyRmWatch, .full, LinuxThread.sysInotifyRmWatch))
        catalogue.add(.refused(.nameToHandleAt, .eopnotsupp, "no file system has handles"))
    }

    private static func addNames(to catalogue: Catalogue) {
        catalogue.add(Syscall(.mkdir, .full, LinuxThread.sysMkdir))
        catalogue.add(Syscall(.mkdirat, .full, LinuxThread.sysMkdirat))
        catalogue.add(Syscall(.rmdir, .full, LinuxThread.sysRmdir))
        catalogue.add(Syscall(.unlink, .full, LinuxThread.sysUnlink))
        catalogue.add(Syscall(.unlinkat, .full, LinuxThread.sysUnlinkat))
        catalogue.add(Syscall(.rename, .full, LinuxThread.sysRename))
        catalogue.add(Syscall(.renameat, .full, LinuxThread.sysRenameat))
        catalogue.add(Syscall(.renameat2, .partial("no RENAME_WHITEOUT"), LinuxThread.sysRenameat2))
        catalogue.add(Syscall(.link, .full, LinuxThread.sysLink))
        catalogue.add(Syscall(.linkat, .full, LinuxThread.sysLinkat))
        catalogue.add(Syscall(.symlink, .full, LinuxThread.sysSymlink))
        catalogue.add(Syscall(.symlinkat, .full, LinuxThread.sysSymlinkat))
        catalogue.add(Syscall(.readlink, .full, LinuxThread.sysReadlink))
        catalogue.add(Syscall(.readlinkat, .full, LinuxThread.sysReadlinkat))
        catalogue.add(Syscall(.mknod, .full, LinuxThread.sysMknod))
        catalogue.add(Syscall(.mknodat, .full, LinuxThread.sysMknodat))
        catalogue.add(Syscall(.getcwd, .full, LinuxThread.sysGetcwd))
        catalogue.add(Syscall(.chdir, .full, LinuxThread.sysChdir))
        catalogue.add(Syscall(.fchdir, .full, LinuxThread.sysFchdir))
        catalogue.add(Syscall(.chroot, .full, LinuxThread.sysChroot))
        catalogue.add(Syscall(.umask, .full, LinuxThread.sysUmask))
        catalogue.add(Syscall(.getdents, .full, LinuxThread.sysGetdents))
        catalogue.add(Syscall(.getdents64, .full, LinuxThread.sysGetdents64))
        catalogue.add(.refused(.mount, .eperm, "what is mounted is the image's affair"))
        catalogue.add(.refused(.umount2, .eperm, "what is mounted is the image's affair"))
        catalogue.add(.refused(.pivotRoot, .eperm, "what is mounted is the image's affair"))
    }

    private static func addAttributes(to catalogue: Catalogue) {
        catalogue.add(Syscall(.stat, .full, LinuxThread.sysStat))
        catalogue.add(Syscall(.fstat, .full, LinuxThread.sysFstat))
        catalogue.add(Syscall(.lstat, .full, LinuxThread.sysLstat))
        catalogue.add(Syscall(.newfstatat, .full, LinuxThread.sysNewfstatat))
        catalogue.add(Syscall(.statx, .full, LinuxThread.sysStatx))
        catalogue.add(Syscall(.access, .full, LinuxThread.sysAccess))
        catalogue.add(Syscall(.faccessat, .full, LinuxThread.sysFaccessat))
        catalogue.add(Syscall(.faccessat2, .full, LinuxThread.sysFaccessat2))
        catalogue.add(Syscall(.chmod, .full, LinuxThread.sysChmod))
        catalogue.add(Syscall(.fchmod, .full, LinuxThread.sysFchmod))
        catalogue.add(Syscall(.fchmodat, .full, LinuxThread.sysFchmodat))
        catalogue.add(Syscall(.chown, .full, LinuxThread.sysChown))
        catalogue.add(Syscall(.fchown, .full, LinuxThread.sysFchown))
        catalogue.add(Syscall(.lchown, .full, LinuxThread.sysLchown))
        catalogue.add(Syscall(.fchownat, .full, LinuxThread.sysFchownat))
        catalogue.add(Syscall(.utimensat, .full, LinuxThread.sysUtimensat))
        catalogue.add(Syscall(.utimes, .full, LinuxThread.sysUtimes))
        catalogue.add(Syscall(.utime, .full, LinuxThread.sysUtime))
        catalogue.add(Syscall(.futimesat, .full, LinuxThread.sysFutimesat))
        catalogue.add(Syscall(.statfs, .full, LinuxThread.sysStatfs))
        catalogue.add(Syscall(.fstatfs, .full, LinuxThread.sysFstatfs))
    }

    private static func addRoom(to catalogue: Catalogue) {
        catalogue.add(Syscall(.truncate, .full, LinuxThread.sysTruncate))
        catalogue.add(Syscall(.ftruncate, .full, LinuxThread.sysFtruncate))
        catalogue.add(Syscall(.fallocate, .partial("no collapsing or inserting of ranges"), LinuxThread.sysFallocate))
        catalogue.add(Syscall(.fsync, .partial("files live in memory"), LinuxThread.sysFsync))
        catalogue.add(Syscall(.fdatasync, .partial("files live in memory"), LinuxThread.sysFsync))
        catalogue.add(Syscall(.sync, .partial("files live in memory"), LinuxThread.sysSync))
        catalogue.add(Syscall(.syncfs, .partial("files live in memory"), LinuxThread.sysSyncfs))
        catalogue.add(Syscall(.syncFileRange, .partial("files live in memory"), LinuxThread.sysSyncFileRange))
        catalogue.add(Syscall(.fadvise64, .partial("files live in memory"), LinuxThread.sysFadvise64))
        catalogue.add(Syscall(.readahead, .partial("files live in memory"), LinuxThread.sysReadahead))
    }

    private static func addExtendedAttributes(to catalogue: Catalogue) {
        catalogue.add(Syscall(.getxattr, .partial("names of users only"), LinuxThread.sysGetxattr))
        catalogue.add(Syscall(.lgetxattr, .partial("names of users only"), LinuxThread.sysLgetxattr))
        catalogue.add(Syscall(.fgetxattr, .partial("names of users only"), LinuxThread.sysFgetxattr))
        catalogue.add(Syscall(.setxattr, .partial("names of users only"), LinuxThread.sysSetxattr))
        catalogue.add(Syscall(.lsetxattr, .partial("names of users only"), LinuxThread.sysLsetxattr))
        catalogue.add(Syscall(.fsetxattr, .partial("names of users only"), LinuxThread.sysFsetxattr))
        catalogue.add(Syscall(.listxattr, .partial("names of users only"), LinuxThread.sysListxattr))
        catalogue.add(Syscall(.llistxattr, .partial("names of users only"), LinuxThread.sysLlistxattr))
        catalogue.add(Syscall(.flistxattr, .partial("names of users only"), LinuxThread.sysFlistxattr))
        catalogue.add(Syscall(.removexattr, .partial("names of users only"), LinuxThread.sysRemovexattr))
        catalogue.add(Syscall(.lremovexattr, .partial("names of users only"), LinuxThread.sysLremovexattr))
        catalogue.add(Syscall(.fremovexattr, .partial("names of users only"), LinuxThread.sysFremovexattr))
    }
}
