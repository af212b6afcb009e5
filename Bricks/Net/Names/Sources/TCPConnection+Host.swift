import NetFormats
import NetStack
import Sockets
import Time

extension NameService {
    /// RFC 8305 §5, Connection Attempt Delay.
    private static var attemptDelay: Duration { .milliseconds(250) }
    /// Addresses that are tried; the rest of a long list would only cost time.
    private static var attemptLimit: Int { 8 }

    /// Connects to `port` of the host that `name` names: its addresses in turn, the next one when the last does not answer soon
    /// (RFC 8305). The error is that of the first attempt.
    public func connect(
        host name: [UInt8], port: UInt16, deadline: Instant = .distantFuture
    ) async throws(NetworkError) -> TCPConnection {
        let addresses = Self.interleaved(try await resolve(name, deadline: deadline))
        guard let first = addresses.first else { throw .noSuchName }
        try await network.waitForWay(to: SocketAddress(address: first, port: port), until: deadline)
        let targets = addresses.prefix(Self.attemptLimit).map { SocketAddress(address: $0, port: port) }
        return try await TCPConnection.connect(toAnyOf: targets, attemptDelay: Self.attemptDelay, on: network, deadline: deadline)
    }

    /// One family after the other in turn, the first one's first (RFC 8305 §4).
    static func interleaved(_ addresses: [IPAddress]) -> [IPAddress] {
        guard let first = addresses.first else { return [] }
        let one = addresses.filter { $0.isIPv6 == first.isIPv6 }, other = addresses.filter { $0.isIPv6 != first.isIPv6 }
        var result: [IPAddress] = []
        for index in 0..<max(one.count, other.count) {
            if index < one.count { result.append(one[index]) }
            if index < other.count { result.append(other[index]) }
        }
        return result
    }
}
