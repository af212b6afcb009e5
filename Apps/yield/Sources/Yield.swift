import Brique

/// What a context switch costs: two tasks, then two fibers, that yield to each other.
@main struct Yield {
    static let turns = 500_000

    static func main() async {
        let tasks = await measured {
            async let other: Void = yieldTask()
            await yieldTask()
            await other
        }
        print("task yield: \(tasks) ns")
        let fibers = await measured {
            let pair = [yieldFiber(), yieldFiber()]
            for fiber in pair { await fiber?.finished() }
        }
        print("fiber yield: \(fibers) ns")
    }

    private static func yieldTask() async {
        for _ in 0..<turns { await Task.yield() }
    }

    private static func yieldFiber() -> Fiber? {
        try? Fiber {
            for _ in 0..<turns { Fiber.yield() }
        }
    }

    /// Nanoseconds for one of the 2 × `turns` yields of `body`.
    private static func measured(_ body: () async -> Void) async -> UInt64 {
        let start = Instant.now
        await body()
        return start.duration(to: .now).nanosecondsRoundedUp / UInt64(2 * turns)
    }
}
