import DNSFormat
import Glibc
import NetFormats
import PacketCapture
import SystemPackage
import UserNetwork

/// The network behind `--network user`.
struct UserNetworkPeer: LinkPeer {
    /// The name by which an instance finds this machine.
    private static let hostName = "host.internal"

    private let published: PublishedSockets
    private let capturePath: String?

    /// Takes the published ports.
    init(_ settings: UserNetworkSettings) throws(ToolFailure) {
        capturePath = settings.capturePath
        do throws(UserNetworkError) { published = try PublishedSockets(settings.publishedPorts) } catch {
            switch error {
            case .cannotPublish(let port, let number):
                throw ToolFailure(.hostRefused, "-p \(port.hostPort):\(port.guestPort): \(Errno(rawValue: number))")
            case .hostRefused(let number): throw ToolFailure(.hostRefused, "no user-mode networking: \(Errno(rawValue: number))")
            }
        }
        // Told now: the thread that serves has nobody to tell.
        guard let capturePath else { return }
        guard PacketCapture(path: capturePath) != nil else {
            throw ToolFailure(.cannotWrite, "--pcap \(capturePath): \(Errno(rawValue: errno))")
        }
    }

    func serve(_ socket: LinkSocket) {
        var configuration = UserNetworkConfiguration()
        configuration.framing = socket.hasHeaders ? .virtio : .plain
        if let name = DNSName(Self.hostName) {
            configuration.hosts = [(name, [.v4(UserNetworkLayout.gateway), .v6(UserNetworkLayout.gateway6)])]
        }
        let capture = capturePath.flatMap { PacketCapture(path: $0) }
        let network = try? UserNetwork(
            instanceSocket: socket.descriptor, configuration: configuration, published: published, capture: capture)
        network?.run()
    }
}
