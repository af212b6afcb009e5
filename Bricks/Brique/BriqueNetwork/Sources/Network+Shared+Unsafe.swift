#if hasFeature(Embedded)
    import Sockets

    // SAFETY: a global of a program with one processor, set once.
    nonisolated(unsafe) private var shared: Network?

    extension Network {
        /// The instance's own network, brought up by its first use.
        public static var shared: Network {
            if let network = unsafe BriqueNetwork.shared { return network }
            let network = Network.bringUp()
            unsafe BriqueNetwork.shared = network
            return network
        }
    }
#endif
