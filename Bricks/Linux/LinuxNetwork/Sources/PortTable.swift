import Errno
import NetFormats

/// Which sockets have which local ports: what bind(2) checks.
struct PortTable {
    struct Claim {
        var port: UInt16
        /// nil: all addresses.
        var address: IPAddress?
        var isIPv4: Bool
        var isIPv6: Bool
        var reusesAddress: Bool
        var reusesPort: Bool
        var isListening = false
        var owner: UInt64
    }

    /// Sockets that bind(2) gave a name; connections that were accepted are not here.
    private(set) var claims: [Claim] = []

    static var ephemeral: ClosedRange<UInt16> { 32_768...60_999 }

    private static func conflict(_ a: Claim, _ b: Claim, sharesByAddress: Bool) -> Bool {
        guard a.port == b.port, a.owner != b.owner, (a.isIPv4 && b.isIPv4) || (a.isIPv6 && b.isIPv6) else { return false }
        if let one = a.address, let other = b.address, one != other { return false }
        if a.reusesPort && b.reusesPort { return false }
        // Two that only have the address in common may both be bound, as long as neither listens.
        if a.reusesAddress && b.reusesAddress && (sharesByAddress || (!a.isListening && !b.isListening)) { return false }
        return true
    }

    private func isFree(_ claim: Claim, sharesByAddress: Bool) -> Bool {
        for other in claims where Self.conflict(claim, other, sharesByAddress: sharesByAddress) { return false }
        return true
    }

    /// Takes a port; 0: a free one. `sharesByAddress`: SO_REUSEADDR is enough for several at once (UDP).
    mutating func add(_ claim: Claim, random: UInt64, sharesByAddress: Bool) throws(Errno) -> UInt16 {
        var claim = claim
        if claim.port == 0 {
            let count = UInt64(Self.ephemeral.count)
            for step in 0..<count {
                claim.port = Self.ephemeral.lowerBound + UInt16((random % count + step) % count)
                claim.reusesAddress = false
                if isFree(claim, sharesByAddress: false) { break }
                claim.port = 0
            }
            guard claim.port != 0 else { throw .eaddrinuse }
        } else {
            guard isFree(claim, sharesByAddress: sharesByAddress) else { throw .eaddrinuse }
        }
        claims.append(claim)
        return claim.port
    }

    /// The socket begins to listen: nobody else may have the port, unless both share it.
    mutating func listen(_ owner: UInt64) throws(Errno) {
        guard let index = claims.firstIndex(where: { $0.owner == owner }) else { return }
        var claim = claims[index]
        claim.isListening = true
        for other in claims where other.isListening && Self.conflict(claim, other, sharesByAddress: false) { throw .eaddrinuse }
        claims[index] = claim
    }

    mutating func remove(_ owner: UInt64) {
        if let index = claims.firstIndex(where: { $0.owner == owner }) { claims.remove(at: index) }
    }
}
