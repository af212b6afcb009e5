import SystemPackage

/// A root and how its program is started: what an image is made from.
public struct ProgramRoot {
    public var tree: RootTree
    public var defaults: ProgramDefaults
    /// Lines for the user: nothing is wrong, but something may be.
    public var notes: [String] = []
}

/// What `--include` names: a path of the host, and where it goes; by default to the same place.
public struct Inclusion: Equatable, Sendable {
    public var place: String
    public var path: String?

    /// - Parameter text: `PATH` or `PATH:GUESTPATH`; the last colon before a slash separates.
    public init(_ text: String) {
        if let range = text.range(of: ":/", options: .backwards), range.lowerBound != text.startIndex {
            place = String(text[..<range.lowerBound])
            path = "/" + text[range.upperBound...]
        } else {
            place = text
        }
    }
}

extension ProgramRoot {
    /// Files that programs with a C library read, where this host has them.
    private static let ordinaryFiles = [
        "/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/hosts", "/etc/services", "/etc/protocols", "/etc/localtime",
    ]
    /// What glibc opens by itself.
    private static let openedLibraries = ["libnss_files.so.2", "libnss_dns.so.2", "libgcc_s.so.1"]

    /// The program at `path`, a file of this host, with everything that its dynamic linker opens, and what `inclusions` name.
    ///
    /// - Parameter searchPath: where the program of a script's `#!/usr/bin/env NAME` is looked for.
    public init(program path: String, inclusions: [Inclusion] = [], searchPath: String = "") throws(ProgramFailure) {
        let tree = RootTree()
        self.tree = tree
        guard let (words, object, place) = try Self.program(path, tree, searchPath) else {
            throw ProgramFailure(.cannotRead, "no such file: \(path)")
        }
        defaults = ProgramDefaults(source: path, entrypoint: words, program: words.first, environment: [ProgramDefaults.defaultPath])
        var closure: ProgramClosure?
        if let interpreter = object.interpreter {
            closure = try Self.closure(of: object, at: place, interpreter, tree)
        }
        var included: [RootNode] = []
        for inclusion in inclusions { included.append(try Self.include(inclusion, tree)) }
        try addLibraries(of: included, &closure)
        if closure?.needsCache == true { _ = try tree.addHost("/etc/ld.so.cache") }
        tree.addMountPoints()
        defaults.accounts = Accounts(root: tree)
    }

    /// A folder of this host as it is, and what `inclusions` name.
    public init(folder: String, inclusions: [Inclusion] = []) throws(ProgramFailure) {
        let tree = RootTree()
        self.tree = tree
        defaults = ProgramDefaults(source: folder, environment: [ProgramDefaults.defaultPath])
        try tree.addContents(of: folder, to: tree.root)
        for inclusion in inclusions { _ = try Self.include(inclusion, tree) }
        tree.addMountPoints()
        defaults.accounts = Accounts(root: tree)
    }

    // MARK: Programs

    private static let scriptLimit = 4

    /// The words that start the program, the program itself and the file that it is; scripts are started by theirs.
    private static func program(
        _ path: String, _ tree: RootTree, _ searchPath: String
    ) throws(ProgramFailure) -> (words: [String], object: ELFObject, place: String)? {
        var words = [path]
        for _ in 0..<scriptLimit {
            guard let (place, node) = try tree.addHost(words[0]) else { return nil }
            guard case .file = node.content else { throw ProgramFailure(.refused, "\(words[0]) is a folder, not a program") }
            let file: ReadableFile
            let start: [UInt8]
            do throws(Errno) {
                file = try ReadableFile(place)
                start = try file.bytes(at: 0, count: 256)
            } catch {
                throw ProgramFailure(.cannotRead, "cannot read \(place): \(error)")
            }
            guard start.starts(with: [0x23, 0x21]) else {
                let object = try ELFObject(file, title: words[0])
                guard object.hasEntry else { throw ProgramFailure(.refused, "\(words[0]) is a library, not a program") }
                return (words, object, place)
            }
            words = try interpreterWords(start, words[0], searchPath) + words
        }
        throw ProgramFailure(.refused, "\(path): too many scripts that start scripts")
    }

    /// What the first line of a script says (execve(2), "Interpreter scripts"); of env(1) the program that it would find.
    private static func interpreterWords(_ start: [UInt8], _ path: String, _ searchPath: String) throws(ProgramFailure) -> [String] {
        let line = String(decoding: start.dropFirst(2).prefix { $0 != 0x0a }, as: UTF8.self)
        let words = line.split(maxSplits: 1) { $0 == " " || $0 == "\t" }.map { $0.trimmingPrefix(while: \.isWhitespace) }
        guard let first = words.first.map(String.init), first.hasPrefix("/") else {
            throw ProgramFailure(.refused, "\(path) is a script whose first line names no program")
        }
        let argument = words.count > 1 ? String(words[1]).trimmed : ""
        guard first == "/usr/bin/env" || first == "/bin/env" else { return argument.isEmpty ? [first] : [first, argument] }
        var rest = argument.split(separator: " ").map(String.init)
        if rest.first == "-S" { rest.removeFirst() }
        guard let name = rest.first, !name.hasPrefix("-"), !name.contains("=") else {
            throw ProgramFailure(.refused, "\(path) is a script whose first line names no program")
        }
        for folder in searchPath.split(separator: ":") {
            let candidate = folder + "/" + name
            if let status = try? HostFile.status(candidate), status.kind != .folder { return [candidate] + rest.dropFirst() }
        }
        throw ProgramFailure(.cannotRead, "\(path) is a script for \(name), which is not on PATH")
    }

    private static func closure(
        of object: ELFObject, at place: String, _ interpreter: String, _ tree: RootTree
    ) throws(ProgramFailure) -> ProgramClosure {
        guard let (linker, node) = try tree.addHost(interpreter), case .file = node.content else {
            throw ProgramFailure(.cannotRead, "\(place) needs the interpreter \(interpreter), which is not here")
        }
        let file: ReadableFile
        do throws(Errno) {
            file = try ReadableFile(linker)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(interpreter): \(error)")
        }
        _ = try ELFObject(file, title: interpreter)
        var closure = ProgramClosure(tree: tree, search: LibrarySearch(interpreter: interpreter))
        try closure.add(object, at: place)
        if let lost = closure.missing.first {
            throw ProgramFailure(.cannotRead, "\(lost.wanted) needs the library \(lost.name), which is not here")
        }
        if closure.contains("libc.so.6") { for name in openedLibraries { try closure.addOptional(name) } }
        for file in ordinaryFiles { _ = try? tree.addHost(file) }
        return closure
    }

    // MARK: Inclusions

    /// - Returns: what is now in the root.
    private static func include(_ inclusion: Inclusion, _ tree: RootTree) throws(ProgramFailure) -> RootNode {
        if let path = inclusion.path {
            guard path != "/" else { throw ProgramFailure(.usage, "--include \(inclusion.place):/ would replace the whole root") }
            try tree.add(inclusion.place, at: path)
            return tree.node(at: path) ?? tree.root
        }
        guard inclusion.place.hasPrefix("/") else {
            throw ProgramFailure(.usage, "--include \(inclusion.place): an absolute path, or PATH:/GUESTPATH")
        }
        guard let (place, node) = try tree.addHost(inclusion.place) else {
            throw ProgramFailure(.cannotRead, "no such file or folder: \(inclusion.place)")
        }
        guard node.isFolder else { return node }
        try tree.addContents(of: place, to: node)
        try addLinkedFiles(below: node, at: place, tree)
        return node
    }

    /// A link that leads out of a folder to a single file brings that file; one that leads to another folder stays a link.
    private static func addLinkedFiles(below folder: RootNode, at place: String, _ tree: RootTree) throws(ProgramFailure) {
        var pending = [(folder, place == "/" ? "" : place)]
        var links: [String] = []
        while let (folder, place) = pending.popLast() {
            for (name, node) in folder.sortedChildren {
                switch node.content {
                case .folder: pending.append((node, place + "/" + name))
                case .link: links.append(place + "/" + name)
                case .file, .piece: break
                }
            }
        }
        for link in links.prefix(linkedFileLimit) where tree.node(at: link) == nil {
            // Looked at first, in a root of its own: a link may lead nowhere, or where nobody may look.
            guard let found = try? RootTree().addHost(link), case .file = found.node.content else { continue }
            _ = try tree.addHost(link)
        }
    }

    /// Adds what `inclusions` name to a root that is complete.
    public mutating func include(_ inclusions: [Inclusion]) throws(ProgramFailure) {
        for inclusion in inclusions { _ = try Self.include(inclusion, tree) }
    }

    private static let linkedFileLimit = 20_000

    /// Programs and libraries among what was included need their own libraries; a link to a single file needs that file.
    private mutating func addLibraries(of included: [RootNode], _ closure: inout ProgramClosure?) throws(ProgramFailure) {
        var pending = included
        var count = 0
        // Whoever opens a library by its path has it loaded before others ask for its name.
        var names: Set<String> = []
        while let node = pending.popLast() {
            switch node.content {
            case .folder: pending += node.children.values
            case .link, .piece: break
            case .file(let place):
                guard place.contains(".so") || node.status.permissions & 0o111 != 0, count < Self.linkedFileLimit,
                    let file = try? ReadableFile(place), ELFObject.isELF(file), let object = try? ELFObject(file, title: place)
                else { continue }
                count += 1
                names.formUnion([object.name, place.split(separator: "/").last.map(String.init)].compactMap(\.self))
                if closure == nil, let interpreter = object.interpreter {
                    closure = try Self.closure(of: object, at: place, interpreter, tree)
                } else if closure != nil {
                    if let interpreter = object.interpreter { _ = try tree.addHost(interpreter) }
                    try closure?.add(object, at: place)
                }
            }
        }
        for lost in closure?.missing ?? [] where !names.contains(lost.name) {
            notes.append("\(lost.wanted) needs the library \(lost.name), which is not here")
        }
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        var rest = self[...]
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest.drop(while: \.isWhitespace))
    }
}
