import BootFormat
import CHypercalls

extension Hypercalls {
    /// Writes to the console, and returns how many bytes it took (at least one, unless `bytes` is empty).
    public static func consoleWrite(_ bytes: RawSpan) throws(HypercallError) -> Int {
        // SAFETY: the span keeps the bytes alive and unchanged for the call, which reads `count` bytes at most.
        let result = unsafe bytes.withUnsafeBytes { bytes in
            brique_call(UInt64(BRIQUE_CALL_CONSOLE_WRITE), unsafe address(of: bytes), UInt64(bytes.count), 0)
        }
        return try checked(result)
    }

    /// Reads what the console has, blocking until it has something; zero is the end of input.
    public static func consoleRead(into bytes: inout MutableRawSpan) throws(HypercallError) -> Int {
        // SAFETY: the span is exclusively ours for the call, which writes `count` bytes at most.
        let result = unsafe bytes.withUnsafeMutableBytes { bytes in
            brique_call(
                UInt64(BRIQUE_CALL_CONSOLE_READ), unsafe address(of: UnsafeRawBufferPointer(bytes)), UInt64(bytes.count), 0)
        }
        return try checked(result)
    }

    /// Fills `bytes` with entropy of the host's (getrandom(2)); a platform may fill less, never nothing.
    public static func entropy(into bytes: inout MutableRawSpan) throws(HypercallError) -> Int {
        // SAFETY: the span is exclusively ours for the call, which writes `count` bytes at most.
        let result = unsafe bytes.withUnsafeMutableBytes { bytes in
            brique_call(UInt64(BRIQUE_CALL_ENTROPY), unsafe address(of: UnsafeRawBufferPointer(bytes)), UInt64(bytes.count), 0)
        }
        return try checked(result)
    }

    // SAFETY: the address leaves the pointer's type system here, and is only given to the platform.
    private static func address(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        UInt64(UInt(bitPattern: bytes.baseAddress))
    }
}
