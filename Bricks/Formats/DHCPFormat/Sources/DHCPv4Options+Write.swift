import Bytes
import DNSFormat
import NetFormats

extension DHCPv4Options {
    func write(_ kind: DHCPv4Message.Kind, into writer: inout ByteWriter) throws(FormatError) {
        // First, as RFC 2131 §4.1 does not ask but every server expects.
        try Self.write(53, [kind.rawValue], into: &writer)
        try Self.write(54, serverIdentifier, into: &writer)
        try Self.write(51, leaseTime, into: &writer)
        try Self.write(58, renewalTime, into: &writer)
        try Self.write(59, rebindingTime, into: &writer)
        try Self.write(1, subnetMask, into: &writer)
        try Self.write(121, routeBytes, into: &writer)
        try Self.write(3, Self.bytes(routers), into: &writer)
        try Self.write(6, Self.bytes(nameServers), into: &writer)
        try Self.write(12, hostName, into: &writer)
        try Self.write(15, domainName, into: &writer)
        try Self.write(26, interfaceMTU, into: &writer)
        try Self.write(28, broadcastAddress, into: &writer)
        try Self.write(50, requestedAddress, into: &writer)
        try Self.write(61, clientIdentifier, into: &writer)
        try Self.write(57, messageByteCountLimit, into: &writer)
        try Self.write(55, parameterRequests, into: &writer)
        try Self.write(119, searchDomains.reduce(into: []) { $0 += $1.wire }, into: &writer)
    }

    /// Not less than `write` needs.
    var byteCountLimit: Int {
        let fixed = 3 + 8 * 6 + 4 * 2
        let lists = 4 * (routers.count + nameServers.count) + 9 * routes.count + hostName.count + domainName.count
        let names = searchDomains.reduce(0) { $0 + $1.byteCount }
        let content = fixed + lists + names + clientIdentifier.count + parameterRequests.count
        return content + 2 * (9 + content / 255)
    }

    private var routeBytes: [UInt8] {
        var bytes: [UInt8] = []
        for route in routes {
            bytes.append(UInt8(route.network.length))
            for octet in Self.bytes([route.network.network]).prefix((route.network.length + 7) / 8) { bytes.append(octet) }
            bytes += Self.bytes([route.router])
        }
        return bytes
    }

    private static func bytes(_ addresses: [IPv4Address]) -> [UInt8] {
        var bytes: [UInt8] = []
        for address in addresses {
            for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: address.rawValue >> UInt32(24 - index * 8))) }
        }
        return bytes
    }

    private static func write(_ code: UInt8, _ address: IPv4Address?, into writer: inout ByteWriter) throws(FormatError) {
        if let address { try write(code, bytes([address]), into: &writer) }
    }

    private static func write(_ code: UInt8, _ duration: Duration?, into writer: inout ByteWriter) throws(FormatError) {
        guard let duration else { return }
        try write(code, bytes([IPv4Address(rawValue: UInt32(clamping: duration.components.seconds))]), into: &writer)
    }

    private static func write(_ code: UInt8, _ value: UInt16?, into writer: inout ByteWriter) throws(FormatError) {
        if let value { try write(code, [UInt8(value >> 8), UInt8(value & 0xff)], into: &writer) }
    }

    /// Nothing if there are no bytes; in parts of up to 255 (RFC 3396 §5).
    private static func write(_ code: UInt8, _ bytes: [UInt8], into writer: inout ByteWriter) throws(FormatError) {
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + 255)
            try writer.write(code, .big)
            try writer.write(UInt8(end - start), .big)
            for byte in bytes[start..<end] { try writer.write(byte, .big) }
            start = end
        }
    }
}
