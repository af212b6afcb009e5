/// Whose rights count at a file: the file system ids of credentials(7), and the supplementary groups.
public struct Credentials: Equatable, Sendable {
    public var user: UInt32
    public var group: UInt32
    public var groups: [UInt32]

    public init(user: UInt32 = 0, group: UInt32 = 0, groups: [UInt32] = []) {
        self.user = user
        self.group = group
        self.groups = groups
    }

    /// Has all capabilities over files.
    public var isPrivileged: Bool { user == 0 }

    public func isMember(of group: UInt32) -> Bool { self.group == group || groups.contains(group) }

    /// Whether `access` (bits 4, 2, 1: read, write, execute or search) is granted.
    public func mayAccess(_ permissions: Permissions, _ kind: FileKind, _ access: UInt32) -> Bool {
        if isPrivileged {
            // Nobody executes what nobody may execute.
            return access & 1 == 0 || kind == .directory || permissions.mode & 0o111 != 0
        }
        let granted =
            if permissions.user == user {
                permissions.mode >> 6
            } else if isMember(of: permissions.group) {
                permissions.mode >> 3
            } else {
                permissions.mode
            }
        return granted & access == access
    }
}
