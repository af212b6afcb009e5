import Errno
import VFS

/// Finds the pipe that a FIFO names (fifo(7)).
public final class FIFOs: SpecialFiles {
    private var lastNumber: UInt64

    /// `lastNumber`: numbers of pipes that have a name begin behind it.
    public init(lastNumber: UInt64 = 1 << 32) {
        self.lastNumber = lastNumber
        super.init()
    }

    /// open(2) of a FIFO without blocking: where Linux would wait for the other side, the file has `openingObservers` until it is there.
    public override func openFIFO(_ vnode: Vnode, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        let known = vnode.object as? Pipe
        if flags.accessMode == 1, flags.contains(.nonBlock), known?.readerCount ?? 0 == 0 { throw .enxio }
        let pipe: Pipe
        if let known {
            pipe = known
        } else {
            lastNumber += 1
            pipe = Pipe(number: lastNumber, vnode: vnode)
            vnode.object = pipe
        }
        let end = PipeEnd(pipe, flags)
        end.opening = FIFOOpening(end)
        return end
    }
}

/// Whether the opener of a FIFO waits for somebody on the other side.
struct FIFOOpening {
    private let pipe: Pipe
    private let flags: OpenFlags
    private let readersSeen: Int
    private let writersSeen: Int

    init(_ end: PipeEnd) {
        pipe = end.pipe
        flags = end.flags
        readersSeen = pipe.readersSeen
        writersSeen = pipe.writersSeen
    }

    /// One that has come and gone counts too.
    var isWaiting: Bool {
        if flags.contains(.nonBlock) || flags.accessMode == 2 { return false }
        if flags.isWritable { return pipe.readerCount == 0 && pipe.readersSeen == readersSeen }
        return pipe.writerCount == 0 && pipe.writersSeen == writersSeen
    }
}
