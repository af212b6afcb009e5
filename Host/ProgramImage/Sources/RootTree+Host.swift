import SystemPackage

extension RootTree {
    /// Adds a file of the host at its own path, with every folder and link on the way as they are on the disk.
    ///
    /// - Returns: where the path leads at last, and what is there; nil if there is nothing.
    func addHost(_ path: String) throws(ProgramFailure) -> (path: String, node: RootNode)? {
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
            let place = "/" + (walked.map(\.name) + [name]).joined(separator: "/")
            guard let node = try hostNode(place, in: folder, name) else { return nil }
            guard case .link(let target) = node.content else {
                walked.append((name, node))
                guard walked.count <= Self.depthLimit else { throw ProgramFailure(.cannotRead, "\(path) is too deep") }
                continue
            }
            links += 1
            guard links <= Self.linkLimit else { throw ProgramFailure(.cannotRead, "\(path): too many symbolic links") }
            if target.hasPrefix("/") { walked = [] }
            rest += Self.components(target).reversed()
        }
        return ("/" + walked.map(\.name).joined(separator: "/"), walked.last?.node ?? root)
    }

    /// The node for a file of the host; nil if it is not there.
    private func hostNode(_ place: String, in folder: RootNode, _ name: String) throws(ProgramFailure) -> RootNode? {
        if let node = folder.children[name] { return node }
        let status: FileStatus
        do throws(Errno) {
            status = try HostFile.status(place)
        } catch {
            if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
            throw ProgramFailure(.cannotRead, "cannot read \(place): \(error)")
        }
        guard let node = try Self.node(of: place, status) else {
            throw ProgramFailure(.cannotRead, "\(place) is neither a file, a folder nor a link")
        }
        folder.children[name] = node
        return node
    }

    /// nil for what is no file, folder or link.
    private static func node(of place: String, _ status: FileStatus) throws(ProgramFailure) -> RootNode? {
        switch status.kind {
        case .other: return nil
        case .folder: return RootNode(.folder, status)
        case .link:
            do throws(Errno) {
                return RootNode(.link(try HostFile.linkTarget(place)), status)
            } catch {
                throw ProgramFailure(.cannotRead, "cannot read the link \(place): \(error)")
            }
        case .regular:
            guard HostFile.isReadable(place) else { throw ProgramFailure(.cannotRead, "cannot read \(place): permission denied") }
            return RootNode(.file(place), status)
        }
    }

    /// Adds everything below a folder of the host to a folder here; sockets, pipes and devices are left out.
    func addContents(of place: String, to folder: RootNode, depth: Int = 0) throws(ProgramFailure) {
        guard depth <= Self.depthLimit else { throw ProgramFailure(.cannotRead, "\(place) is too deep") }
        let prefix = place == "/" ? "" : place
        let names: [String]
        do throws(Errno) {
            names = try HostFile.names(in: place)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(place): \(error)")
        }
        for name in names {
            let path = prefix + "/" + name
            let status: FileStatus
            do throws(Errno) {
                status = try HostFile.status(path)
            } catch {
                throw ProgramFailure(.cannotRead, "cannot read \(path): \(error)")
            }
            guard let node = try Self.node(of: path, status) else { continue }
            if node.isFolder {
                let target: RootNode
                if let present = folder.children[name], present.isFolder {
                    target = present
                } else {
                    target = node
                    folder.children[name] = node
                }
                try addContents(of: path, to: target, depth: depth + 1)
            } else {
                folder.children[name] = node
            }
        }
    }

    /// Adds a file or folder of the host at a path of the root's own.
    func add(_ place: String, at path: String) throws(ProgramFailure) {
        let real: FileStatus
        do throws(Errno) {
            real = try HostFile.status(place)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(place): \(error)")
        }
        // A link that was named itself stands for what it leads to.
        if real.kind == .link {
            guard let target = try RootTree().addHost(place) else { throw ProgramFailure(.cannotRead, "\(place) leads nowhere") }
            return try add(target.path, at: path)
        }
        guard let node = try Self.node(of: place, real) else {
            throw ProgramFailure(.cannotRead, "\(place) is neither a file nor a folder")
        }
        let components = Self.components(path)
        guard !components.contains("..") else { throw ProgramFailure(.usage, "\(path): a path in the root has no ..") }
        if node.isFolder {
            guard let folder = makeFolder(path, real) else { throw ProgramFailure(.usage, "\(path): something else is on the way") }
            return try addContents(of: place, to: folder)
        }
        guard let name = components.last, let parent = makeFolder(components.dropLast().joined(separator: "/")) else {
            throw ProgramFailure(.usage, "\(path): something else is on the way")
        }
        parent.children[name] = node
    }

    /// The folders that every program may expect.
    func addMountPoints() {
        for (path, permissions) in [("/dev", 0o755), ("/proc", 0o555), ("/sys", 0o555), ("/run", 0o755), ("/tmp", 0o1777)]
            as [(String, UInt32)]
        where node(at: path) == nil {
            _ = makeFolder(path, FileStatus(permissions: permissions))
        }
    }
}

extension RootTree {
    /// Adds a file or folder of the host for a file system that lies over another one: links of that one are followed, and its folders'
    /// owners and permissions stay what they are.
    public func add(_ place: String, at path: String, over lower: RootTree) throws(ProgramFailure) {
        guard let (components, node) = lower.resolve(path) else {
            // Not even the folder is there.
            return try add(place, at: path)
        }
        var folder = lower.root
        var prefix = ""
        root.status = folder.status
        for name in node?.isFolder == true ? components : components.dropLast() {
            guard let child = folder.children[name] else { break }
            prefix += "/" + name
            makeFolder(prefix)?.status = child.status
            folder = child
        }
        try add(place, at: "/" + components.joined(separator: "/"))
    }
}
