import SystemPackage

/// Where the dynamic linker of a program looks for a library: the order of ld.so(8), or of musl.
struct LibrarySearch {
    let isMusl: Bool
    /// The linker's own folders, and those of its configuration.
    let standard: [String]
    let configured: [String]

    private static let configurationLimit = 1 << 16, includeLimit = 64

    init(interpreter: String, architecture: String = "x86_64") {
        let name = interpreter.split(separator: "/").last.map(String.init) ?? ""
        isMusl = name.hasPrefix("ld-musl-")
        if isMusl {
            let path = "/etc/ld-musl-\(architecture).path"
            let own = (try? HostFile.text(of: path, limit: Self.configurationLimit))?
                .split { $0 == "\n" || $0 == ":" }.map(String.init).filter { $0.hasPrefix("/") }
            standard = own ?? ["/lib", "/usr/local/lib", "/usr/lib"]
            configured = []
        } else {
            standard = [
                "/lib/\(architecture)-linux-gnu", "/usr/lib/\(architecture)-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
            ]
            var folders: [String] = []
            var budget = Self.includeLimit
            Self.read("/etc/ld.so.conf", into: &folders, &budget)
            configured = folders
        }
    }

    /// ldconfig(8): one folder per line, or `include PATTERN`.
    private static func read(_ path: String, into folders: inout [String], _ budget: inout Int) {
        guard budget > 0, let text = try? HostFile.text(of: path, limit: configurationLimit) else { return }
        budget -= 1
        for line in text.split(separator: "\n") {
            let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let first = words.first else { continue }
            if first == "include" {
                for pattern in words.dropFirst() {
                    for file in matches(pattern.hasPrefix("/") ? pattern : "/etc/" + pattern) { read(file, into: &folders, &budget) }
                }
            } else if first.hasPrefix("/") {
                folders.append(first)
            }
        }
    }

    /// Files for a pattern with at most one `*`, in its last component.
    private static func matches(_ pattern: String) -> [String] {
        guard let star = pattern.firstIndex(of: "*") else { return [pattern] }
        let slash = pattern.lastIndex(of: "/") ?? pattern.startIndex
        guard slash < star else { return [] }
        let folder = String(pattern[..<slash])
        let head = pattern[pattern.index(after: slash)..<star], tail = pattern[pattern.index(after: star)...]
        let names = (try? HostFile.names(in: folder)) ?? []
        return names.filter { $0.count >= head.count + tail.count && $0.hasPrefix(head) && $0.hasSuffix(tail) }.map { folder + "/" + $0 }
    }

    /// Names that musl's linker answers for itself.
    func isBuiltIn(_ name: String) -> Bool {
        isMusl && ["libc.", "libpthread.", "librt.", "libm.", "libdl.", "libutil.", "libxnet."].contains { name.hasPrefix($0) }
    }

    /// One object's own folders, `$ORIGIN` filled in (ld.so(8), "Dynamic string tokens").
    static func folders(_ paths: [String], origin: String) -> [String] {
        paths.map { path in
            [
                ("$ORIGIN", origin), ("${ORIGIN}", origin), ("$LIB", "lib/x86_64-linux-gnu"), ("${LIB}", "lib/x86_64-linux-gnu"),
                ("$PLATFORM", "x86_64"), ("${PLATFORM}", "x86_64"),
            ]
            .reduce(path) { $0.replacing($1.0, with: $1.1) }
        }
    }
}
