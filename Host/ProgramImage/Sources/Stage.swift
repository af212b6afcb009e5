import SystemPackage

/// Lays a root out as a folder of the host: files are further names of the real ones where that goes, and otherwise copies. Owners,
/// permissions and times are not the root's: see EROFSAttributes.
struct Stage {
    let root: String
    /// Where a part of an archive went that has several names.
    private var places: [ObjectIdentifier: String] = [:]

    init(root: String) { self.root = root }

    mutating func lay(_ tree: RootTree) throws(ProgramFailure) {
        do {
            try lay(tree.root, at: root)
        } catch let failure as ProgramFailure {
            throw failure
        } catch {
            throw ProgramFailure(.cannotWrite, "cannot write below \(root): \(error)")
        }
    }

    private mutating func lay(_ node: RootNode, at path: String) throws {
        switch node.content {
        case .link(let target):
            try HostFile.makeLink(path, to: target)
        case .file(let source):
            do throws(Errno) {
                try HostFile.link(source, to: path)
            } catch {
                // Another file system, or a file of somebody else's.
                try write(node, to: path)
            }
        case .piece:
            if let place = places[ObjectIdentifier(node)] {
                try HostFile.link(place, to: path)
            } else {
                try write(node, to: path)
                places[ObjectIdentifier(node)] = path
            }
        case .folder:
            try HostFile.makeFolder(path)
            for (name, child) in node.sortedChildren { try lay(child, at: path + "/" + name) }
        }
    }

    /// Copies a regular file.
    func write(_ node: RootNode, to path: String) throws(ProgramFailure) {
        let part: (source: String, offset: Int, byteCount: Int)
        switch node.content {
        case .file(let source): part = (source, 0, Int(node.status.byteCount))
        case .piece(let source, let offset, let byteCount): part = (source, offset, byteCount)
        case .folder, .link: preconditionFailure()
        }
        let file: ReadableFile
        do throws(Errno) {
            file = try ReadableFile(part.source)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(part.source): \(error)")
        }
        do {
            try copy(file, part.offset, part.byteCount, to: path)
        } catch let failure as ProgramFailure {
            throw failure
        } catch {
            throw ProgramFailure(.cannotWrite, "cannot write \(path): \(error)")
        }
    }

    private func copy(_ file: ReadableFile, _ offset: Int, _ byteCount: Int, to path: String) throws {
        let copy = try FileDescriptor.open(
            FilePath(path), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        try copy.closeAfter {
            var done = 0
            while done < byteCount {
                let bytes = try file.bytes(at: offset + done, count: min(4 << 20, byteCount - done))
                guard !bytes.isEmpty else { throw ProgramFailure(.cannotRead, "a file changed while it was read") }
                try copy.writeAll(bytes)
                done += bytes.count
            }
        }
    }
}
