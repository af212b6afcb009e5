import Bytes
import Errno
import NetFormats
import NetStack
import TCP
import VFS

/// What TCP and UDP sockets have in common: an address and a port of this host (ip(7), ipv6(7)).
public class InternetSocket: Socket {
    final let isIPv6: Bool
    /// What bind(2) gave, or the first call that needed a port.
    final var bound: SocketAddress?

    override init(_ network: SocketNetwork, _ family: SocketFamily, _ kind: SocketKind, _ protocolNumber: Int32, _ flags: OpenFlags) {
        isIPv6 = family == .inet6
        super.init(network, family, kind, protocolNumber, flags)
    }

    final func name(_ address: SocketAddress) -> SocketName { SocketName(address, isIPv6: isIPv6) }

    final var unspecified: SocketAddress {
        SocketAddress(address: isIPv6 ? .v6(.unspecified) : .v4(.unspecified), port: 0)
    }

    /// The versions of IP that a socket bound to `address` hears.
    final func stackFamily(_ address: IPAddress) -> UDPEndpoint.Family {
        if !address.isIPv6 { return .v4 }
        return address.isUnspecified && !options.isIPv6Only ? .both : .v6
    }

    /// The address that the stack is told: nil for all.
    final func stackAddress(_ address: IPAddress) -> IPAddress? { address.isUnspecified ? nil : address }

    final func claim(_ address: SocketAddress) -> PortTable.Claim {
        let family = stackFamily(address.address)
        var isIPv4 = true, isIPv6 = true
        switch family {
        case .v4: isIPv6 = false
        case .v6: isIPv4 = false
        case .both: break
        }
        return PortTable.Claim(
            port: address.port, address: stackAddress(address.address), isIPv4: isIPv4, isIPv6: isIPv6,
            reusesAddress: options.reusesAddress, reusesPort: options.reusesPort, owner: number)
    }

    /// The address in `name` as one that this socket may have.
    final func localAddress(_ name: borrowing SocketName) throws(Errno) -> SocketAddress {
        let address = try name.address(isIPv6: isIPv6)
        if isIPv6, options.isIPv6Only, !address.address.isIPv6 { throw .einval }
        guard address.address.isUnspecified || address.address.isMulticast || network.stack.hasAddress(address.address) else {
            throw .eaddrnotavail
        }
        return address
    }

    /// The address in `name` as one to talk to; the unspecified one is this host.
    final func remoteAddress(_ name: borrowing SocketName) throws(Errno) -> SocketAddress {
        var address = try name.address(isIPv6: isIPv6)
        if isIPv6, options.isIPv6Only, !address.address.isIPv6 { throw .enetunreach }
        switch address.address {
        case .v4(let v4): if v4 == .unspecified { address.address = .v4(.loopback) }
        case .v6(let v6): if v6 == .unspecified { address.address = .v6(.loopback) }
        }
        return address
    }
}
