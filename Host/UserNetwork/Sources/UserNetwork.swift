import Bytes
import DHCP
import DNSFormat
import Glibc
import IP
import LinuxSockets
import NetFormats
import PacketCapture
import Random
import Synchronization
import TCP
import Time
import VirtioFormat

/// Why a user network cannot begin.
public enum UserNetworkError: Error, Equatable {
    /// A port of the host is taken or forbidden.
    case cannotPublish(PublishedPort, errno: Int32)
    /// The host refuses what everything needs: epoll, eventfd.
    case hostRefused(errno: Int32)
}

/// A network for one instance, made of the host's ordinary sockets: no privilege, no set-up.
///
/// One thread calls `run()`; `stop()` may be called from any. All else is that thread's own.
public final class UserNetwork: @unchecked Sendable {
    /// Connections at once; further ones are refused with a RST.
    public static let tcpFlowLimit = 16_384
    /// Conversations of UDP and echo at once; the one that has been idle longest makes room.
    public static let datagramFlowLimit = 1024
    /// Bytes that all TCP buffers may hold together, about.
    static let bufferByteCountLimit = 512 << 20
    static let datagramIdleTime = Duration.seconds(60)
    /// Times that a flow is served before the others have their turn.
    static let turnLimit = 4
    static let sweepInterval = Duration.seconds(5)

    let configuration: UserNetworkConfiguration
    let link: InstanceLink
    let poller = Poller()
    let stopEvent: Int32
    let buffer = TransferBuffer(byteCount: 256 << 10)
    let sequenceNumbers: InitialSequenceNumbers
    var listeners: [Listener] = []
    var tcpFlows = NumberedTable<TCPFlow>()
    var datagramFlows = NumberedTable<DatagramFlow>()
    var flows: [FlowKey: Int] = [:]
    var publishedClients: [PublishedClient: Int] = [:]
    /// Flows with something to do.
    var queue: [TCPFlow] = []
    /// Flows that wait until the instance takes more.
    var blockedFlows: [TCPFlow] = []
    var blockedDatagramFlows: [DatagramFlow] = []
    var deadlines = DeadlineQueue()
    var reassembler = Reassembler()
    var dhcp: DHCPv4Server
    var nameServers: [SocketAddress]
    var nameServerIndex = 0
    var instanceHardware: MACAddress?
    var instanceIPv4: IPv4Address?
    var instanceIPv6: IPv6Address?
    var nextSweep = Instant.start
    var nextProbe = Instant.distantFuture
    var nextAdvertisement = Instant.distantFuture
    var nextPort: UInt16 = 32_768
    var packetIdentification: UInt16 = 0
    var now = Instant.start
    var wallTime = WallTime(nanosecondsSince1970: 0)
    var isStopped = false
    private let shownConnectionCount = Atomic<Int>(0)
    private let shownConversationCount = Atomic<Int>(0)

    /// Connections at present. Threads may ask.
    public var connectionCount: Int { shownConnectionCount.load(ordering: .relaxed) }
    /// Conversations of UDP and echo at present. Threads may ask.
    public var conversationCount: Int { shownConversationCount.load(ordering: .relaxed) }

    /// `instanceSocket` is one end of a pair of SOCK_SEQPACKET or SOCK_DGRAM; it stays the caller's. With
    /// `capture`, all frames are recorded.
    public init(
        instanceSocket: Int32, configuration: UserNetworkConfiguration = UserNetworkConfiguration(), published: PublishedSockets? = nil,
        capture: PacketCapture? = nil
    ) throws(UserNetworkError) {
        self.configuration = configuration
        link = InstanceLink(descriptor: instanceSocket, framing: configuration.framing)
        link.capture = capture
        HostSocket.raiseDescriptorLimit()
        stopEvent = brique_event_create()
        var generator = SystemRandomNumberGenerator()
        sequenceNumbers = InitialSequenceNumbers(key: SipHash.Key(using: &generator))
        nameServers = configuration.nameServers.isEmpty ? HostNameServers.read() : configuration.nameServers
        dhcp = DHCPv4Server(configuration: Self.dhcpConfiguration(configuration))
        guard stopEvent >= 0, poller.add(stopEvent, tag: PollTag.stop.rawValue),
            poller.add(instanceSocket, tag: PollTag.instance.rawValue)
        else { throw .hostRefused(errno: errno) }
        listeners = published?.take() ?? []
        for (index, listener) in listeners.enumerated() {
            guard poller.add(listener.socket.descriptor, tag: PollTag.listener(index).rawValue) else { throw .hostRefused(errno: errno) }
        }
    }

    deinit {
        closeAll()
        close(stopEvent)
    }

    /// Serves the instance until `stop()`, or until the other end of its socket is closed.
    public func run() {
        readClock()
        nextSweep = now.advanced(by: Self.sweepInterval)
        while !isStopped, !link.isClosed {
            poller.wait(timeout) { event in handle(event) }
            readClock()
            receiveFrames()
            handleDeadlines()
            resumeTurns()
            serveFlows()
            link.flush()
            shownConnectionCount.store(tcpFlows.count, ordering: .relaxed)
            shownConversationCount.store(datagramFlows.count, ordering: .relaxed)
        }
        closeAll()
    }

    /// Lets `run()` return soon. Threads may call it.
    public func stop() {
        HostSocket(descriptor: stopEvent).signal()
    }

    private func readClock() {
        now = HostClock.monotonic
        if link.capture != nil { wallTime = HostClock.wall }
    }

    /// Nil: until something happens.
    private var timeout: Duration? {
        if !queue.isEmpty || hasMoreFrames || hasBlockedDatagrams || hasWaitingListeners { return .zero }
        var first = min(nextSweep, nextProbe, nextAdvertisement)
        if let deadline = deadlines.first { first = min(first, deadline) }
        return first == .distantFuture ? nil : now.duration(to: first)
    }

    /// The last batch was full: there may be more.
    private var hasMoreFrames = true
    /// Some have had their turn and have more.
    var hasBlockedDatagrams = false
    var hasWaitingListeners = false

    private func receiveFrames() {
        hasMoreFrames = link.receive(at: wallTime) { frame, header in handle(frame, header) } == InstanceLink.receiveLimit
    }

    private func handle(_ event: Poller.Event) {
        switch PollTag(rawValue: event.tag) {
        case .instance:
            if event.isReadable { hasMoreFrames = true }
            if event.isWritable { resumeLink() }
        case .stop: isStopped = isStopped || event.isReadable
        case .listener(let index): if event.isReadable { handleListener(index) }
        case .tcp(let number, let generation):
            guard let flow = tcpFlows[number, generation: generation] else { return }
            if event.isReadable { flow.canRead = true }
            if event.isWritable { flow.canWrite = true }
            if flow.syn != nil { concludeConnect(flow) } else { enqueue(flow) }
        case .datagram(let number, let generation):
            guard let flow = datagramFlows[number, generation: generation] else { return }
            if event.isReadable { receiveDatagrams(flow) }
        case nil: return
        }
    }

    private func resumeTurns() {
        if hasWaitingListeners {
            hasWaitingListeners = false
            acceptWaiting()
        }
        guard hasBlockedDatagrams, !link.isFull else { return }
        hasBlockedDatagrams = false
        resumeDatagrams()
    }

    private func resumeDatagrams() {
        let waiting = blockedDatagramFlows
        blockedDatagramFlows = []
        for flow in waiting { receiveDatagrams(flow) }
    }

    private func resumeLink() {
        link.resume()
        guard !link.isFull else { return }
        let waiting = blockedFlows
        blockedFlows = []
        // They count as queued already.
        queue += waiting
        resumeDatagrams()
    }

    private func handleDeadlines() {
        while let number = deadlines.popDue(now) {
            guard let flow = tcpFlows[number] else { continue }
            flow.scheduled = .distantFuture
            _ = flow.block?.tick(now: now)
            enqueue(flow)
        }
        if now >= nextProbe { probeInstance() }
        if now >= nextAdvertisement { advertiseRouter(to: .allNodes) }
        if now >= nextSweep { sweep() }
    }

    /// Ends what has been idle for too long.
    private func sweep() {
        nextSweep = now.advanced(by: Self.sweepInterval)
        for flow in datagramFlows.all where flow.lastUse.duration(to: now) > Self.datagramIdleTime { remove(flow) }
        reassembler.tick(now: now)
        acceptWaiting()
        // Another server, if the first has not answered since the last time this was asked.
        let hasSilence = datagramFlows.all.contains {
            let idle = $0.lastUse.duration(to: now)
            return $0.isNameQuery && !$0.hasAnswer && idle > .seconds(2) && idle <= .seconds(2) + Self.sweepInterval
        }
        if hasSilence, !nameServers.isEmpty { nameServerIndex = (nameServerIndex + 1) % nameServers.count }
    }

    private func closeAll() {
        for listener in listeners { listener.socket.close() }
        for flow in tcpFlows.all { flow.socket.close() }
        for flow in datagramFlows.all { flow.socket?.close() }
        listeners = []
        tcpFlows = NumberedTable()
        datagramFlows = NumberedTable()
        flows = [:]
        publishedClients = [:]
        (queue, blockedFlows, blockedDatagramFlows) = ([], [], [])
    }
}
