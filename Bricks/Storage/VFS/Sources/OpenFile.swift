import Bytes
import Errno
import PageFrames

/// How an open file was found: where it is, and by which name in which directory.
public struct Origin {
    public let place: Place
    public let directory: Place?
    public let name: [UInt8]

    public init(place: Place, directory: Place? = nil, name: [UInt8] = []) {
        self.place = place
        self.directory = directory
        self.name = name
    }
}

/// An open file description (open(2)): what descriptors refer to.
///
/// It never blocks: where it would, it throws `.eagain`, and notifies `observers` once that may have changed. Whether the access mode
/// allows a call is the caller's to check (`flags.isReadable`).
open class OpenFile {
    /// Access mode and status flags; FD_CLOEXEC is the descriptor's.
    public final var flags: OpenFlags
    public final let observers = ObserverList()
    /// Descriptors, and whoever else holds it open: a call that waits, a message in a socket.
    public private(set) final var descriptorCount = 0
    public final var origin: Origin?
    /// F_SETOWN and F_SETSIG.
    public final var ownerProcess: Int32 = 0
    public final var ownerSignal: Int32 = 0

    public init(_ flags: OpenFlags) { self.flags = flags.subtracting(.onlyAtOpen) }

    public final func retain() { descriptorCount += 1 }
    /// The last one closes the file: observers are let go, locks and the object behind it are given up.
    public final func release() {
        descriptorCount -= 1
        guard descriptorCount == 0 else { return }
        report(flags.isWritable ? .closeWrite : .closeNoWrite)
        if let vnode, vnode.hasLocks { vnode.locks.removeAll(of: self) }
        lastClose()
        observers.close()
    }

    open var kind: FileKind { vnode?.kind ?? .anonymous }
    open var vnode: Vnode? { nil }
    /// "pipe:[7]", "anon_inode:[eventpoll]": what /proc/self/fd shows for a file without a path.
    open var displayName: [UInt8] { Array("anon_inode:[file]".utf8) }

    /// What it is ready for at this moment.
    open var readiness: PollEvents { [.input, .output] }
    /// epoll(7) takes it; regular files and directories are always ready and refused with EPERM.
    open var canBePolled: Bool { kind != .regular && kind != .directory }

    /// At the description's offset if it has one. 0: the end.
    open func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int { throw .einval }
    open func write(_ bytes: RawSpan) throws(Errno) -> Int { throw .einval }
    open func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int { throw .espipe }
    open func write(at offset: Int64, _ bytes: RawSpan) throws(Errno) -> Int { throw .espipe }
    /// `whence`: SEEK_SET 0, CUR 1, END 2, DATA 3, HOLE 4.
    open func seek(to offset: Int64, from whence: Int32) throws(Errno) -> Int64 { throw .espipe }
    /// ioctl(2).
    open func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int { throw .enotty }

    /// What fstat(2) tells.
    open func attributes() -> Attributes {
        vnode?.attributes ?? Attributes(kind: kind, permissions: Permissions(mode: 0o600))
    }
    open func setAttributes(_ change: AttributeChange) throws(Errno) {
        guard let vnode else { throw .einval }
        try vnode.setAttributes(change)
    }
    open func truncate(to byteCount: Int64) throws(Errno) { throw .einval }
    open func synchronize() throws(Errno) { throw .einval }
    open func allocate(_ mode: AllocationMode, at offset: Int64, byteCount: Int64) throws(Errno) { throw .enodev }
    /// Entries from the position on, which moves behind each that the reader takes. "." and ".." come first.
    open func readDirectory(_ reader: DirectoryReader) throws(Errno) { throw .enotdir }
    /// The frame of a page for mmap(2), retained for the caller; as `Vnode.frame`.
    open func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame { throw .enodev }
    /// `flags` have changed (F_SETFL, FIONBIO).
    open func flagsChanged() {}
    /// While it is not nil, open(2) waits for it to be notified: a FIFO whose other side nobody has opened.
    open var openingObservers: ObserverList? { nil }
    /// F_GETPIPE_SZ, F_SETPIPE_SZ: bytes that fit in. `.ebadf`: not a pipe.
    open func capacity() throws(Errno) -> Int { throw .ebadf }
    open func setCapacity(_ byteCount: Int, isPrivileged: Bool) throws(Errno) -> Int { throw .ebadf }
    /// How long reading and writing wait at most; nil: for ever (SO_RCVTIMEO, SO_SNDTIMEO).
    open var readTimeout: Duration? { nil }
    open var writeTimeout: Duration? { nil }
    /// The last descriptor is gone.
    open func lastClose() {}

    /// Tells inotify(7) watches of the file and of its directory.
    public final func report(_ events: WatchEvents) {
        guard let origin else { return }
        let vnode = origin.place.vnode
        vnode.report(events)
        guard let directory = origin.directory?.vnode, directory.isWatched else { return }
        directory.report(vnode.kind == .directory ? events.union(.isDirectory) : events, name: origin.name.raw)
    }
}

/// Opened with O_PATH: a place, and nothing that can be read.
public final class PathFile: OpenFile {
    private let node: Vnode

    public init(_ vnode: Vnode, _ flags: OpenFlags) {
        node = vnode
        super.init(flags)
    }

    public override var vnode: Vnode? { node }
    public override var readiness: PollEvents { .invalid }
    public override func setAttributes(_ change: AttributeChange) throws(Errno) { throw .ebadf }
}
