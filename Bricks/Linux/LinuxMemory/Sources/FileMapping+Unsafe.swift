import VFS

/// A file that an address space has pages of; told by the vnode when they go.
public final class FileMapping: PageMapping {
    public let file: OpenFile
    // SAFETY: an address space ends its mappings before it goes.
    unowned(unsafe) let space: AddressSpace
    let isWritable: Bool

    init(_ file: OpenFile, in space: AddressSpace, isWritable: Bool) {
        self.file = file
        unsafe self.space = space
        self.isWritable = isWritable
        super.init()
        file.retain()
        file.vnode?.add(self)
    }

    public override var canWrite: Bool { isWritable }
    public override func drop(_ range: Range<Int64>) { unsafe space.drop(range, of: self) }

    /// No area refers to it any more.
    func end() {
        file.vnode?.remove(self)
        file.release()
    }
}
