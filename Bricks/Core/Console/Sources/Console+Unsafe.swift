import CHypercalls
import Hypercalls

extension Console {
    static func writeThrough(_ bytes: RawSpan) -> Int64 {
        // SAFETY: the span keeps the bytes alive and unchanged for the call.
        unsafe bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            return unsafe brique_output_write(base.assumingMemoryBound(to: CChar.self), UInt64(bytes.count))
        }
    }

    /// Writes all of `string` at once, without a newline of its own.
    public static func write(_ string: String) throws(ConsoleError) {
        // SAFETY: bytes are valid in every state, so seeing them raw is safe.
        unsafe try write(string.utf8.span.bytes)
    }

    static func readNow(into bytes: inout [UInt8]) throws(ConsoleError) -> Int {
        do throws(HypercallError) {
            var span = bytes.mutableSpan
            // SAFETY: every byte is a valid UInt8.
            var raw = unsafe span.mutableBytes
            return try Hypercalls.consoleRead(into: &raw)
        } catch {
            throw ConsoleError(errno: error.errno)
        }
    }

    // SAFETY: one processor in an instance. Two tasks that read lines at once each take what is there: no byte is
    // lost, for the second finds an empty buffer and gives back its own rest in front.
    static func takeInput() -> LineBuffer {
        let taken = unsafe pendingInput
        unsafe pendingInput = LineBuffer()
        return taken
    }

    static func giveBack(_ input: LineBuffer) { unsafe pendingInput = input }
}

nonisolated(unsafe) private var pendingInput = LineBuffer()
