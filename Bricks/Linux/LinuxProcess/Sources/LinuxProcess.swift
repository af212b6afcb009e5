import CLinuxFormat
import Errno
import LinuxFormat
import LinuxMemory
import Time
import VFS

/// The one process of an instance.
public final class LinuxProcess {
    public static var threadLimit: Int { 16384 }

    public let system: System
    public let catalogue: Catalogue
    public internal(set) var memory: AddressSpace { didSet { applyLimits() } }
    public let descriptors: DescriptorTable
    public let paths: PathContext
    public let identifier: Int32 = 1
    /// Told when a signal became pending: signalfd(2).
    public var signalWatchers: [() -> Void] = []
    /// The components of the extended state that the processor has (XCR0).
    public let features: UInt64
    /// Bytes of the extended state of a thread.
    public let extendedByteCount: Int

    public internal(set) var threads: [LinuxThread] = []
    private var lastIdentifier: Int32 = 0
    public var signals = ProcessSignals()
    public let futexes = FutexTable()
    /// What files and sockets hang here, each under its own type.
    public var attachments: [AnyObject] = []

    private var refusedCalls: [UInt64] = []
    var hasReportedFork = false

    // What execve(2) sets.
    public var executable: OpenFile?
    public var executablePath: [UInt8] = []
    public var arguments: [[UInt8]] = []
    public var environment: [[UInt8]] = []
    public var auxiliaryVector: [UInt64] = []
    public var vdso: VDSO?
    /// Where the vDSO is mapped, 0: nowhere.
    public var vdsoAddress: UInt64 = 0
    /// CPUID leaf 1, edx (AT_HWCAP).
    public var processorFeatures: UInt64 = 0
    public let startTime: Instant
    /// What uname(2) calls the machine.
    public var hostName: [UInt8] = Array("brique".utf8)

    public var credentials = ProcessCredentials()
    public var limits: ResourceLimits
    /// membarrier(2), its registrations.
    var registeredBarriers: Int32 = 0
    var attributes = ProcessAttributes()
    public internal(set) var exitStatus: Int32?
    /// What ended the process, if a signal did.
    public private(set) var endingSignal: Int32?
    /// What the program is replaced by, once no thread is in a call.
    var replacement: (() -> Bool)?
    /// Makes the address space, for execve(2).
    public let makeMemory: () -> AddressSpace
    /// Every call is told: `--trace`, `--stats`.
    public var observer: CallObserver?
    public var rewriter: CallRewriter?

    public init(
        _ system: System, _ catalogue: Catalogue, paths: PathContext, extendedByteCount: Int, features: UInt64,
        makeMemory: @escaping () -> AddressSpace
    ) {
        self.features = features
        self.system = system
        self.catalogue = catalogue
        self.paths = paths
        self.extendedByteCount = extendedByteCount
        self.makeMemory = makeMemory
        memory = makeMemory()
        descriptors = DescriptorTable()
        startTime = system.now
        limits = ResourceLimits()
        applyLimits()
    }

    /// Nanoseconds of the processor: the time that passed while somebody had something to do.
    public var processorTime: UInt64 {
        let now = system.now.nanoseconds, rest = system.idleNanoseconds &+ startTime.nanoseconds
        return now - min(now, rest)
    }

    // MARK: Threads

    public func makeThread() throws(Errno) -> LinuxThread {
        guard threads.count < Self.threadLimit else { throw .eagain }
        // Identifiers go round, as on Linux: one that ended is not taken again at once.
        repeat { lastIdentifier = lastIdentifier >= 4_194_303 ? 1 : lastIdentifier + 1 } while thread(lastIdentifier) != nil
        return LinuxThread(self, identifier: lastIdentifier)
    }

    /// Begins to run a thread that was made.
    public func start(_ thread: LinuxThread) throws(Errno) {
        threads.append(thread)
        do throws(Errno) {
            try thread.start()
        } catch {
            threads.removeLast()
            throw .eagain
        }
    }

    public func thread(_ identifier: Int32) -> LinuxThread? { threads.first { $0.identifier == identifier } }

    /// A thread left its program for the last time.
    func ended(_ thread: LinuxThread) {
        cleanUp(thread)
        observer?.ended(thread)
        threads.removeAll { $0 === thread }
        guard threads.isEmpty else { return }
        observer?.exited(self)
        memory.removeAll()
        system.exit(exitStatus ?? 0)
    }

    /// exit_group(2): all threads end; the status is as wait(2) tells it.
    public func end(status: Int32) {
        guard exitStatus == nil else { return }
        exitStatus = status
        for thread in threads {
            thread.isEnding = true
            thread.leaveProgram()
            thread.interrupt()
        }
    }

    /// A signal whose default is the end. A fault, or abort(3), is told with where it was.
    func endBySignal(_ information: linux_signal_information, of thread: LinuxThread) {
        endingSignal = information.si_signo
        if information.si_code > 0 || information.si_signo == Signal.abort { system.crashed(thread, information) }
        end(status: 128 + information.si_signo)
    }

    /// A page was wanted and there is none.
    func endWithoutMemory() {
        system.log(Array("out of memory: the program needs more than the instance has".utf8))
        end(status: 128 + Signal.kill)
    }

    /// A call that no row answers: ENOSYS, and one line for each.
    func refuse(_ number: UInt64) -> Int64 {
        if !refusedCalls.contains(number), refusedCalls.count < 64 {
            refusedCalls.append(number)
            var line = Array("system call not available: ".utf8)
            if number < UInt64(SyscallNumber.limit), let name = SyscallNumber(rawValue: Int(number)).name {
                line += name
            } else {
                line.append(contentsOf: decimal(number))
            }
            system.log(line)
        }
        return -Int64(Errno.enosys.rawValue)
    }

    /// execve(2): every other thread ends, then `load` fills new memory for this one. There is no way back: false ends the process.
    public func replaceProgram(by thread: LinuxThread, _ load: @escaping () -> Bool) {
        replacement = load
        for other in threads where other !== thread {
            other.isEnding = true
            other.leaveProgram()
            other.interrupt()
        }
        thread.leaveProgram()
    }

    /// What a thread asked for by `leaveProgram`, off its call's stack.
    func finishAction(of thread: LinuxThread) {
        guard !thread.isEnding, let replacement else { return }
        self.replacement = nil
        while threads.count > 1 { thread.yield() }
        // Whichever thread called it is the first one now.
        thread.identifier = identifier
        memory.removeAll()
        memory = makeMemory()
        descriptors.closeForExec()
        signals.resetForExec()
        thread.signals.resetForExec()
        thread.resetForExec()
        rewriter?.reset()
        if !replacement() { end(status: 128 + Signal.kill) }
    }
}

/// A number as text.
public func decimal(_ value: UInt64) -> [UInt8] {
    var digits: [UInt8] = []
    var rest = value
    repeat {
        digits.append(UInt8(0x30 + rest % 10))
        rest /= 10
    } while rest > 0
    digits.reverse()
    return digits
}

/// RLIMIT_… of getrlimit(2): soft and hard, by number.
public struct ResourceLimits {
    public static var count: Int { 16 }
    public static var unlimited: UInt64 { .max }
    public var soft = InlineArray<16, UInt64>(repeating: .max)
    public var hard = InlineArray<16, UInt64>(repeating: .max)

    public init() {
        soft[3] = 8 << 20  // RLIMIT_STACK
        soft[4] = 0  // RLIMIT_CORE
        soft[6] = UInt64(LinuxProcess.threadLimit)  // RLIMIT_NPROC
        hard[6] = UInt64(LinuxProcess.threadLimit)
        soft[7] = 65536  // RLIMIT_NOFILE
        hard[7] = UInt64(DescriptorTable.highestLimit)
        soft[8] = 64 << 20  // RLIMIT_MEMLOCK
        soft[11] = 1024  // RLIMIT_SIGPENDING
        soft[12] = 819_200  // RLIMIT_MSGQUEUE
        hard[12] = 819_200
        soft[13] = 0  // RLIMIT_NICE
        soft[14] = 0  // RLIMIT_RTPRIO
    }
}

/// Sees every call: `--trace` and `--stats`.
open class CallObserver {
    public init() {}
    open func began(_ thread: LinuxThread, _ number: UInt64, _ arguments: borrowing Arguments) {}
    open func ended(_ thread: LinuxThread, _ number: UInt64, _ arguments: borrowing Arguments, _ result: Int64) {}
    open func signalled(_ thread: LinuxThread, _ information: linux_signal_information) {}
    open func ended(_ thread: LinuxThread) {}
    open func exited(_ process: LinuxProcess) {}
}

/// Turns system-call instructions into jumps.
open class CallRewriter {
    public init() {}
    /// A call was trapped; `site` is the address of its instruction. Where to go on, if what lay behind it moved.
    open func trapped(at site: UInt64, number: UInt64) -> UInt64? { nil }
    /// The program is replaced: no site is known any more.
    open func reset() {}
}
