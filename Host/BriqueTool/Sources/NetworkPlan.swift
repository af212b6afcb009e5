import NetFormats
import UserNetwork

/// What an instance is connected to, and what it is told of it: the options of `brique run`, checked.
struct NetworkPlan: Equatable, Sendable {
    /// What is at the other end of a link.
    enum Attachment: Equatable, Sendable {
        /// This program itself: user-mode networking.
        case user
        /// A TAP of this machine.
        case tap(name: String)
        /// A TAP made for the instance, on a bridge of this machine.
        case bridge(name: String)
    }

    struct Link: Equatable, Sendable {
        var attachment: Attachment
        var macAddress: MACAddress
    }

    /// `BRIQUE_LINK_LIMIT`.
    static let linkLimit = 4

    var links: [Link] = []
    var publishedPorts: [PublishedPort] = []
    /// Where every frame is recorded, if anywhere.
    var capturePath: String?
    var hostname: String?
    /// `K=V` words for the instance: BRIQUE_IP and its kin, see docs/network.md.
    var variables: [String] = []

    static let none = NetworkPlan()
}
