import Bytes
import DMAMemory
import NetFormats
import NetworkLink
import RegisterBank
import VirtioFormat
import VirtioTransport
import Virtqueue

/// The driver of a virtio network device (virtio 1.3 §5.1), a link for the stack.
///
/// A frame is copied once: into transmit slots, or, when its receive buffers do not follow each other in memory, out of them.
public final class VirtioNetDriver<Bank: RegisterBank>: NetworkLink {
    public let macAddress: MACAddress
    public let maximumTransmissionUnit: Int
    public let offloads: LinkOffloads
    public let features: VirtioFeatures

    let configuration: VirtioNetConfiguration
    private let registers: Bank
    private let device: ReadyDevice<Bank>
    private let receiveBuffers: SharedMemory
    private let transmitSlots: SharedMemory
    private var receiveQueue: ChainQueue
    private var transmitQueue: ChainQueue
    private let receiveCount: Int
    /// Slots that no frame is in, a stack.
    private var freeSlots: [UInt16]
    /// The slot that follows in the same frame; its own number ends it.
    private var nextSlot: [UInt16]
    /// For frames whose buffers are scattered.
    private var assembly: [UInt8] = []

    /// The device broke the rules: it is not listened to any more.
    public private(set) var isBroken = false
    /// Frames that found no room, and such as made no sense.
    public private(set) var droppedFrameCount = 0

    static var receiveIndex: UInt32 { VirtioNet.receiveQueue }
    static var transmitIndex: UInt32 { VirtioNet.transmitQueue }

    /// Starts the device behind `probed`, whose configuration space is `registers`.
    ///
    /// - Parameter memory: zeroed, 16-byte aligned, of `configuration.memoryByteCount` bytes.
    public convenience init(
        _ probed: consuming ProbedDevice<Bank>, registers: Bank, memory: SharedMemory, configuration: VirtioNetConfiguration
    ) throws(NegotiationError) {
        self.init(try Self.start(probed, memory, configuration), registers, memory, configuration)
    }

    private init(
        _ started: consuming StartedDevice<Bank>, _ registers: Bank, _ memory: SharedMemory, _ configuration: VirtioNetConfiguration
    ) {
        let features = started.features
        self.features = features
        self.registers = registers
        self.configuration = configuration
        offloads = Self.offloads(features, configuration)
        macAddress = features.contains(.netAddress) ? Self.readAddress(registers) : MACAddress(rawValue: 0x5254_0000_0001)
        // Anything below what IPv4 asks of a link is no MTU (RFC 791 §3.2).
        let unit = features.contains(.netMTU) ? Int(registers.read(VirtioNet.maximumTransmissionUnitOffset, .word) & 0xffff) : 1500
        maximumTransmissionUnit = unit >= 68 ? unit : 1500
        let places = configuration.places
        receiveBuffers = memory.slice(at: places.receiveBuffers, byteCount: places.transmitSlots &- places.receiveBuffers)
        transmitSlots = memory.slice(at: places.transmitSlots, byteCount: places.end &- places.transmitSlots)
        receiveCount = started.receiveQueue.size
        let slotCount = started.transmitQueue.size
        freeSlots = (0..<UInt16(slotCount)).reversed()
        nextSlot = [UInt16](repeating: 0, count: slotCount)
        receiveQueue = started.receiveQueue
        transmitQueue = started.transmitQueue
        device = started.device
        transmitQueue.disableInterrupt()
        for buffer in 0..<receiveCount { offer(buffer) }
        publishReceive()
    }

    @inline(never) private static func start(
        _ probed: consuming ProbedDevice<Bank>, _ memory: SharedMemory, _ configuration: VirtioNetConfiguration
    ) throws(NegotiationError) -> StartedDevice<Bank> {
        let negotiated = try probed.negotiate(wanted: configuration.wantedFeatures)
        let features = negotiated.features
        let places = configuration.places
        let hasEventIndex = features.contains(.eventIndex)
        let receiveCount = min(configuration.receiveBufferCount, power(negotiated.maximumSize(queue: receiveIndex)))
        let slotCount = min(configuration.transmitSlotCount, power(negotiated.maximumSize(queue: transmitIndex)))
        // Large segments need buffers that merge, or far larger ones (§5.1.6.3.1).
        let isMerging = features.contains(.netMergeableBuffers) || features.isDisjoint(with: [.netGuestTSO4, .netGuestTSO6])
        if !isMerging { throw .featuresRefused }
        if receiveCount == 0 || slotCount == 0 { throw .queueRefused }
        let receiveQueue = ChainQueue(
            size: receiveCount, in: memory.slice(at: 0, byteCount: places.transmitQueue), hasEventIndex: hasEventIndex)
        let transmitQueue = ChainQueue(
            size: slotCount, in: memory.slice(at: places.transmitQueue, byteCount: places.receiveBuffers &- places.transmitQueue),
            hasEventIndex: hasEventIndex)
        try negotiated.configure(queue: receiveIndex, receiveQueue)
        try negotiated.configure(queue: transmitIndex, transmitQueue)
        return StartedDevice(features: features, device: negotiated.start(), receiveQueue: receiveQueue, transmitQueue: transmitQueue)
    }

    private static func power(_ size: Int) -> Int {
        let bounded = min(size, ChainQueue.sizeLimit)
        return bounded <= 0 ? 0 : 1 &<< (Int.bitWidth &- 1 &- bounded.leadingZeroBitCount)
    }

    private static func offloads(_ features: VirtioFeatures, _ configuration: VirtioNetConfiguration) -> LinkOffloads {
        var offloads: LinkOffloads = []
        if features.contains(.netChecksum) {
            offloads.insert(.transmitChecksum)
            if features.contains(.netHostTSO4) { offloads.insert(.segmentation4) }
            if features.contains(.netHostTSO6) { offloads.insert(.segmentation6) }
        }
        if features.contains(.netGuestChecksum) { offloads.insert(.receiveChecksum) }
        if !features.isDisjoint(with: [.netGuestTSO4, .netGuestTSO6]) { offloads.insert(.largeReceive) }
        return offloads
    }

    private static func readAddress(_ registers: Bank) -> MACAddress {
        var value: UInt64 = 0
        for index in 0..<MACAddress.byteCount {
            value = value << 8 | UInt64(registers.read(VirtioNet.addressOffset &+ index, .byte) & 0xff)
        }
        return MACAddress(rawValue: value)
    }

    /// False: the cable is out (§5.1.4).
    public var isUp: Bool {
        !features.contains(.netStatus) || registers.read(VirtioNet.statusOffset, .word) & VirtioNet.statusLinkUp != 0
    }

    // MARK: Sending

    public func transmit(_ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, _ offload: TransmitOffload) -> Bool {
        let byteCount = VirtioNetHeader.byteCount &+ headers.byteCount &+ payload.byteCount &+ rest.byteCount
        let slotByteCount = configuration.slotByteCount
        let slotCount = (byteCount &+ slotByteCount &- 1) / slotByteCount
        if freeSlots.count < slotCount { reclaim() }
        guard !isBroken, headers.byteCount >= EthernetHeader.byteCount, byteCount <= VirtioNetConfiguration.frameByteLimit,
            slotCount <= freeSlots.count
        else {
            droppedFrameCount &+= 1
            return false
        }
        var header = InlineArray<12, UInt8>(repeating: 0)
        var span = header.mutableSpan
        var writer = ByteWriter(&span)
        try? VirtioNetHeader(offload).write(into: &writer)
        var cursor = SlotCursor(slot: takeSlot(nil))
        let head = cursor.slot
        fill(header.span.raw, &cursor)
        fill(headers, &cursor)
        fill(payload, &cursor)
        fill(rest, &cursor)
        endSlot(cursor, next: nil)
        transmitQueue.offer(Int(head), writableByteCount: 0)
        return true
    }

    /// Copies `bytes` into slots, taking as many more as they need.
    private func fill(_ bytes: RawSpan, _ cursor: inout SlotCursor) {
        let slotByteCount = configuration.slotByteCount
        var done = 0
        while done < bytes.byteCount {
            if cursor.byteCount == slotByteCount {
                let next = takeSlot(cursor.slot)
                endSlot(cursor, next: Int(next))
                cursor = SlotCursor(slot: next)
            }
            let count = min(bytes.byteCount &- done, slotByteCount &- cursor.byteCount)
            transmitSlots.copy(
                bytes.extracting(done..<done &+ count), to: Int(cursor.slot) &* slotByteCount &+ cursor.byteCount)
            cursor.byteCount &+= count
            done &+= count
        }
    }

    private func takeSlot(_ previous: UInt16?) -> UInt16 {
        let slot = freeSlots.removeLast()
        nextSlot[Int(slot)] = slot
        if let previous { nextSlot[Int(previous)] = slot }
        return slot
    }

    private func endSlot(_ cursor: SlotCursor, next: Int?) {
        let address = transmitSlots.deviceAddress &+ UInt64(Int(cursor.slot) &* configuration.slotByteCount)
        transmitQueue.set(Int(cursor.slot), address: address, byteCount: cursor.byteCount, isWritable: false, next: next)
    }

    /// Takes back the slots of frames that were sent.
    private func reclaim() {
        do throws(VirtqueueError) {
            while let used = try transmitQueue.takeUsed() {
                var slot = UInt16(used.head)
                while true {
                    freeSlots.append(slot)
                    let next = nextSlot[Int(slot)]
                    if next == slot { break }
                    slot = next
                }
            }
        } catch { isBroken = true }
        transmitQueue.disableInterrupt()
    }

    public func flush() {
        if !isBroken, transmitQueue.publish() { device.notify(queue: Self.transmitIndex) }
    }

    // MARK: Receiving

    private func offer(_ buffer: Int) {
        let byteCount = configuration.bufferByteCount
        receiveQueue.set(
            buffer, address: receiveBuffers.deviceAddress &+ UInt64(buffer &* byteCount), byteCount: byteCount, isWritable: true)
        receiveQueue.offer(buffer, writableByteCount: byteCount)
    }

    private func publishReceive() {
        if receiveQueue.publish() { device.notify(queue: Self.receiveIndex) }
    }

    public func receive(limit: Int, _ body: (RawSpan, ReceiveOffload) -> Void) -> Int {
        var count = 0
        do throws(VirtqueueError) {
            while count < limit, !isBroken, let first = try receiveQueue.takeUsed() {
                if try take(first, body) { count &+= 1 } else { droppedFrameCount &+= 1 }
            }
        } catch { isBroken = true }
        if !isBroken { publishReceive() }
        return count
    }

    /// One frame, which begins in the buffer `first`. False: it makes no sense.
    private func take(_ first: (head: Int, byteCount: Int), _ body: (RawSpan, ReceiveOffload) -> Void) throws(VirtqueueError) -> Bool {
        let start = first.head &* configuration.bufferByteCount
        let header = receiveBuffers.withBytes(at: start, byteCount: first.byteCount) { bytes -> VirtioNetHeader? in
            var reader = ByteReader(bytes)
            return try? VirtioNetHeader(parsing: &reader)
        }
        guard let header else {
            offer(first.head)
            return false
        }
        let isMerged = features.contains(.netMergeableBuffers) && header.bufferCount > 1
        guard isMerged else {
            receiveBuffers.withBytes(at: start, byteCount: first.byteCount) { bytes in
                body(bytes.extracting(droppingFirst: VirtioNetHeader.byteCount), header.receiveOffload)
            }
            offer(first.head)
            return true
        }
        return try takeMerged(first, header, body)
    }

    private func takeMerged(
        _ first: (head: Int, byteCount: Int), _ header: VirtioNetHeader, _ body: (RawSpan, ReceiveOffload) -> Void
    ) throws(VirtqueueError) -> Bool {
        guard Int(header.bufferCount) <= receiveCount else { throw .lengthBeyondBuffer }
        let bufferByteCount = configuration.bufferByteCount
        var pieces = InlineArray<256, UInt16>(repeating: 0)
        pieces[0] = UInt16(first.head)
        var byteCounts = InlineArray<256, UInt16>(repeating: 0)
        byteCounts[0] = UInt16(first.byteCount)
        var byteCount = first.byteCount
        var isAdjacent = true
        for index in 1..<Int(header.bufferCount) {
            // §5.1.6.4: all buffers of a frame are used at once.
            guard let piece = try receiveQueue.takeUsed() else { throw .indexJump }
            if piece.head != Int(pieces[index &- 1]) &+ 1 || Int(byteCounts[index &- 1]) != bufferByteCount { isAdjacent = false }
            pieces[index] = UInt16(piece.head)
            byteCounts[index] = UInt16(piece.byteCount)
            byteCount &+= piece.byteCount
        }
        let isSensible = byteCount <= VirtioNetConfiguration.frameByteLimit
        if isSensible, isAdjacent {
            receiveBuffers.withBytes(at: first.head &* bufferByteCount, byteCount: byteCount) { bytes in
                body(bytes.extracting(droppingFirst: VirtioNetHeader.byteCount), header.receiveOffload)
            }
        } else if isSensible {
            assembly.removeAll(keepingCapacity: true)
            assembly.reserveCapacity(VirtioNetConfiguration.frameByteLimit)
            for index in 0..<Int(header.bufferCount) {
                receiveBuffers.withBytes(at: Int(pieces[index]) &* bufferByteCount, byteCount: Int(byteCounts[index])) { bytes in
                    assembly.append(bytes)
                }
            }
            // Taken out, so that nothing that `body` does touches it.
            var frame: [UInt8] = []
            swap(&frame, &assembly)
            body(frame.raw.extracting(droppingFirst: VirtioNetHeader.byteCount), header.receiveOffload)
            swap(&frame, &assembly)
        }
        for index in 0..<Int(header.bufferCount) { offer(Int(pieces[index])) }
        return isSensible
    }

    // MARK: Waiting

    /// Frames are there to be received.
    public var hasReceived: Bool { !isBroken && receiveQueue.hasUsed }

    /// To be called before the last look before a sleep: what comes after it interrupts. True: there is something already.
    public func prepareWait() -> Bool {
        flush()
        device.acknowledgeInterrupt()
        return !isBroken && receiveQueue.enableInterrupt()
    }

    /// While frames are looked for anyway, interrupts are only in the way.
    public func endWait() { receiveQueue.disableInterrupt() }
}

/// Where the next byte of a frame goes.
private struct SlotCursor {
    let slot: UInt16
    var byteCount = 0
}

/// A device at work, and its queues.
private struct StartedDevice<Bank: RegisterBank>: ~Copyable {
    let features: VirtioFeatures
    let device: ReadyDevice<Bank>
    let receiveQueue: ChainQueue
    let transmitQueue: ChainQueue
}
