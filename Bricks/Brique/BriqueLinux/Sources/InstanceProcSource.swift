#if hasFeature(Embedded)
    import Bytes
    import Errno
    import Instance
    import LinuxMemory
    import LinuxProcess
    import PageFrames
    import ProcFS
    import Time
    import VFS

    /// What /proc tells of the one process.
    final class InstanceProcSource: ProcSource {
        var process: LinuxProcess?

        private func known(_ identifier: Int32) throws(Errno) -> LinuxProcess {
            guard let process, process.identifier == identifier else { throw .esrch }
            return process
        }

        override var currentThread: Int32 { LinuxThread.current?.identifier ?? 1 }
        override func threads(of process: Int32) -> [Int32] { self.process?.threads.map { $0.identifier } ?? [] }

        override func descriptors(of process: Int32) throws(Errno) -> DescriptorTable { try known(process).descriptors }
        override func context(of process: Int32) throws(Errno) -> PathContext { try known(process).paths }
        override func executable(of process: Int32) throws(Errno) -> Origin {
            guard let origin = try known(process).executable?.origin else { throw .enoent }
            return origin
        }

        override func commandLine(of process: Int32) throws(Errno) -> [UInt8] { Self.joined(try known(process).arguments) }
        override func environment(of process: Int32) throws(Errno) -> [UInt8] { Self.joined(try known(process).environment) }
        override func auxiliaryVector(of process: Int32) throws(Errno) -> [UInt8] {
            var bytes: [UInt8] = []
            for word in try known(process).auxiliaryVector {
                for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(index * 8))) }
            }
            return bytes
        }

        private static func joined(_ strings: [[UInt8]]) -> [UInt8] {
            var bytes: [UInt8] = []
            for string in strings { bytes += string + [0] }
            return bytes
        }

        override func setName(_ name: [UInt8], of process: Int32, thread: Int32?) throws(Errno) {
            guard let thread = try known(process).thread(thread ?? process) else { throw .esrch }
            thread.name = Array(name.prefix(15))
        }

        override func status(of process: Int32, thread: Int32?) throws(Errno) -> ProcessStatus {
            let process = try known(process)
            var status = ProcessStatus()
            status.identifier = thread ?? process.identifier
            if let shown = process.thread(thread ?? process.identifier) {
                status.name = shown.name
                status.state = shown.isBlocked ? 0x53 : 0x52
                status.blockedSignals = shown.signals.mask
                status.pendingSignals = shown.signals.pending.set
            }
            status.sharedPendingSignals = process.signals.pending.set
            status.caughtSignals = process.signals.caughtSet
            status.ignoredSignals = process.signals.ignoredSet
            status.threadCount = process.threads.count
            status.userTicks = process.processorTime / 10_000_000
            status.startTicks = process.startTime.nanoseconds / 10_000_000
            status.virtualByteCount = process.memory.mappedByteCount
            status.residentPageCount = process.memory.residentByteCount / 4096
            status.breakStart = process.memory.heapStart
            let credentials = process.credentials
            status.users = [credentials.user, credentials.effectiveUser, credentials.savedUser, credentials.effectiveUser]
            status.groups = [credentials.group, credentials.effectiveGroup, credentials.savedGroup, credentials.effectiveGroup]
            status.supplementaryGroups = process.paths.credentials.groups
            status.capabilities = credentials.effectiveUser == 0 ? 0x1ff_ffff_ffff : 0
            status.creationMask = process.paths.creationMask
            for index in 0..<ResourceLimits.count { status.limits.append((process.limits.soft[index], process.limits.hard[index])) }
            return status
        }

        override func mappings(of process: Int32) throws(Errno) -> [MemoryMapping] {
            let process = try known(process)
            var mappings: [MemoryMapping] = []
            for area in process.memory.areas {
                var name: [UInt8] = []
                var device: UInt64 = 0, inode: UInt64 = 0
                switch area.name {
                case .stack: name = StaticString("[stack]").bytes
                case .heap: name = StaticString("[heap]").bytes
                case .vdso: name = StaticString("[vdso]").bytes
                case .vvar: name = StaticString("[vvar]").bytes
                case .none, .trampolines:
                    guard let file = area.mapping?.file else { break }
                    name = process.paths.path(of: file)
                    let attributes = file.attributes()
                    device = attributes.device
                    inode = attributes.inode
                }
                mappings.append(
                    MemoryMapping(
                        start: area.start, end: area.end, protection: UInt32(area.protection.rawValue),
                        isShared: area.isShared && area.name != .vvar,
                        offset: area.mapping == nil ? 0 : UInt64(area.filePage) * 4096, device: device, inode: inode, name: name))
            }
            return mappings
        }

        override var system: SystemStatus {
            var status = SystemStatus()
            status.totalByteCount = UInt64(Instance.memoryByteCount)
            if let process {
                status.freeByteCount = UInt64(process.memory.frames.freeCount) * 4096
                status.uptimeNanoseconds = process.system.now.nanoseconds
                status.bootTime = (process.system.wallTime.nanosecondsSince1970 - process.system.now.nanoseconds) / 1_000_000_000
                status.threads = process.threads.count
            }
            return status
        }
    }
#endif
