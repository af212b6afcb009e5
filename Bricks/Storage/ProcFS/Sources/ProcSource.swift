import Bytes
import Errno
import VFS

/// What /proc and /sys tell about, answered by whoever keeps processes. What is not overridden is a single process that says little.
open class ProcSource {
    public init() {}

    /// Of the thread that asks.
    open var currentProcess: Int32 { 1 }
    open var currentThread: Int32 { 1 }
    open var processes: [Int32] { [1] }
    open func threads(of process: Int32) -> [Int32] { [process] }

    /// `thread` nil: the process as a whole. `.esrch`: there is none.
    open func status(of process: Int32, thread: Int32?) throws(Errno) -> ProcessStatus { ProcessStatus() }
    open func mappings(of process: Int32) throws(Errno) -> [MemoryMapping] { [] }
    open func descriptors(of process: Int32) throws(Errno) -> DescriptorTable { throw .eacces }
    open func context(of process: Int32) throws(Errno) -> PathContext { throw .eacces }
    open func executable(of process: Int32) throws(Errno) -> Origin { throw .enoent }
    /// Arguments, environment: strings with a zero byte after each; auxiliary vector: pairs of words.
    open func commandLine(of process: Int32) throws(Errno) -> [UInt8] { [] }
    open func environment(of process: Int32) throws(Errno) -> [UInt8] { [] }
    open func auxiliaryVector(of process: Int32) throws(Errno) -> [UInt8] { [] }
    open func setName(_ name: [UInt8], of process: Int32, thread: Int32?) throws(Errno) { throw .eacces }
    open func setOutOfMemoryAdjustment(_ value: Int32, of process: Int32) throws(Errno) {}

    open var system: SystemStatus { SystemStatus() }
    open var hostName: [UInt8] { StaticString("brique").bytes }
    open func setHostName(_ name: [UInt8]) throws(Errno) { throw .eperm }
    /// 128 unforeseeable bits, new ones at each call; `bootIdentifier` stays.
    open func randomIdentifier() -> (UInt64, UInt64) { (0, 0) }
    open var bootIdentifier: (UInt64, UInt64) { (0, 0) }
    open var interfaces: [InterfaceStatus] { [] }
    /// Lines of /proc/net/tcp and its kin, without the heading.
    open func sockets(_ family: SocketTable) -> [UInt8] { [] }
}

public enum SocketTable: Sendable { case tcp, tcp6, udp, udp6, unix }

/// What stat, status and limits of a process or thread tell (proc(5)). Times are in ticks of 10 ms.
public struct ProcessStatus {
    public var identifier: Int32 = 1
    public var name: [UInt8] = StaticString("program").bytes
    /// R, S, D, Z or T.
    public var state: UInt8 = 0x52
    public var parent: Int32 = 0
    public var group: Int32 = 1
    public var session: Int32 = 1
    public var terminal: Int32 = 0
    public var terminalGroup: Int32 = -1
    public var minorFaults: UInt64 = 0
    public var majorFaults: UInt64 = 0
    public var userTicks: UInt64 = 0
    public var systemTicks: UInt64 = 0
    public var priority: Int32 = 20
    public var nice: Int32 = 0
    public var threadCount: Int = 1
    public var startTicks: UInt64 = 0
    public var virtualByteCount: UInt64 = 0
    public var residentPageCount: UInt64 = 0
    public var filePageCount: UInt64 = 0
    public var dataByteCount: UInt64 = 0
    public var stackByteCount: UInt64 = 0
    public var codeByteCount: UInt64 = 0
    /// Start and end.
    public var code: (UInt64, UInt64) = (0, 0)
    public var data: (UInt64, UInt64) = (0, 0)
    public var arguments: (UInt64, UInt64) = (0, 0)
    public var environment: (UInt64, UInt64) = (0, 0)
    public var breakStart: UInt64 = 0
    public var stackStart: UInt64 = 0
    public var pendingSignals: UInt64 = 0
    public var sharedPendingSignals: UInt64 = 0
    public var blockedSignals: UInt64 = 0
    public var ignoredSignals: UInt64 = 0
    public var caughtSignals: UInt64 = 0
    public var schedulingPolicy: UInt32 = 0
    /// Real, effective, saved, of the file system.
    public var users: InlineArray<4, UInt32> = [0, 0, 0, 0]
    public var groups: InlineArray<4, UInt32> = [0, 0, 0, 0]
    public var supplementaryGroups: [UInt32] = []
    public var capabilities: UInt64 = 0x1ff_ffff_ffff
    public var creationMask: UInt32 = 0o022
    public var hasNoNewPrivileges = false
    public var outOfMemoryAdjustment: Int32 = 0
    public var voluntarySwitches: UInt64 = 0
    public var involuntarySwitches: UInt64 = 0
    /// Soft and hard, in the order of RLIMIT_*; `.max` is unlimited.
    public var limits: [(soft: UInt64, hard: UInt64)] = []

    public init() {}
}

/// A line of /proc/PID/maps.
public struct MemoryMapping {
    public var start: UInt64
    public var end: UInt64
    /// PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4.
    public var protection: UInt32
    public var isShared: Bool
    public var offset: UInt64
    public var device: UInt64
    public var inode: UInt64
    /// A path, "[heap]", "[stack]", "[vdso]" or nothing.
    public var name: [UInt8]
    public var residentByteCount: UInt64
    public var anonymousByteCount: UInt64

    public init(
        start: UInt64, end: UInt64, protection: UInt32, isShared: Bool = false, offset: UInt64 = 0, device: UInt64 = 0, inode: UInt64 = 0,
        name: [UInt8] = [], residentByteCount: UInt64 = 0, anonymousByteCount: UInt64 = 0
    ) {
        self.start = start
        self.end = end
        self.protection = protection
        self.isShared = isShared
        self.offset = offset
        self.device = device
        self.inode = inode
        self.name = name
        self.residentByteCount = residentByteCount
        self.anonymousByteCount = anonymousByteCount
    }
}

/// The machine and what runs on it.
public struct SystemStatus {
    public var processorCount = 1
    public var vendor: [UInt8] = StaticString("GenuineIntel").bytes
    public var modelName: [UInt8] = StaticString("virtual").bytes
    public var family: UInt32 = 6
    public var model: UInt32 = 0
    public var stepping: UInt32 = 0
    public var megahertz: UInt32 = 0
    public var cacheKilobytes: UInt32 = 0
    /// Names with blanks between.
    public var processorFlags: [UInt8] = StaticString("fpu tsc cx8 cmov mmx fxsr sse sse2 syscall nx lm").bytes
    public var totalByteCount: UInt64 = 0
    public var freeByteCount: UInt64 = 0
    public var fileByteCount: UInt64 = 0
    public var sharedByteCount: UInt64 = 0
    public var uptimeNanoseconds: UInt64 = 0
    public var idleNanoseconds: UInt64 = 0
    /// Seconds since 1970.
    public var bootTime: UInt64 = 0
    public var userTicks: UInt64 = 0
    public var systemTicks: UInt64 = 0
    public var contextSwitches: UInt64 = 0
    public var startedProcesses: UInt64 = 1
    public var runnableThreads: Int = 1
    public var threads: Int = 1
    public var lastProcess: Int32 = 1
    /// As uname(2) has them.
    public var release: [UInt8] = StaticString("6.1.0").bytes
    public var version: [UInt8] = StaticString("#1 SMP").bytes
    public var socketBacklog: UInt32 = 4096
    public var overcommit: UInt32 = 1

    public init() {}
}

/// A line of /proc/net/dev, and of /proc/net/if_inet6.
public struct InterfaceStatus {
    public var name: [UInt8]
    public var index: UInt32
    public var receivedByteCount: UInt64 = 0
    public var receivedPacketCount: UInt64 = 0
    public var sentByteCount: UInt64 = 0
    public var sentPacketCount: UInt64 = 0
    /// Of IPv6, in network order, with the length of the prefix and the scope (RFC 3484: 0 global, 0x20 link, 0x10 host).
    public var addresses: [(bytes: InlineArray<16, UInt8>, prefixLength: UInt8, scope: UInt8)] = []

    public init(name: [UInt8], index: UInt32) {
        self.name = name
        self.index = index
    }
}
