import NetworkLink
import Bytes
import Errno
import NetFormats
import NetStack
import VFS

/// The requests of netdevice(7) and socket(7) that ioctl(2) takes of any socket.
enum InterfaceRequest {
    static var readable: UInt32 { 0x541B }
    static var unsent: UInt32 { 0x5411 }
    static var name: UInt32 { 0x8910 }
    static var configuration: UInt32 { 0x8912 }
    static var flags: UInt32 { 0x8913 }
    static var address: UInt32 { 0x8915 }
    static var broadcastAddress: UInt32 { 0x8919 }
    static var networkMask: UInt32 { 0x891b }
    static var metric: UInt32 { 0x891d }
    static var maximumTransmissionUnit: UInt32 { 0x8921 }
    static var hardwareAddress: UInt32 { 0x8927 }
    static var index: UInt32 { 0x8933 }
    static var queueLength: UInt32 { 0x8942 }

    /// struct ifreq: sixteen bytes of name, then a union.
    static var recordByteCount: Int { 40 }
    static var nameByteCount: Int { 16 }
}

extension NetworkInterface {
    /// "lo", "eth0", "eth1" …
    public var name: [UInt8] {
        if isLoopback { return Array("lo".utf8) }
        var digits: [UInt8] = []
        var rest = index >= 2 ? index - 2 : 0
        repeat {
            digits.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        return Array("eth".utf8) + digits.reversed()
    }

    /// IFF_UP, IFF_RUNNING; IFF_LOOPBACK, or IFF_BROADCAST and IFF_MULTICAST; IFF_LOWER_UP for netlink.
    var interfaceFlags: UInt32 { isLoopback ? 0x49 : 0x1043 }

    /// ARPHRD_LOOPBACK, ARPHRD_ETHER
    var hardwareType: UInt16 { isLoopback ? 772 : 1 }

    var hardwareAddressBytes: [UInt8] {
        var bytes: [UInt8] = []
        for shift in [40, 32, 24, 16, 8, 0] as [UInt64] { bytes.append(UInt8(link.macAddress.rawValue >> shift & 0xff)) }
        return bytes
    }

    var firstIPv4: (address: IPv4Address, prefixLength: Int)? {
        for own in addresses { if case .v4(let address) = own.address { return (address, own.prefixLength) } }
        return nil
    }
}

func mask(_ prefixLength: Int) -> UInt32 { prefixLength == 0 ? 0 : UInt32.max << UInt32(32 - min(prefixLength, 32)) }

extension SocketNetwork {
    private func interface(named name: [UInt8]) -> NetworkInterface? {
        for interface in stack.interfaces where interface.name.count == name.count && interface.name.hasSameBytes(as: name.raw, from: 0) {
            return interface
        }
        return nil
    }

    /// SIOCGIF…
    func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        switch request {
        case InterfaceRequest.configuration: return try listAddresses(argument, user)
        case InterfaceRequest.name, InterfaceRequest.flags, InterfaceRequest.address, InterfaceRequest.broadcastAddress,
            InterfaceRequest.networkMask, InterfaceRequest.metric, InterfaceRequest.maximumTransmissionUnit,
            InterfaceRequest.hardwareAddress, InterfaceRequest.index, InterfaceRequest.queueLength:
            break
        default: throw .enotty
        }
        var record = [UInt8](repeating: 0, count: InterfaceRequest.recordByteCount)
        var span = record.mutableSpan
        var raw = span.raw
        try user.copyIn(argument, into: &raw)
        if request == InterfaceRequest.name {
            let index = UInt32(record[16]) | UInt32(record[17]) << 8 | UInt32(record[18]) << 16 | UInt32(record[19]) << 24
            guard let interface = stack.interfaces.first(where: { $0.index == index }) else { throw .enodev }
            for offset in 0..<InterfaceRequest.nameByteCount { record[offset] = 0 }
            record.replace(from: 0, with: interface.name.raw)
        } else {
            let end = record.prefix(InterfaceRequest.nameByteCount).firstIndex(of: 0) ?? InterfaceRequest.nameByteCount
            guard let interface = interface(named: Array(record[0..<end])) else { throw .enodev }
            try answer(request, interface, &record)
        }
        try user.copyOut(record.raw, to: argument)
        return 0
    }

    private func answer(_ request: UInt32, _ interface: NetworkInterface, _ record: inout [UInt8]) throws(Errno) {
        for offset in InterfaceRequest.nameByteCount..<InterfaceRequest.recordByteCount { record[offset] = 0 }
        func store(_ value: UInt32) {
            for index in 0..<4 { record[16 + index] = UInt8(truncatingIfNeeded: value >> UInt32(index * 8)) }
        }
        func store(_ address: UInt32?) throws(Errno) {
            guard let address else { throw .eaddrnotavail }
            record.replace(
                from: 16, with: SocketName(SocketAddress(address: .v4(IPv4Address(rawValue: address)), port: 0), isIPv6: false).bytes)
        }
        switch request {
        case InterfaceRequest.flags: store(interface.interfaceFlags & 0xffff)
        case InterfaceRequest.index: store(interface.index)
        case InterfaceRequest.metric: store(0)
        case InterfaceRequest.queueLength: store(1000)
        case InterfaceRequest.maximumTransmissionUnit: store(UInt32(clamping: interface.maximumTransmissionUnit))
        case InterfaceRequest.address: try store(interface.firstIPv4?.address.rawValue)
        case InterfaceRequest.networkMask: try store(interface.firstIPv4.map { mask($0.prefixLength) })
        case InterfaceRequest.broadcastAddress:
            try store(interface.firstIPv4.map { interface.isLoopback ? 0 : $0.address.rawValue | ~mask($0.prefixLength) })
        default:
            record[16] = UInt8(truncatingIfNeeded: interface.hardwareType)
            record[17] = UInt8(interface.hardwareType >> 8)
            record.replace(from: 18, with: interface.hardwareAddressBytes.raw)
        }
    }

    /// SIOCGIFCONF: struct ifconf is a length and, eight bytes on, an address; no address asks for the length alone,
    /// whatever the length says.
    private func listAddresses(_ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        let limit = Int(Int32(bitPattern: try user.copyIn(UInt32.self, at: argument)))
        let target = try user.copyIn(UInt64.self, at: argument &+ 8)
        var records: [UInt8] = []
        for interface in stack.interfaces {
            for own in interface.addresses {
                guard case .v4 = own.address else { continue }
                guard target == 0 || records.count + InterfaceRequest.recordByteCount <= limit else { break }
                var record = [UInt8](repeating: 0, count: InterfaceRequest.recordByteCount)
                record.replace(from: 0, with: interface.name.raw)
                record.replace(from: 16, with: SocketName(SocketAddress(address: own.address, port: 0), isIPv6: false).bytes)
                records.append(contentsOf: record)
            }
        }
        if target != 0 { try user.copyOut(records.raw, to: target) }
        try user.copyOut(UInt32(records.count), to: argument)
        return 0
    }
}
