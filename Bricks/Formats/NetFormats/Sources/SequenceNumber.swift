/// A place in TCP's sequence space: arithmetic and order are modulo 2^32 (RFC 9293 §3.4).
///
/// The order is only meaningful for numbers less than 2^31 apart, so there is no `Comparable`.
public struct SequenceNumber: Hashable, Sendable {
    public var rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inlinable
    public static func + (a: SequenceNumber, b: Int) -> SequenceNumber {
        SequenceNumber(rawValue: a.rawValue &+ UInt32(truncatingIfNeeded: b))
    }

    @inlinable
    public static func - (a: SequenceNumber, b: Int) -> SequenceNumber {
        SequenceNumber(rawValue: a.rawValue &- UInt32(truncatingIfNeeded: b))
    }

    /// How far `a` is behind `b`'s place, negative if it comes earlier.
    @inlinable
    public static func - (a: SequenceNumber, b: SequenceNumber) -> Int {
        Int(Int32(bitPattern: a.rawValue &- b.rawValue))
    }

    @inlinable public static func += (a: inout SequenceNumber, b: Int) { a = a + b }
    @inlinable public static func -= (a: inout SequenceNumber, b: Int) { a = a - b }

    @inlinable public static func < (a: SequenceNumber, b: SequenceNumber) -> Bool { a - b < 0 }
    @inlinable public static func <= (a: SequenceNumber, b: SequenceNumber) -> Bool { a - b <= 0 }
    @inlinable public static func > (a: SequenceNumber, b: SequenceNumber) -> Bool { a - b > 0 }
    @inlinable public static func >= (a: SequenceNumber, b: SequenceNumber) -> Bool { a - b >= 0 }
}
