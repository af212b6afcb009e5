#if hasFeature(Embedded)
    import Bytes
    import Hypercalls
    import Instance
    import NetFormats
    import NetStack
    import Random
    import Scheduler
    import Sockets
    import Time

    extension Network {
        /// A quarter of the instance's memory may be in the buffers of connections.
        private static let bufferShare = 4
        /// One connection for each so many bytes of memory.
        private static let bytesPerConnection = 4096

        /// Brings up the instance's network: once. Nothing answers for its name, which comes with it.
        public static func bringUp() -> (network: Network, hostName: [UInt8]) {
            let settings = readSettings()
            return (bringUp(settings), settings.hostName)
        }

        private static func bringUp(_ settings: NetworkSettings) -> Network {
            var configuration = NetStack.Configuration()
            let memory = Instance.memoryByteCount
            if memory > 0 {
                configuration.bufferByteLimit = memory / bufferShare
                configuration.maximumConnectionCount = max(64, memory / bytesPerConnection)
                configuration.maximumTimeWaitCount = max(16, memory / bytesPerConnection / 4)
            }
            let stack = NetStack(configuration: configuration, seed: secret(), now: Instant.now)
            let network = Network(stack)
            let links = PlatformLinks(memoryByteCount: memory)
            for (position, link) in links.all.enumerated() {
                let interface = stack.add(link)
                // The settings are for the first link; others configure themselves.
                configure(interface, of: stack, position == 0 ? settings : NetworkSettings())
            }
            for server in settings.nameServers { stack.addNameServer(NameServer(address: server)) }
            for domain in settings.searchDomains { stack.addSearchDomain(domain) }
            RunLoop.attach(NetworkSource(network, links))
            return network
        }

        private static func configure(_ interface: NetworkInterface, of stack: NetStack, _ settings: NetworkSettings) {
            for address in settings.addresses {
                switch address {
                case .v4(let prefix): stack.assign(.v4(prefix.address), prefixLength: prefix.length, to: interface)
                case .v6(let prefix): stack.assign(.v6(prefix.address), prefixLength: prefix.length, to: interface, isUnique: false)
                }
            }
            for gateway in settings.gateways {
                stack.add(Route(prefix: gateway.isIPv6 ? .any6 : .any4, gateway: gateway, interface: interface))
            }
            stack.startIPv6(on: interface)
            if !settings.hasIPv4 { stack.startDHCP(on: interface, hostName: settings.hostName) }
        }

        /// A variable that cannot be understood ends the instance: going on would be a network that the user did not ask for.
        private static func readSettings() -> NetworkSettings {
            var settings = NetworkSettings()
            for name: NetworkSettings.StaticName in [.addresses, .gateways, .nameServers, .searchDomains, .hostName] {
                guard let value = Instance.environmentBytes(of: name.variable) else { continue }
                do throws(NetworkSettings.Problem) {
                    try settings.set(name, to: value)
                } catch {
                    print("network: \(name.variable) cannot be understood")
                    // EX_CONFIG of sysexits.h.
                    Instance.exit(78)
                }
            }
            return settings
        }

        /// A key that nobody foresees.
        public static func secret() -> SipHash.Key {
            var bytes = [UInt8](repeating: 0, count: 16)
            var filled = 0
            while filled < bytes.count {
                var span = bytes.mutableSpan
                var whole = span.raw
                var rest = whole._mutatingExtracting(droppingFirst: filled)
                guard let count = try? Hypercalls.entropy(into: &rest), count > 0 else { fatalError("the host has no entropy") }
                filled += count
            }
            var low: UInt64 = 0, high: UInt64 = 0
            for index in 0..<8 {
                low = low << 8 | UInt64(bytes[index])
                high = high << 8 | UInt64(bytes[8 + index])
            }
            return SipHash.Key(low: low, high: high)
        }
    }
#endif
