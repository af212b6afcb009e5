import Bytes

/// Why a packet ends at its extension headers.
public enum IPv6HeaderProblem: Error, Equatable {
    /// To be dropped in silence.
    case discard
    /// To be answered by an ICMPv6 Parameter Problem of this code (RFC 4443 §3.4); the pointer counts from the IPv6 header's
    /// start. To a packet sent to a group only if `isGroupAnswered` (RFC 4443 §2.4 e.3).
    case parameter(code: UInt8, pointer: Int, isGroupAnswered: Bool)
}

/// What a packet carries behind its extension headers (RFC 8200 §4).
public struct IPv6UpperLayer: Equatable, Sendable {
    /// More headers than this are a `discard`: no honest packet has them (RFC 8504 §5.3).
    public static let headerLimit = 8
    /// Options of one header, padding included (RFC 8504 §5.3).
    public static let optionLimit = 16

    public var `protocol`: IPProtocol
    /// Nil also for a fragment that is a whole packet (RFC 6946 §4). Otherwise the walk ends behind this header, and what is
    /// unread is the fragment.
    public var fragment: IPv6FragmentHeader?
    /// Where, counted from the IPv6 header's start, the byte lies that names `protocol`: the pointer for an unknown one.
    public var nextHeaderOffset = 6
    /// Bytes of the extension headers.
    public var headerByteCount = 0
    public var hasRouterAlert = false

    /// Moves `reader`, which stands behind the IPv6 header and ends with the payload, to the upper layer.
    public init(parsing reader: inout ByteReader, of header: IPv6Header) throws(IPv6HeaderProblem) {
        `protocol` = header.nextHeader
        let start = reader.offset
        for count in 0...Self.headerLimit {
            headerByteCount = reader.offset - start
            switch `protocol` {
            case .hopByHop, .destinationOptions, .routing, .fragment: break
            default: return
            }
            guard count < Self.headerLimit else { throw .discard }
            let offset = IPv6Header.byteCount + headerByteCount
            switch `protocol` {
            case .hopByHop:
                // It comes first or not at all (§4.1); elsewhere it is an unknown header.
                guard count == 0 else { throw .parameter(code: 1, pointer: nextHeaderOffset, isGroupAnswered: false) }
                try walkOptions(&reader, offset)
            case .destinationOptions: try walkOptions(&reader, offset)
            case .routing: try skipRouting(&reader, offset)
            default:
                guard let fragment = try? IPv6FragmentHeader(parsing: &reader) else { throw .discard }
                `protocol` = fragment.nextHeader
                nextHeaderOffset = offset
                if fragment.hasMoreFragments || fragment.offset > 0 {
                    self.fragment = fragment
                    headerByteCount = reader.offset - start
                    return
                }
            }
        }
    }

    /// The next header and the bytes behind the first two of a header whose length is in units of eight.
    @_lifetime(copy reader)
    private static func body(_ reader: inout ByteReader) throws(IPv6HeaderProblem) -> ByteReader {
        do throws(FormatError) {
            let byteCount = 6 + 8 * Int(try reader.read(UInt8.self, .big))
            return ByteReader(try reader.read(byteCount: byteCount))
        } catch { throw .discard }
    }

    private mutating func begin(_ reader: inout ByteReader, _ offset: Int) throws(IPv6HeaderProblem) {
        guard let next = try? reader.read(UInt8.self, .big) else { throw .discard }
        `protocol` = IPProtocol(rawValue: next)
        nextHeaderOffset = offset
    }

    private mutating func walkOptions(_ reader: inout ByteReader, _ offset: Int) throws(IPv6HeaderProblem) {
        try begin(&reader, offset)
        var options = try Self.body(&reader)
        for _ in 0..<Self.optionLimit {
            guard options.remainingByteCount > 0 else { return }
            let place = offset + 2 + options.offset
            guard let type = try? options.read(UInt8.self, .big) else { throw .discard }
            // Pad1, §4.2.
            if type == 0 { continue }
            guard let length = try? options.read(UInt8.self, .big), (try? options.skip(Int(length))) != nil else { throw .discard }
            switch type {
            case 1: continue
            case 5: hasRouterAlert = true
            default: try Self.refuseUnknown(option: type, at: place)
            }
        }
        guard options.remainingByteCount == 0 else { throw .discard }
    }

    /// §4.2: the two highest bits say what to do.
    private static func refuseUnknown(option type: UInt8, at place: Int) throws(IPv6HeaderProblem) {
        switch type >> 6 {
        case 0: return
        case 1: throw .discard
        case 2: throw .parameter(code: 2, pointer: place, isGroupAnswered: true)
        default: throw .parameter(code: 2, pointer: place, isGroupAnswered: false)
        }
    }

    /// §4.4: with no segments left it is skipped; no type is known here.
    private mutating func skipRouting(_ reader: inout ByteReader, _ offset: Int) throws(IPv6HeaderProblem) {
        try begin(&reader, offset)
        var body = try Self.body(&reader)
        guard (try? body.skip(1)) != nil, let segmentsLeft = try? body.read(UInt8.self, .big) else { throw .discard }
        guard segmentsLeft == 0 else { throw .parameter(code: 0, pointer: offset + 2, isGroupAnswered: false) }
    }
}
