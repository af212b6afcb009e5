import CHypercalls
import Errno
import LinuxMemory
import Time
import VFS

/// One thread of a program.
public final class LinuxThread {
    public let process: LinuxProcess
    /// What gettid(2) tells; the first thread's is the process's.
    public internal(set) var identifier: Int32
    public let context: UserContext
    let execution: Execution
    public var memory: AddressSpace { process.memory }
    /// comm, at most 15 bytes (prctl(2)).
    public var name: [UInt8] = []

    public var signals = ThreadSignals()
    /// set_tid_address(2), set_robust_list(2), rseq(2)
    public var clearOnExit: UInt64 = 0
    public var robustList: UInt64 = 0
    public var restartableSequence: UInt64 = 0
    var sequenceSignature: UInt32 = 0
    /// The mask of sched_setaffinity(2), the policy and priority: kept, for there is one processor.
    public var policy: Int32 = 0
    public var priority: Int32 = 0
    public var niceness: Int32 = 0
    /// prctl(2), PR_SET_TIMERSLACK: told, for timers are as exact as they can be.
    var timerSlack = LinuxThread.usualTimerSlack

    /// The call that is being answered, for restarts.
    public private(set) var currentCall: UInt64 = 0
    var isEnding = false
    public private(set) var isBlocked = false
    /// A wait is over for this reason, if it is one of these.
    private var wasWoken = false
    /// A tick came since the thread last waited.
    private var hasUsedTick = false
    /// When the call began, for whoever measures.
    public var callStart = Instant(nanoseconds: 0)
    // Kept from one wait to the next, until the thread ends: they refer to it.
    var futexWaiter: FutexWaiter?
    private var spareObserver: WakingObserver?
    // What a signal frame tells of the last exception (sigcontext: trapno, err, cr2).
    var lastVector: UInt64 = 0
    var lastError: UInt64 = 0
    var lastAddress: UInt64 = 0

    init(_ process: LinuxProcess, identifier: Int32) {
        self.process = process
        self.identifier = identifier
        context = UserContext(extendedByteCount: process.extendedByteCount)
        execution = process.system.makeExecution()
    }

    // MARK: Running

    func start() throws(Errno) {
        try execution.start { self.run() }
    }

    private func run() {
        Self.current = self
        while !isEnding {
            context.registers.action = 0
            process.system.startTicks()
            context.enter()
            process.finishAction(of: self)
        }
        context.forget()
        futexWaiter = nil
        spareObserver = nil
        process.ended(self)
    }

    /// Makes the program stop at its way out, so that what changes the whole process is done on no call's stack.
    func leaveProgram() { context.registers.action = 1 }

    // MARK: Waiting

    /// Stops the thread until `wake`, a signal, or the deadline. `.etimedout`; `.restart`: a signal is there.
    public func wait(until deadline: Instant? = nil) throws(Errno) {
        if hasSignal { throw .restart }
        if let deadline, deadline <= process.system.now { throw .etimedout }
        wasWoken = false
        isBlocked = true
        hasUsedTick = false
        execution.block(until: deadline)
        isBlocked = false
        Self.current = self
        if isEnding { throw .restart }
        if wasWoken { return }
        if hasSignal { throw .restart }
        if let deadline, deadline <= process.system.now { throw .etimedout }
    }

    /// Ends the wait of this thread, if it waits.
    public func wake() {
        guard isBlocked, !wasWoken else { return }
        wasWoken = true
        execution.wake()
    }

    /// A signal came: a wait looks at it.
    func interrupt() {
        guard isBlocked, !wasWoken else { return }
        execution.wake()
    }

    public func yield() {
        execution.yield()
        Self.current = self
    }

    public func yieldToAll() {
        execution.yieldToAll()
        Self.current = self
    }

    /// Time is up. Who computes from one tick to the next without waiting stands back behind those who wait now and then.
    func tick() {
        if hasUsedTick { return yieldToAll() }
        hasUsedTick = true
        yield()
    }

    /// Waits until one of the lists is notified. What is notified before the call is not seen: look first, in the same call.
    public func wait(on lists: [ObserverList], deadline: Instant? = nil) throws(Errno) {
        var observers: [WakingObserver] = []
        for list in lists {
            let observer = WakingObserver(self)
            list.add(observer)
            observers.append(observer)
        }
        defer {
            for (index, list) in lists.enumerated() { list.remove(observers[index]) }
        }
        try wait(until: deadline)
    }

    public func wait(on list: ObserverList, deadline: Instant? = nil) throws(Errno) {
        let observer = spareObserver ?? WakingObserver(self)
        spareObserver = nil
        list.add(observer)
        defer {
            list.remove(observer)
            spareObserver = observer
        }
        try wait(until: deadline)
    }

    func resetForExec() {
        clearOnExit = 0
        robustList = 0
        restartableSequence = 0
    }

    func began(_ call: UInt64) { currentCall = call }
}

/// Wakes a thread when a file may have become ready.
final class WakingObserver: Observer {
    private let thread: LinuxThread
    init(_ thread: LinuxThread) {
        self.thread = thread
        super.init()
    }
    override func notify(_ events: PollEvents) { thread.wake() }
    override func fileClosed() { thread.wake() }
}
