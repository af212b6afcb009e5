/// The number of a page of physical memory: its address divided by 4,096.
public struct Frame: Equatable, Sendable {
    public let number: UInt64
    public init(number: UInt64) { self.number = number }

    public static var byteCount: Int { 4096 }
    /// The physical address of the first byte.
    public var address: UInt64 { number << 12 }
}
