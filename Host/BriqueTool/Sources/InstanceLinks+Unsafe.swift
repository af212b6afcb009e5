import BootFormat
import Foundation
import Glibc
import NetFormats
import PacketCapture
import SystemPackage

/// The links of an instance that is about to start, as descriptors that its monitor gets.
struct InstanceLinks {
    struct Link {
        var attachment: NetworkPlan.Attachment
        var macAddress: MACAddress
        var maximumTransmissionUnit: Int
        var descriptor: Int32
        var isTAP: Bool
        /// What carries the frames when they pass through this program.
        var peer: (peer: any LinkPeer, socket: LinkSocket)?
    }

    private(set) var links: [Link] = []

    init(links: [Link]) { self.links = links }

    /// Opens what the plan names.
    ///
    /// - Parameter hasHeaders: whether the monitor puts headers before frames on a socket: ours do, QEMU does not.
    init(_ plan: NetworkPlan, hasHeaders: Bool) throws(ToolFailure) {
        do throws(ToolFailure) {
            for (index, link) in plan.links.enumerated() {
                let capturePath = plan.capturePath.map { index == 0 ? $0 : "\($0).\(index)" }
                links.append(try Self.open(link, plan, capturePath, hasHeaders: hasHeaders))
            }
        } catch {
            close()
            throw error
        }
    }

    private static func open(
        _ link: NetworkPlan.Link, _ plan: NetworkPlan, _ capturePath: String?, hasHeaders: Bool
    ) throws(ToolFailure) -> Link {
        let capture = link.attachment == .user ? nil : try capture(capturePath)
        let tap: TAP
        switch link.attachment {
        case .user:
            let settings = UserNetworkSettings(
                macAddress: link.macAddress, publishedPorts: plan.publishedPorts, hostname: plan.hostname, capturePath: capturePath)
            return try connect(link, try UserNetworkPeer(settings), maximumTransmissionUnit: 1500, hasHeaders: hasHeaders)
        case .tap(let name): tap = try TAP.attach(name: name)
        case .bridge(let name): tap = try TAP.onBridge(name: name)
        }
        guard let capture else {
            return Link(
                attachment: link.attachment, macAddress: link.macAddress, maximumTransmissionUnit: tap.maximumTransmissionUnit,
                descriptor: tap.descriptor, isTAP: true)
        }
        guard hasHeaders else {
            Glibc.close(tap.descriptor)
            throw ToolFailure(.usage, "--pcap on a TAP is for --monitor kvm and process: under QEMU use tcpdump -i \(tap.name)")
        }
        let relay = TAPRelay(tap: tap, capture: capture)
        return try connect(link, relay, maximumTransmissionUnit: tap.maximumTransmissionUnit, hasHeaders: hasHeaders)
    }

    private static func capture(_ path: String?) throws(ToolFailure) -> PacketCapture? {
        guard let path else { return nil }
        guard let capture = PacketCapture(path: path) else {
            throw ToolFailure(.cannotWrite, "--pcap \(path): \(Errno(rawValue: errno))")
        }
        return capture
    }

    /// A socket pair: one end for the monitor, one for `peer`.
    private static func connect(
        _ link: NetworkPlan.Link, _ peer: any LinkPeer, maximumTransmissionUnit: Int, hasHeaders: Bool
    ) throws(ToolFailure) -> Link {
        var ends: [Int32] = [-1, -1]
        // QEMU's dgram wants datagrams; those of SOCK_SEQPACKET tell when the other end is gone.
        let type = Int32(hasHeaders ? SOCK_SEQPACKET.rawValue : SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        // SAFETY: socketpair writes exactly two descriptors.
        guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw ToolFailure(.hostRefused, "no socket: \(Errno(rawValue: errno))")
        }
        for end in ends {
            // Room for a few of the largest frames, as far as the system lets.
            var byteCount: Int32 = 1 << 20
            // SAFETY: the kernel reads one number.
            _ = unsafe setsockopt(end, SOL_SOCKET, SO_SNDBUF, &byteCount, socklen_t(MemoryLayout<Int32>.size))
        }
        return Link(
            attachment: link.attachment, macAddress: link.macAddress, maximumTransmissionUnit: maximumTransmissionUnit,
            descriptor: ends[0].raised(), isTAP: false,
            peer: (peer, LinkSocket(descriptor: ends[1].raised(), hasHeaders: hasHeaders)))
    }

    /// The first number that a monitor gets a link as.
    static let firstDescriptor: Int32 = 5

    /// What the child inherits.
    var inherited: [ChildLaunch.Inherited] {
        links.enumerated().map { ChildLaunch.Inherited(own: $1.descriptor, child: Self.firstDescriptor + Int32($0)) }
    }

    /// The words behind CONTROL_FD on our monitors' command line: `,FD:MAC:MTU:OFFLOADS…`.
    var monitorWords: String {
        links.enumerated().map { index, link in
            let address = String(link.macAddress.rawValue, radix: 16)
            let padded = String(repeating: "0", count: 12 - address.count) + address
            return ",\(Self.firstDescriptor + Int32(index)):\(padded):\(link.maximumTransmissionUnit):\(BRIQUE_OFFLOAD_ALL)"
        }.joined()
    }

    /// Starts what this program carries itself.
    func start() {
        for link in links {
            guard let (peer, socket) = link.peer else { continue }
            let thread = Thread { peer.serve(socket) }
            thread.name = "network"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// This program's copies of what the monitor has: with them a link outlives the instance.
    mutating func close() {
        for link in links { Glibc.close(link.descriptor) }
        links = []
    }
}
