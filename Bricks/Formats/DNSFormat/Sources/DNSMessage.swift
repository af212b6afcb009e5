import Bytes

/// A message of DNS (RFC 1035 §4.1) or mDNS (RFC 6762 §18).
public struct DNSMessage: Equatable, Sendable {
    public static let port: UInt16 = 53
    /// RFC 6762 §3.
    public static let multicastPort: UInt16 = 5353
    /// Over UDP without EDNS, RFC 1035 §4.2.1.
    public static let plainByteCountLimit = 512
    /// Questions or records of one message; one that claims more is refused.
    public static let entryLimit = 512
    static let headerByteCount = 12

    public var identifier: UInt16
    /// QR
    public var isResponse = false
    public var opcode: UInt8 = 0
    /// AA
    public var isAuthoritative = false
    /// TC
    public var isTruncated = false
    /// RD
    public var isRecursionDesired = false
    /// RA
    public var isRecursionAvailable = false
    /// AD, RFC 4035 §3.2.3.
    public var isAuthenticData = false
    /// CD, RFC 4035 §3.2.2.
    public var isCheckingDisabled = false
    public var responseCode = DNSResponseCode.success
    public var questions: [DNSQuestion] = []
    public var answers: [DNSRecord] = []
    public var authorities: [DNSRecord] = []
    /// Without the OPT record.
    public var additionals: [DNSRecord] = []
    /// The OPT record.
    public var edns: DNSExtension?

    public init(identifier: UInt16) { self.identifier = identifier }

    /// A recursive query with EDNS.
    public init(identifier: UInt16, query: DNSQuestion) {
        self.identifier = identifier
        isRecursionDesired = true
        questions = [query]
        edns = DNSExtension()
    }

    /// All that is unread in `reader` is the message.
    public init(parsing reader: inout ByteReader) throws(FormatError) {
        let message = reader.unread
        identifier = try reader.read(UInt16.self, .big)
        let flags = try reader.read(UInt16.self, .big)
        let counts = try reader.read(UInt64.self, .big)
        setFlags(flags)
        var at = Self.headerByteCount
        for _ in 0..<(try Self.count(counts >> 48)) { questions.append(try DNSQuestion(parsing: message, at: &at)) }
        answers = try records(message, &at, try Self.count(counts >> 32 & 0xffff))
        authorities = try records(message, &at, try Self.count(counts >> 16 & 0xffff))
        additionals = try records(message, &at, try Self.count(counts & 0xffff))
        try reader.skip(at - Self.headerByteCount)
    }

    private static func count(_ value: UInt64) throws(FormatError) -> Int {
        guard value <= entryLimit else { throw .invalid }
        return Int(value)
    }

    private mutating func setFlags(_ flags: UInt16) {
        isResponse = flags & 0x8000 != 0
        opcode = UInt8(flags >> 11 & 0xf)
        isAuthoritative = flags & 0x0400 != 0
        isTruncated = flags & 0x0200 != 0
        isRecursionDesired = flags & 0x0100 != 0
        isRecursionAvailable = flags & 0x0080 != 0
        isAuthenticData = flags & 0x0020 != 0
        isCheckingDisabled = flags & 0x0010 != 0
        responseCode = DNSResponseCode(rawValue: UInt8(flags & 0xf))
    }

    private var flags: UInt16 {
        (isResponse ? 0x8000 : 0) | UInt16(opcode & 0xf) << 11 | (isAuthoritative ? 0x0400 : 0) | (isTruncated ? 0x0200 : 0)
            | (isRecursionDesired ? 0x0100 : 0) | (isRecursionAvailable ? 0x0080 : 0) | (isAuthenticData ? 0x0020 : 0)
            | (isCheckingDisabled ? 0x0010 : 0) | UInt16(responseCode.rawValue)
    }

    /// Throws `full` and leaves a part if there is no room: the caller then sends less, or a truncated one.
    public func write(into writer: inout ByteWriter) throws(FormatError) {
        let limit = Self.entryLimit
        guard questions.count <= limit, answers.count <= limit, authorities.count <= limit, additionals.count < limit, writer.offset == 0
        else { throw .invalid }
        try writer.write(identifier, .big)
        try writer.write(flags, .big)
        try writer.write(UInt16(questions.count), .big)
        try writer.write(UInt16(answers.count), .big)
        try writer.write(UInt16(authorities.count), .big)
        try writer.write(UInt16(additionals.count + (edns == nil ? 0 : 1)), .big)
        var names = DNSNameCompressor()
        for question in questions { try question.write(into: &writer, &names) }
        for record in answers { try record.write(into: &writer, &names) }
        for record in authorities { try record.write(into: &writer, &names) }
        for record in additionals { try record.write(into: &writer, &names) }
        if let edns { try edns.write(into: &writer) }
    }

    /// The message in at most `limit` bytes. If it does not fit, what remains is its questions and the truncation flag.
    public func bytes(limit: Int = 65_535) -> [UInt8] {
        let room = Self.headerByteCount + 11 + questions.reduce(0) { $0 + 4 + $1.name.byteCount }
        let entries = [answers, authorities, additionals].reduce(0) {
            $0 + $1.reduce(0) { $0 + 10 + $1.name.byteCount + $1.data.byteCountLimit }
        }
        if let bytes = written(capacity: min(limit, room + entries)) { return bytes }
        var short = DNSMessage(identifier: identifier)
        short.setFlags(flags)
        short.isTruncated = true
        short.questions = questions
        short.edns = edns
        return short.written(capacity: limit) ?? []
    }

    private func written(capacity: Int) -> [UInt8]? {
        var storage = [UInt8](repeating: 0, count: max(0, capacity))
        let count: Int
        do throws(FormatError) {
            var bytes = storage.mutableSpan
            var writer = ByteWriter(&bytes)
            try write(into: &writer)
            count = writer.offset
        } catch { return nil }
        storage.removeLast(storage.count - count)
        return storage
    }
}

extension DNSMessage {
    private mutating func records(_ message: RawSpan, _ at: inout Int, _ count: Int) throws(FormatError) -> [DNSRecord] {
        var records: [DNSRecord] = []
        for _ in 0..<count {
            let name = try DNSName(parsing: message, at: &at)
            var reader = ByteReader(message.extracting(droppingFirst: min(at, message.byteCount)))
            let type = DNSType(rawValue: try reader.read(UInt16.self, .big))
            let classField = try reader.read(UInt16.self, .big)
            let lifetime = try reader.read(UInt32.self, .big)
            let dataByteCount = Int(try reader.read(UInt16.self, .big))
            try reader.skip(dataByteCount)
            let start = at + 10
            at = start + dataByteCount
            if type == .opt {
                // RFC 6891 §6.1.1: one, of the root.
                guard edns == nil, name.isRoot else { throw .invalid }
                edns = DNSExtension(classField, lifetime)
                continue
            }
            let data = try DNSData(parsing: message, type, from: start, to: at)
            records.append(
                DNSRecord(
                    name: name, timeToLive: .seconds(lifetime >> 31 != 0 ? 0 : Int64(lifetime)), data: data,
                    recordClass: DNSClass(rawValue: classField & 0x7fff), isCacheFlush: classField >> 15 != 0))
        }
        return records
    }
}

extension DNSQuestion {
    init(parsing message: RawSpan, at offset: inout Int) throws(FormatError) {
        name = try DNSName(parsing: message, at: &offset)
        var reader = ByteReader(message.extracting(droppingFirst: min(offset, message.byteCount)))
        type = DNSType(rawValue: try reader.read(UInt16.self, .big))
        let classField = try reader.read(UInt16.self, .big)
        recordClass = DNSClass(rawValue: classField & 0x7fff)
        prefersUnicast = classField >> 15 != 0
        offset += 4
    }

    func write(into writer: inout ByteWriter, _ names: inout DNSNameCompressor) throws(FormatError) {
        try names.write(name, into: &writer)
        try writer.write(type.rawValue, .big)
        try writer.write(recordClass.rawValue & 0x7fff | (prefersUnicast ? 0x8000 : 0), .big)
    }
}

extension DNSRecord {
    func write(into writer: inout ByteWriter, _ names: inout DNSNameCompressor) throws(FormatError) {
        try names.write(name, into: &writer)
        try writer.write(type.rawValue, .big)
        try writer.write(recordClass.rawValue & 0x7fff | (isCacheFlush ? 0x8000 : 0), .big)
        try writer.write(UInt32(clamping: timeToLive.components.seconds) & 0x7fff_ffff, .big)
        // The length is known once the names inside are compressed: written apart, at the same place of a message.
        let start = writer.offset + 2
        var scratch = [UInt8](repeating: 0, count: start + data.byteCountLimit)
        var bytes = scratch.mutableSpan
        var inner = ByteWriter(&bytes)
        try inner.writeZeros(start)
        try data.write(into: &inner, &names)
        let end = inner.offset
        guard end - start <= 0xffff else { throw .invalid }
        guard writer.remainingByteCount >= 2 + end - start else { throw .full }
        try writer.write(UInt16(end - start), .big)
        try writer.write(ByteReader(bytes.span).unread.extracting(start..<end))
    }
}

extension DNSExtension {
    init(_ classField: UInt16, _ lifetime: UInt32) {
        messageByteCountLimit = classField
        extendedResponseCode = UInt8(lifetime >> 24)
        version = UInt8(truncatingIfNeeded: lifetime >> 16)
        wantsSignatures = lifetime & 0x8000 != 0
    }

    func write(into writer: inout ByteWriter) throws(FormatError) {
        guard writer.remainingByteCount >= 11 else { throw .full }
        try writer.write(0 as UInt8, .big)
        try writer.write(DNSType.opt.rawValue, .big)
        try writer.write(messageByteCountLimit, .big)
        try writer.write(UInt32(extendedResponseCode) << 24 | UInt32(version) << 16 | (wantsSignatures ? 0x8000 : 0), .big)
        try writer.write(0 as UInt16, .big)
    }
}
