import Glibc

/// What stat(2) says of one file: enough to notice that it was replaced or edited.
struct FileStamp: Equatable, Comparable {
    var path: String
    var byteCount: Int64
    var modificationNanoseconds: Int64
    /// A folder itself; a link to one is not.
    var isFolder: Bool

    /// Follows symbolic links; nil when there is nothing.
    init?(path: String) {
        var status = stat()
        // SAFETY: `status` outlives both calls, which write one struct stat; the bridge ends the path with NUL.
        guard unsafe lstat(path, &status) == 0 else { return nil }
        let isLink = status.st_mode & S_IFMT == S_IFLNK
        if isLink { guard unsafe stat(path, &status) == 0 else { return nil } }
        self.path = path
        byteCount = Int64(status.st_size)
        modificationNanoseconds = Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        isFolder = !isLink && status.st_mode & S_IFMT == S_IFDIR
    }

    static func < (left: FileStamp, right: FileStamp) -> Bool { left.path < right.path }

    var line: String { "\(byteCount) \(modificationNanoseconds) \(path)" }
}
