import Bytes
import Errno
import NetFormats

/// A socket address as programs write it (sockaddr, socket(7)); no bytes: none was given, or there is none.
public struct SocketName {
    /// sizeof(struct sockaddr_storage)
    public static var greatestByteCount: Int { 128 }

    var storage = InlineArray<128, UInt8>(repeating: 0)
    public private(set) var byteCount = 0

    public init() {}

    /// `.einval`: longer than any address.
    public init(_ bytes: RawSpan) throws(Errno) {
        guard bytes.byteCount <= Self.greatestByteCount else { throw .einval }
        for index in 0..<bytes.byteCount { storage[index] = bytes.byte(at: index) }
        byteCount = bytes.byteCount
    }

    public var isEmpty: Bool { byteCount == 0 }
    public var bytes: RawSpan {
        @_lifetime(borrow self) get { storage.span.extracting(first: byteCount).raw }
    }

    public mutating func append(_ byte: UInt8) {
        guard byteCount < Self.greatestByteCount else { return }
        storage[byteCount] = byte
        byteCount += 1
    }

    /// sa_family; nil: too short to have one.
    public var family: SocketFamily? {
        byteCount >= 2 ? SocketFamily(rawValue: Int32(storage[0]) | Int32(storage[1]) << 8) : nil
    }
}

/// AF_…
public struct SocketFamily: Equatable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public static var unspecified: SocketFamily { SocketFamily(rawValue: 0) }
    public static var unix: SocketFamily { SocketFamily(rawValue: 1) }
    public static var inet: SocketFamily { SocketFamily(rawValue: 2) }
    public static var inet6: SocketFamily { SocketFamily(rawValue: 10) }
    public static var netlink: SocketFamily { SocketFamily(rawValue: 16) }
}

/// SOCK_…
public struct SocketKind: Equatable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public static var stream: SocketKind { SocketKind(rawValue: 1) }
    public static var datagram: SocketKind { SocketKind(rawValue: 2) }
    public static var raw: SocketKind { SocketKind(rawValue: 3) }
    public static var sequencedPacket: SocketKind { SocketKind(rawValue: 5) }
}

extension SocketName {
    /// sockaddr_in, sockaddr_in6: of a socket that talks IPv6, IPv4 addresses are mapped (RFC 4291 §2.5.5.2).
    public init(_ address: SocketAddress, isIPv6: Bool) {
        self.init()
        let family = isIPv6 ? SocketFamily.inet6 : .inet
        append(UInt8(family.rawValue))
        append(0)
        append(UInt8(address.port >> 8))
        append(UInt8(truncatingIfNeeded: address.port))
        guard isIPv6 else {
            if case .v4(let v4) = address.address { append32(v4.rawValue) } else { append32(0) }
            for _ in 0..<8 { append(0) }
            return
        }
        append32(0)
        switch address.address {
        case .v4(let v4):
            append32(0)
            append32(0)
            append32(0xffff)
            append32(v4.rawValue)
        case .v6(let v6):
            append32(UInt32(truncatingIfNeeded: v6.high >> 32))
            append32(UInt32(truncatingIfNeeded: v6.high))
            append32(UInt32(truncatingIfNeeded: v6.low >> 32))
            append32(UInt32(truncatingIfNeeded: v6.low))
        }
        // sin6_scope_id is in the machine's order.
        append32(address.zone.byteSwapped)
    }

    private mutating func append32(_ value: UInt32) {
        for shift in [24, 16, 8, 0] as [UInt32] { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    private func load32(_ offset: Int) -> UInt32 {
        UInt32(storage[offset]) << 24 | UInt32(storage[offset + 1]) << 16 | UInt32(storage[offset + 2]) << 8 | UInt32(storage[offset + 3])
    }

    /// The address of a socket of `isIPv6`; mapped IPv4 addresses become plain ones. `.einval`: too short; `.eafnosupport`: of another
    /// family.
    public func address(isIPv6: Bool) throws(Errno) -> SocketAddress {
        guard byteCount >= 2, let family else { throw .einval }
        let wanted: SocketFamily = isIPv6 ? .inet6 : .inet
        // sizeof(struct sockaddr_in) is 16; of sockaddr_in6 the scope may be missing (RFC 2133).
        guard byteCount >= (isIPv6 ? 24 : 16) else { throw .einval }
        guard family == wanted else { throw .eafnosupport }
        let port = UInt16(storage[2]) << 8 | UInt16(storage[3])
        guard isIPv6 else { return SocketAddress(address: .v4(IPv4Address(rawValue: load32(4))), port: port) }
        let high = UInt64(load32(8)) << 32 | UInt64(load32(12)), low = UInt64(load32(16)) << 32 | UInt64(load32(20))
        if high == 0, low >> 32 == 0xffff {
            return SocketAddress(address: .v4(IPv4Address(rawValue: UInt32(truncatingIfNeeded: low))), port: port)
        }
        let zone = byteCount >= 28 ? load32(24).byteSwapped : 0
        let address = IPv6Address(high: high, low: low)
        return SocketAddress(address: .v6(address), port: port, zone: address.isLinkLocal || address.isMulticast ? zone : 0)
    }
}

extension SocketName {
    /// sockaddr_un with the bytes of `sun_path` that count.
    public init(unix path: [UInt8]) {
        self.init()
        append(UInt8(SocketFamily.unix.rawValue))
        append(0)
        for byte in path { append(byte) }
        // A path ends with a zero that counts, an abstract name does not.
        if let first = path.first, first != 0, path.count < UnixName.greatestByteCount { append(0) }
    }
}

/// Where a Unix socket is (unix(7)).
public enum UnixName: Equatable, Sendable {
    /// sun_path
    public static var greatestByteCount: Int { 108 }

    case unnamed
    case path([UInt8])
    /// Without the zero byte before it.
    case abstract([UInt8])

    public init(_ name: borrowing SocketName) throws(Errno) {
        guard name.byteCount >= 2 else { throw .einval }
        guard name.family == .unix else { throw .einval }
        guard name.byteCount > 2 else {
            self = .unnamed
            return
        }
        guard name.byteCount - 2 <= Self.greatestByteCount else { throw .einval }
        var bytes: [UInt8] = []
        let isAbstract = name.storage[2] == 0
        for index in (isAbstract ? 3 : 2)..<name.byteCount {
            if !isAbstract, name.storage[index] == 0 { break }
            bytes.append(name.storage[index])
        }
        self = isAbstract ? .abstract(bytes) : .path(bytes)
    }

    public var socketName: SocketName {
        switch self {
        case .unnamed: SocketName(unix: [])
        case .path(let path): SocketName(unix: path)
        case .abstract(let name): SocketName(unix: [0] + name)
        }
    }

    public static func == (a: UnixName, b: UnixName) -> Bool {
        switch (a, b) {
        case (.unnamed, .unnamed): true
        case (.path(let one), .path(let other)), (.abstract(let one), .abstract(let other)):
            one.count == other.count && one.hasSameBytes(as: other.raw, from: 0)
        case (.unnamed, _), (.path, _), (.abstract, _): false
        }
    }
}
