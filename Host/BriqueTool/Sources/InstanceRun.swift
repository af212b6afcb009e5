import Foundation
import Glibc
import Image
import BootFormat

/// One instance to start.
struct Instance {
    var image: String
    var memory: MemorySize
    /// `K=V` words.
    var environment: [String]
    var arguments: [String]
    var accelerator: QEMUAccelerator
    var network = NetworkPlan.none
    /// A file system over the image's root, as an open descriptor of this program's.
    var layer: Int32?
    /// Of a Linux program.
    var programName: String?

    mutating func closeLayer() {
        if let layer { Glibc.close(layer) }
        layer = nil
    }

    var name: String {
        if let programName { return programName }
        let file = URL(filePath: image).lastPathComponent
        return file.hasSuffix(".image") ? String(file.dropLast(6)) : file
    }

    var symbols: String { (image.hasSuffix(".image") ? String(image.dropLast(6)) : image) + ".symbols" }
}

/// Runs an instance on the first monitor that works, and says what happened to it.
struct InstanceRun {
    let instance: Instance
    let installation: Installation
    let isVerbose: Bool

    /// Records beyond this are dropped: an instance ends with one, and a monitor writes few.
    private static let recordLimit = 64

    func run(on choice: MonitorChoice) async throws -> ChildEnd {
        var reasons: [String] = []
        for monitor in choice.candidates {
            switch try start(monitor) {
            case .unavailable(let reason):
                reasons.append("\(monitor.name): \(reason)")
                if isVerbose { StandardError.line("not \(monitor.name): \(reason)") }
            case .ended(let end, let records):
                await report(records)
                return end
            }
        }
        throw ToolFailure(.monitorUnavailable, "no monitor can run here: " + reasons.joined(separator: "; "))
    }

    private enum Outcome {
        case unavailable(String)
        case ended(ChildEnd, [MonitorRecord])
    }

    private func start(_ monitor: Monitor) throws(ToolFailure) -> Outcome {
        if let reason = MonitorProbe(installation: installation).quickReason(against: monitor) { return .unavailable(reason) }
        var links = try InstanceLinks(instance.network, hasHeaders: monitor.isOurs)
        defer { links.close() }
        let launch = try self.launch(monitor, links)
        if isVerbose { StandardError.line("monitor \(monitor.name)") }
        var lines = LineCollector(lineByteLimit: MonitorRecord.lineByteLimit)
        var records: [MonitorRecord] = []
        func take(_ line: String) {
            guard records.count < Self.recordLimit else { return }
            do throws(RecordError) {
                records.append(try MonitorRecord(parsing: line))
            } catch {
                StandardError.line("the monitor wrote a record that cannot be read (\(error))")
            }
        }
        links.start()
        let outcome = try Supervisor.run(
            launch, receive: { bytes in lines.lines(adding: bytes).forEach(take) }, started: { links.close() })
        if let rest = lines.rest() { take(rest) }
        if case .refusal(let status, let text)? = records.first {
            guard status != ExitStatus.monitorUnavailable.rawValue else { return .unavailable(text) }
            return .ended(.exited(status), records)
        }
        guard case .qemu = monitor else { return .ended(outcome.asProcess, records) }
        return .ended(try QEMU.end(outcome.end, records: records, interruptedBy: outcome.interruptedBy), records)
    }

    /// Our monitors: IMAGE MEMORY_BYTES CONTROL_FD[,LINK…] ARGUMENT…, the environment being the instance's.
    private func launch(_ monitor: Monitor, _ links: borrowing InstanceLinks) throws(ToolFailure) -> ChildLaunch {
        switch monitor {
        case .kvm, .process:
            return ChildLaunch(
                path: installation.monitor(monitor.name),
                arguments: [
                    instance.image, String(instance.memory.byteCount), "\(Self.controlDescriptor)\(links.monitorWords)\(layerWord)",
                ]
                    + instance.arguments,
                environment: instance.network.variables + instance.environment, collected: [Self.controlDescriptor],
                inherited: links.inherited + inheritedLayer)
        case .qemu(let machine):
            // Whatever QEMU would load from anywhere else is refused here, by the rules of our own monitors.
            let layout = try ImageFile.open(instance.image).layout
            guard instance.memory.byteCount >= ImageReport.leastMemory(of: layout) else {
                throw ToolFailure(.memoryTooSmall, "\(instance.name): the memory is too small for this image")
            }
            let arguments = try QEMU(machine: machine, accelerator: instance.accelerator).arguments(
                for: instance, links.links, rootByteCount: UInt64(layout.root?.byteCount ?? 0))
            return ChildLaunch(
                path: QEMU.guardian, arguments: ["--pdeathsig", "KILL", "--", QEMU.find() ?? QEMU.program] + arguments,
                environment: [], collected: [QEMU.controlDescriptor], inherited: links.inherited + inheritedLayer, relaysConsole: true,
                interruption: .init(descriptor: QEMU.protocolDescriptor, request: QEMU.interruptRequest))
        }
    }

    private static let controlDescriptor: Int32 = 3
    /// Behind all links.
    static let layerDescriptor = InstanceLinks.firstDescriptor + Int32(BRIQUE_LINK_LIMIT)

    private var layerWord: String { instance.layer == nil ? "" : ",layer:\(Self.layerDescriptor)" }

    private var inheritedLayer: [ChildLaunch.Inherited] {
        instance.layer.map { [ChildLaunch.Inherited(own: $0, child: Self.layerDescriptor)] } ?? []
    }

    // MARK: What happened

    private func report(_ records: [MonitorRecord]) async {
        let words = CrashWords(machineArea: try? ImageFile(path: instance.image).layout.note.machineArea)
        for record in records {
            switch record {
            case .exit: continue
            case .refusal(_, let text): StandardError.line("\(instance.name): \(text)")
            case .crash(let crash):
                let trace = await self.trace(crash.frames, exactCount: crash.exactCount)
                say(words.line(for: crash, trace: trace), trace)
            case .refusedCall(let call):
                let trace = await self.trace(call.frames, exactCount: 0)
                say(words.line(for: call), trace)
            }
        }
    }

    private func trace(_ addresses: [UInt64], exactCount: Int) async -> [SymbolizedAddress] {
        do {
            return try await Backtrace(image: instance.image, symbols: instance.symbols)
                .symbolize(addresses, exactCount: exactCount)
        } catch {
            // A crash must be reported in any case: addresses are better than nothing.
            StandardError.line("no names for the backtrace: \((error as? ToolFailure)?.message ?? "\(error)")")
            return addresses.map { SymbolizedAddress(address: $0, frames: []) }
        }
    }

    private func say(_ line: String, _ trace: [SymbolizedAddress]) {
        StandardError.line("\(instance.name): \(line)")
        let lines = CrashWords.backtrace(trace, base: FileManager.default.currentDirectoryPath)
        StandardError.write(lines.map { $0 + "\n" }.joined())
    }
}
