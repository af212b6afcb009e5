import Bytes
import Errno
import RamFS
import VFS

/// A directory: what it is merged from, and what is known or changed on top.
final class OverlayDirectory: OverlayNode {
    private let lowers: LayeredVnodes
    /// Nodes that were looked up or made, and whiteouts. A node stays here as long as it has the name: identity is kept.
    private var names: NameTable
    private var above: OverlayDirectory?
    private var ownName: [UInt8]?
    private var isRemoved = false

    init(
        _ overlay: Overlay, _ lowers: LayeredVnodes, shadow: RamNode?, inode: UInt64, parent: OverlayDirectory? = nil, name: [UInt8]? = nil
    ) {
        self.lowers = lowers
        names = NameTable(key: overlay.ram.key)
        above = parent
        ownName = name
        if let top = lowers.all.first {
            super.init(overlay, .directory, lower: top.vnode, inode: inode)
            // How many directories several layers hold together is not counted; 1 says so.
            if lowers.all.count > 1 { linkCount = 1 }
        } else if let shadow {
            super.init(overlay, shadow: shadow, linkCount: 2)
        } else {
            fatalError("a directory comes from a layer or is new")
        }
    }

    override var parent: Vnode { above ?? self }
    override var nameInParent: [UInt8]? { ownName }

    private func countDirectory(_ change: Int) {
        guard linkCount > 1 else { return }
        linkCount = UInt32(clamping: Int(linkCount) + change)
    }

    /// The times of a directory that changes; without room they stay as they are, so that removing works when all is full.
    private func touch() { (try? makeShadow())?.touchModified() }

    override func lookup(_ name: RawSpan) throws(Errno) -> Vnode {
        if let known = names.lookup(name) {
            guard known !== overlay.whiteout else { throw .enoent }
            return known
        }
        guard !isRemoved, !lowers.all.isEmpty else { throw .enoent }
        let found = try lowers.lookup(name)
        guard let top = found.all.first else { throw .enoent }
        let node: OverlayNode
        if top.vnode.kind == .directory {
            let number = overlay.inode(top.vnode, layer: top.layer)
            node = OverlayDirectory(overlay, found, shadow: nil, inode: number, parent: self, name: Array(copying: name))
        } else {
            node = overlay.node(top)
        }
        names.insert(name, node)
        return node
    }

    // MARK: Making

    private func checkFree(_ name: RawSpan) throws(Errno) {
        guard !isRemoved else { throw .enoent }
        do { _ = try lookup(name) } catch {
            guard error == .enoent else { throw error }
            return
        }
        throw .eexist
    }

    private func set(_ name: RawSpan, _ node: OverlayNode) {
        if names.lookup(name) == nil { names.insert(name, node) } else { names.replace(name, with: node) }
    }

    private func hide(_ name: RawSpan) {
        if lowers.contains(name) { names.replace(name, with: overlay.whiteout) } else { names.remove(name) }
    }

    override func create(_ name: RawSpan, _ file: NewFile) throws(Errno) -> Vnode {
        try checkFree(name)
        let node: OverlayNode
        if file.kind == .directory {
            let shadow = try overlay.ram.makeNode(NewFile(kind: .anonymous, permissions: file.permissions))
            node = OverlayDirectory(overlay, LayeredVnodes([]), shadow: shadow, inode: 0, parent: self, name: Array(copying: name))
            countDirectory(1)
        } else {
            node = OverlayNode(overlay, shadow: try overlay.ram.makeNode(file), linkCount: 1)
        }
        set(name, node)
        touch()
        return node
    }

    override func makeSymbolicLink(_ name: RawSpan, to target: RawSpan, _ owner: NewFile) throws(Errno) -> Vnode {
        try checkFree(name)
        let node = OverlayNode(overlay, shadow: try overlay.ram.makeNode(owner, target: Array(copying: target)), linkCount: 1)
        set(name, node)
        touch()
        return node
    }

    override func createTemporary(_ file: NewFile) throws(Errno) -> Vnode {
        guard !isRemoved else { throw .enoent }
        let node = OverlayNode(overlay, shadow: try overlay.ram.makeNode(file), linkCount: 0)
        node.isLinkable = file.isLinkable
        return node
    }

    override func link(_ name: RawSpan, to vnode: Vnode) throws(Errno) {
        guard let node = vnode as? OverlayNode, node.overlay === overlay else { throw .exdev }
        try checkFree(name)
        guard node.linkCount > 0 || node.isLinkable else { throw .enoent }
        guard node.linkCount < RamDirectory.linkLimit else { throw .emlink }
        if node.linkCount > 0 {
            try overlay.ram.takeInode()
            node.countedNameCount += 1
        }
        node.linkCount += 1
        node.shadow?.touchChanged()
        set(name, node)
        touch()
    }

    // MARK: Removing

    private func dropLink(of node: OverlayNode) {
        if let directory = node as? OverlayDirectory {
            directory.isRemoved = true
            directory.ownName = nil
            directory.linkCount = 0
            countDirectory(-1)
        } else {
            if node.linkCount > 0 { node.linkCount -= 1 }
            if node.countedNameCount > 0 {
                node.countedNameCount -= 1
                overlay.ram.giveInode()
            }
        }
        node.shadow?.touchChanged()
    }

    override func unlink(_ name: RawSpan, _ vnode: Vnode) throws(Errno) {
        guard let node = try lookup(name) as? OverlayNode else { throw .enoent }
        hide(name)
        dropLink(of: node)
        touch()
    }

    override func removeDirectory(_ name: RawSpan, _ vnode: Vnode) throws(Errno) {
        guard let directory = try lookup(name) as? OverlayDirectory else { throw .enotdir }
        guard try directory.isEmpty() else { throw .enotempty }
        hide(name)
        dropLink(of: directory)
        touch()
    }

    private func isEmpty() throws(Errno) -> Bool {
        var isEmpty = true
        try readDirectory(from: 2) { _, _, _, _ in
            isEmpty = false
            return false
        }
        return isEmpty
    }

    override func rename(_ name: RawSpan, to newName: RawSpan, of directory: Vnode, _ mode: RenameMode) throws(Errno) {
        guard let target = directory as? OverlayDirectory, target.overlay === overlay else { throw .exdev }
        guard !target.isRemoved, let node = try lookup(name) as? OverlayNode else { throw .enoent }
        var old: OverlayNode?
        do { old = try target.lookup(newName) as? OverlayNode } catch { guard error == .enoent else { throw error } }
        if node === old { return }
        switch (mode, old) {
        case (.exchange, .some(let old)):
            names.replace(name, with: old)
            target.set(newName, node)
            adopt(old, name, from: target)
        case (.exchange, nil): throw .enoent
        case (.noReplace, .some): throw .eexist
        case (.replace, .some(let old)):
            if let directory = old as? OverlayDirectory, try !directory.isEmpty() { throw .enotempty }
            hide(name)
            target.dropLink(of: old)
            target.set(newName, node)
        case (.replace, nil), (.noReplace, nil):
            hide(name)
            target.set(newName, node)
        }
        target.adopt(node, newName, from: self)
        touch()
        target.touch()
        node.shadow?.touchChanged()
    }

    private func adopt(_ node: OverlayNode, _ name: RawSpan, from old: OverlayDirectory) {
        guard let directory = node as? OverlayDirectory else { return }
        directory.above = self
        directory.ownName = Array(copying: name)
        old.countDirectory(-1)
        countDirectory(1)
    }

    // MARK: Reading

    /// The layers one after the other, the topmost first, then what is in none of them. A position has the layer in its upper bits.
    override func readDirectory(from position: Int64, _ reader: DirectoryReader) throws(Errno) {
        guard position >= 2, !isRemoved else { return }
        var index = Int(position >> Self.layerShift)
        var inner = max(2, position & (1 << Self.layerShift - 1))
        var isFull = false
        while index < lowers.all.count {
            let layer = lowers.all[index]
            let base = Int64(index) << Self.layerShift
            try layer.vnode.readDirectory(from: inner) { name, number, kind, next in
                guard next < 1 << Self.layerShift else { return false }
                guard isListed(name, kind, at: index) else { return true }
                var entry = (number: number &* UInt64(overlay.factor) &+ UInt64(layer.layer + 1), kind: kind)
                if let known = names.lookup(name) as? OverlayNode { entry = (known.inode, known.kind) }
                isFull = !reader(name, entry.number, entry.kind, base + next)
                return !isFull
            }
            if isFull { return }
            index += 1
            inner = 2
        }
        guard index == lowers.all.count else { return }
        let base = Int64(index) << Self.layerShift
        names.read(from: inner) { name, vnode, next in
            guard let node = vnode as? OverlayNode, !lowers.contains(name) else { return true }
            return reader(name, node.inode, node.kind, base + next)
        }
    }

    private static var layerShift: Int64 { 48 }

    /// Whether an entry of a layer is seen: neither removed, nor in a layer above.
    private func isListed(_ name: RawSpan, _ kind: FileKind, at index: Int) -> Bool {
        if names.lookup(name) === overlay.whiteout { return false }
        for above in lowers.all[..<index] where (try? above.vnode.lookup(name)) != nil { return false }
        if kind == .characterDevice, let vnode = try? lowers.all[index].vnode.lookup(name) {
            return !LayeredVnode(layer: index, vnode: vnode).isWhiteout
        }
        return true
    }
}
