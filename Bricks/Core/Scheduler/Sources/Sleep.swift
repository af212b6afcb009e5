#if hasFeature(Embedded)
    import Resumption
    import Time

    // The concurrency library of Embedded Swift has no sleep; this one is spelled as the standard library's, so the
    // same source builds for the host.
    extension Task where Success == Never, Failure == Never {
        /// Suspends the task for at least `duration`; other tasks run. Throws as soon as the task is cancelled.
        public static func sleep(for duration: Duration) async throws(_Concurrency.CancellationError) {
            let timer = SleepTimer()
            await withTaskCancellationHandler {
                await Resumption.suspend { resumption in
                    timer.begin(resumption, until: Instant.now.advanced(by: duration))
                }
            } onCancel: {
                timer.cancel()
            }
            if Task<Never, Never>.isCancelled { throw _Concurrency.CancellationError() }
        }
    }

    private final class SleepTimer: Timer, @unchecked Sendable {
        private var sleeper: Resumption?
        private var isCancelled = false

        func begin(_ resumption: Resumption, until deadline: Instant) {
            guard !isCancelled else { return resumption.resume() }
            sleeper = resumption
            RunLoop.add(self, at: deadline)
        }

        func cancel() {
            isCancelled = true
            RunLoop.remove(self)
            fire()
        }

        override func fire() {
            sleeper?.resume()
            sleeper = nil
        }
    }
#endif
