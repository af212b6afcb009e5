/// The files of an image's root, as they are kept behind it: one line each, folders before what is in them.
public struct ImageListing {
    public struct Entry: Equatable, Sendable {
        public var kind: FileStatus.Kind
        public var permissions: UInt32
        public var owner: UInt32
        public var group: UInt32
        public var byteCount: Int64
        public var path: String
        /// Of a link.
        public var target: String?
    }

    public var entries: [Entry] = []

    init(_ tree: RootTree) {
        tree.forEach { path, node in
            let status = node.status
            var entry = Entry(
                kind: .folder, permissions: status.permissions, owner: status.owner, group: status.group, byteCount: 0, path: path)
            switch node.content {
            case .folder: break
            case .file, .piece:
                entry.kind = .regular
                entry.byteCount = status.byteCount
            case .link(let target):
                entry.kind = .link
                entry.target = target
            }
            entries.append(entry)
        }
    }

    /// Fields are separated by tabs; a tab, a newline or a backslash in a name is written as in C.
    var text: String {
        entries.map { entry in
            let kind =
                switch entry.kind {
                case .folder: "d"
                case .link: "l"
                case .regular, .other: "f"
                }
            let numbers = "\(String(entry.permissions, radix: 8))\t\(entry.owner)\t\(entry.group)\t\(entry.byteCount)"
            return "\(kind)\t\(numbers)\t\(Self.escape(entry.path))\(entry.target.map { "\t" + Self.escape($0) } ?? "")\n"
        }.joined()
    }

    /// Lines that make no sense are left out.
    public init(parsing text: String) {
        for line in text.utf8.split(separator: 0x0a) {
            let fields = Substring(line).split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count >= 6, let permissions = UInt32(fields[1], radix: 8), let owner = UInt32(fields[2]),
                let group = UInt32(fields[3]), let byteCount = Int64(fields[4])
            else { continue }
            let kind: FileStatus.Kind
            switch fields[0] {
            case "d": kind = .folder
            case "l": kind = .link
            default: kind = .regular
            }
            entries.append(
                Entry(
                    kind: kind, permissions: permissions, owner: owner, group: group, byteCount: byteCount,
                    path: Self.unescape(fields[5]), target: kind == .link && fields.count > 6 ? Self.unescape(fields[6]) : nil))
        }
    }

    /// The list of the image at `path`; nil: it is no image of a program.
    public static func read(_ path: String) throws(ProgramFailure) -> ImageListing? {
        guard let (_, range) = try ImageComposition.read(path) else { return nil }
        do {
            let bytes = try ReadableFile(path).bytes(at: range.lowerBound, count: range.count)
            return ImageListing(parsing: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(path): \(error)")
        }
    }

    /// The same files as a root in which paths can be looked up; its files are nowhere on the host.
    public var tree: RootTree {
        let tree = RootTree()
        var folders: [String: RootNode] = ["": tree.root]
        for entry in entries {
            guard let slash = entry.path.lastIndex(of: "/"), let parent = folders[String(entry.path[..<slash])] else { continue }
            var status = FileStatus(kind: entry.kind, permissions: entry.permissions)
            status.byteCount = entry.byteCount
            let content: RootNode.Content =
                switch entry.kind {
                case .folder: .folder
                case .link: .link(entry.target ?? "")
                case .regular, .other: .file("")
                }
            let node = RootNode(content, status)
            parent.children[String(entry.path[entry.path.index(after: slash)...])] = node
            if content == .folder { folders[entry.path] = node }
        }
        return tree
    }

    private static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x09 || $0 == 0x0a || $0 == 0x5c }) else { return text }
        return text.replacing("\\", with: "\\\\").replacing("\t", with: "\\t").replacing("\n", with: "\\n")
    }

    private static func unescape(_ text: Substring) -> String {
        guard text.utf8.contains(0x5c) else { return String(text) }
        var result: [UInt8] = []
        var isEscaped = false
        for byte in text.utf8 {
            if isEscaped {
                result.append(byte == UInt8(ascii: "t") ? 0x09 : byte == UInt8(ascii: "n") ? 0x0a : byte)
                isEscaped = false
            } else if byte == 0x5c {
                isEscaped = true
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
