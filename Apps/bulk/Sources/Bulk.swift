import Brique
import BriqueNetwork

/// Source and sink for measuring TCP.
///
/// | port | the client | the answer |
/// |---|---|---|
/// | 5001 | sends bytes and finishes | `N bytes` |
/// | 5002 | sends `GET N` and a line end | the first N bytes of the stream |
/// | 5003 | sends bytes of the stream and finishes | `N bytes as expected`, or where they differ |
///
/// The stream is that of `Pattern`.
@main struct Bulk {
    static func main() async {
        do throws(NetworkError) {
            let sink = try TCPListener(port: 5001)
            let source = try TCPListener(port: 5002)
            let check = try TCPListener(port: 5003)
            print("bulk: sink 5001, source 5002, check 5003")
            async let sinks: Void = accept(sink, count)
            async let sources: Void = accept(source, produce)
            async let checks: Void = accept(check, compare)
            _ = await (sinks, sources, checks)
        } catch {
            print("bulk: a port is taken")
            Instance.exit(71)
        }
    }

    private static func accept(
        _ listener: TCPListener, _ serve: @escaping @Sendable (TCPConnection) async throws(NetworkError) -> Void
    ) async {
        while let connection = try? await listener.accept() {
            Task {
                do throws(NetworkError) {
                    try await serve(connection)
                    connection.finish()
                } catch {
                    connection.abort()
                }
            }
        }
    }

    private static func count(_ connection: TCPConnection) async throws(NetworkError) {
        var byteCount = 0
        while true {
            let part = try await connection.withReceived { bytes in (bytes.byteCount, bytes.byteCount) }
            if part == 0 { break }
            byteCount += part
        }
        try await connection.send(Array("\(byteCount) bytes\n".utf8))
    }

    private static func compare(_ connection: TCPConnection) async throws(NetworkError) {
        var byteCount = 0
        var difference: Int?
        while true {
            let part = try await connection.withReceived { bytes in
                if difference == nil { difference = Pattern.firstDifference(bytes, at: byteCount) }
                return (bytes.byteCount, bytes.byteCount)
            }
            if part == 0 { break }
            byteCount += part
        }
        let verdict = difference.map { ", different from byte \($0) on\n" } ?? " as expected\n"
        try await connection.send(Array("\(byteCount) bytes\(verdict)".utf8))
    }

    private static func produce(_ connection: TCPConnection) async throws(NetworkError) {
        guard let byteCount = try await askedFor(connection) else { return try await connection.send(Array("usage: GET N\n".utf8)) }
        var offset = 0
        while offset < byteCount {
            let block = Pattern.block(at: offset, byteCount: min(Pattern.blockByteCount, byteCount - offset))
            try await connection.send(block)
            offset += block.count
        }
    }

    /// The number of `GET N`; at most 64 bytes are looked at.
    private static func askedFor(_ connection: TCPConnection) async throws(NetworkError) -> Int? {
        var line: [UInt8] = []
        while line.count < 64, line.last != 0x0a {
            let bytes = try await connection.receive(upTo: 64 - line.count)
            if bytes.isEmpty { break }
            line += bytes
        }
        let word = Array("GET ".utf8)
        guard line.starts(with: word) else { return nil }
        var number = 0
        for byte in line.dropFirst(word.count) where byte != 0x0a && byte != 0x0d {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), number < 1 << 56 else { return nil }
            number = number * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return number
    }
}
