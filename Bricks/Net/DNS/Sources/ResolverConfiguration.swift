import DNSFormat
import NetFormats

extension Resolver {
    public struct Configuration: Sendable {
        /// Asked in this order; `serverLimit` of them.
        public var servers: [SocketAddress]
        /// Tried behind names with few dots; `searchLimit` of them.
        public var searchDomains: [DNSName]
        /// A name with fewer dots is tried with the search list first.
        public var dots = 1
        /// Names known without asking, as /etc/hosts has them.
        public var hosts: [Host] = []
        /// Whether there is a link where multicast DNS may be asked.
        public var usesMulticast = true

        public init(servers: [SocketAddress] = [], searchDomains: [DNSName] = []) {
            self.servers = servers
            self.searchDomains = searchDomains
        }

        /// What does not need the network: literals' names aside, the static ones and localhost (RFC 6761 §6.3).
        func known(_ name: DNSName) -> [IPAddress]? {
            if let host = hosts.first(where: { $0.name == name }) { return host.addresses }
            return name.isWithin(Self.localhost) ? [.v6(.loopback), .v4(.loopback)] : nil
        }

        private static var localhost: DNSName { DNSName("localhost") ?? .root }

        /// Names to try one group after another; those of a group are tried at once.
        func candidates(_ name: DNSName, isAbsolute: Bool) -> [[Candidate]] {
            let isLocal = name.isWithin(Self.local)
            if isLocal { return [[Candidate(name: name, isMulticast: usesMulticast)]] }
            let plain = Candidate(name: name, isMulticast: false)
            guard !isAbsolute else { return [[plain]] }
            let searched = searchDomains.prefix(Resolver.searchLimit).compactMap { name.appending($0) }
                .map { [Candidate(name: $0, isMulticast: false)] }
            var asItIs = [plain]
            if usesMulticast, name.labelCount == 1, let local = name.appending(Self.local) {
                asItIs.append(Candidate(name: local, isMulticast: true))
            }
            return name.labelCount - 1 < dots ? searched + [asItIs] : [asItIs] + searched
        }

        /// RFC 6762 §3.
        private static var local: DNSName { DNSName("local") ?? .root }
    }

    public struct Host: Sendable {
        public var name: DNSName
        public var addresses: [IPAddress]

        public init(name: DNSName, addresses: [IPAddress]) {
            self.name = name
            self.addresses = addresses
        }
    }

    struct Candidate: Equatable {
        var name: DNSName
        var isMulticast: Bool
    }
}
