// swift-tools-version: 6.2
import Glibc
import PackageDescription

// The layers, lowest first, and what each may import beside earlier bricks of its own row.
enum Layer: String {
    case base, formats, interfaces, machine, core, devices, net, storage, linux, platforms, brique, simulation, host

    var folder: String {
        switch self {
        case .host: "Host"
        case .simulation: "Simulation"
        case .brique: "Bricks/Brique"
        default: "Bricks/" + rawValue.prefix(1).uppercased() + rawValue.dropFirst()
        }
    }

    var mayImport: Set<Layer> {
        let stem: Set<Layer> = [.base, .formats, .interfaces]
        return switch self {
        case .base: []
        case .formats: [.base]
        case .interfaces: [.base, .formats]
        case .machine, .core, .devices, .net, .storage: stem
        case .linux: stem.union([.core, .net, .storage])
        case .platforms: stem.union([.machine, .core, .devices])
        case .brique: stem.union([.machine, .core, .devices, .net, .storage, .linux, .platforms])
        case .simulation: stem.union([.net])
        case .host: stem.union([.net, .storage, .simulation])
        }
    }
}

struct Brick {
    enum Kind { case swift, c, program }
    let name: String
    let layer: Layer
    var kind = Kind.swift
    var needs: [String] = []
    var packages: [Target.Dependency] = []
    var tests = false
    var testNeeds: [String] = []
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
/// The one package that an image may contain; fetched only for apps that name the trait HTTP.
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types", condition: .when(traits: ["HTTP"]))

// Every brick and program, lowest first: a need that is not listed earlier is refused below.
let bricks: [Brick] = [
    Brick(name: "CMemory", layer: .base, kind: .c),
    Brick(name: "Errno", layer: .base),
    Brick(name: "Random", layer: .base, tests: true),
    Brick(name: "Bytes", layer: .base, tests: true, testNeeds: ["Random"]),
    Brick(name: "Time", layer: .base, tests: true),
    Brick(name: "Containers", layer: .base, needs: ["Time"], tests: true),

    Brick(name: "BootFormat", layer: .formats, kind: .c),
    Brick(
        name: "ELFFormat", layer: .formats, needs: ["Bytes", "BootFormat"], tests: true,
        testNeeds: ["Random", "SampleImage"]),
    Brick(name: "LinuxFormat", layer: .formats, needs: ["Bytes"]),
    Brick(name: "CLinuxFormat", layer: .formats, kind: .c),
    Brick(name: "VirtioFormat", layer: .formats, needs: ["Bytes"], tests: true, testNeeds: ["Random"]),
    Brick(name: "NetFormats", layer: .formats, needs: ["Bytes"], tests: true, testNeeds: ["Random"]),
    Brick(name: "HTTPFormat", layer: .formats, tests: true, testNeeds: ["Random"]),
    Brick(name: "DNSFormat", layer: .formats, needs: ["Bytes", "NetFormats"], tests: true, testNeeds: ["Random"]),
    Brick(name: "DHCPFormat", layer: .formats, needs: ["Bytes", "NetFormats", "DNSFormat"], tests: true, testNeeds: ["Random"]),

    Brick(name: "CHypercalls", layer: .interfaces, kind: .c, needs: ["BootFormat"]),
    Brick(name: "Hypercalls", layer: .interfaces, needs: ["BootFormat", "CHypercalls", "Time"]),
    Brick(name: "PageFrames", layer: .interfaces, needs: ["Errno"], tests: true, testNeeds: ["Bytes"]),
    Brick(name: "RegisterBank", layer: .interfaces),
    Brick(name: "DMAMemory", layer: .interfaces),
    Brick(name: "Resumption", layer: .interfaces),
    Brick(name: "NetworkLink", layer: .interfaces, needs: ["NetFormats", "VirtioFormat"]),

    Brick(name: "CRuntime", layer: .machine, kind: .c, needs: ["CMemory", "CHypercalls"]),
    Brick(name: "MachineX86_64", layer: .machine, kind: .c, needs: ["BootFormat"]),
    Brick(name: "MachineVDSO", layer: .machine, kind: .c),
    Brick(name: "MachinePrograms", layer: .machine, kind: .c, needs: ["BootFormat", "MachineX86_64"]),

    Brick(
        name: "Memory", layer: .core, needs: ["BootFormat", "CHypercalls", "Hypercalls"], tests: true,
        testNeeds: ["Random", "PlatformHosted"]),
    Brick(
        name: "Scheduler", layer: .core, needs: ["CHypercalls", "Hypercalls", "Resumption", "Time", "Memory"], tests: true,
        testNeeds: ["MachineX86_64", "PlatformHosted"]),
    Brick(
        name: "Console", layer: .core, needs: ["CHypercalls", "Hypercalls", "Scheduler"], tests: true,
        testNeeds: ["MachineX86_64", "PlatformHosted"]),
    Brick(name: "Instance", layer: .core, needs: ["BootFormat", "CHypercalls", "Hypercalls"]),

    Brick(
        name: "HypercallNet", layer: .devices,
        needs: ["Bytes", "NetFormats", "VirtioFormat", "BootFormat", "CHypercalls", "Hypercalls", "NetworkLink"], tests: true,
        testNeeds: ["PlatformHosted"]),
    Brick(name: "Virtqueue", layer: .devices, needs: ["VirtioFormat", "DMAMemory"], tests: true, testNeeds: ["Random"]),
    Brick(name: "VirtioTransport", layer: .devices, needs: ["VirtioFormat", "RegisterBank", "DMAMemory", "Virtqueue"], tests: true),
    Brick(
        name: "VirtioConsole", layer: .devices, needs: ["VirtioFormat", "RegisterBank", "DMAMemory", "Virtqueue", "VirtioTransport"],
        tests: true, testNeeds: ["Random"]),

    Brick(name: "Neighbors", layer: .net, needs: ["NetFormats", "Time"], tests: true),
    Brick(name: "IP", layer: .net, needs: ["Bytes", "NetFormats", "Time"], tests: true, testNeeds: ["Random"]),
    Brick(name: "TCP", layer: .net, needs: ["Bytes", "Time", "Random", "NetFormats"], tests: true),

    Brick(
        name: "DHCP", layer: .net, needs: ["Bytes", "Random", "Time", "NetFormats", "DNSFormat", "DHCPFormat"], tests: true),
    Brick(name: "DNS", layer: .net, needs: ["Bytes", "Random", "Time", "NetFormats", "DNSFormat"], tests: true),

    Brick(
        name: "NetStack", layer: .net,
        needs: [
            "Bytes", "Containers", "Random", "Time", "NetFormats", "NetworkLink", "Neighbors", "IP", "TCP", "DNSFormat", "DHCPFormat",
            "DHCP",
        ], tests: true),
    Brick(name: "Sockets", layer: .net, needs: ["Bytes", "Containers", "Time", "NetFormats", "Resumption", "TCP", "NetStack"]),
    Brick(
        name: "Names", layer: .net,
        needs: [
            "Bytes", "Random", "Time", "NetFormats", "NetworkLink", "DNSFormat", "DNS", "TCP", "NetStack", "Sockets",
        ]),
    Brick(
        name: "HTTP", layer: .net, needs: ["Bytes", "CHypercalls", "Hypercalls", "Time", "NetFormats", "HTTPFormat", "Sockets", "Names"],
        packages: [httpTypes], tests: true, testNeeds: ["PlatformHosted"]),

    Brick(
        name: "VirtioNet", layer: .devices,
        needs: [
            "Bytes", "NetFormats", "VirtioFormat", "NetworkLink", "RegisterBank", "DMAMemory", "Virtqueue", "VirtioTransport",
        ]),

    Brick(name: "VFS", layer: .storage, needs: ["Bytes", "Errno", "PageFrames"], tests: true),
    Brick(
        name: "RamFS", layer: .storage, needs: ["Bytes", "Errno", "Random", "PageFrames", "VFS"], tests: true),
    Brick(
        name: "Overlay", layer: .storage, needs: ["Bytes", "Errno", "PageFrames", "VFS", "RamFS"], tests: true, testNeeds: ["Random"]),
    Brick(name: "ProcFS", layer: .storage, needs: ["Bytes", "Errno", "PageFrames", "VFS"], tests: true),
    Brick(name: "DevFS", layer: .storage, needs: ["Bytes", "Errno", "PageFrames", "VFS", "RamFS"], tests: true, testNeeds: ["Random"]),
    Brick(
        name: "EROFS", layer: .storage, needs: ["Bytes", "Errno", "PageFrames", "VFS"], tests: true, testNeeds: ["Random"]),

    Brick(
        name: "ClockPage", layer: .linux, needs: ["Errno", "PageFrames"], tests: true,
        testNeeds: ["Random", "MachineVDSO", "MachineX86_64"]),
    Brick(
        name: "LinuxMemory", layer: .linux, needs: ["Bytes", "Errno", "PageFrames", "LinuxFormat", "CLinuxFormat", "VFS"], tests: true,
        testNeeds: ["Random", "RamFS"]),

    Brick(
        name: "LinuxProcess", layer: .linux,
        needs: [
            "Bytes", "Errno", "Time", "BootFormat", "PageFrames", "LinuxFormat", "CLinuxFormat", "CHypercalls", "VFS", "LinuxMemory",
        ], tests: true, testNeeds: ["MachineX86_64", "PlatformHosted"]),
    Brick(
        name: "LinuxFiles", layer: .linux,
        needs: ["Bytes", "Errno", "Time", "LinuxFormat", "CLinuxFormat", "PageFrames", "VFS", "RamFS", "LinuxMemory", "LinuxProcess"],
        tests: true, testNeeds: ["Random", "MachineX86_64", "PlatformHosted"]),
    Brick(
        name: "LinuxPipes", layer: .linux,
        needs: ["Bytes", "Errno", "Time", "LinuxFormat", "CLinuxFormat", "VFS", "LinuxMemory", "LinuxProcess"], tests: true,
        testNeeds: ["MachineX86_64", "PlatformHosted"]),
    Brick(
        name: "LinuxTime", layer: .linux,
        needs: ["Bytes", "Errno", "Time", "LinuxFormat", "CLinuxFormat", "Scheduler", "VFS", "LinuxMemory", "LinuxProcess"], tests: true,
        testNeeds: ["MachineX86_64", "PlatformHosted"]),
    Brick(
        name: "LinuxNetwork", layer: .linux,
        needs: [
            "Bytes", "Errno", "Time", "LinuxFormat", "CLinuxFormat", "NetFormats", "NetworkLink", "TCP", "NetStack", "VFS", "LinuxMemory",
            "LinuxProcess", "LinuxPipes",
        ], tests: true, testNeeds: ["Random", "MachineX86_64", "PlatformHosted"]),

    Brick(
        name: "ELFLoader", layer: .linux,
        needs: [
            "Bytes", "Errno", "BootFormat", "ELFFormat", "LinuxFormat", "CHypercalls", "PageFrames", "VFS", "LinuxMemory", "LinuxProcess",
        ]),

    Brick(
        name: "LinuxTrace", layer: .linux, needs: ["Bytes", "Errno", "Time", "LinuxFormat", "CLinuxFormat", "LinuxMemory", "LinuxProcess"],
        tests: true, testNeeds: ["VFS", "PageFrames", "MachineX86_64", "PlatformHosted"]),
    Brick(
        name: "Backtrace", layer: .linux, needs: ["Bytes", "Errno", "CLinuxFormat", "CHypercalls", "VFS", "LinuxMemory", "LinuxProcess"],
        tests: true, testNeeds: ["PageFrames", "MachineX86_64", "PlatformHosted"]),

    Brick(name: "CallRewriting", layer: .linux, needs: ["Bytes", "Errno", "CHypercalls", "LinuxMemory", "LinuxProcess"], tests: true),

    Brick(name: "PlatformKVM", layer: .platforms, needs: ["BootFormat", "CHypercalls", "MachineX86_64", "Time"]),
    Brick(name: "PlatformProcess", layer: .platforms, needs: ["BootFormat", "CHypercalls"]),
    Brick(
        name: "PlatformPC", layer: .platforms,
        needs: [
            "BootFormat", "CHypercalls", "Time", "RegisterBank", "DMAMemory", "MachineX86_64", "VirtioFormat", "VirtioTransport",
            "VirtioConsole",
        ], tests: true, testNeeds: ["Random"]),
    Brick(
        name: "PlatformPrograms", layer: .platforms,
        needs: ["BootFormat", "CHypercalls", "MachinePrograms", "Instance", "PlatformPC"]),
    Brick(name: "PlatformHosted", layer: .platforms, needs: ["BootFormat", "CHypercalls"]),
    Brick(
        name: "Start", layer: .platforms,
        needs: [
            "BootFormat", "CHypercalls", "Hypercalls", "Time", "CRuntime", "MachineX86_64", "Memory", "Instance", "PlatformKVM",
            "PlatformProcess",
            "PlatformPC", "PlatformHosted",
        ]),

    Brick(
        name: "Brique", layer: .brique,
        needs: ["Time", "BootFormat", "CHypercalls", "Hypercalls", "CRuntime", "Memory", "Scheduler", "Console", "Instance", "Start"]),
    Brick(
        name: "InstanceNetwork", layer: .brique,
        needs: [
            "Bytes", "Random", "Time", "NetFormats", "DNSFormat", "Hypercalls", "NetworkLink", "Scheduler", "Instance", "HypercallNet",
            "RegisterBank", "DMAMemory", "VirtioFormat", "VirtioTransport", "VirtioNet", "PlatformPC", "TCP", "NetStack", "Sockets",
        ], tests: true),
    Brick(
        name: "BriqueNetwork", layer: .brique,
        needs: ["Time", "NetFormats", "NetStack", "Sockets", "Names", "InstanceNetwork"]),

    Brick(
        name: "BriqueLinux", layer: .brique,
        needs: [
            "Bytes", "Errno", "Random", "Time", "BootFormat", "CLinuxFormat", "LinuxFormat", "ELFFormat", "CHypercalls", "Hypercalls",
            "Resumption", "PageFrames", "CRuntime", "MachineX86_64", "MachineVDSO", "Memory", "Scheduler", "Console", "Instance",
            "VFS", "RamFS", "Overlay", "EROFS", "ProcFS", "DevFS", "ClockPage", "LinuxMemory", "LinuxProcess", "LinuxFiles",
            "LinuxPipes", "LinuxTime", "LinuxNetwork", "ELFLoader", "CallRewriting", "Backtrace", "LinuxTrace", "PlatformPrograms",
            "Sockets", "InstanceNetwork",
        ], tests: true, testNeeds: ["PlatformHosted"]),

    Brick(
        name: "NetSimulator", layer: .simulation, needs: ["Bytes", "Time", "Random", "NetFormats", "NetworkLink", "TCP", "NetStack"],
        tests: true),
    Brick(name: "brique-simulate", layer: .simulation, kind: .program, needs: ["NetSimulator"]),

    Brick(name: "PacketCapture", layer: .host, needs: ["Bytes", "Time"], tests: true),
    Brick(name: "LinuxSockets", layer: .host, kind: .c),
    Brick(
        name: "UserNetwork", layer: .host,
        needs: [
            "Bytes", "Random", "Time", "VirtioFormat", "NetFormats", "DNSFormat", "DHCPFormat", "IP", "TCP", "DHCP", "PacketCapture",
            "LinuxSockets",
        ], tests: true),
    Brick(
        name: "VirtioNetDevice", layer: .host, needs: ["VirtioFormat", "RegisterBank", "DMAMemory"], tests: true,
        testNeeds: ["Bytes", "Random", "NetFormats", "NetworkLink", "Virtqueue", "VirtioTransport", "VirtioNet"]),
    Brick(name: "LinuxCalls", layer: .host, kind: .c, needs: ["BootFormat", "CMemory"]),
    Brick(
        name: "MonitorSupport", layer: .host, needs: ["LinuxCalls", "BootFormat", "ELFFormat", "Bytes"], tests: true,
        testNeeds: ["SampleImage"]),
    Brick(name: "SampleImage", layer: .host, needs: ["BootFormat", "ELFFormat", "Bytes", "MonitorSupport"]),
    Brick(
        name: "KVMMonitor", layer: .host, needs: ["LinuxCalls", "BootFormat", "ELFFormat", "Bytes", "MonitorSupport"], tests: true,
        testNeeds: ["SampleImage"]),
    Brick(
        name: "ProcessMonitor", layer: .host, needs: ["LinuxCalls", "BootFormat", "ELFFormat", "Bytes", "MonitorSupport"], tests: true,
        testNeeds: ["SampleImage"]),
    Brick(name: "brique-monitor-kvm", layer: .host, kind: .program, needs: ["KVMMonitor", "MonitorSupport", "LinuxCalls"]),
    Brick(name: "brique-monitor-process", layer: .host, kind: .program, needs: ["ProcessMonitor", "MonitorSupport", "LinuxCalls"]),
    Brick(
        name: "brique-fuzz", layer: .host, kind: .program,
        needs: [
            "Random", "BootFormat", "ELFFormat", "HTTPFormat", "Bytes", "NetSimulator", "MonitorSupport", "SampleImage", "Time",
            "NetFormats",
            "NetworkLink", "DNSFormat", "DHCPFormat", "TCP", "NetStack", "PageFrames", "VFS", "EROFS",
        ]),

    Brick(name: "Image", layer: .host, needs: ["BootFormat", "ELFFormat", "Bytes"], packages: [subprocess, system], tests: true),
    Brick(
        name: "ProgramImage", layer: .host, needs: ["BootFormat", "ELFFormat", "Bytes"], packages: [subprocess, system], tests: true,
        testNeeds: ["SampleImage"]),
    Brick(
        name: "BriqueTool", layer: .host,
        needs: [
            "Bytes", "Time", "NetFormats", "DNSFormat", "VirtioFormat", "BootFormat", "PacketCapture", "UserNetwork", "Image",
            "ProgramImage",
        ],
        packages: [argumentParser, subprocess, system], tests: true),
    Brick(name: "brique", layer: .host, kind: .program, needs: ["BriqueTool"], packages: [argumentParser]),
    Brick(name: "brique-user-network", layer: .host, kind: .program, needs: ["UserNetwork", "PacketCapture"], packages: [argumentParser]),
    Brick(name: "Bench", layer: .host, needs: ["Image"], packages: [subprocess, system], tests: true),
    Brick(name: "brique-bench", layer: .host, kind: .program, needs: ["Bench"], packages: [argumentParser]),
]

let safety: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
    .enableExperimentalFeature("Volatile"),
    .enableUpcomingFeature("ExistentialAny"),
]

// An image is built from the guest's bricks alone: the tool says so by this variable, and nothing is fetched for it.
// An installed copy has no other sources.
let isWhole = Context.environment["BRIQUE_GUEST"] == nil && access(Context.packageDirectory + "/Host", F_OK) == 0

func targets(of brick: Brick) -> [Target] {
    let place = "\(brick.layer.folder)/\(brick.name)"
    let dependencies = brick.needs.map { Target.Dependency(stringLiteral: $0) } + brick.packages
    let target: Target =
        switch brick.kind {
        case .swift: .target(name: brick.name, dependencies: dependencies, path: "\(place)/Sources", swiftSettings: safety)
        case .c:
            .target(
                name: brick.name, dependencies: dependencies, path: "\(place)/Sources", publicHeadersPath: "include",
                cSettings: [.define("BRIQUE_LAYERS", .when(traits: ["Layers"]))])
        case .program:
            .executableTarget(name: brick.name, dependencies: dependencies, path: "\(place)/Sources", swiftSettings: safety)
        }
    guard brick.tests, isWhole else { return [target] }
    let testDependencies = ([brick.name] + brick.needs + brick.testNeeds).map { Target.Dependency(stringLiteral: $0) }
    return [
        target,
        .testTarget(
            name: "\(brick.name)Tests", dependencies: testDependencies + brick.packages, path: "\(place)/Tests", swiftSettings: safety),
    ]
}

// Tests of the whole: the rules of the tree, the images under every monitor, the budgets.
func wholeTests(_ name: String, needs: [String] = [], exclude: [String] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: ["TestSupport", subprocess, system] + needs.map { Target.Dependency(stringLiteral: $0) },
        path: "Tests/\(name)", exclude: exclude, swiftSettings: safety)
}

let wholeTargets: [Target] = [
    .target(name: "TestSupport", dependencies: ["Bench"], path: "Tests/Support", swiftSettings: safety),
    wholeTests("Repository", exclude: ["line-budget.json"]),
    wholeTests("InVM", needs: ["Bench", "Bytes", "ELFFormat"], exclude: ["Programs"]),
    wholeTests("Conformance", needs: ["Bench"], exclude: ["Programs"]),
    wholeTests("Programs", needs: ["Bench"], exclude: ["Scripts"]),
    wholeTests("Budgets", needs: ["Bench", "Image"], exclude: ["budgets.json"]),
]

/// A part of the tree, for a quick look while working: BRIQUE_ONLY="TCP Bytes" is those bricks with their tests, and what they need;
/// BRIQUE_ONLY="Conformance Bench Image brique" is tests of the whole by name, and the tool that they run.
let only = Set((Context.environment["BRIQUE_ONLY"] ?? "").split(separator: " ").map(String.init))

func chosen() -> [Brick] {
    guard !only.isEmpty else { return isWhole ? bricks : bricks.filter { $0.layer != .host && $0.layer != .simulation } }
    var wanted = only
    var count = 0
    while count < wanted.count {
        count = wanted.count
        for brick in bricks where wanted.contains(brick.name) {
            wanted.formUnion(brick.needs)
            if only.contains(brick.name) { wanted.formUnion(brick.testNeeds) }
        }
    }
    return bricks.filter { wanted.contains($0.name) }.map { brick in
        var brick = brick
        brick.tests = brick.tests && only.contains(brick.name)
        return brick
    }
}

let built = chosen()

// The layer table is enforced here: a forbidden or forward import does not even resolve.
var layers: [String: Layer] = [:]
for brick in bricks {
    for need in brick.needs {
        guard let layer = layers[need] else { fatalError("\(brick.name) needs \(need), which is not an earlier brick") }
        guard layer == brick.layer || brick.layer.mayImport.contains(layer) else {
            fatalError("\(brick.name) (\(brick.layer)) may not import \(need) (\(layer)): see the layer table in ARCHITECTURE.md")
        }
    }
    layers[brick.name] = brick.layer
}

/// Bricks that an app names one by one: only what it links exists.
let guestProducts: [Product] = ["Brique", "BriqueNetwork", "BriqueLinux", "HTTP", "PlatformPrograms"]
    .filter { name in built.contains { $0.name == name } }
    .map { .library(name: $0, targets: [$0]) }
let hostProducts: [Product] = ["brique", "brique-monitor-kvm", "brique-monitor-process", "brique-bench"].map {
    .executable(name: $0, targets: [$0])
}
let hostPackages: [Package.Dependency] = [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
]
let hasHost = built.contains { $0.layer == .host }
let hasAll = hasHost && only.isEmpty
/// Tests of the whole that are named, and what supports them.
let chosenTests = wholeTargets.filter { only.contains(String($0.name.dropLast("Tests".count))) }
let supports = wholeTargets.filter { $0.name == "TestSupport" && !chosenTests.isEmpty }
let guestPackages: [Package.Dependency] =
    built.contains { $0.name == "HTTP" } ? [.package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: [])] : []

let package = Package(
    name: "brique",
    products: (only.isEmpty ? guestProducts : []) + (hasAll ? hostProducts : []),
    traits: [
        .trait(name: "HTTP", description: "The brick HTTP, on swift-http-types."),
        .trait(name: "Layers", description: "A root, and a layer over it, under hypervisors that load them to RAM."),
        // Tests build every brick; an image names what it wants.
        .default(enabledTraits: isWhole ? ["HTTP"] : []),
    ],
    dependencies: (hasHost ? hostPackages : []) + guestPackages,
    targets: built.flatMap(targets(of:)) + (hasAll ? wholeTargets : chosenTests + supports),
    swiftLanguageModes: [.v6]
)
