import Bytes
import NetFormats

/// Where a datagram came from, and to which address of ours.
public struct DatagramOrigin: Equatable, Sendable {
    public var source: SocketAddress
    public var destination: IPAddress
    public var interface: UInt32
}

/// Datagrams in the order of their arrival, one after another in one buffer: nothing is allocated once the buffer has grown.
struct DatagramQueue {
    private struct Record {
        var origin: DatagramOrigin
        var start: Int
        var byteCount: Int
    }

    private var bytes: [UInt8] = []
    private var records: [Record] = []
    private var first = 0
    private(set) var count = 0
    private(set) var byteCount = 0

    var isEmpty: Bool { count == 0 }

    /// False: `byteLimit` is reached, and the datagram dropped.
    mutating func append(_ datagram: RawSpan, from origin: DatagramOrigin, byteLimit: Int, countLimit: Int) -> Bool {
        guard count < countLimit, byteCount + datagram.byteCount <= byteLimit else { return false }
        guard let start = place(datagram.byteCount, byteLimit: byteLimit) else { return false }
        bytes.replace(from: start, with: datagram)
        if count == records.count { growRecords() }
        records[(first + count) % records.count] = Record(origin: origin, start: start, byteCount: datagram.byteCount)
        count += 1
        byteCount += datagram.byteCount
        return true
    }

    /// The oldest datagram, during `body` only. nil if there is none.
    mutating func removeFirst<Result>(_ body: (RawSpan, DatagramOrigin) -> Result) -> Result? {
        guard count > 0 else { return nil }
        let record = records[first]
        let result = body(bytes.raw.extracting(record.start..<record.start + record.byteCount), record.origin)
        drop(record)
        return result
    }

    /// Of the oldest datagram.
    var firstByteCount: Int { count > 0 ? records[first].byteCount : 0 }

    /// Copies as much of the oldest datagram as fits; nil if there is none.
    @_lifetime(target: copy target)
    mutating func copyFirst(into target: inout MutableRawSpan, isPeek: Bool) -> (byteCount: Int, origin: DatagramOrigin)? {
        guard count > 0 else { return nil }
        let record = records[first]
        let copied = min(record.byteCount, target.byteCount)
        target.replace(from: 0, with: bytes.raw.extracting(record.start..<record.start + copied))
        if !isPeek { drop(record) }
        return (record.byteCount, record.origin)
    }

    private mutating func drop(_ record: Record) {
        first = (first + 1) % records.count
        count -= 1
        byteCount -= record.byteCount
        if count == 0, bytes.count > 4096 {
            bytes = []
            records = []
            first = 0
        }
    }

    /// Where `wanted` bytes fit in one piece, behind the youngest record or at the front.
    private mutating func place(_ wanted: Int, byteLimit: Int) -> Int? {
        guard count > 0 else {
            if bytes.count < wanted { bytes = [UInt8](repeating: 0, count: max(wanted, 2048)) }
            return 0
        }
        let oldest = records[first]
        let youngest = records[(first + count - 1) % records.count]
        let end = youngest.start + youngest.byteCount
        if youngest.start >= oldest.start {
            if bytes.count - end >= wanted { return end }
            if oldest.start >= wanted { return 0 }
            // Twice the limit, so that a hole at the end never refuses what the limit allows.
            let target = min(max(bytes.count * 2, end + wanted), 2 * byteLimit)
            guard target >= end + wanted else { return nil }
            bytes.append(contentsOf: repeatElement(0, count: target - bytes.count))
            return end
        }
        return oldest.start - end >= wanted ? end : nil
    }

    private mutating func growRecords() {
        var larger: [Record] = []
        larger.reserveCapacity(max(8, count * 2))
        for index in 0..<count { larger.append(records[(first + index) % records.count]) }
        let filler = Record(
            origin: DatagramOrigin(source: SocketAddress(IPv4Address(rawValue: 0), port: 0), destination: .v4(.unspecified), interface: 0),
            start: 0, byteCount: 0)
        while larger.count < max(8, count * 2) { larger.append(filler) }
        records = larger
        first = 0
    }
}
