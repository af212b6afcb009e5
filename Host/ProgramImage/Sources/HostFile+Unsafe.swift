import Glibc
import SystemPackage

/// What lstat(2) says of a file.
public struct FileStatus: Equatable, Sendable {
    public enum Kind: Equatable, Sendable { case folder, regular, link, other }

    public var kind = Kind.folder
    /// The low twelve bits of the mode.
    public var permissions: UInt32 = 0o755
    public var owner: UInt32 = 0
    public var group: UInt32 = 0
    public var byteCount: Int64 = 0
    public var modifiedSeconds: Int64 = 0
    public var modifiedNanoseconds: Int64 = 0
    var device: UInt64 = 0
    var inode: UInt64 = 0

    public init(kind: Kind = .folder, permissions: UInt32 = 0o755) {
        self.kind = kind
        self.permissions = permissions
    }

    /// Changes when the file is replaced or edited.
    var stamp: String { "\(device) \(inode) \(byteCount) \(modifiedSeconds).\(modifiedNanoseconds)" }
}

/// File operations that never follow a link in the last component.
enum HostFile {
    private static var failure: Errno { Errno(rawValue: errno) }

    static func status(_ path: String) throws(Errno) -> FileStatus {
        var raw = stat()
        // SAFETY: the call writes one struct stat; the bridge ends the path with a zero.
        guard unsafe lstat(path, &raw) == 0 else { throw failure }
        var status = FileStatus()
        status.kind =
            switch raw.st_mode & S_IFMT {
            case S_IFDIR: .folder
            case S_IFREG: .regular
            case S_IFLNK: .link
            default: .other
            }
        status.permissions = raw.st_mode & 0o7777
        status.owner = raw.st_uid
        status.group = raw.st_gid
        status.byteCount = Int64(raw.st_size)
        status.modifiedSeconds = Int64(raw.st_mtim.tv_sec)
        status.modifiedNanoseconds = Int64(raw.st_mtim.tv_nsec)
        status.device = UInt64(raw.st_dev)
        status.inode = UInt64(raw.st_ino)
        return status
    }

    static func linkTarget(_ path: String) throws(Errno) -> String {
        var buffer = [CChar](repeating: 0, count: 4097)
        // SAFETY: the call writes at most the count it is given.
        let count = unsafe readlink(path, &buffer, buffer.count)
        guard count >= 0 else { throw failure }
        guard count < buffer.count else { throw .fileNameTooLong }
        guard let target = String(validating: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) else {
            throw .illegalByteSequence
        }
        return target
    }

    /// In the order of their bytes.
    static func names(in folder: String) throws(Errno) -> [String] {
        // SAFETY: the stream is closed on every path, and not used afterwards.
        guard let stream = unsafe opendir(folder) else { throw failure }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw failure }
                break
            }
            // SAFETY: d_name is a string with its zero inside the entry, which stays until the next call.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(validatingCString: $0) }
            }
            guard let name else { throw .illegalByteSequence }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Another name of the same file, without following it if it is a link.
    static func link(_ source: String, to target: String) throws(Errno) {
        guard unsafe linkat(AT_FDCWD, source, AT_FDCWD, target, 0) == 0 else { throw failure }
    }

    static func makeLink(_ path: String, to target: String) throws(Errno) {
        guard unsafe symlink(target, path) == 0 else { throw failure }
    }

    static func makeFolder(_ path: String) throws(Errno) {
        guard unsafe mkdir(path, 0o700) == 0 else { throw failure }
    }

    static func setPermissions(_ path: String, _ permissions: UInt32) throws(Errno) {
        guard unsafe chmod(path, permissions) == 0 else { throw failure }
    }

    static func setModified(_ path: String, seconds: Int64, nanoseconds: Int64) throws(Errno) {
        let time = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
        guard unsafe utimensat(AT_FDCWD, path, [time, time], AT_SYMLINK_NOFOLLOW) == 0 else { throw failure }
    }

    /// Whether this process may read the file.
    static func isReadable(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }
}
