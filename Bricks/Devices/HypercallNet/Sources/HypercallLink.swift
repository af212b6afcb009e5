import BootFormat
import Bytes
import Hypercalls
import NetFormats
import NetworkLink
import VirtioFormat

/// A network link of one of our monitors: gathers frames that go out, and sends, receives and waits in one hypercall.
public final class HypercallLink: NetworkLink {
    /// How much memory a link takes, and what a hypercall costs.
    public struct Configuration: Equatable, Sendable {
        /// For frames that go out and are copied.
        public var gatherByteCount: Int
        /// For frames that come in.
        public var regionByteCount: Int
        /// A call is a function call: frames go out at once, large ones without a copy. Otherwise a call leaves the virtual machine,
        /// and frames wait for the next `wait`.
        public var isCallCheap: Bool

        public init(gatherByteCount: Int, regionByteCount: Int, isCallCheap: Bool) {
            self.gatherByteCount = gatherByteCount
            self.regionByteCount = regionByteCount
            self.isCallCheap = isCallCheap
        }

        /// For an instance of so much memory: a sixteenth of it at most, where that is enough for one large frame.
        public static func fitting(memoryByteCount: Int, isCallCheap: Bool) -> Configuration {
            if memoryByteCount < 8 << 20 {
                return Configuration(gatherByteCount: 16 << 10, regionByteCount: 80 << 10, isCallCheap: isCallCheap)
            }
            let size = memoryByteCount < 64 << 20 ? 256 << 10 : 512 << 10
            return Configuration(gatherByteCount: isCallCheap ? 64 << 10 : size, regionByteCount: size, isCallCheap: isCallCheap)
        }
    }

    /// Payloads of at least so many bytes are not copied where calls are cheap.
    static var directByteCount: Int { 4096 }
    /// How long a wait is when the link refuses to be waited for: its other end is down.
    private static var retryNanoseconds: UInt64 { 100_000_000 }

    public let index: Int
    public let macAddress: MACAddress
    public let maximumTransmissionUnit: Int
    public let offloads: LinkOffloads
    private let configuration: Configuration
    private let memory: ExchangeMemory

    /// Buffers in the table, and bytes gathered for them.
    private var bufferCount = 0
    private var gatheredByteCount = 0
    /// Frames in the region: those before `nextFrame` were given away.
    private var frameCount = 0
    private var nextFrame = 0
    private var mayHaveMore = false

    /// Frames that found no room, and exchanges that the platform refused.
    public private(set) var droppedFrameCount = 0
    public private(set) var failedExchangeCount = 0
    public private(set) var exchangeCount = 0

    /// The platform's link `index`; nil if there is none.
    public init?(index: Int, configuration: Configuration) {
        guard let information = Hypercalls.linkInformation(index) else { return nil }
        self.index = index
        self.configuration = configuration
        macAddress = MACAddress(rawValue: information.address)
        maximumTransmissionUnit = information.maximumTransmissionUnit
        offloads = LinkOffloads(rawValue: information.offloads)
        let regionByteCount = max(configuration.regionByteCount, (information.frameByteCount + 15) & ~15)
        memory = ExchangeMemory(gatherByteCount: configuration.gatherByteCount, regionByteCount: regionByteCount)
    }

    // MARK: Sending

    public func transmit(_ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, _ offload: TransmitOffload) -> Bool {
        let header = VirtioNetHeader(offload)
        let dataByteCount = payload.byteCount + rest.byteCount
        let byteCount = VirtioNetHeader.byteCount + headers.byteCount + dataByteCount
        guard headers.byteCount >= EthernetHeader.byteCount, byteCount <= Int(BRIQUE_FRAME_BYTES) else { return drop() }
        let isDirect = byteCount > memory.gatherByteCount || configuration.isCallCheap && dataByteCount >= Self.directByteCount
        if isDirect { return transmitAtOnce(header, headers, payload, rest) }
        if byteCount > memory.gatherByteCount - gatheredByteCount || bufferCount == ExchangeMemory.bufferLimit { send() }
        guard bufferCount < ExchangeMemory.bufferLimit, memory.gather(header, headers, payload, rest, at: gatheredByteCount) else {
            return drop()
        }
        memory.setBuffer(bufferCount, gatheredAt: gatheredByteCount, byteCount: byteCount)
        bufferCount += 1
        gatheredByteCount += byteCount
        return true
    }

    /// With what was gathered before; the payload is read from where it is.
    private func transmitAtOnce(_ header: VirtioNetHeader, _ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan) -> Bool {
        let byteCount = VirtioNetHeader.byteCount + headers.byteCount
        if bufferCount > ExchangeMemory.bufferLimit - 3 || byteCount > memory.gatherByteCount - gatheredByteCount { send() }
        let nothing = payload.extracting(first: 0)
        guard bufferCount <= ExchangeMemory.bufferLimit - 3, memory.gather(header, headers, nothing, nothing, at: gatheredByteCount)
        else { return drop() }
        let first = bufferCount
        let hasRest = rest.byteCount > 0
        memory.setBuffer(first, gatheredAt: gatheredByteCount, byteCount: byteCount, continues: true)
        memory.setBuffer(first + 1, borrowed: payload, continues: hasRest)
        if hasRest { memory.setBuffer(first + 2, borrowed: rest, continues: false) }
        bufferCount = first + (hasRest ? 3 : 2)
        gatheredByteCount += byteCount
        send()
        guard bufferCount > 0 else { return true }
        // The link is full. The payload is the caller's again, so this frame, the last one, is not kept.
        bufferCount -= hasRest ? 3 : 2
        if bufferCount == 0 { gatheredByteCount = 0 }
        return drop()
    }

    private func drop() -> Bool {
        droppedFrameCount += 1
        return false
    }

    private func send() { _ = exchange(frameCapacity: 0, timeoutNanoseconds: 0, events: []) }

    /// Sends what was gathered where a call is cheap; otherwise the next `wait` does, in the same call as its other work.
    public func flush() {
        if configuration.isCallCheap && bufferCount > 0 { send() }
    }

    /// nil if the platform refused: what was gathered is lost, as on a wire.
    private func exchange(frameCapacity: Int, timeoutNanoseconds: UInt64, events: Events) -> ExchangeResult? {
        exchangeCount += 1
        do throws(HypercallError) {
            let result = try memory.exchange(
                link: index, bufferCount: bufferCount, frameCapacity: frameCapacity, timeoutNanoseconds: timeoutNanoseconds,
                events: events)
            let sentCount = min(result.transmittedCount, bufferCount)
            if sentCount > 0 && sentCount < bufferCount { memory.keepBuffers(sentCount, bufferCount) }
            bufferCount -= sentCount
            if bufferCount == 0 { gatheredByteCount = 0 }
            return result
        } catch {
            failedExchangeCount += 1
            bufferCount = 0
            gatheredByteCount = 0
            return nil
        }
    }

    // MARK: Receiving

    public func receive(limit: Int, _ body: (RawSpan, ReceiveOffload) -> Void) -> Int {
        var count = 0
        while count < limit {
            if nextFrame == frameCount {
                guard mayHaveMore else { break }
                refill(timeoutNanoseconds: 0, events: [])
                if frameCount == 0 { break }
            }
            nextFrame += 1
            if memory.withFrame(nextFrame - 1, body) { count += 1 }
        }
        return count
    }

    /// The next `receive` asks the platform: for a link whose event another link's `wait` returned.
    public func noteReadable() { mayHaveMore = true }

    /// Only when every frame in the region was given away. Returns what is ready.
    private func refill(timeoutNanoseconds: UInt64, events: Events) {
        _ = filled(timeoutNanoseconds: timeoutNanoseconds, events: events)
    }

    private func filled(timeoutNanoseconds: UInt64, events: Events) -> Events? {
        nextFrame = 0
        frameCount = 0
        let result = exchange(frameCapacity: ExchangeMemory.frameLimit, timeoutNanoseconds: timeoutNanoseconds, events: events)
        guard let result else {
            mayHaveMore = false
            return nil
        }
        frameCount = min(result.receivedCount, ExchangeMemory.frameLimit)
        mayHaveMore = result.ready.contains(.link(index))
        return result.ready
    }

    // MARK: Waiting

    /// Sends what was gathered, receives into the region, and if nothing came waits, until one of `events` or of this link's own is
    /// ready or the time is over: all in one call. The link's event in the result says that `receive` has something.
    public func wait(for events: Events, timeoutNanoseconds: UInt64) -> Events {
        let own = Events.link(index)
        if nextFrame < frameCount {
            // Unread frames are in the region: only send, and look.
            let result = exchange(frameCapacity: 0, timeoutNanoseconds: 0, events: events.subtracting(own))
            return (result?.ready ?? []).intersection(events).union(own)
        }
        guard let ready = filled(timeoutNanoseconds: timeoutNanoseconds, events: events.union(own)) else {
            return Hypercalls.wait(
                for: events.subtracting(own), timeoutNanoseconds: min(timeoutNanoseconds, Self.retryNanoseconds))
        }
        return frameCount > 0 ? ready.union(own) : ready
    }
}
