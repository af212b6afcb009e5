import Errno

extension PathContext {
    /// chmod, chown, utimensat: what the caller may change of a file. `isNow`: the times are the present one, which whoever may write
    /// the file may set.
    public func setAttributes(of place: Place, _ change: AttributeChange, isNow: Bool = false) throws(Errno) {
        guard !place.mount.isReadOnly else { throw .erofs }
        var change = change
        let vnode = place.vnode
        let permissions = vnode.permissions
        let isOwner = credentials.isPrivileged || credentials.user == permissions.user
        if change.accessed != nil || change.modified != nil, !isOwner {
            guard isNow else { throw .eperm }
            try check(vnode, 2)
        }
        if let mode = change.mode {
            guard isOwner else { throw .eperm }
            change.mode = mode & 0o7777
            if !credentials.isPrivileged, !credentials.isMember(of: permissions.group) {
                change.mode = mode & 0o7777 & ~Permissions.setGroup
            }
        }
        if change.user != nil || change.group != nil {
            try checkOwner(permissions, change, isOwner)
            if vnode.kind != .directory, change.mode == nil {
                var mode = permissions.mode & ~Permissions.setUser
                // Without execution by the group the bit means mandatory locking, and stays.
                if mode & 0o010 != 0 { mode &= ~Permissions.setGroup }
                if mode != permissions.mode { change.mode = mode }
            }
        }
        try vnode.setAttributes(change)
        vnode.report(.attributes)
    }

    /// As of a place; who watches the directory is told of the name.
    public func setAttributes(of entry: Origin, _ change: AttributeChange, isNow: Bool = false) throws(Errno) {
        try setAttributes(of: entry.place, change, isNow: isNow)
        report(.attributes, entry)
    }
    public func truncate(_ entry: Origin, to byteCount: Int64) throws(Errno) {
        try truncate(entry.place, to: byteCount)
        report(.modify, entry)
    }
    private func report(_ events: WatchEvents, _ entry: Origin) {
        if let directory = entry.directory?.vnode, !entry.name.isEmpty { reportEntry(events, directory, entry.name, entry.place.vnode) }
    }

    private func checkOwner(_ permissions: Permissions, _ change: AttributeChange, _ isOwner: Bool) throws(Errno) {
        if credentials.isPrivileged { return }
        guard isOwner else { throw .eperm }
        if let user = change.user, user != permissions.user { throw .eperm }
        if let group = change.group, group != permissions.group, !credentials.isMember(of: group) { throw .eperm }
    }

    /// truncate(2).
    public func truncate(_ place: Place, to byteCount: Int64) throws(Errno) {
        switch place.vnode.kind {
        case .directory: throw .eisdir
        case .regular: break
        case .anonymous, .fifo, .characterDevice, .blockDevice, .symbolicLink, .socket: throw .einval
        }
        guard !place.mount.isReadOnly else { throw .erofs }
        try check(place.vnode, 2)
        try place.vnode.truncate(to: byteCount)
        place.vnode.report(.modify)
    }

    /// access(2), by the rights of `credentials` (the real ids, or the effective ones with AT_EACCESS).
    public func checkAccess(to place: Place, _ access: UInt32, by credentials: Credentials) throws(Errno) {
        if access & 2 != 0, place.mount.isReadOnly {
            switch place.vnode.kind {
            case .regular, .directory, .symbolicLink: throw .erofs
            case .anonymous, .fifo, .characterDevice, .blockDevice, .socket: break
            }
        }
        guard access == 0 || credentials.mayAccess(place.vnode.permissions, place.vnode.kind, access) else { throw .eacces }
    }

    /// That the process itself may read (4), write (2) or execute (1) a file. `.eacces`.
    public func checkAccess(_ vnode: Vnode, _ access: UInt32) throws(Errno) { try check(vnode, access) }

    /// Whether the file may be executed: execve(2). `.eacces`.
    public func checkExecution(of place: Place) throws(Errno) {
        guard place.vnode.kind == .regular else { throw .eacces }
        try check(place.vnode, 1)
    }
}
