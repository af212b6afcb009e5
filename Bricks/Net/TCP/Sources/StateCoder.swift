import Bytes
import NetFormats
import Time

/// Writes the parts of a state, or reads them: one description serves both directions, so that they cannot differ.
struct StateCoder {
    enum Direction { case saving, restoring }

    let direction: Direction
    /// What instants are counted from: the clock of another instance began at another time.
    let now: Instant
    private(set) var bytes: [UInt8]
    private var offset = 0

    /// For saving.
    init(now: Instant) {
        direction = .saving
        self.now = now
        bytes = []
    }

    /// For restoring.
    init(_ bytes: [UInt8], now: Instant) {
        direction = .restoring
        self.now = now
        self.bytes = bytes
    }

    var isAtEnd: Bool { offset == bytes.count }

    mutating func code<Value: FixedWidthInteger & BitwiseCopyable>(_ value: inout Value) throws(FormatError) {
        let byteCount = MemoryLayout<Value>.size
        switch direction {
        case .saving:
            for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: value >> Value(8 * index))) }
        case .restoring:
            guard byteCount <= bytes.count - offset else { throw .truncated }
            var read: Value = 0
            for index in 0..<byteCount { read |= Value(truncatingIfNeeded: bytes[offset + index]) << Value(8 * index) }
            value = read
            offset += byteCount
        }
    }

    /// An integer that lies in `range`, or the state is not one.
    mutating func code(_ value: inout Int, in range: ClosedRange<Int>) throws(FormatError) {
        try code(&value)
        guard range.contains(value) else { throw .invalid }
    }

    mutating func code(_ value: inout Bool) throws(FormatError) {
        var byte: UInt8 = value ? 1 : 0
        try code(&byte)
        guard byte <= 1 else { throw .invalid }
        value = byte == 1
    }

    mutating func code(_ value: inout SequenceNumber) throws(FormatError) { try code(&value.rawValue) }

    mutating func code(_ value: inout Nanoseconds) throws(FormatError) {
        try code(&value.rawValue)
        guard value <= .longest, value.rawValue >= -Nanoseconds.longest.rawValue else { throw .invalid }
    }

    /// Relative to now; "never" stays that.
    mutating func code(_ value: inout Instant) throws(FormatError) {
        var distance = value == .distantFuture ? Int64.max : (value - now).rawValue
        try code(&distance)
        guard direction == .restoring else { return }
        if distance == .max {
            value = .distantFuture
        } else if distance >= 0 {
            value = now + Nanoseconds(rawValue: distance)
        } else {
            value = Instant(nanoseconds: now.nanoseconds - min(now.nanoseconds, distance.magnitude))
        }
    }

    mutating func code(_ value: inout IPAddress) throws(FormatError) {
        var isV6 = false
        var high: UInt64 = 0, low: UInt64 = 0
        switch value {
        case .v4(let address): low = UInt64(address.rawValue)
        case .v6(let address):
            isV6 = true
            high = address.high
            low = address.low
        }
        try code(&isV6)
        try code(&high)
        try code(&low)
        guard direction == .restoring else { return }
        value = isV6 ? .v6(IPv6Address(high: high, low: low)) : .v4(IPv4Address(rawValue: UInt32(truncatingIfNeeded: low)))
    }

    mutating func code(_ value: inout SocketAddress) throws(FormatError) {
        try code(&value.address)
        try code(&value.port)
        try code(&value.zone)
    }

    /// A value that may be missing; `empty` is what is filled in.
    mutating func code<Value>(
        _ value: inout Value?, empty: Value, _ body: (inout StateCoder, inout Value) throws(FormatError) -> Void
    ) throws(FormatError) {
        var isPresent = value != nil
        try code(&isPresent)
        guard isPresent else {
            value = nil
            return
        }
        var present = value ?? empty
        try body(&self, &present)
        value = present
    }

    /// As many elements as there are, at most `limit`.
    mutating func code<Element>(
        _ elements: inout [Element], limit: Int, empty: Element, _ body: (inout StateCoder, inout Element) throws(FormatError) -> Void
    ) throws(FormatError) {
        var count = elements.count
        try code(&count, in: 0...limit)
        if direction == .restoring { elements = [] }
        for index in 0..<count {
            var element = direction == .saving ? elements[index] : empty
            try body(&self, &element)
            if direction == .restoring { elements.append(element) }
        }
    }

    /// The first `byteCount` bytes of a ring.
    mutating func code(_ ring: inout RingBuffer, byteCount: Int) throws(FormatError) {
        switch direction {
        case .saving:
            ring.withBytes(at: 0, count: byteCount) {
                bytes.append($0)
                bytes.append($1)
            }
        case .restoring:
            guard byteCount >= 0, byteCount <= bytes.count - offset else { throw .truncated }
            ring = RingBuffer()
            ring.reserve(byteCount, used: 0)
            ring.store(bytes.rawSpan.extracting(offset..<offset + byteCount), at: 0)
            offset += byteCount
        }
    }
}
