#if hasFeature(Embedded)
    import Memory
    import Resumption
    import Time

    /// A thread of control with its own stack, run by the same loop as the tasks: code that blocks, without blocking
    /// anything else.
    ///
    /// A fiber runs until it yields, sleeps or awaits. Fibers that are ready take turns.
    public final class Fiber {
        private var coroutine: Coroutine?
        private var waiting: [Resumption] = []
        private let body: () -> Void
        var next: Fiber?

        public private(set) var isFinished = false

        /// The fiber whose code is running, if any.
        public static var current: Fiber? { RunLoop.currentFiber }

        /// A fiber that starts when the run loop comes to it. Throws if there is no memory for its stack.
        public init(stackByteCount: Int = 32 << 10, _ body: @escaping () -> Void) throws(OutOfMemory) {
            self.body = body
            coroutine = try Coroutine(stackByteCount: stackByteCount, body: body)
            RunLoop.enqueue(self)
        }

        /// Suspends the calling task until the fiber has ended.
        public func finished() async {
            guard !isFinished else { return }
            await Resumption.suspend { waiting.append($0) }
        }

        /// Lets the other fibers and tasks run.
        public static func yield() {
            let fiber = running()
            RunLoop.enqueue(fiber)
            RunLoop.endRound()
            fiber.suspend()
        }

        /// Lets all that is ready run first, again and again, but not for ever.
        public static func yieldToAll() {
            let fiber = running()
            RunLoop.enqueueBehind(fiber)
            fiber.suspend()
        }

        /// Stops the calling fiber for at least `duration`.
        public static func sleep(for duration: Duration) {
            let fiber = running()
            RunLoop.add(FiberTimer(fiber), at: Instant.now.advanced(by: duration))
            fiber.suspend()
        }

        /// Stops the calling fiber until `wake`.
        public static func block() { running().suspend() }

        /// Lets a fiber go on that is in `block`; once for each.
        public func wake() { RunLoop.enqueue(self) }

        /// Runs `operation` as a task, and stops the calling fiber until it has its value.
        public static func await<Value>(_ operation: @escaping @Sendable () async -> Value) -> Value {
            let fiber = running()
            let answer = Answer<Value>()
            Task {
                answer.value = await operation()
                RunLoop.enqueue(fiber)
            }
            fiber.suspend()
            guard let value = answer.value else { fatalError("a fiber went on without its answer") }
            return value
        }

        func run() {
            guard let coroutine else { return }
            RunLoop.currentFiber = self
            coroutine.resume()
            RunLoop.currentFiber = nil
            guard coroutine.isFinished else { return }
            // The stack goes back at once, however long the fiber itself is kept.
            self.coroutine = nil
            isFinished = true
            for resumption in waiting { resumption.resume() }
            waiting = []
        }

        private func suspend() { coroutine?.suspend() }

        private static func running() -> Fiber {
            guard let current else { fatalError("only a fiber can block") }
            return current
        }
    }

    extension Fiber: @unchecked Sendable {}

    private final class Answer<Value>: @unchecked Sendable { var value: Value? }

    private final class FiberTimer: Timer, @unchecked Sendable {
        private let fiber: Fiber
        init(_ fiber: Fiber) { self.fiber = fiber }
        override func fire() { RunLoop.enqueue(fiber) }
    }

    /// Fibers that are ready, first in first out, linked through themselves.
    struct FiberQueue {
        private var head: Fiber?
        private var tail: Fiber?
        private(set) var count = 0

        var isEmpty: Bool { count == 0 }

        mutating func append(_ fiber: Fiber) {
            if let tail { tail.next = fiber } else { head = fiber }
            tail = fiber
            count += 1
        }

        mutating func removeFirst() -> Fiber? {
            guard let fiber = head else { return nil }
            head = fiber.next
            if head == nil { tail = nil }
            fiber.next = nil
            count -= 1
            return fiber
        }
    }
#endif
