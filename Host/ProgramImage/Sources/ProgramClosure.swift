import SystemPackage

/// Everything that the dynamic linker will open for a program, added to a root.
struct ProgramClosure {
    private struct Loaded {
        let object: ELFObject
        /// The file itself, links resolved.
        let path: String
        /// Who asked for it, as an index.
        let parent: Int?
    }

    private static let libraryLimit = 4096

    private let tree: RootTree
    private let search: LibrarySearch
    private var loaded: [Loaded] = []
    private var known: Set<String> = []
    /// Whether some library is found only by the linker's cache.
    private(set) var needsCache = false
    /// What could not be found, and who wanted it.
    private(set) var missing: [(name: String, wanted: String)] = []

    init(tree: RootTree, search: LibrarySearch) {
        self.tree = tree
        self.search = search
    }

    /// Whether a library of this name is part of it.
    func contains(_ name: String) -> Bool { known.contains(name) }

    /// Adds what `object` at `path`, which is in the root already, needs.
    mutating func add(_ object: ELFObject, at path: String) throws(ProgramFailure) {
        let first = loaded.count
        loaded.append(Loaded(object: object, path: path, parent: nil))
        if let name = object.name { known.insert(name) }
        var index = first
        // Breadth first, as the linker does.
        while index < loaded.count {
            for name in loaded[index].object.needed where !known.contains(name) && !search.isBuiltIn(name) {
                known.insert(name)
                guard let (object, path) = try find(name, for: index) else {
                    missing.append((name, loaded[index].path))
                    continue
                }
                if let own = object.name { known.insert(own) }
                guard loaded.count < Self.libraryLimit else { throw ProgramFailure(.refused, "\(path) needs too many libraries") }
                loaded.append(Loaded(object: object, path: path, parent: index))
            }
            index += 1
        }
    }

    /// Adds a library that a program opens by itself, if it is there.
    mutating func addOptional(_ name: String) throws(ProgramFailure) {
        guard !known.contains(name) else { return }
        for folder in search.standard {
            guard let (object, path) = try library(folder + "/" + name) else { continue }
            known.insert(name)
            return try add(object, at: path)
        }
    }

    private mutating func find(_ name: String, for index: Int) throws(ProgramFailure) -> (ELFObject, String)? {
        if name.contains("/") { return name.hasPrefix("/") ? try library(name) : nil }
        for folder in ownFolders(index) { if let found = try library(folder + "/" + name) { return found } }
        for folder in search.standard { if let found = try library(folder + "/" + name) { return found } }
        for folder in search.configured {
            guard let found = try library(folder + "/" + name) else { continue }
            needsCache = true
            return found
        }
        return nil
    }

    /// DT_RPATH of the object and of those that asked for it, unless it has a DT_RUNPATH; then that.
    private func ownFolders(_ index: Int) -> [String] {
        var folders: [String] = []
        if loaded[index].object.runPaths.isEmpty || search.isMusl {
            var next: Int? = index
            while let current = next {
                let paths = loaded[current].object.runPaths.isEmpty ? loaded[current].object.searchPaths : []
                folders += LibrarySearch.folders(paths, origin: Self.folder(of: loaded[current].path))
                next = loaded[current].parent
            }
        }
        return folders + LibrarySearch.folders(loaded[index].object.runPaths, origin: Self.folder(of: loaded[index].path))
    }

    private static func folder(of path: String) -> String {
        let end = path.lastIndex(of: "/") ?? path.startIndex
        return end == path.startIndex ? "/" : String(path[..<end])
    }

    /// The library at a path of the host, now in the root as well; nil if there is none for this processor.
    private func library(_ path: String) throws(ProgramFailure) -> (ELFObject, String)? {
        guard path.hasPrefix("/") else { return nil }
        // Looked at first: the root gets only what is used.
        guard let place = try? RootTree().addHost(path), case .file = place.node.content, let file = try? ReadableFile(place.path),
            ELFObject.isELF(file), let object = try? ELFObject(file, title: place.path)
        else { return nil }
        _ = try tree.addHost(path)
        return (object, place.path)
    }
}
