#if hasFeature(Embedded)
    import Bytes
    import CLinuxFormat
    import Console
    import Errno
    import Hypercalls
    import Instance
    import LinuxProcess
    import Scheduler
    import Time

    /// A thread of a program as a fiber of the run loop.
    final class FiberExecution: Execution {
        private static var stackByteCount: Int { 64 << 10 }
        private var fiber: Fiber?
        private var isWaiting = false

        override func start(_ body: @escaping () -> Void) throws(Errno) {
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
    }

    private final class Wake: Timer, @unchecked Sendable {
        private let execution: FiberExecution
        init(_ execution: FiberExecution) { self.execution = execution }
        override func fire() { execution.wake() }
    }

    /// The world of the program: this instance.
    final class InstanceSystem: System {
        /// How long a thread may keep the others waiting.
        private static var tickNanoseconds: UInt64 { 10_000_000 }
        private var hasTicks = false

        override var now: Instant { Instant.now }
        // Some monitors leave the processor for it: asked for once a second, the rest is the monotonic clock's.
        private var wallBase: UInt64 = 0
        private var wallBaseTime = Instant(nanoseconds: 0)
        private static var wallTimeAge: UInt64 { 1_000_000_000 }
        override var wallTime: WallTime {
            let age = now.nanoseconds &- wallBaseTime.nanoseconds
            if wallBase != 0, age < Self.wallTimeAge { return WallTime(nanosecondsSince1970: wallBase &+ age) }
            let asked = WallTime.now.nanosecondsSince1970
            wallBaseTime = now
            // What the two clocks drifted apart in a second is not shown as a step back; a clock that was set is.
            let told = wallBase &+ age
            wallBase = wallBase != 0 && asked < told && told - asked < 1_000_000 ? told : asked
            return WallTime(nanosecondsSince1970: wallBase)
        }
        override var memoryByteCount: UInt64 { UInt64(Instance.memoryByteCount) }
        override func makeExecution() -> Execution { FiberExecution() }

        override func startTicks() {
            guard !hasTicks else { return }
            hasTicks = true
            do throws(HypercallError) { try Hypercalls.tick(everyNanoseconds: Self.tickNanoseconds) } catch {
                log(Array("no ticks: a thread that computes keeps the others waiting".utf8))
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
            let text = Array("brique: ".utf8) + line + [0x0a]
            try? Console.write(text.span.raw)
        }

        override func exit(_ status: Int32) { Instance.exit(status) }

        override func crashed(_ thread: LinuxThread, _ information: linux_signal_information) {
            for line in ProgramReport.lines(thread, information) { log(line) }
        }
    }
#endif
