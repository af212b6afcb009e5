import Errno
import VFS

/// Finds the pipe that a FIFO names (fifo(7)).
public final class FIFOs {
    private var next: UInt64

    /// `next`: the first number for a pipe that has a name.
    public init(next: UInt64 = 1) { self.next = next }

    private func pipe(of vnode: Vnode) -> Pipe {
        if let pipe = vnode.object as? Pipe { return pipe }
        next += 1
        let pipe = Pipe(number: next, vnode: vnode)
        vnode.object = pipe
        return pipe
    }

    /// open(2) of a FIFO without blocking. Where Linux would block until the other side is there, the caller waits on `openers` of the
    /// file's pipe while `isWaitingForPeer`.
    public func open(_ vnode: Vnode, _ flags: OpenFlags) throws(Errno) -> PipeEnd {
        let pipe = pipe(of: vnode)
        if flags.accessMode == 1, flags.contains(.nonBlock), pipe.readerCount == 0 {
            if pipe.writerCount == 0 { vnode.object = nil }
            throw .enxio
        }
        return PipeEnd(pipe, flags)
    }
}

/// What the opener of a FIFO waits for.
public struct FIFOOpening {
    public let end: PipeEnd
    private let readersSeen: Int
    private let writersSeen: Int

    public init(_ end: PipeEnd) {
        self.end = end
        readersSeen = end.pipe.readersSeen
        writersSeen = end.pipe.writersSeen
    }

    /// Nobody has opened the other side yet, and the opener has to wait for that.
    public var isWaiting: Bool {
        if end.flags.contains(.nonBlock) || end.flags.accessMode == 2 { return false }
        if end.flags.isWritable { return end.pipe.readerCount == 0 && end.pipe.readersSeen == readersSeen }
        return end.pipe.writerCount == 0 && end.pipe.writersSeen == writersSeen
    }
}
