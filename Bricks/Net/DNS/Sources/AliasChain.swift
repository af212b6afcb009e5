import DNSFormat
import NetFormats
import Time

/// What a message says about a name: its aliases in turn, then addresses (RFC 1034 §3.6.2).
struct AliasChain {
    /// The last name.
    var name: DNSName
    var addresses: [IPAddress] = []
    var aliasCount = 0
    /// The least of the records used.
    var lifetime = ResolverCache.lifetimeLimit

    /// Nil if there are more than `limit` aliases, as in a loop.
    init?(_ message: DNSMessage, _ name: DNSName, _ type: DNSType, limit: Int) {
        self.name = name
        while true {
            var alias: DNSName?
            for record in message.answers where record.name == self.name && record.recordClass == .internet {
                switch record.data {
                case .a(let address) where type == .a: add(.v4(address), record)
                case .aaaa(let address) where type == .aaaa: add(.v6(address), record)
                case .cname(let target):
                    alias = target
                    lifetime = min(lifetime, record.timeToLive)
                case .a, .aaaa, .ns, .ptr, .srv, .txt, .soa, .other: break
                }
            }
            guard addresses.isEmpty, let alias else { return }
            aliasCount += 1
            guard aliasCount <= limit else { return nil }
            self.name = alias
        }
    }

    private mutating func add(_ address: IPAddress, _ record: DNSRecord) {
        lifetime = min(lifetime, record.timeToLive)
        if addresses.count < Resolver.addressLimit, !addresses.contains(address) { addresses.append(address) }
    }
}

/// The NSEC records of multicast DNS: a name, and a bit for each type it has, in one window (RFC 6762 §6.1, RFC 4034 §4.1).
enum NegativeAnswer {
    /// RDATA for `name`, which has A or AAAA or both.
    static func bytes(_ name: DNSName, hasA: Bool, hasAAAA: Bool) -> [UInt8] {
        // Type 1 is bit 1 of the first byte, type 28 bit 4 of the fourth, counted from the highest.
        name.wire + (hasAAAA ? [0, 4, hasA ? 0x40 : 0, 0, 0, 0x08] : [0, 1, hasA ? 0x40 : 0])
    }

    static func lacks(_ type: DNSType, _ bytes: [UInt8]) -> Bool {
        var at = 0
        while at < bytes.count, bytes[at] != 0 {
            // A compressed name cannot be passed over here: nothing is known.
            guard bytes[at] < 64 else {
                guard bytes[at] >= 0xc0 else { return false }
                at += 1
                break
            }
            at += 1 + Int(bytes[at])
        }
        at += 1
        guard at + 2 <= bytes.count, bytes[at] == 0, type.rawValue < 256 else { return false }
        let byteCount = Int(bytes[at + 1])
        let byte = Int(type.rawValue) / 8
        guard byte < byteCount, at + 2 + byte < bytes.count else { return true }
        return bytes[at + 2 + byte] & 0x80 >> UInt8(type.rawValue % 8) == 0
    }
}
