#if hasFeature(Embedded)
    import Console
    import DevFS
    import Errno
    import Hypercalls
    import Scheduler
    import VFS

    /// The instance's console as descriptors 0, 1 and 2.
    final class ConsolePort: ConsoleStream.Port {
        private var isReading = false
        private var hasInput = false

        override func write(_ bytes: RawSpan) throws(Errno) -> Int {
            do throws(ConsoleError) { try Console.write(bytes) } catch { throw Errno(rawValue: error.errno) }
            return bytes.byteCount
        }

        override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
            guard bytes.byteCount > 0 else { return 0 }
            if !hasInput { hasInput = Hypercalls.wait(for: .consoleInput, timeoutNanoseconds: 0).contains(.consoleInput) }
            guard hasInput else {
                watch()
                throw .eagain
            }
            hasInput = false
            do throws(HypercallError) { return try Hypercalls.consoleRead(into: &bytes) } catch { throw Errno(rawValue: error.errno) }
        }

        override var readiness: PollEvents {
            if !hasInput { hasInput = Hypercalls.wait(for: .consoleInput, timeoutNanoseconds: 0).contains(.consoleInput) }
            if !hasInput { watch() }
            return hasInput ? [.input, .output] : .output
        }

        /// Tells the observers when there is input; one task at a time looks.
        private func watch() {
            guard !isReading else { return }
            isReading = true
            Task {
                await RunLoop.wait(for: .consoleInput)
                self.isReading = false
                self.hasInput = true
                self.observers.notify(.input)
            }
        }
    }

    extension ConsolePort: @unchecked Sendable {}
#endif
