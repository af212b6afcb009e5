#if hasFeature(Embedded)
    import InstanceNetwork
    import Names
    import Sockets

    // SAFETY: a global of a program with one processor, set once.
    nonisolated(unsafe) private var shared: (network: Network, names: NameService)?

    private func broughtUp() -> (network: Network, names: NameService) {
        if let shared = unsafe shared { return shared }
        let (network, hostName) = Network.bringUp()
        let names = NameService(network, hostName: hostName, seed: Network.secret())
        unsafe shared = (network, names)
        return (network, names)
    }

    extension Network {
        /// The instance's own network, brought up by its first use.
        public static var shared: Network { broughtUp().network }
    }

    extension NameService {
        /// The names of the instance's own network.
        public static var shared: NameService { broughtUp().names }
    }
#endif
