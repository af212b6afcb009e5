import NetFormats
import UserNetwork

/// This program's end of a link whose frames pass through it.
struct LinkSocket: Sendable {
    /// Message boundaries are frames.
    var descriptor: Int32
    /// Before every Ethernet frame stands a `VirtioNetHeader`, and the instance's offloads are in use. Otherwise (QEMU) there is neither.
    var hasHeaders: Bool
}

/// Who carries the frames of a link inside this program, on a thread of its own.
protocol LinkPeer: Sendable {
    /// Returns when the other end of the socket is closed, or nothing can be carried any more.
    func serve(_ socket: LinkSocket)
}

/// What user-mode networking is told.
struct UserNetworkSettings: Sendable {
    var macAddress: MACAddress
    var publishedPorts: [PublishedPort]
    var hostname: String?
    /// Where every frame is recorded, if anywhere.
    var capturePath: String?
}
