import Errno
import VFS

/// What root may do, by the numbers of capabilities(7).
public struct Capability: Equatable, Sendable {
    public let number: UInt32
    static var kill: Capability { Capability(number: 5) }
    static var setGroup: Capability { Capability(number: 6) }
    static var setUser: Capability { Capability(number: 7) }
    static var setCapabilities: Capability { Capability(number: 8) }
    static var lockMemory: Capability { Capability(number: 14) }
    static var niceness: Capability { Capability(number: 23) }
    static var resources: Capability { Capability(number: 24) }
    /// CAP_LAST_CAP
    static var last: UInt32 { 40 }

    /// What root has in an instance. There is nothing behind the others: no modules, no mounts, no other process.
    static var all: UInt64 { 0x1ff_ffff_ffff }
}

/// uid and gid, real, effective and saved, and capabilities (credentials(7)); files count with PathContext.credentials.
public struct ProcessCredentials: Equatable, Sendable {
    public var user: UInt32 = 0, effectiveUser: UInt32 = 0, savedUser: UInt32 = 0
    public var group: UInt32 = 0, effectiveGroup: UInt32 = 0, savedGroup: UInt32 = 0
    public internal(set) var permitted = Capability.all
    public internal(set) var effective = Capability.all
    public internal(set) var inheritable: UInt64 = 0
    public internal(set) var bounding = Capability.all
    /// PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS
    var keepsCapabilities = false
    public internal(set) var hasNoNewPrivileges = false

    public init() {}
    public init(user: UInt32, group: UInt32) {
        self.user = user
        effectiveUser = user
        savedUser = user
        self.group = group
        effectiveGroup = group
        savedGroup = group
        guard user != 0 else { return }
        permitted = 0
        effective = 0
    }

    func has(_ capability: Capability) -> Bool { effective >> UInt64(capability.number) & 1 == 1 }

    /// How capabilities follow user ids (capabilities(7), "Effect of user ID changes").
    mutating func follow(_ old: ProcessCredentials) {
        let wasRoot = old.user == 0 || old.effectiveUser == 0 || old.savedUser == 0
        let isRoot = user == 0 || effectiveUser == 0 || savedUser == 0
        if wasRoot, !isRoot, !keepsCapabilities {
            permitted = 0
            effective = 0
        }
        if old.effectiveUser == 0, effectiveUser != 0 { effective = 0 }
        if old.effectiveUser != 0, effectiveUser == 0 { effective = permitted }
    }
}

extension LinuxProcess {
    /// Who the program is from now on, for files too.
    public func become(user: UInt32, group: UInt32) {
        credentials = ProcessCredentials(user: user, group: group)
        paths.credentials = Credentials(user: user, group: group, groups: paths.credentials.groups)
    }

    /// File system ids go with the effective ones.
    func change(to new: ProcessCredentials) {
        var new = new
        new.follow(credentials)
        credentials = new
        paths.credentials.user = new.effectiveUser
        paths.credentials.group = new.effectiveGroup
    }
}
