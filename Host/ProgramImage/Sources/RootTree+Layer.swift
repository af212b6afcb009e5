/// Layers of a container image (OCI image specification, "Image Layer Filesystem Changeset").
extension RootTree {
    private static let whiteout = ".wh.", opaque = ".wh..wh..opq"

    /// Applies one layer over what is there: an uncompressed tar archive, which stays where it is until the root is made.
    ///
    /// - Returns: how many devices and pipes were left out.
    func apply(layer path: String, title: String) throws(ProgramFailure) -> Int {
        let file: ReadableFile
        do {
            file = try ReadableFile(path)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(path): \(error)")
        }
        // Whiteouts are about the layers below only: they come first.
        var scan = TarScan(file, title: title)
        while let member = try scan.next() { try applyWhiteout(member, title) }
        scan = TarScan(file, title: title)
        var skipped = 0
        while let member = try scan.next() {
            let components = try Self.components(of: member, title)
            guard let name = components.last else {
                if member.kind == .folder { root.status = Self.status(member, .folder) }
                continue
            }
            guard !name.hasPrefix(Self.whiteout) else { continue }
            guard member.kind != .other else {
                skipped += 1
                continue
            }
            try put(member, name, in: try parent(components, title), path, title)
        }
        return skipped
    }

    private static func components(of member: TarMember, _ title: String) throws(ProgramFailure) -> [String] {
        let components = components(member.path)
        guard !components.contains("..") else {
            throw ProgramFailure(.refused, "\(title) has a member that leads out of the root: \(member.path.debugDescription)")
        }
        guard components.count <= depthLimit, components.allSatisfy({ $0.utf8.count <= 255 && !$0.utf8.contains(0) }) else {
            throw ProgramFailure(.refused, "\(title) has a member with a name that no file has: \(member.path.prefix(80).debugDescription)")
        }
        return components
    }

    private func parent(_ components: [String], _ title: String) throws(ProgramFailure) -> RootNode {
        guard let folder = makeFolder(components.dropLast().joined(separator: "/")) else {
            throw ProgramFailure(.refused, "\(title): /\(components.joined(separator: "/")) lies in something that is no folder")
        }
        return folder
    }

    private func applyWhiteout(_ member: TarMember, _ title: String) throws(ProgramFailure) {
        let components = try Self.components(of: member, title)
        guard let name = components.last, name.hasPrefix(Self.whiteout),
            let node = node(at: components.dropLast().joined(separator: "/")), node.isFolder
        else { return }
        if name == Self.opaque {
            node.children = [:]
        } else {
            node.children[String(name.dropFirst(Self.whiteout.count))] = nil
        }
    }

    private static func status(_ member: TarMember, _ kind: FileStatus.Kind) -> FileStatus {
        var status = FileStatus(kind: kind, permissions: kind == .link ? 0o777 : member.permissions)
        status.owner = member.owner
        status.group = member.group
        status.modifiedSeconds = member.modifiedSeconds
        status.byteCount = Int64(member.byteCount)
        return status
    }

    private func put(
        _ member: TarMember, _ name: String, in folder: RootNode, _ archive: String, _ title: String
    ) throws(ProgramFailure) {
        switch member.kind {
        case .folder:
            if let present = folder.children[name], present.isFolder {
                present.status = Self.status(member, .folder)
            } else {
                folder.children[name] = RootNode(.folder, Self.status(member, .folder))
            }
        case .link:
            guard !member.target.isEmpty else { throw ProgramFailure(.refused, "\(title) has a link that leads nowhere: \(name)") }
            folder.children[name] = RootNode(.link(member.target), Self.status(member, .link))
        case .file:
            folder.children[name] = RootNode(
                .piece(archive, offset: member.offset, byteCount: member.byteCount), Self.status(member, .regular))
        case .hardLink:
            // The same file under another name.
            guard let node = resolve(member.target, followsLast: false)?.node, !node.isFolder else {
                throw ProgramFailure(.refused, "\(title) has a link to a file that is not there: \(member.target.debugDescription)")
            }
            folder.children[name] = node
        case .other: break
        }
    }
}
