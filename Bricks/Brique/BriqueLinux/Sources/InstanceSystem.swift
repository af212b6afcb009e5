#if hasFeature(Embedded)
    import Bytes
    import CLinuxFormat
    import ClockPage
    import Console
    import Errno
    import Hypercalls
    import Instance
    import LinuxProcess
    import Memory
    import Scheduler
    import Time

    /// A thread of a program as a fiber of the run loop.
    final class FiberExecution: Execution {
        private static var stackByteCount: Int { 64 << 10 }
        private var fiber: Fiber?
        private var isWaiting = false

        override func start(_ body: @escaping () -> Void) throws(Errno) {
            guard Memory.freeByteCount > Self.stackByteCount + 2 * HeapFrames.reserve else { throw .eagain }
            do { fiber = try Fiber(stackByteCount: Self.stackByteCount, body) } catch { throw .eagain }
        }

        override func block(until deadline: Instant?) {
            isWaiting = true
            guard let deadline else { return Fiber.block() }
            let timer = Wake(self)
            RunLoop.add(timer, at: deadline)
            Fiber.block()
            RunLoop.remove(timer)
        }

        override func wake() {
            guard isWaiting else { return }
            isWaiting = false
            fiber?.wake()
        }

        override func yield() { Fiber.yield() }
        override func yieldToAll() { Fiber.yieldToAll() }
    }

    private final class Wake: Timer, @unchecked Sendable {
        private let execution: FiberExecution
        init(_ execution: FiberExecution) { self.execution = execution }
        override func fire() { execution.wake() }
    }

    /// The world of the program: this instance.
    final class InstanceSystem: System {
        /// How long a thread may keep the others waiting; hosts tick every 1 to 10 ms, and a shorter time is not had.
        private static var tickNanoseconds: UInt64 { 4_000_000 }
        private var hasTicks = false

        /// The clock of programs, once there is one.
        var clock: ClockPage?
        override var now: Instant { clock.map { Instant(nanoseconds: $0.monotonic) } ?? Instant.now }
        override var wallTime: WallTime { clock.map { WallTime(nanosecondsSince1970: $0.wall) } ?? WallTime.now }
        override var idleNanoseconds: UInt64 { RunLoop.idleNanoseconds }
        override var memoryByteCount: UInt64 { UInt64(Instance.memoryByteCount) }
        override func makeExecution() -> Execution { FiberExecution() }

        override func startTicks() {
            guard !hasTicks else { return }
            hasTicks = true
            do throws(HypercallError) { try Hypercalls.tick(everyNanoseconds: Self.tickNanoseconds) } catch {
                log(StaticString("no ticks: a thread that computes keeps the others waiting").bytes)
            }
        }

        // The platform takes addresses of the library OS alone: what is the program's goes through a buffer.
        override func fill(_ bytes: inout MutableRawSpan) {
            var buffer = InlineArray<256, UInt8>(repeating: 0)
            var filled = 0
            while filled < bytes.byteCount {
                let wanted = min(buffer.count, bytes.byteCount - filled)
                var span = buffer.mutableSpan
                var whole = span.raw
                var part = whole._mutatingExtracting(first: wanted)
                guard let count = try? Hypercalls.entropy(into: &part), count > 0 else { fatalError("the host has no entropy") }
                for index in 0..<count { bytes.storeBytes(of: buffer[index], toByteOffset: filled + index, as: UInt8.self) }
                filled += count
            }
        }

        override func log(_ line: [UInt8]) {
            let text = StaticString("brique: ").bytes + line + [0x0a]
            try? Console.write(text.span.raw)
        }

        /// A line as strace(1) would write it.
        func trace(_ line: [UInt8]) {
            let text = line + [0x0a]
            try? Console.write(text.span.raw)
        }

        override func exit(_ status: Int32) { Instance.exit(status) }

        override func crashed(_ thread: LinuxThread, _ information: linux_signal_information) {
            for line in ProgramReport.lines(thread, information) { log(line) }
        }
    }
#endif
