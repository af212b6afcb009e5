import Brique

/// Timers, groups, actors, cancellation, streams and fibers, each with an answer that does not depend on the machine.
@main struct Tasks {
    static func main() async {
        await timersFireInOrder()
        await groupAddsUp()
        await actorCountsOneAtATime()
        await cancellationEndsASleep()
        await streamArrivesInOrder()
        await childrenRunBesideTheirParent()
        await fibersTakeTurns()
        await fiberWaitsForATask()
        print("tasks: done")
    }
}

private func timersFireInOrder() async {
    let start = Instant.now
    await withTaskGroup(of: Int.self) { group in
        for milliseconds in [150, 50, 100] {
            group.addTask {
                try? await Task.sleep(for: .milliseconds(milliseconds))
                return milliseconds
            }
        }
        for await milliseconds in group { print("timers: \(milliseconds) ms") }
    }
    let elapsed = start.duration(to: .now)
    print("timers: none fired early: \(elapsed >= .milliseconds(150))")
}

private func groupAddsUp() async {
    let sum = await withTaskGroup(of: Int.self) { group in
        for number in 1...1_000 {
            group.addTask {
                await Task.yield()
                return number
            }
        }
        var sum = 0
        for await number in group { sum += number }
        return sum
    }
    print("groups: 1 + … + 1000 = \(sum)")
}

private actor Counter {
    private var count = 0
    func increment() -> Int {
        count += 1
        return count
    }
}

private func actorCountsOneAtATime() async {
    let counter = Counter()
    await withTaskGroup(of: Void.self) { group in
        for _ in 0..<10 {
            group.addTask {
                for _ in 0..<100 {
                    _ = await counter.increment()
                    await Task.yield()
                }
            }
        }
    }
    print("actors: counted to \(await counter.increment() - 1)")
}

private func cancellationEndsASleep() async {
    let sleeper = Task {
        do throws(CancellationError) {
            try await Task.sleep(for: .seconds(3_600))
            return "slept through"
        } catch {
            return "cancelled"
        }
    }
    try? await Task.sleep(for: .milliseconds(5))
    sleeper.cancel()
    print("cancellation: \(await sleeper.value)")
    let late = Task {
        await withTaskCancellationHandler {
            try? await Task.sleep(for: .milliseconds(5))
            return Task.isCancelled
        } onCancel: {
            print("cancellation: the handler ran")
        }
    }
    await Task.yield()
    late.cancel()
    print("cancellation: seen by the task: \(await late.value)")
}

private func streamArrivesInOrder() async {
    let (stream, source) = AsyncStream.makeStream(of: Int.self)
    let producer = Task {
        for number in 1...5 {
            source.yield(number * number)
            try? await Task.sleep(for: .milliseconds(1))
        }
        source.finish()
    }
    for await square in stream { print("streams: \(square)") }
    await producer.value
}

private func fibonacci(_ n: Int) async -> Int {
    n < 2 ? n : await fibonacci(n - 1) + fibonacci(n - 2)
}

private func childrenRunBesideTheirParent() async {
    async let left = fibonacci(15)
    async let right = fibonacci(12)
    print("children: \(await left) and \(await right)")
}

private func fibersTakeTurns() async {
    do {
        var fibers: [Fiber] = []
        for name in ["a", "b"] {
            fibers.append(
                try Fiber {
                    for turn in 1...3 {
                        print("fibers: \(name)\(turn)")
                        Fiber.yield()
                    }
                })
        }
        for fiber in fibers { await fiber.finished() }
    } catch {
        print("fibers: no room for a stack of \(error.byteCount) bytes")
    }
}

private func fiberWaitsForATask() async {
    do {
        let fiber = try Fiber {
            Fiber.sleep(for: .milliseconds(2))
            let sum = Fiber.await { await fibonacci(10) }
            print("fibers: a task answered \(sum)")
        }
        await fiber.finished()
    } catch {
        print("fibers: no room for a stack of \(error.byteCount) bytes")
    }
}
