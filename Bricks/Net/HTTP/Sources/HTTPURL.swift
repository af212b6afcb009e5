/// Where a request goes: `http://host[:port][/path][?query]`.
public struct HTTPURL: Equatable, Sendable {
    /// A name or an address, without the brackets of an IPv6 literal.
    public let host: String
    public let port: UInt16
    /// What the field Host says.
    public let authority: String
    /// Path and query; at least "/".
    public let path: String

    public static let defaultPort: UInt16 = 80

    /// A fragment is dropped. User names, blanks and bytes beyond ASCII are refused (RFC 9110 §4.2).
    public init(_ text: String) throws(HTTPClientError) {
        let bytes = Array(text.utf8)
        for byte in bytes where byte <= 0x20 || byte >= 0x7f { throw .badURL }
        let start = try Self.endOfScheme(bytes)
        var end = start
        while end < bytes.count, bytes[end] != UInt8(ascii: "/"), bytes[end] != UInt8(ascii: "?"), bytes[end] != UInt8(ascii: "#") {
            guard bytes[end] != UInt8(ascii: "@") else { throw .badURL }
            end += 1
        }
        let (hostRange, port) = try Self.split(bytes, start..<end)
        host = Self.text(bytes[hostRange])
        self.port = port
        authority = Self.text(bytes[start..<end])
        let fragment = bytes[end...].firstIndex(of: UInt8(ascii: "#")) ?? bytes.count
        let rest = Self.text(bytes[end..<fragment])
        path = end < fragment && bytes[end] == UInt8(ascii: "/") ? rest : "/" + rest
    }

    private static func endOfScheme(_ bytes: [UInt8]) throws(HTTPClientError) -> Int {
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), bytes.count > colon + 3, bytes[colon + 1] == UInt8(ascii: "/"),
            bytes[colon + 2] == UInt8(ascii: "/")
        else { throw .badURL }
        let http = Array("http".utf8)
        guard colon == http.count, (0..<colon).allSatisfy({ bytes[$0] | 0x20 == http[$0] }) else { throw .unsupportedScheme }
        return colon + 3
    }

    private static func split(_ bytes: [UInt8], _ range: Range<Int>) throws(HTTPClientError) -> (host: Range<Int>, port: UInt16) {
        var host = range
        var rest = range.lowerBound
        if rest < range.upperBound, bytes[rest] == UInt8(ascii: "[") {
            guard let close = bytes[range].firstIndex(of: UInt8(ascii: "]")) else { throw .badURL }
            host = range.lowerBound + 1..<close
            rest = close + 1
        } else {
            while rest < range.upperBound, bytes[rest] != UInt8(ascii: ":") { rest += 1 }
            host = range.lowerBound..<rest
        }
        guard !host.isEmpty else { throw .badURL }
        guard rest < range.upperBound else { return (host, defaultPort) }
        guard bytes[rest] == UInt8(ascii: ":") else { throw .badURL }
        var port = 0
        for byte in bytes[rest + 1..<range.upperBound] {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), port < 65_536 else { throw .badURL }
            port = port * 10 + Int(byte - UInt8(ascii: "0"))
        }
        guard rest + 1 < range.upperBound, port > 0, port < 65_536 else { throw .badURL }
        return (host, UInt16(port))
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
