#if hasFeature(Embedded)
    import Bytes
    import CHypercalls
    import CallRewriting
    import ClockPage
    import DevFS
    import ELFLoader
    import Errno
    import Hypercalls
    import Instance
    import LinuxFiles
    import LinuxMemory
    import LinuxProcess
    import LinuxTrace
    import MachineX86_64
    import PageFrames
    import PlatformPrograms
    import ProcFS
    import Random
    import Resumption
    import Scheduler
    import VFS

    /// The program of this instance.
    public enum LinuxProgram {
        /// The status of a shell that cannot run or find a program (sh(1)).
        private static var cannotRun: Int32 { 126 }
        private static var notFound: Int32 { 127 }

        /// Starts the program; the instance ends with it.
        // Only its address leaves this module: its user would hold a second copy of what it needs.
        @export(interface)
        public static func run() async -> Never {
            start()
            // From here on the program's threads run, by the same loop.
            while true { await Resumption.suspend { _ in } }
        }

        private static func start() {
            let settings = ProgramSettings()
            let system = InstanceSystem()
            // EX_CONFIG of sysexits.h.
            if let refused = settings.refused { end(system, refused + StaticString(" cannot be understood").bytes, 78, nil) }
            PlatformPrograms.start()
            guard brique_program_start() == 0 else { end(system, "this platform cannot run programs", cannotRun) }
            let frames = HeapFrames()
            let mapper = PlatformMapper()
            let source = InstanceProcSource()
            let tree: RootTree
            do throws(Errno) {
                tree = try RootTree(frames: frames, source: source, key: key(system), system: system)
            } catch {
                end(system, "the image's root cannot be mounted", cannotRun, error)
            }
            let catalogue = Catalogue()
            SyscallRows.add(to: catalogue)
            let paths = PathContext(tree.mounts)
            let process = LinuxProcess(
                system, catalogue, paths: paths, extendedByteCount: Int(brique_extended_bytes()), features: brique_extended_features()
            ) { AddressSpace(frames: frames, mapper: mapper) }
            do throws(Errno) {
                let clock = try InstanceClock.page(frames)
                system.clock = clock
                process.vdso = try InstanceClock.sharedObject(clock, frames)
            } catch {
                end(system, "the memory is too small", cannotRun)
            }
            process.processorFeatures = UInt64(brique_cpuid(1, 3))
            process.attachments.append(FileServices(memory: tree.memory))
            addServices(to: process, tree.devices)
            process.rewriter = SiteRewriter(process, entry: brique_program_call_address())
            if settings.isTraced || settings.hasStatistics {
                process.observer = CallTrace(isTraced: settings.isTraced, hasStatistics: settings.hasStatistics) { system.trace($0) }
            }
            source.process = process
            do throws(Errno) {
                try openConsole(process)
                try enterDirectory(settings, paths)
                try load(settings, process)
            } catch {
                end(system, settings.path, error == .enoent ? notFound : cannotRun, error)
            }
        }

        private static func openConsole(_ process: LinuxProcess) throws(Errno) {
            let port = ConsolePort()
            _ = try process.descriptors.insert(ConsoleStream(port, OpenFlags(rawValue: 0)))
            let output = ConsoleStream(port, OpenFlags(rawValue: 1))
            _ = try process.descriptors.insert(output)
            _ = try process.descriptors.insert(output)
        }

        private static func enterDirectory(_ settings: ProgramSettings, _ paths: PathContext) throws(Errno) {
            paths.workingDirectory = try paths.resolve(settings.directory)
            paths.credentials = Credentials(user: settings.user, group: settings.group)
        }

        private static func load(_ settings: ProgramSettings, _ process: LinuxProcess) throws(Errno) {
            process.become(user: settings.user, group: settings.group)
            let plan = try ProgramPlan(
                settings.path, arguments: settings.arguments, environment: settings.environment, in: process.paths)
            let thread = try process.makeThread()
            try plan.load(into: process, thread: thread, random: ProgramRandom(process.system))
            try process.start(thread)
        }

        private static func key(_ system: System) -> SipHash.Key {
            var bytes = InlineArray<16, UInt8>(repeating: 0)
            var span = bytes.mutableSpan
            var raw = span.raw
            system.fill(&raw)
            var low: UInt64 = 0, high: UInt64 = 0
            for index in 0..<8 {
                low = low << 8 | UInt64(bytes[index])
                high = high << 8 | UInt64(bytes[8 + index])
            }
            return SipHash.Key(low: low, high: high)
        }

        private static func end(_ system: System, _ text: StaticString, _ status: Int32, _ error: Errno? = nil) -> Never {
            var line: [UInt8] = []
            append(text, to: &line)
            end(system, line, status, error)
        }

        private static func end(_ system: System, _ what: [UInt8], _ status: Int32, _ error: Errno?) -> Never {
            var line = what
            if let error {
                append(": ", to: &line)
                append(text(of: error), to: &line)
                line += StaticString(" (errno ").bytes + decimal(UInt64(error.rawValue)) + [0x29]
            }
            system.log(line)
            Instance.exit(status)
        }

        private static func text(of error: Errno) -> StaticString {
            // The most likely ones; the rest by number.
            switch error {
            case .enoent: "no such file, or its interpreter or script's interpreter is missing"
            case .eacces: "not executable"
            case .enoexec: "not a program for x86-64"
            case .enomem: "the memory is too small"
            case .einval: "not an EROFS image"
            case .euclean, .eio: "damaged"
            case .enotdir: "not a directory"
            case .eloop: "too many links"
            default: "cannot be used"
            }
        }
    }
#endif
