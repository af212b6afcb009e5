import Bytes
import Errno
import VFS

/// A directory of a RamFS.
public final class RamDirectory: RamNode {
    private var names: NameTable
    private var above: RamDirectory?
    private var ownName: [UInt8]?
    /// Removed: nothing can be made in it any more.
    private var isRemoved = false

    /// Entries of one directory, and names of one file (LINK_MAX).
    public static var linkLimit: UInt32 { 1 << 20 }

    init(_ ram: RamFS, _ file: NewFile, parent: RamDirectory?, name: [UInt8]?) {
        names = NameTable(key: ram.key)
        above = parent
        ownName = name
        super.init(ram, file)
        linkCount = 2
    }

    public override var parent: Vnode { above ?? self }
    public override var nameInParent: [UInt8]? { ownName }
    public override var byteCount: Int64 { Int64(names.count + 2) * 20 }
    public var entryCount: Int { names.count }

    public override func lookup(_ name: RawSpan) throws(Errno) -> Vnode {
        guard let vnode = names.lookup(name) else { throw .enoent }
        return vnode
    }

    public override func create(_ name: RawSpan, _ file: NewFile) throws(Errno) -> Vnode {
        try checkFree(name)
        try ram.takeInode()
        let vnode: RamNode
        switch file.kind {
        case .regular: vnode = RamFile(ram, file)
        case .directory:
            vnode = RamDirectory(ram, file, parent: self, name: Array(copying: name))
            linkCount += 1
        case .fifo, .socket, .characterDevice, .blockDevice, .symbolicLink, .anonymous: vnode = RamSpecial(ram, file)
        }
        names.insert(name, vnode)
        touchModified()
        return vnode
    }

    public override func makeSymbolicLink(_ name: RawSpan, to target: RawSpan, _ owner: NewFile) throws(Errno) -> Vnode {
        try checkFree(name)
        try ram.takeInode()
        let vnode = RamLink(ram, owner, target: Array(copying: target))
        names.insert(name, vnode)
        touchModified()
        return vnode
    }

    public override func createTemporary(_ file: NewFile) throws(Errno) -> Vnode {
        guard !isRemoved else { throw .enoent }
        try ram.takeInode()
        let vnode = RamFile(ram, file)
        vnode.linkCount = 0
        vnode.isLinkable = file.isLinkable
        return vnode
    }

    public override func link(_ name: RawSpan, to vnode: Vnode) throws(Errno) {
        guard let node = vnode as? RamNode, node.ram === ram else { throw .exdev }
        try checkFree(name)
        guard node.linkCount > 0 || (node as? RamFile)?.isLinkable == true else { throw .enoent }
        guard node.linkCount < Self.linkLimit else { throw .emlink }
        // Further names count as files, or they would be bounded by nothing.
        if node.linkCount > 0 { try ram.takeInode() }
        node.linkCount += 1
        node.touchChanged()
        names.insert(name, node)
        touchModified()
    }

    public override func unlink(_ name: RawSpan, _ vnode: Vnode) throws(Errno) {
        guard let node = names.remove(name) as? RamNode else { throw .enoent }
        dropLink(of: node)
        touchModified()
    }

    private func dropLink(of node: RamNode) {
        if let directory = node as? RamDirectory {
            directory.isRemoved = true
            directory.ownName = nil
            directory.linkCount = 0
            linkCount -= 1
        } else {
            node.linkCount -= 1
            if node.linkCount > 0 { ram.giveInode() }
        }
        node.touchChanged()
    }

    public override func removeDirectory(_ name: RawSpan, _ vnode: Vnode) throws(Errno) {
        guard let directory = vnode as? RamDirectory else { throw .enotdir }
        guard directory.names.count == 0 else { throw .enotempty }
        names.remove(name)
        dropLink(of: directory)
        touchModified()
    }

    public override func rename(_ name: RawSpan, to newName: RawSpan, of directory: Vnode, _ mode: RenameMode) throws(Errno) {
        guard let target = directory as? RamDirectory, target.ram === ram else { throw .exdev }
        guard !target.isRemoved, let node = names.lookup(name) as? RamNode else { throw .enoent }
        let old = target.names.lookup(newName) as? RamNode
        if node === old { return }
        switch (mode, old) {
        case (.exchange, .some(let old)):
            names.replace(name, with: old)
            target.names.replace(newName, with: node)
            adopt(old, name, from: target)
        case (.exchange, nil): throw .enoent
        case (.noReplace, .some): throw .eexist
        case (.replace, .some(let old)):
            if let directory = old as? RamDirectory, directory.names.count > 0 { throw .enotempty }
            names.remove(name)
            target.dropLink(of: old)
            target.names.replace(newName, with: node)
        case (.replace, nil), (.noReplace, nil):
            names.remove(name)
            target.names.insert(newName, node)
        }
        target.adopt(node, newName, from: self)
        touchModified()
        target.touchModified()
        node.touchChanged()
    }

    /// A directory that came from another one has a new parent.
    private func adopt(_ node: RamNode, _ name: RawSpan, from old: RamDirectory) {
        guard let directory = node as? RamDirectory else { return }
        directory.above = self
        directory.ownName = Array(copying: name)
        old.linkCount -= 1
        linkCount += 1
    }

    private func checkFree(_ name: RawSpan) throws(Errno) {
        guard !isRemoved else { throw .enoent }
        guard names.lookup(name) == nil else { throw .eexist }
        guard names.count < Int(Self.linkLimit) else { throw .enospc }
    }

    public override func readDirectory(from position: Int64, _ reader: DirectoryReader) throws(Errno) {
        touchAccessed()
        names.read(from: position) { name, vnode, next in
            reader(name, (vnode as? RamNode)?.inode ?? 0, vnode.kind, next)
        }
    }
}
