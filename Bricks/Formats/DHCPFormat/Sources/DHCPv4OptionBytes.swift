import Bytes
import NetFormats

/// The options of a message as bytes, those of one code put together (RFC 3396 §7).
struct DHCPv4OptionBytes {
    /// Options of a message, parts counted.
    static let partLimit = 128

    private var values: [(code: UInt8, bytes: [UInt8])] = []
    private var partCount = 0

    /// Up to the end option or the end of `reader`.
    mutating func add(_ reader: inout ByteReader) throws(FormatError) {
        while reader.remainingByteCount > 0 {
            let code = try reader.read(UInt8.self, .big)
            if code == 0 { continue }
            if code == 255 { return }
            let byteCount = Int(try reader.read(UInt8.self, .big))
            var value = ByteReader(try reader.read(byteCount: byteCount))
            partCount += 1
            guard partCount <= Self.partLimit else { throw .invalid }
            var bytes: [UInt8] = []
            while value.remainingByteCount > 0 { bytes.append(try value.read(UInt8.self, .big)) }
            if let index = values.firstIndex(where: { $0.code == code }) {
                values[index].bytes += bytes
            } else {
                values.append((code, bytes))
            }
        }
    }

    func bytes(_ code: UInt8) -> [UInt8]? { values.first { $0.code == code }?.bytes }

    /// Nil also if the length is another.
    func byte(_ code: UInt8) -> UInt8? { bytes(code).flatMap { $0.count == 1 ? $0[0] : nil } }

    /// Throws `invalid` if the length is not four.
    func word(_ code: UInt8) throws(FormatError) -> UInt32? {
        guard let bytes = bytes(code) else { return nil }
        guard bytes.count == 4 else { throw .invalid }
        return bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }

    func address(_ code: UInt8) throws(FormatError) -> IPv4Address? { try word(code).map { IPv4Address(rawValue: $0) } }

    func duration(_ code: UInt8) throws(FormatError) -> Duration? { try word(code).map { .seconds(Int64($0)) } }

    func halfword(_ code: UInt8) throws(FormatError) -> UInt16? {
        guard let bytes = bytes(code) else { return nil }
        guard bytes.count == 2 else { throw .invalid }
        return UInt16(bytes[0]) << 8 | UInt16(bytes[1])
    }

    /// At most `limit` of them; throws `invalid` if there is none or a part of one.
    func addresses(_ code: UInt8, limit: Int) throws(FormatError) -> [IPv4Address] {
        guard let bytes = bytes(code) else { return [] }
        guard !bytes.isEmpty, bytes.count % 4 == 0 else { throw .invalid }
        var reader = ByteReader(bytes.span)
        var addresses: [IPv4Address] = []
        while reader.remainingByteCount > 0, addresses.count < limit { addresses.append(try IPv4Address(parsing: &reader)) }
        return addresses
    }
}
