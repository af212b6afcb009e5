#if hasFeature(Embedded)
    import CHypercalls
    import Hypercalls
    import Resumption
    import Time

    /// The one loop of an instance: jobs of tasks, fibers, timers, and what the platform reports.
    ///
    /// Nothing here is locked, for there is one processor and no interrupt runs Swift code.
    // SAFETY (all of this file): globals of a program with one processor, never borrowed across a suspension.
    public enum RunLoop {
        /// Jobs run between two looks at the clock, so that timers are late by at most so many jobs.
        static let jobsPerRound = 64
        /// Fibers run between two looks at everything else, unless one computed for so long that it had to yield.
        static let fibersPerRound = 64
        /// Rounds between two looks at the clock for whether to ask the platform, while there is always something to run.
        static let roundsPerPoll = 16
        /// The platform is asked again after so many times what the last question took, for some take a way out of the machine;
        /// but after so many nanoseconds at the latest.
        static let pollShare: UInt64 = 8
        static let longestPollPause: UInt64 = 1_000_000
        /// Nanoseconds after which one of the patient fibers runs, whatever else is ready.
        static let longestPatience: UInt64 = 20_000_000

        public static func add(_ timer: Timer, at deadline: Instant) { unsafe timers.add(timer, at: deadline) }
        public static func remove(_ timer: Timer) { unsafe timers.remove(timer) }

        /// The fiber whose code is running, if any.
        static var currentFiber: Fiber? {
            get { unsafe runningFiber }
            set { unsafe runningFiber = newValue }
        }

        /// Makes `source` part of the loop, for good. There is one at most: the network.
        public static func attach(_ source: EventSource) {
            guard unsafe RunLoop.source == nil else { fatalError("the run loop has its event source already") }
            unsafe RunLoop.source = source
        }

        /// How long nobody had anything to do.
        public static var idleNanoseconds: UInt64 { unsafe idle }
        nonisolated(unsafe) private static var idle: UInt64 = 0

        nonisolated(unsafe) private static var source: EventSource?

        static func enqueue(_ fiber: Fiber) { unsafe fibers.append(fiber) }
        /// The fiber goes on when nothing else is ready, or `longestPatience` has passed.
        static func enqueueBehind(_ fiber: Fiber) { unsafe patientFibers.append(fiber) }

        /// The running fiber stops though it has more to do: time for timers and the platform.
        static func endRound() { unsafe isRoundOver = true }

        /// Suspends the task until the platform reports one of `events`.
        public static func wait(for events: Events) async {
            await Resumption.suspend { resumption in
                unsafe waiters.append(Waiter(events: events, resumption: resumption))
            }
        }

        /// Runs for ever; the end of an async `main` exits.
        static func run() -> Never {
            var rounds = 0
            while true {
                runJobs()
                runFibers()
                if unsafe timers.count > 0 { fireTimers() }
                unsafe source?.turn()
                rounds += 1
                let isIdle = unsafe jobs.isEmpty && fibers.isEmpty
                if isIdle, unsafe patientFibers.isEmpty {
                    poll(timeoutNanoseconds: nextTimeout())
                } else if unsafe isIdle || isRoundOver || rounds % roundsPerPoll == 0, unsafe !waiters.isEmpty || source != nil {
                    pollIfDue()
                }
                if unsafe !patientFibers.isEmpty { runPatientFiber() }
            }
        }

        private static func runJobs() {
            var budget = jobsPerRound
            while budget > 0, let job = unsafe jobs.removeFirst() {
                unsafe _swift_job_run_c(job, 0, 0)
                budget -= 1
            }
        }

        private static func runFibers() {
            var budget = fibersPerRound
            unsafe isRoundOver = false
            while budget > 0, let fiber = unsafe fibers.removeFirst() {
                fiber.run()
                budget = unsafe isRoundOver ? 0 : budget - 1
            }
        }

        /// One of those that compute: they neither delay who only has something to do now and then, nor starve.
        private static func runPatientFiber() {
            let isIdle = unsafe jobs.isEmpty && fibers.isEmpty
            guard unsafe isIdle || Instant.now.nanoseconds >= patienceEnd, let fiber = unsafe patientFibers.removeFirst() else { return }
            fiber.run()
            unsafe patienceEnd = Instant.now.nanoseconds + longestPatience
        }

        private static func fireTimers() {
            let now = Instant.now
            while let timer = unsafe timers.removeDue(now: now) { timer.fire() }
        }

        private static func nextTimeout() -> UInt64 {
            var deadline = unsafe source?.nextDeadline ?? .distantFuture
            if let timer = unsafe timers.nextDeadline, timer < deadline { deadline = timer }
            guard deadline != .distantFuture else { return .max }
            return Instant.now.duration(to: deadline).nanosecondsRoundedUp
        }

        private static func pollIfDue() {
            let start = Instant.now.nanoseconds
            guard unsafe start >= nextPoll else { return }
            poll(timeoutNanoseconds: 0)
            let end = Instant.now.nanoseconds
            unsafe nextPoll = end + min((end - start) * pollShare, longestPollPause)
        }

        private static func poll(timeoutNanoseconds: UInt64) {
            var wanted: Events = []
            for waiter in unsafe waiters { wanted.formUnion(waiter.events) }
            let start = timeoutNanoseconds > 0 ? Instant.now.nanoseconds : 0
            defer { if timeoutNanoseconds > 0 { unsafe idle &+= Instant.now.nanoseconds &- start } }
            if timeoutNanoseconds > 0 { brique_output_flush() }
            let ready =
                if let source = unsafe source {
                    source.wait(for: wanted, timeoutNanoseconds: timeoutNanoseconds)
                } else {
                    Hypercalls.wait(for: wanted, timeoutNanoseconds: timeoutNanoseconds)
                }
            guard !ready.isEmpty else { return }
            var index = 0
            while unsafe index < waiters.count {
                if unsafe waiters[index].events.isDisjoint(with: ready) {
                    index += 1
                } else {
                    unsafe waiters.remove(at: index).resumption.resume()
                }
            }
        }
    }

    /// Something that completes outside of the instance: what makes jobs ready, and how to wait for it.
    open class EventSource {
        public init() {}

        /// Called once a round, after the jobs: work that they left behind, such as output. Must not block.
        open func turn() {}

        /// When `wait` must return at the latest for the source's own sake.
        open var nextDeadline: Instant { .distantFuture }

        /// Waits as `Hypercalls.wait` does, and for events of the source's own, which it handles before it returns.
        open func wait(for events: Events, timeoutNanoseconds: UInt64) -> Events {
            Hypercalls.wait(for: events, timeoutNanoseconds: timeoutNanoseconds)
        }
    }

    struct Waiter {
        let events: Events
        let resumption: Resumption
    }

    nonisolated(unsafe) private var jobs = JobQueue()
    nonisolated(unsafe) private var fibers = FiberQueue()
    nonisolated(unsafe) private var patientFibers = FiberQueue()
    nonisolated(unsafe) private var patienceEnd: UInt64 = 0
    nonisolated(unsafe) private var runningFiber: Fiber?
    nonisolated(unsafe) private var isRoundOver = false
    nonisolated(unsafe) private var nextPoll: UInt64 = 0
    nonisolated(unsafe) private var timers = TimerQueue()
    nonisolated(unsafe) private var waiters: [Waiter] = []

    // What the hooks of CRuntime call.

    @c(brique_enqueue)
    public func enqueue(_ job: UnsafeMutableRawPointer) { unsafe jobs.append(job) }

    @c(brique_enqueue_after)
    public func enqueue(_ job: UnsafeMutableRawPointer, afterNanoseconds nanoseconds: UInt64) {
        let deadline = Instant.now.nanoseconds.addingReportingOverflow(nanoseconds)
        let timer = unsafe JobTimer(job)
        RunLoop.add(timer, at: deadline.overflow ? .distantFuture : Instant(nanoseconds: deadline.partialValue))
    }

    @c(brique_run)
    public func runLoop() { RunLoop.run() }

    @safe private final class JobTimer: Timer, @unchecked Sendable {
        private let job: UnsafeMutableRawPointer
        @unsafe init(_ job: UnsafeMutableRawPointer) { unsafe self.job = job }
        override func fire() { unsafe jobs.append(job) }
    }
#endif
