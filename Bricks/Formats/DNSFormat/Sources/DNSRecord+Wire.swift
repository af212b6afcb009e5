import Bytes
import NetFormats

extension DNSData {
    /// The RDATA between `offset` and `end` of `message`. Throws `invalid` unless it ends there.
    init(parsing message: RawSpan, _ type: DNSType, from offset: Int, to end: Int) throws(FormatError) {
        var at = offset
        switch type {
        case .cname: self = .cname(try DNSName(parsing: message, at: &at))
        case .ns: self = .ns(try DNSName(parsing: message, at: &at))
        case .ptr: self = .ptr(try DNSName(parsing: message, at: &at))
        case .soa: self = .soa(try DNSStartOfAuthority(parsing: message, at: &at))
        default:
            var reader = ByteReader(message.extracting(offset..<end))
            switch type {
            case .a: self = .a(try IPv4Address(parsing: &reader))
            case .aaaa: self = .aaaa(try IPv6Address(parsing: &reader))
            case .srv:
                let priority = try reader.read(UInt16.self, .big)
                let weight = try reader.read(UInt16.self, .big)
                let port = try reader.read(UInt16.self, .big)
                at = offset + 6
                self = .srv(DNSService(priority: priority, weight: weight, port: port, target: try DNSName(parsing: message, at: &at)))
            case .txt: self = .txt(try Self.strings(&reader))
            default: self = .other(type, try Self.bytes(&reader, reader.remainingByteCount))
            }
            if type != .srv { at = offset + reader.offset }
        }
        guard at == end else { throw .invalid }
    }

    private static func strings(_ reader: inout ByteReader) throws(FormatError) -> [[UInt8]] {
        var strings: [[UInt8]] = []
        while reader.remainingByteCount > 0 {
            let count = Int(try reader.read(UInt8.self, .big))
            strings.append(try bytes(&reader, count))
        }
        return strings
    }

    private static func bytes(_ reader: inout ByteReader, _ count: Int) throws(FormatError) -> [UInt8] {
        var part = ByteReader(try reader.read(byteCount: count))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while part.remainingByteCount > 0 { bytes.append(try part.read(UInt8.self, .big)) }
        return bytes
    }

    func write(into writer: inout ByteWriter, _ names: inout DNSNameCompressor) throws(FormatError) {
        switch self {
        case .a(let address): try address.write(into: &writer)
        case .aaaa(let address): try address.write(into: &writer)
        case .cname(let name), .ns(let name), .ptr(let name): try names.write(name, into: &writer)
        case .srv(let service):
            try writer.write(service.priority, .big)
            try writer.write(service.weight, .big)
            try writer.write(service.port, .big)
            // RFC 2782: not compressed.
            try service.target.write(into: &writer)
        case .txt(let strings):
            for string in strings {
                guard string.count <= 255 else { throw .invalid }
                try writer.write(UInt8(string.count), .big)
                for byte in string { try writer.write(byte, .big) }
            }
        case .soa(let soa): try soa.write(into: &writer, &names)
        case .other(_, let bytes): for byte in bytes { try writer.write(byte, .big) }
        }
    }

    /// Not less than `write` needs.
    var byteCountLimit: Int {
        switch self {
        case .a: IPv4Address.byteCount
        case .aaaa: IPv6Address.byteCount
        case .cname(let name), .ns(let name), .ptr(let name): name.byteCount
        case .srv(let service): 6 + service.target.byteCount
        case .txt(let strings): strings.reduce(0) { $0 + 1 + $1.count }
        case .soa(let soa): soa.primary.byteCount + soa.mailbox.byteCount + 20
        case .other(_, let bytes): bytes.count
        }
    }
}

extension DNSStartOfAuthority {
    init(parsing message: RawSpan, at offset: inout Int) throws(FormatError) {
        primary = try DNSName(parsing: message, at: &offset)
        mailbox = try DNSName(parsing: message, at: &offset)
        guard message.byteCount - offset >= 20 else { throw .truncated }
        var reader = ByteReader(message.extracting(offset..<offset + 20))
        serial = try reader.read(UInt32.self, .big)
        refresh = .seconds(Int64(try reader.read(UInt32.self, .big)))
        retry = .seconds(Int64(try reader.read(UInt32.self, .big)))
        expire = .seconds(Int64(try reader.read(UInt32.self, .big)))
        minimum = .seconds(Int64(try reader.read(UInt32.self, .big)))
        offset += 20
    }

    func write(into writer: inout ByteWriter, _ names: inout DNSNameCompressor) throws(FormatError) {
        try names.write(primary, into: &writer)
        try names.write(mailbox, into: &writer)
        try writer.write(serial, .big)
        for time in [refresh, retry, expire, minimum] { try writer.write(UInt32(clamping: time.components.seconds), .big) }
    }
}
