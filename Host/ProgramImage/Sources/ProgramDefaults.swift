import Foundation

/// What a program is started with when nothing else is said: kept behind the image's root, see docs/programs.md.
public struct ProgramDefaults: Codable, Equatable, Sendable {
    /// Version of this record's own shape.
    public var format = 1
    /// What the image was made from, for people.
    public var source: String
    /// The first words of every command line; the image's own words, or the user's, follow.
    public var entrypoint: [String]
    public var command: [String]
    /// The file to execute, if it is not the command line's first word.
    public var program: String?
    /// `NAME=VALUE` words.
    public var environment: [String]
    public var directory: String
    public var user: UserIdentity
    /// Names that --user may give.
    public var accounts = Accounts()

    public init(
        source: String, entrypoint: [String] = [], command: [String] = [], program: String? = nil, environment: [String] = [],
        directory: String = "/", user: UserIdentity = UserIdentity(user: 0, group: 0), accounts: Accounts = Accounts()
    ) {
        self.source = source
        self.entrypoint = entrypoint
        self.command = command
        self.program = program
        self.environment = environment
        self.directory = directory
        self.user = user
        self.accounts = accounts
    }

    public static let defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }

    public init(json: Data) throws {
        self = try JSONDecoder().decode(ProgramDefaults.self, from: json)
    }
}

/// Whom a program runs as.
public struct UserIdentity: Codable, Equatable, Sendable {
    public var user: UInt32
    public var group: UInt32

    public init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    public var text: String { "\(user):\(group)" }
}

/// What a root's /etc/passwd and /etc/group say, as far as it fits.
public struct Accounts: Codable, Equatable, Sendable {
    public var users: [String: UserIdentity] = [:]
    public var groups: [String: UInt32] = [:]
    public var homes: [String: String] = [:]

    private static let limit = 1024, fileLimit = 1 << 20

    public init() {}

    init(root: RootTree) {
        for fields in Self.lines(root, "/etc/passwd") where fields.count >= 6 {
            guard users.count < Self.limit, let user = UInt32(fields[2]), let group = UInt32(fields[3]) else { continue }
            // The first line of a name counts.
            guard users[fields[0]] == nil else { continue }
            users[fields[0]] = UserIdentity(user: user, group: group)
            homes[fields[0]] = fields[5]
        }
        for fields in Self.lines(root, "/etc/group") where fields.count >= 3 {
            guard groups.count < Self.limit, let group = UInt32(fields[2]), groups[fields[0]] == nil else { continue }
            groups[fields[0]] = group
        }
    }

    private static func lines(_ root: RootTree, _ path: String) -> [[String]] {
        let text: String
        switch root.node(at: path)?.content {
        case .file(let source)?: text = (try? HostFile.text(of: source, limit: fileLimit)) ?? ""
        case .piece(let source, let offset, let count)?:
            guard count <= fileLimit, let bytes = try? ReadableFile(source).bytes(at: offset, count: count) else { return [] }
            text = String(decoding: bytes, as: UTF8.self)
        default: return []
        }
        return text.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init) }
    }

    /// `NAME`, `NUMBER`, `NAME:GROUP` and so on; nil: there is no such user or group.
    public func identity(_ text: String) -> UserIdentity? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first else { return nil }
        var identity: UserIdentity
        if first.isEmpty {
            identity = UserIdentity(user: 0, group: 0)
        } else if let named = users[first] {
            identity = named
        } else if let number = UInt32(first) {
            // A number that /etc/passwd knows has that line's group.
            identity = UserIdentity(user: number, group: users.values.filter { $0.user == number }.map(\.group).min() ?? 0)
        } else {
            return nil
        }
        guard parts.count == 2 else { return identity }
        guard let group = groups[parts[1]] ?? UInt32(parts[1]) else { return nil }
        identity.group = group
        return identity
    }

    /// The home folder of a user's number.
    public func home(of user: UInt32) -> String? {
        users.filter { $0.value.user == user }.map(\.key).sorted().first.flatMap { homes[$0] }
    }
}
