import Bytes
import Errno

/// How a path is resolved: the flags of the *at calls, and openat2(2)'s RESOLVE_*.
public struct Resolution: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The last component may be a symbolic link, which is not followed.
    public static var noFollow: Resolution { Resolution(rawValue: 1) }
    /// The last component is an entry to be made, moved or removed: not followed even with a slash behind it.
    static var entry: Resolution { [.noFollow, Resolution(rawValue: 0x80)] }
    /// The last component is a file to be made: no slash may stand behind it.
    static var create: Resolution { Resolution(rawValue: 0x100) }
    /// AT_EMPTY_PATH: the empty path is the start itself.
    public static var allowEmpty: Resolution { Resolution(rawValue: 2) }
    /// RESOLVE_NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT.
    public static var noCrossing: Resolution { Resolution(rawValue: 4) }
    public static var noMagicLinks: Resolution { Resolution(rawValue: 8) }
    public static var noLinks: Resolution { Resolution(rawValue: 0x10) }
    public static var beneath: Resolution { Resolution(rawValue: 0x20) }
    public static var inRoot: Resolution { Resolution(rawValue: 0x40) }
}

/// The end of a way: the directory that was searched last, the name in it, and what is there.
public struct Found {
    public enum Last: Sendable { case name, dot, dotDot, root, magic }

    public var directory: Place
    public var name: [UInt8]
    /// nil: nothing has the name.
    public var place: Place?
    public var last: Last
    /// A slash stood behind the name.
    public var endsInSlash: Bool
    /// A magic link to what has no place.
    public var file: OpenFile?

    public var origin: Origin? { place.map { Origin(place: $0, directory: directory, name: name) } }
}

/// One walk along a path.
private struct Walk: ~Copyable {
    var text: [UInt8]
    var index = 0
    var place: Place
    var root: Place
    let start: Place
    let options: Resolution
    var linkCount = 0
    var file: OpenFile?
}

extension PathContext {
    /// What a path leads to. `.enoent`, `.enotdir`, `.eacces`, `.eloop`, `.enametoolong`.
    public func resolve(_ path: [UInt8], from start: Place? = nil, _ options: Resolution = []) throws(Errno) -> Place {
        guard let place = try find(path, from: start, options, wantsName: false).place else { throw .enoent }
        return place
    }

    /// As `resolve`, with the directory and the name by which it was found.
    public func entry(_ path: [UInt8], from start: Place? = nil, _ options: Resolution = []) throws(Errno) -> Origin {
        guard let origin = try find(path, from: start, options).origin else { throw .enoent }
        return origin
    }

    /// As `resolve`, but the last component need not be there.
    public func find(_ path: [UInt8], from start: Place? = nil, _ options: Resolution = [], wantsName: Bool = true) throws(Errno) -> Found {
        let start = start ?? workingDirectory
        guard path.count < Self.pathLimit else { throw .enametoolong }
        if path.isEmpty {
            guard options.contains(.allowEmpty) else { throw .enoent }
            return Found(directory: start, name: [], place: start, last: .dot, endsInSlash: false)
        }
        var walk = Walk(text: path, place: start, root: options.contains(.inRoot) ? start : root, start: start, options: options)
        if path[0] == 0x2f { try toRoot(&walk) }
        var found = Found(directory: walk.place, name: [], place: walk.place, last: .root, endsInSlash: false)
        while true {
            while walk.index < walk.text.count, walk.text[walk.index] == 0x2f { walk.index += 1 }
            guard walk.index < walk.text.count else { break }
            try step(&walk, &found, wantsName)
            if found.place == nil || walk.file != nil { break }
        }
        found.file = walk.file
        if found.endsInSlash, !options.contains(.entry), let place = found.place, place.vnode.kind != .directory { throw .enotdir }
        return found
    }

    private func toRoot(_ walk: inout Walk) throws(Errno) {
        if walk.options.contains(.beneath) { throw .exdev }
        if walk.options.contains(.noCrossing), walk.root.mount !== walk.place.mount { throw .exdev }
        walk.place = walk.root
    }

    /// One component.
    private func step(_ walk: inout Walk, _ found: inout Found, _ wantsName: Bool) throws(Errno) {
        let begin = walk.index
        while walk.index < walk.text.count, walk.text[walk.index] != 0x2f { walk.index += 1 }
        let range = begin..<walk.index
        var rest = walk.index
        while rest < walk.text.count, walk.text[rest] == 0x2f { rest += 1 }
        let isLast = rest == walk.text.count
        found.endsInSlash = isLast && rest > walk.index
        try checkSearch(walk.place.vnode)
        guard range.count <= Self.nameLimit else { throw .enametoolong }
        found.directory = walk.place
        if isLast, wantsName { found.name = Array(walk.text[range]) }
        if walk.text[begin] == 0x2e {
            if range.count == 1 {
                found.last = .dot
                found.place = walk.place
                return
            }
            if range.count == 2, walk.text[begin + 1] == 0x2e { return try stepUp(&walk, &found) }
        }
        found.last = .name
        if found.endsInSlash, walk.options.contains(.create) { throw .eisdir }
        let child: Vnode
        do {
            child = try walk.place.vnode.lookup(walk.text.raw.extracting(range))
        } catch {
            guard error == .enoent, isLast else { throw error }
            found.place = nil
            return
        }
        let staysLink = walk.options.contains(found.endsInSlash ? .entry : .noFollow)
        if child.kind == .symbolicLink, !isLast || !staysLink {
            return try follow(child, &walk, &found)
        }
        var next = Place(mount: walk.place.mount, vnode: child)
        while let mount = next.vnode.covering {
            if walk.options.contains(.noCrossing) { throw .exdev }
            next = mount.rootPlace
        }
        walk.place = next
        found.place = next
    }

    private func stepUp(_ walk: inout Walk, _ found: inout Found) throws(Errno) {
        found.last = .dotDot
        if walk.options.contains(.beneath), walk.place == walk.start { throw .exdev }
        let above = Self.parent(of: walk.place, below: walk.root)
        if walk.options.contains(.noCrossing), above.mount !== walk.place.mount { throw .exdev }
        walk.place = Self.uncovered(above)
        found.place = walk.place
    }

    private func follow(_ link: Vnode, _ walk: inout Walk, _ found: inout Found) throws(Errno) {
        walk.linkCount += 1
        guard walk.linkCount <= Self.linkLimit, !walk.options.contains(.noLinks) else { throw .eloop }
        if let target = try link.followMagic() {
            if walk.options.contains(.noMagicLinks) { throw .eloop }
            if walk.options.contains(.beneath) || walk.options.contains(.inRoot) { throw .exdev }
            found.last = .magic
            switch target {
            case .place(let place):
                if walk.options.contains(.noCrossing), place.mount !== walk.place.mount { throw .exdev }
                walk.place = place
            case .file(let file):
                var rest = walk.index
                while rest < walk.text.count, walk.text[rest] == 0x2f { rest += 1 }
                guard rest == walk.index else { throw .enotdir }
                walk.file = file
                walk.place = Place(mount: walk.place.mount, vnode: file.vnode ?? link)
            }
            found.place = walk.place
            return
        }
        let target = try link.readLink()
        guard let first = target.first else { throw .enoent }
        guard target.count + walk.text.count - walk.index < 2 * Self.pathLimit else { throw .enametoolong }
        walk.text = target + walk.text[walk.index...]
        walk.index = 0
        if first == 0x2f {
            try toRoot(&walk)
            // A link to "/" alone ends here.
            found.directory = walk.place
            found.place = walk.place
            found.last = .root
        }
    }
}
