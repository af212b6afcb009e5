import VirtioFormat

/// Why a command line is refused.
enum CommandLineError: Error, Equatable {
    /// A `%` without two hexadecimal digits that is not a whole token, or `%00`.
    case badEscape
}

/// The kernel command line, as `brique` gives it to a hypervisor: `K=V … -- ARGUMENT …`.
///
/// Tokens are separated by spaces, tabs and newlines; bytes of a token may be written `%XX`, and those of white space
/// and `%` must be. Before a lone `--` a token with `=` is a variable of the environment, and others (a hypervisor's
/// own: `ro`, `quiet`) mean nothing here; after it each token is an argument, a lone `%` an empty one. `virtio_mmio.device=…` is for the
/// platform wherever it stands: hypervisors append it.
struct CommandLine: ~Escapable {
    private let bytes: Span<UInt8>

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    /// The tokens' bytes, one after the other, from `at` on.
    @inline(never) private func nextToken(_ at: inout Int) -> Range<Int>? {
        while at < bytes.count, isSpace(bytes[at]) { at &+= 1 }
        let start = at
        while at < bytes.count, !isSpace(bytes[at]) { at &+= 1 }
        return at > start ? start..<at : nil
    }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a }

    @inline(never) private func isDevice(_ token: Range<Int>) -> Bool {
        let prefix = MMIODeviceParameter.prefix
        guard token.count >= prefix.utf8CodeUnitCount else { return false }
        var index = 0
        while index < prefix.utf8CodeUnitCount {
            guard bytes[token.lowerBound &+ index] == prefix.byte(index) else { return false }
            index &+= 1
        }
        return true
    }

    /// The next well-formed `virtio_mmio.device=` from `at` on, which moves behind it.
    func nextDevice(_ at: inout Int) -> MMIODeviceParameter? {
        while let token = nextToken(&at) {
            guard isDevice(token) else { continue }
            let start = MMIODeviceParameter.prefix.utf8CodeUnitCount
            if let device = MMIODeviceParameter(parsing: bytes.extracting(token), from: start) { return device }
        }
        return nil
    }

    /// Writes the arguments, or the environment, from `end` on, each ended by a NUL; returns how many there were.
    ///
    /// Both together are at most one byte longer than the command line.
    @inline(never)
    func decode(arguments: Bool, into output: inout MutableSpan<UInt8>, _ end: inout Int) throws(CommandLineError) -> UInt32 {
        var at = 0
        var count: UInt32 = 0
        var isBehindDashes = false
        while let token = nextToken(&at) {
            if isDevice(token) { continue }
            if !isBehindDashes, token.count == 2, bytes[token.lowerBound] == 0x2d, bytes[token.lowerBound &+ 1] == 0x2d {
                isBehindDashes = true
                continue
            }
            guard isBehindDashes == arguments, arguments || hasEquals(token) else { continue }
            try decode(token, into: &output, &end)
            count &+= 1
        }
        return count
    }

    private func hasEquals(_ token: Range<Int>) -> Bool {
        var index = token.lowerBound
        while index < token.upperBound {
            if bytes[index] == UInt8(ascii: "=") { return true }
            index &+= 1
        }
        return false
    }

    private func decode(_ token: Range<Int>, into output: inout MutableSpan<UInt8>, _ end: inout Int) throws(CommandLineError) {
        var index = token.lowerBound
        if token.count == 1, bytes[index] == UInt8(ascii: "%") { index &+= 1 }
        while index <= token.upperBound {
            var byte = index < token.upperBound ? bytes[index] : 0
            if byte == UInt8(ascii: "%") {
                guard index &+ 2 < token.upperBound, let high = hexadecimalDigit(bytes[index &+ 1]),
                    let low = hexadecimalDigit(bytes[index &+ 2]), high | low != 0
                else { throw .badEscape }
                byte = high << 4 | low
                index &+= 2
            }
            output[end] = byte
            end &+= 1
            index &+= 1
        }
    }
}
