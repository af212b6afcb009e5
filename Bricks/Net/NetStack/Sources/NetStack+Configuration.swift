import NetFormats

extension NetStack {
    /// Datagrams that are for the stack itself. False: for an endpoint, if there is one.
    func takeConfiguration(_ payload: RawSpan, _ header: UDPHeader, _ origin: DatagramOrigin, on interface: NetworkInterface) -> Bool {
        false
    }

    /// Whether `destination` may be an address that is just being given to us.
    func isConfiguring(_ interface: NetworkInterface, _ destination: IPAddress) -> Bool { false }

    func noteNameServers(_ addresses: [IPAddress], from interface: NetworkInterface) {}

    func noteSearchDomains(_ names: [UInt8]) {}
}
