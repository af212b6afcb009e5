import Errno

/// Opens the files that a vnode only names. What is not overridden is not there.
open class SpecialFiles {
    public init() {}
    /// A FIFO. It must not block: `.eagain` lets the caller wait on the returned object's observers by its own means.
    open func openFIFO(_ vnode: Vnode, _ flags: OpenFlags) throws(Errno) -> OpenFile { throw .enxio }
    open func openDevice(_ device: UInt64, _ vnode: Vnode, _ flags: OpenFlags) throws(Errno) -> OpenFile { throw .enxio }
}
