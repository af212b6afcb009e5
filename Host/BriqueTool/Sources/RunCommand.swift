import ArgumentParser
import Foundation
import Image

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run an app package or an image as an isolated instance.",
        usage: "brique run [<options>] [<directory-or-image>] [--] [<arguments> ...]",
        discussion: """
            Builds first when given a directory (by default the current one). Standard input, output and error are the
            instance's; so is the exit status. Its environment holds what -e gives, and what its network options say.

            Example: brique run --monitor process --memory 32M -e GREETING=hello Apps/echo -- one two
            Example: brique run --network tap:tap0 --ip 10.0.0.2/24 --gateway 10.0.0.1 Apps/web
            """)

    @Option(help: ArgumentHelp("What to run it on; auto takes the first of kvm, process and qemu that works.", valueName: "monitor"))
    var monitor = MonitorChoice.automatic

    @Option(help: ArgumentHelp("Guest memory, such as 1M or 2G.", valueName: "size"))
    var memory = MemorySize.standard

    @Option(
        name: .customShort("e"), parsing: .singleValue,
        help: ArgumentHelp("A variable of the instance's environment; KEY alone passes on this environment's.", valueName: "key=value"))
    var environment: [String] = []

    @Option(help: ArgumentHelp("How QEMU executes the guest.", valueName: "accel"))
    var accel = QEMUAccelerator.tcg

    @OptionGroup(title: "Network") var network: NetworkOptions

    @OptionGroup var options: BuildOptions

    @Flag(name: .shortAndLong, help: "Say which monitor is used, and why not the others.")
    var verbose = false

    @Argument(parsing: .captureForPassthrough, help: "What to run, then the instance's arguments.", completion: .directory)
    var words: [String] = []

    func run() async throws {
        // What comes first is otherwise taken for the target, and all after it for the instance's.
        if words.first == "--help" || words.first == "-h" { throw CleanExit.helpRequest(Self.self) }
        let (target, arguments) = try Self.split(words)
        let plan = try network.plan()
        let image = try await ImageTarget(target, product: options.product).image
        let instance = Instance(
            image: image, memory: memory, environment: try Self.variables(environment), arguments: arguments, accelerator: accel,
            network: plan)
        let end = try await InstanceRun(instance: instance, installation: try .current(), isVerbose: verbose).run(on: monitor)
        switch end {
        case .exited(let status): Foundation.exit(status)
        case .signalled(let signal): Supervisor.die(of: signal)
        }
    }

    /// The target, by default the current directory, and the instance's arguments; one `--` between them is optional.
    static func split(_ words: [String]) throws(ToolFailure) -> (target: String, arguments: [String]) {
        guard let first = words.first else { return (".", []) }
        if first == "--" { return (".", Array(words.dropFirst())) }
        guard !first.hasPrefix("-") else { throw ToolFailure(.usage, "unknown option \(first): see brique run --help") }
        let rest = words.dropFirst()
        return (first, Array(rest.first == "--" ? rest.dropFirst() : rest))
    }

    /// The `K=V` words of an environment from the values of -e; a later one replaces an earlier one.
    static func variables(
        _ values: [String], inherited: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ToolFailure) -> [String] {
        var variables: [(key: String, value: String)] = []
        for value in values {
            let key = String(value.prefix { $0 != "=" })
            guard !key.isEmpty else { throw ToolFailure(.usage, "-e \(value): a variable needs a name") }
            variables.removeAll { $0.key == key }
            if key.count < value.count {
                variables.append((key, String(value.dropFirst(key.count + 1))))
            } else if let own = inherited[key] {
                variables.append((key, own))
            }
        }
        return variables.map { "\($0.key)=\($0.value)" }
    }
}
