import Bytes
import Errno
import PageFrames
import VFS

/// A read-only layer: directories, links, and files whose whole pages are nobody's frames.
final class Layer: FileSystem {
    let frames: TestFrames
    private var lastNumber: UInt64 = 10
    private var usedFrameCount = 0

    init(_ frames: TestFrames) {
        self.frames = frames
        super.init(device: 2, typeName: "layer", isReadOnly: true)
    }

    func directory(_ children: [(String, LayerNode)] = []) -> LayerNode {
        let node = LayerNode(.directory, self, number())
        node.children = children
        node.links = 2
        return node
    }
    func file(_ contents: [UInt8]) -> LayerNode {
        let node = LayerNode(.regular, self, number())
        node.contents = contents
        node.firstFrame = usedFrameCount
        for page in 0..<contents.count / Frame.byteCount {
            let bytes = Array(contents[page * Frame.byteCount..<(page + 1) * Frame.byteCount])
            frames.withBytes(of: frames.foreign(usedFrameCount)) { $0.replace(from: 0, with: bytes.raw) }
            usedFrameCount += 1
        }
        return node
    }
    func file(_ text: String) -> LayerNode { file(Array(text.utf8)) }
    func link(_ target: String) -> LayerNode {
        let node = LayerNode(.symbolicLink, self, number())
        node.contents = Array(target.utf8)
        return node
    }
    func whiteout() -> LayerNode { LayerNode(.characterDevice, self, number()) }

    private func number() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }
}

final class LayerNode: Vnode {
    let layer: Layer
    let number: UInt64
    var children: [(name: String, node: LayerNode)] = []
    var contents: [UInt8] = []
    var links: UInt32 = 1
    var firstFrame = 0

    init(_ kind: FileKind, _ layer: Layer, _ number: UInt64) {
        self.layer = layer
        self.number = number
        super.init(kind: kind, fileSystem: layer)
    }

    override var attributes: Attributes {
        var attributes = Attributes(kind: kind, permissions: permissions)
        attributes.inode = number
        attributes.linkCount = links
        attributes.byteCount = Int64(contents.count)
        return attributes
    }
    override var permissions: Permissions { Permissions(mode: kind == .directory ? 0o755 : kind == .symbolicLink ? 0o777 : 0o644) }
    override func lookup(_ name: RawSpan) throws(Errno) -> Vnode {
        guard
            let child = children.first(where: {
                $0.name.utf8.count == name.byteCount && Array($0.name.utf8).hasSameBytes(as: name, from: 0)
            })
        else { throw .enoent }
        return child.node
    }
    override func readDirectory(from position: Int64, _ reader: DirectoryReader) throws(Errno) {
        for index in min(children.count, Int(position) - 2)..<children.count {
            let name = Array(children[index].name.utf8)
            guard reader(name.raw, children[index].node.number, children[index].node.kind, Int64(index) + 3) else { return }
        }
    }
    override func readLink() throws(Errno) -> [UInt8] { contents }
    override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        let contents = contents
        guard offset < contents.count else { return 0 }
        let count = min(bytes.byteCount, contents.count - Int(offset))
        bytes.replace(from: 0, with: contents.raw.extracting(Int(offset)..<Int(offset) + count))
        return count
    }
    override func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame {
        guard !forWriting else { throw .eacces }
        guard pageIndex >= 0, pageIndex < (contents.count + 4095) / 4096 else { throw .enxio }
        if pageIndex < contents.count / Frame.byteCount { return layer.frames.foreign(firstFrame + Int(pageIndex)) }
        let frame = try layer.frames.allocate()
        let contents = contents
        layer.frames.withBytes(of: frame) { $0.replace(from: 0, with: contents.raw.extracting(droppingFirst: Int(pageIndex) * 4096)) }
        return frame
    }
}
