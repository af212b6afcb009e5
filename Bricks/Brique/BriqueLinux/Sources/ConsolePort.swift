#if hasFeature(Embedded)
    import Bytes
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

        /// Of one call: what a monitor reads or writes is the library OS's own memory, never the program's.
        private static var pieceByteCount: Int { 16 << 10 }

        override func write(_ bytes: RawSpan) throws(Errno) -> Int {
            let count = min(bytes.byteCount, Self.pieceByteCount)
            let piece = [UInt8](copying: bytes.extracting(first: count))
            do throws(ConsoleError) { try Console.write(piece.raw) } catch { throw Errno(rawValue: error.errno) }
            return count
        }

        override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
            guard bytes.byteCount > 0 else { return 0 }
            if !hasInput { hasInput = Hypercalls.wait(for: .consoleInput, timeoutNanoseconds: 0).contains(.consoleInput) }
            guard hasInput else {
                watch()
                throw .eagain
            }
            hasInput = false
            var input = [UInt8](repeating: 0, count: min(bytes.byteCount, Self.pieceByteCount))
            let count: Int
            do throws(HypercallError) {
                var span = input.mutableSpan
                var raw = span.raw
                count = try Hypercalls.consoleRead(into: &raw)
            } catch {
                throw Errno(rawValue: error.errno)
            }
            bytes.replace(from: 0, with: input.raw.extracting(first: count))
            return count
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
