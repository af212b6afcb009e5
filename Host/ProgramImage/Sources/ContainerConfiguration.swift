import Foundation

/// The configuration of a container image, as far as a program's start needs it (OCI image specification, "Image Configuration").
struct ContainerConfiguration: Decodable, Equatable {
    struct Execution: Decodable, Equatable {
        var entrypoint: [String]?
        var command: [String]?
        var environment: [String]?
        var user: String?
        var directory: String?

        enum CodingKeys: String, CodingKey {
            case entrypoint = "Entrypoint"
            case command = "Cmd"
            case environment = "Env"
            case user = "User"
            case directory = "WorkingDir"
        }
    }

    struct Layers: Decodable, Equatable {
        var digests: [String]?

        enum CodingKeys: String, CodingKey {
            case digests = "diff_ids"
        }
    }

    var architecture: String?
    var system: String?
    var execution: Execution?
    var layers: Layers?

    enum CodingKeys: String, CodingKey {
        case architecture
        case system = "os"
        case execution = "config"
        case layers = "rootfs"
    }

    func check(_ title: String) throws(ProgramFailure) {
        guard architecture ?? "amd64" == "amd64", system ?? "linux" == "linux" else {
            throw ProgramFailure(
                .refused,
                "\(title) is built for another processor or system (\(architecture ?? "?"), \(system ?? "?")): only x86-64 Linux runs")
        }
    }

    func defaults(_ title: String, _ root: RootTree) throws(ProgramFailure) -> ProgramDefaults {
        let environment = execution?.environment ?? []
        guard environment.allSatisfy({ $0.contains("=") && !$0.hasPrefix("=") }) else {
            throw ProgramFailure(.refused, "\(title) has a variable without a name or value")
        }
        if let reserved = environment.first(where: { $0.hasPrefix("BRIQUE_") }) {
            throw ProgramFailure(.refused, "\(title) sets \(reserved.prefix { $0 != "=" }), which is Brique's own")
        }
        var defaults = ProgramDefaults(
            source: title, entrypoint: execution?.entrypoint ?? [], command: execution?.command ?? [], environment: environment,
            accounts: Accounts(root: root))
        let directory = execution?.directory ?? ""
        defaults.directory = directory.isEmpty ? "/" : directory.hasPrefix("/") ? directory : "/" + directory
        let user = execution?.user ?? ""
        if !user.isEmpty {
            guard let identity = defaults.accounts.identity(user) else {
                throw ProgramFailure(
                    .refused, "\(title) runs as \(user.debugDescription), whom its /etc/passwd or /etc/group does not know")
            }
            defaults.user = identity
        }
        return defaults
    }
}

/// JSON documents of container images, which may hold anything.
enum ContainerDocument {
    static let byteLimit = 4 << 20

    static func read<T: Decodable>(_ type: T.Type, _ path: String, _ title: String) throws(ProgramFailure) -> T {
        let bytes: [UInt8]
        do {
            bytes = try HostFile.bytes(of: path, limit: byteLimit)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(title): \(error)")
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw ProgramFailure(.refused, "\(title) is not what it should be: \(reason(error))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "there is no \(key.stringValue)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) makes no sense"
        default: "it is not JSON"
        }
    }
}
