import Errno
import RamFS
import VFS

/// Read-only trees under one writable one in memory: what a program sees as its root.
///
/// A directory knows the directories that it is merged from, and a table of what is known or changed on top of them. Changes live as long
/// as the instance, so a removed name is an entry of that table, and a moved directory simply keeps what it was merged from.
public final class Overlay: FileSystem {
    let ram: RamFS
    /// Inodes of one layer are so far apart.
    let factor: Int
    /// Stands in a table for a name that is removed.
    let whiteout: Vnode
    /// The nodes of lower files with several names, by inode, in its order.
    private var shared: [(inode: UInt64, node: OverlayNode)] = []
    public private(set) var root: Vnode!

    public static var layerLimit: Int { 16 }

    /// `layers`: the roots, the topmost first.
    public init(_ layers: [Vnode], over ram: RamFS, device: UInt64) {
        precondition(layers.count <= Self.layerLimit)
        self.ram = ram
        factor = layers.count + 1
        let base = FileSystem(device: device, typeName: "whiteout")
        whiteout = Vnode(kind: .anonymous, fileSystem: base)
        super.init(device: device, typeName: "overlay")
        var first: UInt64 = 1
        if let layer = layers.first { first = inode(layer, layer: 0) }
        root = OverlayDirectory(
            self, LayeredVnodes(layers.enumerated().map { LayeredVnode(layer: $0.offset, vnode: $0.element) }), shadow: nil, inode: first)
    }

    /// Room is that of the writable layer.
    public override var statistics: FileSystemStatistics {
        var statistics = ram.statistics
        statistics.magic = 0x794c_7630
        return statistics
    }

    /// One number for each file of all layers, which it keeps when it is copied.
    func inode(_ vnode: Vnode, layer: Int?) -> UInt64 {
        vnode.attributes.inode &* UInt64(factor) &+ UInt64(layer.map { $0 + 1 } ?? 0)
    }

    /// The node of a lower file that is no directory: one, whatever its names.
    func node(_ lower: LayeredVnode) -> OverlayNode {
        let number = inode(lower.vnode, layer: lower.layer)
        guard lower.vnode.attributes.linkCount > 1 else { return OverlayNode(self, lower.vnode.kind, lower: lower.vnode, inode: number) }
        var low = 0, high = shared.count
        while low < high {
            let middle = (low + high) / 2
            if shared[middle].inode < number { low = middle + 1 } else { high = middle }
        }
        if low < shared.count, shared[low].inode == number { return shared[low].node }
        let made = OverlayNode(self, lower.vnode.kind, lower: lower.vnode, inode: number)
        shared.insert((number, made), at: low)
        return made
    }
}

/// A vnode of a layer.
struct LayeredVnode {
    let layer: Int
    let vnode: Vnode

    /// A character device 0:0, as overlayfs has it.
    var isWhiteout: Bool { vnode.kind == .characterDevice && vnode.attributes.representedDevice == 0 }
}

/// The directories that one is merged from, the topmost first.
struct LayeredVnodes {
    let all: [LayeredVnode]
    init(_ all: [LayeredVnode]) { self.all = all }

    /// What a name leads to: one file, or the directories to merge. Empty: nothing.
    func lookup(_ name: RawSpan) throws(Errno) -> LayeredVnodes {
        var found: [LayeredVnode] = []
        for layer in all {
            let vnode: Vnode
            do { vnode = try layer.vnode.lookup(name) } catch {
                guard error == .enoent else { throw error }
                continue
            }
            let child = LayeredVnode(layer: layer.layer, vnode: vnode)
            guard !child.isWhiteout else { break }
            if vnode.kind != .directory {
                if found.isEmpty { found.append(child) }
                break
            }
            found.append(child)
        }
        return LayeredVnodes(found)
    }

    /// Whether a name is there; damage counts as yes, so that it is not listed as something else.
    func contains(_ name: RawSpan) -> Bool {
        do { return try !lookup(name).all.isEmpty } catch { return true }
    }
}
