import Foundation

/// Starts programs from a thread that lives as long as this program.
///
/// A parent death signal is sent when the thread that made the child ends (prctl(2), PR_SET_PDEATHSIG), and threads of a pool end when
/// they are idle.
final class SpawningThread: @unchecked Sendable {
    static let shared = SpawningThread()

    private let condition = NSCondition()
    private var waiting: [() -> Void] = []

    private init() {
        let thread = Thread { [self] in
            while true { next()() }
        }
        thread.name = "spawning"
        thread.start()
    }

    private func next() -> () -> Void {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty { condition.wait() }
        return waiting.removeFirst()
    }

    /// Starts `process`, and comes back when that is done.
    func start(_ process: Process) throws {
        let done = DispatchSemaphore(value: 0)
        let outcome = Outcome()
        condition.lock()
        waiting.append {
            do { try process.run() } catch { outcome.error = error }
            done.signal()
        }
        condition.signal()
        condition.unlock()
        done.wait()
        if let error = outcome.error { throw error }
    }

    private final class Outcome: @unchecked Sendable { var error: (any Error)? }
}
