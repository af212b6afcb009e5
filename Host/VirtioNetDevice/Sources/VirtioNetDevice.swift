import DMAMemory
import RegisterBank
import VirtioFormat

/// A virtio network device over MMIO (virtio 1.3 §4.2, §5.1): registers, two queues, and the frames between them and whoever owns it.
///
/// Everything in guest memory and every register access is the driver's and may be anything; what breaks the rules makes the device need
/// a reset, and do nothing until then.
public final class VirtioNetDevice: RegisterBank {
    public static let offeredFeatures: VirtioFeatures = [
        .version1, .eventIndex, .netMergeableBuffers, .netChecksum, .netGuestChecksum, .netGuestTSO4, .netGuestTSO6, .netHostTSO4,
        .netHostTSO6, .netAddress, .netMTU, .netStatus,
    ]

    /// All guest memory; its device address is where the guest's physical memory begins.
    private let memory: SharedMemory
    private let address: UInt64
    private let maximumTransmissionUnit: UInt16
    private let offered: VirtioFeatures

    private var status: VirtioStatus = []
    private var deviceSelect: UInt32 = 0
    private var driverSelect: UInt32 = 0
    private var accepted: UInt64 = 0
    private var queueSelect = 0
    private var queues: InlineArray<2, DeviceQueue> = [DeviceQueue(), DeviceQueue()]
    private var interruptStatus: UInt32 = 0

    /// Frames that found no buffer, and chains that held no frame.
    public private(set) var droppedFrameCount = 0

    public init(
        memory: SharedMemory, address: UInt64, maximumTransmissionUnit: UInt16, offered: VirtioFeatures = VirtioNetDevice.offeredFeatures
    ) {
        self.memory = memory
        self.address = address
        self.maximumTransmissionUnit = maximumTransmissionUnit
        self.offered = offered.union(.version1)
    }

    public var features: VirtioFeatures { VirtioFeatures(rawValue: accepted) }
    public var needsReset: Bool { status.contains(.needsReset) }
    /// The driver has said that it is ready, and has not broken the rules.
    public var isRunning: Bool { status.contains(.driverOK) && !needsReset }
    /// The interrupt line.
    public var isInterrupting: Bool { interruptStatus != 0 }
    private var hasEventIndex: Bool { features.contains(.eventIndex) }

    // MARK: Registers

    public func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 {
        if offset >= VirtioMMIO.configurationOffset { return readConfiguration(offset - VirtioMMIO.configurationOffset, width) }
        switch offset {
        case VirtioMMIO.magicOffset: return VirtioMMIO.magic
        case VirtioMMIO.versionOffset: return VirtioMMIO.version
        case VirtioMMIO.deviceTypeOffset: return VirtioDeviceType.network
        case VirtioMMIO.deviceFeaturesOffset:
            return deviceSelect < 2 ? UInt32(truncatingIfNeeded: offered.rawValue >> UInt64(32 * deviceSelect)) : 0
        case VirtioMMIO.queueSizeMaximumOffset: return queueSelect < 2 ? UInt32(DeviceQueue.sizeLimit) : 0
        case VirtioMMIO.queueReadyOffset: return queueSelect < 2 && queues[queueSelect].isReady ? 1 : 0
        case VirtioMMIO.interruptStatusOffset: return interruptStatus
        case VirtioMMIO.statusOffset: return UInt32(status.rawValue)
        default: return 0
        }
    }

    private func readConfiguration(_ offset: Int, _ width: RegisterWidth) -> UInt32 {
        let count =
            switch width {
            case .byte: 1
            case .word: 2
            case .long: 4
            }
        return (0..<count).reduce(0) { $0 | UInt32(configurationByte(offset + $1)) << UInt32(8 * $1) }
    }

    private func configurationByte(_ offset: Int) -> UInt8 {
        switch offset {
        case 0..<6: UInt8(truncatingIfNeeded: address >> UInt64(40 - 8 * offset))
        case VirtioNet.statusOffset: UInt8(VirtioNet.statusLinkUp)
        case VirtioNet.maximumTransmissionUnitOffset: UInt8(truncatingIfNeeded: maximumTransmissionUnit)
        case VirtioNet.maximumTransmissionUnitOffset + 1: UInt8(maximumTransmissionUnit >> 8)
        default: 0
        }
    }

    public func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) {
        switch offset {
        case VirtioMMIO.deviceFeaturesSelectOffset: deviceSelect = value
        case VirtioMMIO.driverFeaturesSelectOffset: driverSelect = value
        case VirtioMMIO.driverFeaturesOffset: accept(value)
        case VirtioMMIO.queueSelectOffset: queueSelect = Int(value)
        case VirtioMMIO.interruptAcknowledgeOffset: interruptStatus &= ~value
        case VirtioMMIO.statusOffset: setStatus(value)
        default: writeQueue(value, to: offset)
        }
    }

    /// Only before FEATURES_OK (§3.1.1).
    private func accept(_ value: UInt32) {
        guard !status.contains(.featuresOK), driverSelect < 2 else { return }
        let shift = UInt64(32 * driverSelect)
        accepted = accepted & ~(UInt64(UInt32.max) << shift) | UInt64(value) << shift
    }

    private func setStatus(_ value: UInt32) {
        guard value != 0 else { return reset() }
        var new = VirtioStatus(rawValue: UInt8(truncatingIfNeeded: value))
        new.remove(.needsReset)
        // §3.1.1, step 5: features that were not offered, or a legacy driver's, are refused.
        let isAcceptable = accepted & ~offered.rawValue == 0 && features.contains(.version1)
        if new.contains(.featuresOK), !status.contains(.featuresOK), !isAcceptable { new.remove(.featuresOK) }
        if needsReset { new.insert(.needsReset) }
        status = new
    }

    private func reset() {
        status = []
        accepted = 0
        (deviceSelect, driverSelect, queueSelect, interruptStatus) = (0, 0, 0, 0)
        queues = [DeviceQueue(), DeviceQueue()]
    }

    private func writeQueue(_ value: UInt32, to offset: Int) {
        guard queueSelect >= 0, queueSelect < 2 else { return }
        if offset == VirtioMMIO.queueReadyOffset {
            // A queue of no size, or of no power of two, never becomes ready.
            let size = queues[queueSelect].size
            queues[queueSelect].isReady = value == 1 && size > 0 && size & (size - 1) == 0
            return
        }
        guard !queues[queueSelect].isReady else { return }
        switch offset {
        case VirtioMMIO.queueSizeOffset: queues[queueSelect].size = Int(min(value, UInt32(DeviceQueue.sizeLimit)))
        case VirtioMMIO.queueDescriptorsOffset: Self.set(&queues[queueSelect].descriptors, low: value)
        case VirtioMMIO.queueDescriptorsOffset + 4: Self.set(&queues[queueSelect].descriptors, high: value)
        case VirtioMMIO.queueAvailableOffset: Self.set(&queues[queueSelect].available, low: value)
        case VirtioMMIO.queueAvailableOffset + 4: Self.set(&queues[queueSelect].available, high: value)
        case VirtioMMIO.queueUsedOffset: Self.set(&queues[queueSelect].used, low: value)
        case VirtioMMIO.queueUsedOffset + 4: Self.set(&queues[queueSelect].used, high: value)
        default: return
        }
    }

    private static func set(_ address: inout UInt64, low value: UInt32) { address = address & ~0xffff_ffff | UInt64(value) }
    private static func set(_ address: inout UInt64, high value: UInt32) { address = address & 0xffff_ffff | UInt64(value) << 32 }

    // MARK: Frames

    /// Gives at most `limit` frames that the driver sends to `body`, as ranges of guest memory: header, then the Ethernet frame. False
    /// from it: no room, the frame stays. Returns how many were taken.
    public func takeFrames(limit: Int, _ body: ([DeviceRange]) -> Bool) -> Int {
        var count = 0
        attempt { () throws(DeviceQueueError) in
            while count < limit, isRunning {
                guard let chain = try queues[1].pop(writable: false, in: memory) else {
                    if try queues[1].enableNotification(hasEventIndex: hasEventIndex, in: memory) { continue }
                    break
                }
                if chain.byteCount > VirtioNetHeader.byteCount, chain.byteCount <= Self.frameByteLimit {
                    guard body(chain.ranges) else {
                        queues[1].unpop()
                        break
                    }
                    count += 1
                } else {
                    droppedFrameCount += 1
                }
                try queues[1].push(chain.head, byteCount: 0, in: memory)
            }
            if try queues[1].publish(hasEventIndex: hasEventIndex, in: memory) { interruptStatus |= 1 }
        }
        return count
    }

    /// Puts one frame, a header and an Ethernet frame, into the driver's buffers. False: they are too few, and the frame was dropped.
    public func deliver(_ header: VirtioNetHeader, _ frame: RawSpan) -> Bool {
        var isDelivered = false
        let total = VirtioNetHeader.byteCount + frame.byteCount
        attempt { () throws(DeviceQueueError) in
            guard isRunning else { return }
            var chains: [DeviceQueue.Chain] = []
            var room = 0
            while room < total, chains.isEmpty || features.contains(.netMergeableBuffers) {
                guard let chain = try queues[0].pop(writable: true, in: memory) else { break }
                chains.append(chain)
                room += chain.byteCount
            }
            // A header must not be split (§5.1.6.4 sets it in the first buffer whole).
            guard room >= total, chains[0].ranges[0].byteCount >= VirtioNetHeader.byteCount else {
                for _ in chains { queues[0].unpop() }
                return
            }
            try fill(chains, header, frame, total)
            if try queues[0].publish(hasEventIndex: hasEventIndex, in: memory) { interruptStatus |= 1 }
            isDelivered = true
        }
        if !isDelivered { droppedFrameCount += 1 }
        return isDelivered
    }

    private func fill(
        _ chains: [DeviceQueue.Chain], _ header: VirtioNetHeader, _ frame: RawSpan, _ total: Int
    ) throws(DeviceQueueError) {
        var header = header
        header.bufferCount = UInt16(chains.count)
        var done = 0
        for chain in chains {
            var written = 0
            for range in chain.ranges where done < total {
                var place = range
                if done == 0 {
                    write(header, at: range.offset)
                    done = VirtioNetHeader.byteCount
                    written = done
                    place = DeviceRange(offset: range.offset + done, byteCount: range.byteCount - done)
                }
                let start = done - VirtioNetHeader.byteCount
                let count = min(place.byteCount, frame.byteCount - start)
                memory.copy(frame.extracting(start..<start + count), to: place.offset)
                done += count
                written += count
            }
            try queues[0].push(chain.head, byteCount: written, in: memory)
        }
    }

    private func write(_ header: VirtioNetHeader, at offset: Int) {
        let flags = UInt32(header.needsChecksum ? 1 : 0) | (header.isChecksumValid ? 2 : 0)
        let type = UInt32(header.segmentation.rawValue) | (header.hasCongestionMarks ? 0x80 : 0)
        memory.store16(UInt16(flags | type << 8), at: offset)
        memory.store16(header.headerByteCount, at: offset + 2)
        memory.store16(header.segmentSize, at: offset + 4)
        memory.store16(header.checksumStart, at: offset + 6)
        memory.store16(header.checksumOffset, at: offset + 8)
        memory.store16(header.bufferCount, at: offset + 10)
    }

    private static let frameByteLimit = 65562

    /// A driver that breaks the rules stops the device (§2.1.2).
    private func attempt(_ body: () throws(DeviceQueueError) -> Void) {
        do throws(DeviceQueueError) {
            try body()
        } catch {
            status.insert(.needsReset)
            // A configuration change interrupt tells the driver.
            interruptStatus |= 2
        }
    }
}
