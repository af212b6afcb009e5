import BootFormat
import ELFFormat
import LinuxCalls
import MonitorSupport

/// One instance inside this process: the guest runs here, behind a filter of system calls.
public struct ProcessInstance {
    let control: HostControl
    var server: HypercallServer<LinuxHost>
    private let bootInformation: UInt64

    /// Runs the instance that the command line names, to its end, which is this process's end.
    public static func main() -> Never {
        let arguments: MonitorArguments
        do throws(Refusal) {
            arguments = try MonitorArguments.ofThisProcess()
        } catch {
            HostControl(control: nil).refuse(error)
        }
        let control = HostControl(control: arguments.control)
        do throws(Refusal) {
            var instance = try ProcessInstance(arguments, control)
            try instance.runWithSignals()
        } catch {
            control.refuse(error)
        }
    }

    private init(_ arguments: MonitorArguments, _ control: HostControl) throws(Refusal) {
        self.control = control
        FileDescriptor.closeAll(except: arguments)
        let loader = try InstanceLoader(arguments, needsTables: false)
        let (view, file) = try loader.mapMemory(at: GuestMemory.virtualBase + GuestMemory.physicalBase)
        // Signal handlers write where a program was, and must not trap.
        let memory = try loader.mapAgain(file, isWritable: loader.map.hasPrograms)
        let files = try ProgramFiles(loader, memory: file)
        if files == nil { file.close() }
        try loader.loadImage(into: view)
        _ = try loader.mapLayers(inDirectMap: true)
        let platform = InstanceLoader.Platform(number: BRIQUE_PLATFORM_PROCESS, gate: brique_gate_address())
        bootInformation = try loader.writeBootInformation(platform, into: view)
        try Self.protect(loader.map)
        if files != nil { try Self.checkProcessor() }
        let timer = files == nil ? nil : try TickTimer()
        let host = LinuxHost(protectedView: view, links: arguments.links, timer: timer, files: files)
        server = HypercallServer(host: host, memory: memory, view: view, map: loader.map)
    }

    /// Gives every page the access that the map says; the memory was mapped for reading and writing.
    private static func protect(_ map: InstanceMap) throws(Refusal) {
        var index = 0
        while index < map.regionCount {
            var region = map[region: index]
            index += 1
            // A guard page and the core's pages beside it take one call: nobody has either here.
            while region.access == .none, index < map.regionCount, map[region: index].access == .core {
                region.end = map[region: index].end
                index += 1
            }
            // PROT_READ 1, PROT_EXEC 4.
            let protection: UInt64? =
                switch region.access {
                case .none, .core: 0
                case .read: 1
                case .readExecute: 5
                case .readWrite: nil
                }
            guard let protection else { continue }
            let address = GuestMemory.virtualBase + region.start
            let result = brique_linux_call(Int64(__NR_mprotect), address, region.end - region.start, protection, 0, 0, 0)
            guard result == 0 else { throw Refusal(.hostRefused, "cannot protect guest memory", errno: result) }
        }
    }

    /// All that the guest can ask of the kernel. Only the heap can change its access, and never to executable; programs' pages are mapped
    /// from the instance's own files, and their own system calls always trap.
    static func filter(
        map: InstanceMap, control: HostControl, links: HostLinks, files: ProgramFiles? = nil, timer: TickTimer? = nil
    ) -> SystemCallFilter {
        var filter = SystemCallFilter(forMonitor: .trap, trapBelow: files == nil ? 0 : GuestMemory.virtualBase)
        if let files { files.allow(in: &filter) }
        if let timer { filter.allow(timer) }
        filter.allowHost(control: control, links: links)
        // Nothing else is mapped within one memory's size of the heap, so start and size need no sum.
        let heapStart = GuestMemory.virtualBase + map.heapStart, heapEnd = GuestMemory.virtualBase + map.heapEnd
        filter.allow(
            __NR_mprotect, where: .inside(0, heapStart, heapEnd - 1), .inside(1, 0, heapEnd - heapStart), .withoutBits(2, ~3))
        filter.finish()
        return filter
    }

    /// Isolates this process for good and becomes the guest.
    func enter() throws(Refusal) -> Never {
        try Isolation.enter()
        control.dieWithTool()
        let filter = Self.filter(
            map: server.map, control: control, links: server.host.links, files: server.host.files, timer: server.host.timer)
        let result = filter.install()
        guard result == 0 else { throw Refusal(.hostRefused, "the kernel refuses the system call filter", errno: result) }
        let note = server.map.layout.note
        brique_guest_enter(note.start, bootInformation, note.machineArea + UInt64(BRIQUE_AREA_STACK_TOP))
    }

    mutating func answer(number: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> Int64 {
        switch server.answer(number: number, a, b, c) {
        case .result(let value): return value
        case .exit(let status): Linux.exit(status)
        case .crash(let report): control.end(report)
        }
    }
}
