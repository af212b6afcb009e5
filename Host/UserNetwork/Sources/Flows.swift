import NetFormats
import TCP
import Time

/// What tells one conversation of the instance from another.
struct FlowKey: Hashable {
    var transport: IPProtocol
    var instance: SocketAddress
    /// As the instance sees it.
    var remote: SocketAddress
}

/// A TCP connection: one half ends here, in a control block, the other is a socket of the host.
final class TCPFlow {
    let key: FlowKey
    let socket: HostSocket
    /// While the host's half connects: the instance's SYN, not yet answered.
    var syn: TCPHeader?
    var block: TCPControlBlock?
    var canRead = false
    var canWrite = false
    /// The host's peer has sent its FIN.
    var hasHostEnded = false
    /// Ours has been sent to the host's peer.
    var isShutDown = false
    var isQueued = false
    /// The earliest entry in the queue of deadlines.
    var scheduled = Instant.distantFuture
    var number = 0

    init(key: FlowKey, socket: HostSocket) {
        self.key = key
        self.socket = socket
    }
}

/// A conversation of UDP or echo.
final class DatagramFlow {
    enum Kind {
        /// A socket of its own, connected to the remote end.
        case own(HostSocket)
        /// An echo socket, connected; the kernel has its own identifier.
        case echo(HostSocket)
        /// A client of a published port.
        case published(listener: Int, client: SocketAddress)
    }

    let key: FlowKey
    let kind: Kind
    /// To the host's name servers, in whose place the instance knows another address.
    let isNameQuery: Bool
    var lastUse: Instant
    var hasAnswer = false
    var number = 0

    init(key: FlowKey, kind: Kind, isNameQuery: Bool = false, now: Instant) {
        self.key = key
        self.kind = kind
        self.isNameQuery = isNameQuery
        lastUse = now
    }

    var socket: HostSocket? {
        switch kind {
        case .own(let socket), .echo(let socket): socket
        case .published: nil
        }
    }
}

/// Things with numbers that are used again, each time with another generation.
struct NumberedTable<Element: AnyObject> {
    private var slots: [(generation: UInt32, element: Element?)] = []
    private var free: [Int] = []
    private(set) var count = 0

    /// The number under which `element` is found.
    mutating func insert(_ element: Element) -> Int {
        count += 1
        if let index = free.popLast() {
            slots[index].element = element
            return index
        }
        slots.append((0, element))
        return slots.count - 1
    }

    mutating func remove(_ index: Int) {
        guard slots[index].element != nil else { return }
        slots[index] = (slots[index].generation &+ 1, nil)
        free.append(index)
        count -= 1
    }

    func generation(_ index: Int) -> UInt32 { slots[index].generation }

    subscript(index: Int) -> Element? { slots.indices.contains(index) ? slots[index].element : nil }

    /// Nil if the number has been given to another since.
    subscript(index: Int, generation generation: UInt32) -> Element? {
        guard slots.indices.contains(index), slots[index].generation & 0xff_ffff == generation else { return nil }
        return slots[index].element
    }

    var all: [Element] { slots.compactMap(\.element) }
}

/// What a descriptor in the poller belongs to.
enum PollTag {
    case instance
    case stop
    case listener(Int)
    case tcp(Int, generation: UInt32)
    case datagram(Int, generation: UInt32)

    var rawValue: UInt64 {
        switch self {
        case .instance: 0
        case .stop: 1 << 56
        case .listener(let index): 2 << 56 | UInt64(index)
        case .tcp(let index, let generation): 3 << 56 | UInt64(generation & 0xff_ffff) << 32 | UInt64(index)
        case .datagram(let index, let generation): 4 << 56 | UInt64(generation & 0xff_ffff) << 32 | UInt64(index)
        }
    }

    init?(rawValue: UInt64) {
        let index = Int(rawValue & 0xffff_ffff)
        let generation = UInt32(rawValue >> 32 & 0xff_ffff)
        switch rawValue >> 56 {
        case 0: self = .instance
        case 1: self = .stop
        case 2: self = .listener(index)
        case 3: self = .tcp(index, generation: generation)
        case 4: self = .datagram(index, generation: generation)
        default: return nil
        }
    }
}
