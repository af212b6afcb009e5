#if hasFeature(Embedded)
    import NetFormats
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
    }
#endif
