import Bytes
import Errno

extension PathContext {
    /// open(2), openat(2), openat2(2). The file has no descriptor yet. `mode` counts for what is created.
    public func open(
        _ path: [UInt8], from start: Place? = nil, _ flags: OpenFlags, mode: UInt32 = 0, _ options: Resolution = []
    ) throws(Errno) -> OpenFile {
        var options = options
        if flags.contains(.path) {
            if flags.contains(.noFollow) { options.insert(.noFollow) }
            return try openPath(try find(path, from: start, options), flags)
        }
        guard flags.isAllowed else { throw .einval }
        if flags.contains(.temporary) { return try openTemporary(path, from: start, flags, mode, options) }
        if flags.contains(.noFollow) || flags.contains([.create, .exclusive]) { options.insert(.noFollow) }
        if flags.contains(.create) { options.insert(.create) }
        let found = try find(path, from: start, options)
        if let file = found.file { return try reopen(file, flags) }
        guard let place = found.place else { return try create(found, flags, mode) }
        if flags.contains(.create) {
            if flags.contains(.exclusive) { throw .eexist }
            if place.vnode.kind == .directory { throw .eisdir }
        }
        try checkOpen(place, flags)
        let file = try open(place, flags)
        file.origin = found.origin
        if flags.contains(.truncate), place.vnode.kind == .regular {
            try place.vnode.truncate(to: 0)
            file.report(.modify)
        }
        file.report(.open)
        return file
    }

    /// Opens what is at a place; rights have been checked.
    func open(_ place: Place, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        let vnode = place.vnode
        switch vnode.kind {
        case .fifo: return try mounts.specialFiles.openFIFO(vnode, flags)
        case .characterDevice, .blockDevice:
            do {
                return try vnode.open(flags)
            } catch {
                guard error == .enxio else { throw error }
                return try mounts.specialFiles.openDevice(vnode.attributes.representedDevice, vnode, flags)
            }
        case .regular, .directory, .symbolicLink, .socket, .anonymous: return try vnode.open(flags)
        }
    }

    /// open(2) of /proc/self/fd/N: a new description where there is a vnode, else the same one.
    private func reopen(_ file: OpenFile, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        if flags.contains([.create, .exclusive]) { throw .eexist }
        if file.kind == .socket { throw .enxio }
        guard let vnode = file.vnode, vnode.kind == .regular || vnode.kind == .directory else { return file }
        let place = file.origin?.place ?? Place(mount: root.mount, vnode: vnode)
        try checkOpen(place, flags)
        let opened = try open(place, flags)
        opened.origin = file.origin
        if flags.contains(.truncate), vnode.kind == .regular { try vnode.truncate(to: 0) }
        return opened
    }

    private func openPath(_ found: Found, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        guard let place = found.place else { throw .enoent }
        if flags.contains(.directory), place.vnode.kind != .directory { throw .enotdir }
        let file = PathFile(place.vnode, flags.intersection([.path, .directory, .noFollow]))
        file.origin = found.origin
        return file
    }

    private func checkOpen(_ place: Place, _ flags: OpenFlags) throws(Errno) {
        let vnode = place.vnode
        if flags.contains(.directory), vnode.kind != .directory { throw .enotdir }
        let changes = flags.accessMode != 0 || flags.contains(.truncate)
        switch vnode.kind {
        case .symbolicLink: throw .eloop
        case .directory: if changes { throw .eisdir }
        case .socket: throw .enxio
        case .regular: if changes && place.mount.isReadOnly { throw .erofs }
        case .anonymous, .fifo, .characterDevice, .blockDevice: break
        }
        var access: UInt32 = flags.accessMode == 1 ? 0 : 4
        if changes { access |= 2 }
        try check(vnode, access)
        if flags.contains(.noAccessTime), !credentials.isPrivileged, vnode.permissions.user != credentials.user { throw .eperm }
    }

    private func create(_ found: Found, _ flags: OpenFlags, _ mode: UInt32) throws(Errno) -> OpenFile {
        guard flags.contains(.create) else { throw .enoent }
        try checkChange(of: found.directory)
        let directory = found.directory.vnode
        let vnode = try directory.create(found.name.raw, newFile(.regular, mode, in: directory))
        let place = Place(mount: found.directory.mount, vnode: vnode)
        let file = try open(place, flags)
        file.origin = Origin(place: place, directory: found.directory, name: found.name)
        reportEntry(.create, directory, found.name, vnode)
        file.report(.open)
        return file
    }

    private func openTemporary(
        _ path: [UInt8], from start: Place?, _ flags: OpenFlags, _ mode: UInt32, _ options: Resolution
    ) throws(Errno) -> OpenFile {
        let place = try resolve(path, from: start, options)
        guard place.vnode.kind == .directory else { throw .enotdir }
        try checkChange(of: place)
        var new = newFile(.regular, mode, in: place.vnode)
        new.isLinkable = !flags.contains(.exclusive)
        let vnode = try place.vnode.createTemporary(new)
        let file = try open(Place(mount: place.mount, vnode: vnode), flags)
        file.origin = Origin(place: Place(mount: place.mount, vnode: vnode), directory: place, name: Array("#temporary".utf8))
        return file
    }

    /// Who owns a new file and what the mask leaves of its mode; a set-group directory passes its group on.
    func newFile(_ kind: FileKind, _ mode: UInt32, in directory: Vnode, device: UInt64 = 0) -> NewFile {
        var permissions = Permissions(mode: mode & ~creationMask, user: credentials.user, group: credentials.group)
        let parent = directory.permissions
        if parent.mode & Permissions.setGroup != 0 {
            permissions.group = parent.group
            if kind == .directory { permissions.mode |= Permissions.setGroup }
        }
        return NewFile(kind: kind, permissions: permissions, device: device)
    }

    func reportEntry(_ events: WatchEvents, _ directory: Vnode, _ name: [UInt8], _ vnode: Vnode, cookie: UInt32 = 0) {
        guard directory.isWatched else { return }
        directory.report(
            vnode.kind == .directory ? events.union(.isDirectory) : events, cookie: cookie, name: name.raw)
    }
}
