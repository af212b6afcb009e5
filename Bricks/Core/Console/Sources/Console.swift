import Hypercalls
import Scheduler

/// The console is gone, or refused the bytes: an errno of the host's (errno(3)).
public struct ConsoleError: Error, Equatable {
    public let errno: Int32
}

/// The instance's standard input and output. `print` writes here too, a line at a time.
public enum Console {
    /// Bytes of the longest line that comes in one piece.
    public static let longestLine = 64 << 10

    /// Writes all of `bytes` at once, after what was printed before.
    public static func write(_ bytes: RawSpan) throws(ConsoleError) {
        let result = writeThrough(bytes)
        guard result >= 0 else { throw ConsoleError(errno: Int32(clamping: -result)) }
    }

    /// The next line of input without its newline, or nil at the end of input. Suspends until there is one.
    ///
    /// Bytes that are no UTF-8 become U+FFFD. A line of more than `longestLine` bytes comes in pieces.
    public static func readLine() async throws(ConsoleError) -> String? {
        var input = takeInput()
        defer { giveBack(input) }
        while true {
            if let line = input.removeLine() { return line }
            guard !input.isAtEnd else { return input.removeRest() }
            input.append(try await read(upTo: 4_096))
        }
    }

    /// The next bytes of input, at least one and at most `count`; none at the end of input. Suspends until there are some.
    public static func read(upTo count: Int) async throws(ConsoleError) -> [UInt8] {
        #if hasFeature(Embedded)
            await RunLoop.wait(for: .consoleInput)
        #endif
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try readNow(into: &bytes)
        bytes.removeLast(count - min(read, count))
        return bytes
    }
}
