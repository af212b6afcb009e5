import ArgumentParser
import PacketCapture
import UserNetwork

@main struct UserNetworkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "brique-user-network", abstract: "Connects one instance to the world by the host's ordinary sockets.")

    @Option(name: .customLong("fd"), help: "The instance's socket, or a TAP with virtio headers.")
    var descriptor: Int32

    @Flag(help: "Frames have no headers, as QEMU's -netdev dgram has them.")
    var plain = false

    @Option(help: "The largest IP packet on the link.")
    var mtu = 1500

    @Option(name: [.customShort("p"), .customLong("publish")], help: "[HOST_IP:]HOST:GUEST[/udp]")
    var published: [String] = []

    @Option(name: .customLong("pcap"), help: "Record every frame here.", completion: .file())
    var capturePath: String?

    func validate() throws {
        guard (1280...65_535).contains(mtu) else { throw ValidationError("--mtu \(mtu): 1280 to 65535") }
        for text in published where PublishedPort(text) == nil { throw ValidationError("-p \(text): [HOST_IP:]HOST:GUEST[/udp]") }
    }

    func run() throws {
        var configuration = UserNetworkConfiguration()
        configuration.framing = plain ? .plain : .virtio
        configuration.maximumTransmissionUnit = mtu
        let sockets = try PublishedSockets(published.compactMap { PublishedPort($0) })
        let capture = capturePath.flatMap { PacketCapture(path: $0) }
        if let capturePath, capture == nil { throw ValidationError("--pcap \(capturePath): cannot be written") }
        try UserNetwork(instanceSocket: descriptor, configuration: configuration, published: sockets, capture: capture).run()
    }
}
