#if hasFeature(Embedded)
    import NetFormats
    import Names
    import NetStack
    import Sockets
    import Time

    // The instance's own network where none is named.

    extension TCPListener {
        /// Listens on `port` (0: a free one), on `address` or on all of the instance's.
        public convenience init(port: UInt16, address: IPAddress? = nil, backlog: Int = 1024) throws(NetworkError) {
            try self.init(port: port, address: address, backlog: backlog, on: .shared)
        }
    }

    extension UDPSocket {
        /// Takes `port` (0: a free one), on `address` or on all of the instance's.
        public convenience init(port: UInt16 = 0, address: IPAddress? = nil) throws(NetworkError) {
            try self.init(port: port, address: address, on: .shared)
        }
    }

    extension TCPConnection {
        /// Connects to one address. Waits for the network's configuration if that has to come first.
        public static func connect(
            to address: SocketAddress, deadline: Instant = .distantFuture
        ) async throws(NetworkError) -> TCPConnection {
            try await Network.shared.waitForWay(to: address, until: deadline)
            return try await connect(to: address, on: .shared, deadline: deadline)
        }

        /// Connects to a host by name, or by an address in words: whichever of its addresses answers first.
        public static func connect(
            host: String, port: UInt16, deadline: Instant = .distantFuture
        ) async throws(NetworkError) -> TCPConnection {
            try await NameService.shared.connect(host: Array(host.utf8), port: port, deadline: deadline)
        }
    }

    /// The addresses of a host, IPv6 first; a literal is its own address.
    public func resolve(_ name: String, deadline: Instant = .distantFuture) async throws(NetworkError) -> [IPAddress] {
        try await NameService.shared.resolve(Array(name.utf8), deadline: deadline)
    }
#endif
