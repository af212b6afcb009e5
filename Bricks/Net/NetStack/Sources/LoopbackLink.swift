import Bytes
import NetFormats
import NetworkLink

/// The link from a stack to itself: what is sent arrives, without a checksum, as large as a packet can be.
final class LoopbackLink: NetworkLink {
    /// Frames on their way; further ones are dropped, as from a full queue.
    static let maximumFrameCount = 256
    /// Buffers above this size are given back when they have been read.
    static let keptByteCount = 2048

    private struct Frame {
        var bytes: [UInt8] = []
        var offload = ReceiveOffload.none
    }

    private var frames: [Frame] = []
    private var first = 0
    private var count = 0

    let macAddress = MACAddress(rawValue: 0)
    let maximumTransmissionUnit = 65_535
    let offloads: LinkOffloads = [.transmitChecksum, .receiveChecksum]

    var isEmpty: Bool { count == 0 }

    func transmit(_ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, _ offload: TransmitOffload) -> Bool {
        guard count < Self.maximumFrameCount else { return false }
        if count == frames.count { grow() }
        let index = (first + count) % frames.count
        frames[index].bytes.removeAll(keepingCapacity: true)
        frames[index].bytes.append(headers)
        frames[index].bytes.append(payload)
        frames[index].bytes.append(rest)
        let isPartial = offload.checksumStart > 0
        frames[index].offload = ReceiveOffload(isChecksumValid: true, isChecksumPartial: isPartial)
        count += 1
        return true
    }

    func flush() {}

    func receive(limit: Int, _ body: (RawSpan, ReceiveOffload) -> Void) -> Int {
        // What `body` sends is for the next call: otherwise an echo would never end.
        let arrived = min(limit, count)
        for _ in 0..<arrived {
            let bytes = frames[first].bytes
            frames[first].bytes = []
            let offload = frames[first].offload
            let position = first
            first = (first + 1) % frames.count
            count -= 1
            body(bytes.raw, offload)
            if bytes.capacity <= Self.keptByteCount, frames[position].bytes.capacity == 0 { frames[position].bytes = bytes }
        }
        return arrived
    }

    private func grow() {
        var larger: [Frame] = []
        for index in 0..<count { larger.append(frames[(first + index) % frames.count]) }
        while larger.count < max(8, count * 2) { larger.append(Frame()) }
        frames = larger
        first = 0
    }
}
