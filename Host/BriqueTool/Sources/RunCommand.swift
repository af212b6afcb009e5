import ArgumentParser
import Foundation
import Image
import ProgramImage

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run an app package, an image, a Linux program or a container image as an isolated instance.",
        usage: "brique run [<options>] [<directory-image-or-program>] [--] [<arguments> ...]",
        discussion: """
            Builds first when given a directory (by default the current one). Standard input, output and error are the
            instance's; so is the exit status. Its environment holds what -e gives, and what its network options say.

            A Linux program is an ELF file or a script, an OCI image layout (oci:DIR), or a docker-save archive; its image is made
            on the first run and kept. It runs with the image's environment and arguments; arguments given here replace the latter.

            Example: brique run --monitor process --memory 32M -e GREETING=hello Apps/echo -- one two
            Example: brique run --network tap:tap0 --ip 10.0.0.2/24 --gateway 10.0.0.1 Apps/web
            Example: brique run --network user --publish 6379:6379 redis-server -- --save ""
            Example: brique run --include /usr/lib/python3.11 /usr/bin/python3 -- -c 'print(1)'
            """)

    @Option(help: ArgumentHelp("What to run it on; auto takes the first of kvm, process and qemu that works.", valueName: "monitor"))
    var monitor = MonitorChoice.automatic

    @Option(
        help: ArgumentHelp(
            """
            Guest memory, such as 1M or 2G; by default \(MemorySize.standard.defaultValueDescription), for a Linux program \
            \(MemorySize.program.defaultValueDescription).
            """,
            valueName: "size"))
    var memory: MemorySize?

    @Option(
        name: .customShort("e"), parsing: .singleValue,
        help: ArgumentHelp("A variable of the instance's environment; KEY alone passes on this environment's.", valueName: "key=value"))
    var environment: [String] = []

    @Option(help: ArgumentHelp("How QEMU executes the guest.", valueName: "accel"))
    var accel = QEMUAccelerator.tcg

    @OptionGroup(title: "Network") var network: NetworkOptions

    @OptionGroup(title: "Linux programs") var programs: ProgramOptions

    @OptionGroup(title: "Linux programs, running") var program: ProgramRunOptions

    @OptionGroup var options: BuildOptions

    @Flag(name: .shortAndLong, help: "Say which monitor is used, and why not the others.")
    var verbose = false

    @Argument(parsing: .captureForPassthrough, help: "What to run, then the instance's arguments.", completion: .directory)
    var words: [String] = []

    func run() async throws {
        // What comes first is otherwise taken for the target, and all after it for the instance's.
        if words.first == "--help" || words.first == "-h" { throw CleanExit.helpRequest(Self.self) }
        let plan = try network.plan()
        let (image, arguments) = try await imageAndArguments()
        var instance = Instance(
            image: image, memory: memory ?? .standard, environment: try Self.variables(environment), arguments: arguments ?? [],
            accelerator: accel, network: plan)
        if let defaults = try Self.defaults(of: image) {
            try await prepare(&instance, defaults, arguments)
        } else if program.areGiven {
            throw ToolFailure(.usage, "--file, --directory, --user, --trace and --stats are for Linux programs")
        }
        defer { instance.closeLayer() }
        let end = try await InstanceRun(instance: instance, installation: try .current(), isVerbose: verbose).run(on: monitor)
        switch end {
        case .exited(let status): Foundation.exit(status)
        case .signalled(let signal): Supervisor.die(of: signal)
        }
    }

    /// What is to run, and the arguments that were given for it.
    private func imageAndArguments() async throws -> (image: String, arguments: [String]?) {
        let installation = try Installation.current()
        if let source = try programs.source() {
            // Nothing but arguments can follow.
            let arguments = words.first == "--" ? Array(words.dropFirst()) : words
            let image = try await ProgramBuild(source, programs.inclusions, installation).image()
            return (image, words.isEmpty ? nil : arguments)
        }
        let (target, arguments) = try Self.split(words)
        let isGiven = words.contains("--") || !arguments.isEmpty
        switch try Target(target) {
        case .program(let source):
            let image = try await ProgramBuild(source, programs.inclusions, installation).image()
            return (image, isGiven ? arguments : nil)
        case .image, .package:
            guard programs.inclusions.isEmpty else { throw ToolFailure(.usage, "--include is for Linux programs") }
            return (try await ImageTarget(target, product: options.product).image, isGiven ? arguments : nil)
        }
    }

    /// How the program of an image is started; nil: the image is an app's.
    static func defaults(of image: String) throws(ToolFailure) -> ProgramDefaults? {
        do throws(ProgramFailure) {
            guard let (bytes, _) = try ImageComposition.read(image) else { return nil }
            return try? ProgramDefaults(json: Data(bytes))
        } catch {
            throw ToolFailure(error)
        }
    }

    private func prepare(_ instance: inout Instance, _ defaults: ProgramDefaults, _ arguments: [String]?) async throws {
        let image = instance.image
        func listing() throws(ToolFailure) -> RootTree {
            do throws(ProgramFailure) {
                return try ImageListing.read(image)?.tree ?? RootTree()
            } catch {
                throw ToolFailure(error)
            }
        }
        let start = try ProgramStart(
            defaults, arguments: arguments, variables: instance.environment, options: program, listing: listing)
        instance.arguments = start.arguments
        instance.environment = start.environment
        instance.memory = memory ?? .program
        instance.programName = start.name
        if !program.file.isEmpty { instance.layer = try await ProgramFiles.layer(program.file, over: try listing()) }
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
