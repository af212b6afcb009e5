import BootFormat
import CHypercalls

/// What the platform says of a network link.
public struct LinkInformation: Equatable, Sendable {
    /// The MAC address: low 48 bits, the first octet highest.
    public var address: UInt64
    public var maximumTransmissionUnit: Int
    /// BRIQUE_OFFLOAD_…
    public var offloads: UInt32
    /// The largest frame that can arrive, header included.
    public var frameByteCount: Int
}

/// What one exchange with a link did.
public struct ExchangeResult: Equatable, Sendable {
    /// Buffers, always whole frames.
    public var transmittedCount: Int
    public var receivedCount: Int
    /// The link's own event: there may be more to receive.
    public var ready: Events
}

extension Hypercalls {
    /// nil: there is no such link.
    public static func linkInformation(_ link: Int) -> LinkInformation? {
        var information = brique_network_information()
        // SAFETY: the call writes one structure, which outlives it.
        let result = unsafe withUnsafeMutablePointer(to: &information) {
            brique_call(UInt64(BRIQUE_CALL_NETWORK_INFORMATION), UInt64(link), UInt64(UInt(bitPattern: $0)), 0)
        }
        guard result == 0 else { return nil }
        let octets = information.address
        let high = UInt64(octets.0) << 40 | UInt64(octets.1) << 32 | UInt64(octets.2) << 24
        return LinkInformation(
            address: high | UInt64(octets.3) << 16 | UInt64(octets.4) << 8 | UInt64(octets.5),
            maximumTransmissionUnit: Int(information.maximum_transmission_unit), offloads: information.offloads,
            frameByteCount: Int(information.frame_byte_count))
    }

    /// Sends, receives and waits: see docs/hypercalls.md. The request's addresses name memory that the caller keeps for the call; what
    /// is received is written there.
    @unsafe public static func exchange(_ request: brique_network_exchange) throws(HypercallError) -> ExchangeResult {
        var request = request
        // SAFETY: the call reads one structure, which outlives it; what the structure names is the caller's promise.
        let result = unsafe withUnsafeMutablePointer(to: &request) {
            brique_call(UInt64(BRIQUE_CALL_NETWORK_EXCHANGE), UInt64(UInt(bitPattern: $0)), 0, 0)
        }
        let counts = try checked(result)
        return ExchangeResult(
            transmittedCount: counts & 0xffff, receivedCount: counts >> 16 & 0xffff,
            ready: Events(rawValue: UInt64(counts >> 32 & 0xffff)))
    }
}
