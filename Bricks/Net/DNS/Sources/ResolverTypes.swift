import DNSFormat
import NetFormats
import Time

/// Why a name has no address.
public enum ResolverError: Error, Equatable, Sendable {
    /// The text is not a name.
    case invalidName
    /// The name does not exist.
    case nameNotFound
    /// The name exists, but has no address of the wanted kind.
    case noAddress
    /// Every server failed or refused.
    case serverFailure
    /// No server answered in time.
    case timedOut
    /// There is no server to ask.
    case noServers
    /// Too many lookups at once.
    case busy
}

/// Which addresses are wanted.
public struct AddressFamilies: OptionSet, Sendable {
    public var rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static var ipv4: AddressFamilies { AddressFamilies(rawValue: 1) }
    public static var ipv6: AddressFamilies { AddressFamilies(rawValue: 2) }
}

/// A lookup that waits for answers.
public struct LookUpIdentifier: Hashable, Sendable {
    let rawValue: UInt64
}

/// A question on its way, to be named when its answer comes over TCP.
public struct QueryIdentifier: Hashable, Sendable {
    let rawValue: UInt64
}

public enum LookUpOutcome: Sendable {
    case addresses([IPAddress])
    case failed(ResolverError)
    /// `Resolver.nextCompletion` will tell.
    case pending(LookUpIdentifier)
}

/// The end of a lookup. Addresses are of IPv6 first.
public struct LookUpCompletion: Sendable {
    public var identifier: LookUpIdentifier
    public var result: Result<[IPAddress], ResolverError>
}

/// Bytes to send.
public struct ResolverTransmission: Equatable, Sendable {
    public enum Transport: Equatable, Sendable {
        /// Answers come to this port.
        case datagram(sourcePort: UInt16)
        /// From port 5353 to its group on every link, on IPv4 (224.0.0.251) and IPv6 (ff02::fb) as there are.
        case multicast
        /// Over a connection; the bytes begin with their length (RFC 1035 §4.2.2). The answer, without it, goes to
        /// `handle(stream:of:now:)`, a failure to `streamFailed`.
        case stream(QueryIdentifier)
    }

    public var transport: Transport
    /// Of no meaning for multicast.
    public var destination: SocketAddress
    public var bytes: [UInt8]
}

extension IPv4Address {
    /// RFC 6762 §3.
    public static var multicastDNS: IPv4Address { IPv4Address(224, 0, 0, 251) }
}

extension IPv6Address {
    /// RFC 6762 §3.
    public static var multicastDNS: IPv6Address { IPv6Address(high: 0xff02_0000_0000_0000, low: 0xfb) }
}
