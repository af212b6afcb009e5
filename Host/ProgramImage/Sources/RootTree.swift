/// One file of a root that is being put together. Folders have children.
public final class RootNode {
    public enum Content: Equatable, Sendable {
        case folder
        /// A regular file, as a path on the host.
        case file(String)
        /// A part of a file of the host's.
        case piece(String, offset: Int, byteCount: Int)
        case link(String)
    }

    public var content: Content
    public var status: FileStatus
    public var children: [String: RootNode] = [:]

    public init(_ content: Content, _ status: FileStatus) {
        self.content = content
        self.status = status
    }

    var isFolder: Bool { content == .folder }

    /// Children in the order of their names' bytes.
    var sortedChildren: [(name: String, node: RootNode)] {
        children.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { ($0.key, $0.value) }
    }
}

/// A root that is being put together: which files it will have, and where on the host each is. Paths in it are absolute.
public struct RootTree {
    public static let nodeLimit = 2_000_000
    static let linkLimit = 40
    static let depthLimit = 256

    public let root = RootNode(.folder, FileStatus())

    public init() {}

    static func components(_ path: String) -> [String] { path.split(separator: "/").map(String.init).filter { $0 != "." } }

    /// Where a path leads inside this root: every link is followed here and nowhere else, also absolute ones and `..`.
    ///
    /// - Parameter followsLast: whether a link at the end of the path is followed too.
    /// - Returns: the file, or nil as the node if its folder is there and it is not; nil if not even that.
    public func resolve(_ path: String, followsLast: Bool = true) -> (path: [String], node: RootNode?)? {
        var rest = Array(Self.components(path).reversed())
        var walked: [(name: String, node: RootNode)] = []
        var links = 0
        while let name = rest.popLast() {
            if name == ".." {
                _ = walked.popLast()
                continue
            }
            let folder = walked.last?.node ?? root
            guard folder.isFolder else { return nil }
            guard let child = folder.children[name] else {
                return rest.isEmpty ? (walked.map(\.name) + [name], nil) : nil
            }
            if case .link(let target) = child.content, followsLast || !rest.isEmpty {
                links += 1
                guard links <= Self.linkLimit else { return nil }
                if target.hasPrefix("/") { walked = [] }
                rest += Self.components(target).reversed()
            } else {
                walked.append((name, child))
            }
        }
        return (walked.map(\.name), walked.last?.node ?? root)
    }

    /// The file that a path leads to.
    public func node(at path: String) -> RootNode? { resolve(path)?.node }

    /// The folder at a path, made with its parents as far as they are missing; links on the way are followed inside this root.
    ///
    /// - Returns: nil if something on the way is no folder.
    func makeFolder(_ path: String, _ status: FileStatus = FileStatus()) -> RootNode? {
        var walked: [RootNode] = []
        var rest = Array(Self.components(path).reversed())
        var links = 0
        while let name = rest.popLast() {
            if name == ".." {
                _ = walked.popLast()
                continue
            }
            let folder = walked.last ?? root
            guard let child = folder.children[name] else {
                let child = RootNode(.folder, rest.isEmpty ? status : FileStatus())
                folder.children[name] = child
                walked.append(child)
                continue
            }
            switch child.content {
            case .folder: walked.append(child)
            case .file, .piece: return nil
            case .link(let target):
                links += 1
                guard links <= Self.linkLimit else { return nil }
                if target.hasPrefix("/") { walked = [] }
                rest += Self.components(target).reversed()
            }
            guard walked.count <= Self.depthLimit else { return nil }
        }
        return walked.last ?? root
    }

    /// Every file below the root in order, folders before what is in them.
    public func forEach(_ body: (_ path: String, RootNode) throws -> Void) rethrows {
        func visit(_ folder: RootNode, _ prefix: String) throws {
            for (name, node) in folder.sortedChildren {
                let path = prefix + "/" + name
                try body(path, node)
                if node.isFolder { try visit(node, path) }
            }
        }
        try visit(root, "")
    }

    /// Everything that decides what the root will be, in lines: equal text, equal root.
    var fingerprint: String {
        var lines: [String] = []
        forEach { path, node in
            let status = node.status
            let head = "\(String(status.permissions, radix: 8)) \(status.owner) \(status.group)"
            switch node.content {
            case .folder: lines.append("d \(head) \(path)")
            case .link(let target): lines.append("l \(head) \(path)\0\(target)")
            case .file(let source): lines.append("f \(head) \(status.stamp) \(path)\0\(source)")
            case .piece(let source, let offset, let count): lines.append("p \(head) \(offset) \(count) \(path)\0\(source)")
            }
        }
        return lines.joined(separator: "\n")
    }
}
