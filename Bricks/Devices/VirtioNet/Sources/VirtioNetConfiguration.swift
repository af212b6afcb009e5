import VirtioFormat
import Virtqueue

/// How much memory a virtio network link takes.
public struct VirtioNetConfiguration: Equatable, Sendable {
    /// A header, an Ethernet header, and the largest packet.
    public static let frameByteLimit = 65562

    /// Powers of two, `ChainQueue.sizeLimit` at most.
    public var receiveBufferCount: Int
    public var transmitSlotCount: Int
    /// Multiples of 16, 32,768 at most; the first holds a header and a frame of the MTU even where buffers are not merged.
    public var bufferByteCount: Int
    public var slotByteCount: Int

    public init(receiveBufferCount: Int, transmitSlotCount: Int, bufferByteCount: Int, slotByteCount: Int) {
        self.receiveBufferCount = receiveBufferCount
        self.transmitSlotCount = transmitSlotCount
        self.bufferByteCount = bufferByteCount
        self.slotByteCount = slotByteCount
    }

    /// For an instance of so much memory.
    public static func fitting(memoryByteCount: Int) -> VirtioNetConfiguration {
        if memoryByteCount < 8 << 20 {
            return VirtioNetConfiguration(receiveBufferCount: 32, transmitSlotCount: 32, bufferByteCount: 2048, slotByteCount: 2048)
        }
        return VirtioNetConfiguration(receiveBufferCount: 128, transmitSlotCount: 128, bufferByteCount: 4096, slotByteCount: 4096)
    }

    struct Places {
        var transmitQueue, receiveBuffers, transmitSlots, end: Int
    }

    /// Offsets in the link's memory; the receive queue is at 0.
    var places: Places {
        let transmitQueue = ChainQueue.byteCount(size: receiveBufferCount)
        let receiveBuffers = (transmitQueue &+ ChainQueue.byteCount(size: transmitSlotCount) &+ 4095) & ~4095
        let transmitSlots = receiveBuffers &+ receiveBufferCount &* bufferByteCount
        return Places(
            transmitQueue: transmitQueue, receiveBuffers: receiveBuffers, transmitSlots: transmitSlots,
            end: transmitSlots &+ transmitSlotCount &* slotByteCount)
    }

    public var memoryByteCount: Int { places.end }

    /// Large segments only where two of them have room: a frame that never fits would stop the queue.
    var wantedFeatures: VirtioFeatures {
        var features: VirtioFeatures = [
            .eventIndex, .netMergeableBuffers, .netChecksum, .netGuestChecksum, .netAddress, .netMTU, .netStatus,
        ]
        let enough = 2 &* Self.frameByteLimit
        if receiveBufferCount &* bufferByteCount >= enough { features.formUnion([.netGuestTSO4, .netGuestTSO6]) }
        if transmitSlotCount &* slotByteCount >= enough { features.formUnion([.netHostTSO4, .netHostTSO6]) }
        return features
    }
}
