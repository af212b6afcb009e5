import Bytes

/// The options of a Neighbor Discovery message: RFC 4861 §4.6, RFC 8106 §5. Unknown ones are skipped.
struct NDPOptions {
    var sourceLinkLayer: MACAddress?
    var targetLinkLayer: MACAddress?
    var maximumTransmissionUnit: UInt32?
    var prefixes: [NDPPrefix] = []
    var nameServers: [NDPNameServers] = []
    var searchDomains: [NDPSearchDomains] = []

    /// All that is unread. Throws `invalid` for a length of zero (RFC 4861 §4.6).
    init(parsing reader: inout ByteReader) throws(FormatError) {
        while reader.remainingByteCount > 0 {
            let type = try reader.read(UInt8.self, .big)
            let byteCount = Int(try reader.read(UInt8.self, .big)) * 8
            guard byteCount > 0 else { throw .invalid }
            var option = ByteReader(try reader.read(byteCount: byteCount - 2))
            switch type {
            case 1: sourceLinkLayer = try MACAddress(parsing: &option)
            case 2: targetLinkLayer = try MACAddress(parsing: &option)
            case 3 where byteCount == 32: try addPrefix(&option)
            case 5 where byteCount == 8:
                try option.skip(2)
                maximumTransmissionUnit = try option.read(UInt32.self, .big)
            case 25 where byteCount >= 24: try addNameServers(&option)
            case 31 where byteCount >= 16: try addSearchDomains(&option)
            default: continue
            }
        }
    }

    private mutating func addPrefix(_ option: inout ByteReader) throws(FormatError) {
        let length = Int(try option.read(UInt8.self, .big))
        let flags = try option.read(UInt8.self, .big)
        let valid = Duration.seconds(Int64(try option.read(UInt32.self, .big)))
        let preferred = Duration.seconds(Int64(try option.read(UInt32.self, .big)))
        try option.skip(4)
        let address = try IPv6Address(parsing: &option)
        // RFC 4862 §5.5.3 c: an impossible pair is ignored.
        guard length <= 128, preferred <= valid, prefixes.count < RouterAdvertisement.optionLimit else { return }
        var prefix = NDPPrefix(
            prefix: IPv6Prefix(address: address, length: length), validLifetime: valid, preferredLifetime: preferred)
        prefix.isOnLink = flags & 0x80 != 0
        prefix.isAutonomous = flags & 0x40 != 0
        prefixes.append(prefix)
    }

    private mutating func addNameServers(_ option: inout ByteReader) throws(FormatError) {
        try option.skip(2)
        var servers = NDPNameServers(lifetime: .seconds(Int64(try option.read(UInt32.self, .big))), addresses: [])
        while option.remainingByteCount >= IPv6Address.byteCount, servers.addresses.count < RouterAdvertisement.optionLimit {
            servers.addresses.append(try IPv6Address(parsing: &option))
        }
        if nameServers.count < RouterAdvertisement.optionLimit { nameServers.append(servers) }
    }

    private mutating func addSearchDomains(_ option: inout ByteReader) throws(FormatError) {
        try option.skip(2)
        let lifetime = Duration.seconds(Int64(try option.read(UInt32.self, .big)))
        var names: [UInt8] = []
        while option.remainingByteCount > 0 { names.append(try option.read(UInt8.self, .big)) }
        if searchDomains.count < RouterAdvertisement.optionLimit {
            searchDomains.append(NDPSearchDomains(lifetime: lifetime, names: names))
        }
    }

    static func write(_ type: UInt8, _ address: MACAddress, into writer: inout ByteWriter) throws(FormatError) {
        try writer.write(type, .big)
        try writer.write(1 as UInt8, .big)
        try address.write(into: &writer)
    }

    static func write(_ prefix: NDPPrefix, into writer: inout ByteWriter) throws(FormatError) {
        try writer.write(0x0304 as UInt16, .big)
        try writer.write(UInt8(prefix.prefix.length), .big)
        try writer.write((prefix.isOnLink ? 0x80 : 0) | (prefix.isAutonomous ? 0x40 : 0) as UInt8, .big)
        try writer.write(prefix.validLifetime.wireSeconds, .big)
        try writer.write(prefix.preferredLifetime.wireSeconds, .big)
        try writer.writeZeros(4)
        try prefix.prefix.address.write(into: &writer)
    }

    static func write(_ servers: NDPNameServers, into writer: inout ByteWriter) throws(FormatError) {
        guard (1...RouterAdvertisement.optionLimit).contains(servers.addresses.count) else { throw .invalid }
        try writer.write(25 as UInt8, .big)
        try writer.write(UInt8(1 + servers.addresses.count * 2), .big)
        try writer.writeZeros(2)
        try writer.write(servers.lifetime.wireSeconds, .big)
        for address in servers.addresses { try address.write(into: &writer) }
    }

    static func write(_ domains: NDPSearchDomains, into writer: inout ByteWriter) throws(FormatError) {
        guard domains.names.count & 7 == 0, (8...2032).contains(domains.names.count) else { throw .invalid }
        try writer.write(31 as UInt8, .big)
        try writer.write(UInt8(1 + domains.names.count / 8), .big)
        try writer.writeZeros(2)
        try writer.write(domains.lifetime.wireSeconds, .big)
        for byte in domains.names { try writer.write(byte, .big) }
    }
}
