import Bytes
import Errno
import PageFrames

/// A regular file, opened: an offset over a vnode. Also right for devices whose vnode reads and writes.
open class RegularFile: OpenFile {
    private let node: Vnode
    private var offset: Int64 = 0

    public init(_ vnode: Vnode, _ flags: OpenFlags) {
        node = vnode
        super.init(flags)
        vnode.opened(flags)
    }

    public final override var vnode: Vnode? { node }

    open override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        let count = try node.read(at: offset, into: &bytes)
        offset += Int64(count)
        return count
    }

    open override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard offset >= 0 else { throw .einval }
        return try node.read(at: offset, into: &bytes)
    }

    open override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        let start = flags.contains(.append) ? node.byteCount : offset
        let count = try node.write(at: start, bytes)
        offset = start + Int64(count)
        return count
    }

    /// With O_APPEND at the end, whatever the offset (pwrite(2), "Bugs").
    open override func write(at offset: Int64, _ bytes: RawSpan) throws(Errno) -> Int {
        guard offset >= 0 else { throw .einval }
        return try node.write(at: flags.contains(.append) ? node.byteCount : offset, bytes)
    }

    open override func seek(to offset: Int64, from whence: Int32) throws(Errno) -> Int64 {
        let target: Int64
        switch whence {
        case 0: target = offset
        case 1, 2:
            let (sum, overflow) = (whence == 1 ? self.offset : node.byteCount).addingReportingOverflow(offset)
            guard !overflow else { throw .eoverflow }
            target = sum
        case 3, 4:
            guard offset >= 0 else { throw .enxio }
            target = try node.seek(toData: whence == 3, from: offset)
        default: throw .einval
        }
        guard target >= 0 else { throw .einval }
        self.offset = target
        return target
    }

    open override func truncate(to byteCount: Int64) throws(Errno) { try node.truncate(to: byteCount) }
    open override func synchronize() throws(Errno) { try node.synchronize() }
    open override func allocate(_ mode: AllocationMode, at offset: Int64, byteCount: Int64) throws(Errno) {
        try node.allocate(mode, at: offset, byteCount: byteCount)
    }
    open override func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame {
        try node.frame(at: pageIndex, forWriting: forWriting)
    }
    open override func lastClose() { node.closed(flags) }
}

/// A directory, opened: a position over a vnode.
public final class DirectoryFile: OpenFile {
    private let node: Vnode
    private var position: Int64 = 0

    public init(_ vnode: Vnode, _ flags: OpenFlags) {
        node = vnode
        super.init(flags)
        vnode.opened(flags)
    }

    public override var vnode: Vnode? { node }
    public override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int { throw .eisdir }
    public override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int { throw .eisdir }
    public override func synchronize() throws(Errno) { try node.synchronize() }

    /// Positions are what readDirectory gave, or 0; the end of a directory has no number.
    public override func seek(to offset: Int64, from whence: Int32) throws(Errno) -> Int64 {
        let target: Int64
        switch whence {
        case 0: target = offset
        case 1:
            let (sum, overflow) = position.addingReportingOverflow(offset)
            guard !overflow else { throw .eoverflow }
            target = sum
        default: throw .einval
        }
        guard target >= 0 else { throw .einval }
        position = target
        return target
    }

    public override func readDirectory(_ reader: DirectoryReader) throws(Errno) {
        while position < 2 {
            let dots: InlineArray<2, UInt8> = [0x2e, 0x2e]
            let inode = (position == 0 ? node : node.parent).attributes.inode
            guard reader(dots.span.raw.extracting(first: Int(position) + 1), inode, .directory, position + 1) else { return }
            position += 1
        }
        var reached = position
        try node.readDirectory(from: position) { name, inode, kind, next in
            guard reader(name, inode, kind, next) else { return false }
            reached = next
            return true
        }
        position = reached
    }

    public override func lastClose() { node.closed(flags) }
}
