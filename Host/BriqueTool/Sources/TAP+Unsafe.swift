import Foundation
import Glibc
import SystemPackage

/// A TAP of this machine, attached: frames with the 12-byte header of virtio-net, checksums and segments left to the kernel
/// (Linux's Documentation/networking/tuntap.rst).
struct TAP {
    let descriptor: Int32
    let name: String
    let maximumTransmissionUnit: Int

    // linux/if_tun.h, linux/sockios.h
    private static let setInterface: UInt = 0x4004_54ca, setHeaderSize: UInt = 0x4004_54d8, setOffload: UInt = 0x4004_54d0
    private static let flagTAP: UInt16 = 0x0002, flagNoInformation: UInt16 = 0x1000, flagHeader: UInt16 = 0x4000
    /// TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6
    private static let offloads: UInt = 1 | 2 | 4
    private static let interfaceIndex: UInt = 0x8933, interfaceFlags: UInt = 0x8913, setInterfaceFlags: UInt = 0x8914
    private static let interfaceUnit: UInt = 0x8921, addToBridge: UInt = 0x89a2
    private static let isUp: UInt16 = 1

    /// struct ifreq: a name of 16 bytes, then what the request is about.
    private static let requestByteCount = 40, valueOffset = 16

    /// Attaches to the TAP `name`, or makes it; it goes with the last descriptor unless it was there before.
    static func attach(name: String) throws(ToolFailure) -> TAP { try open(pattern: name, words: "tap:\(name)", bridge: nil) }

    /// Makes a TAP on the bridge `name`. It goes with its last descriptor.
    static func onBridge(name: String) throws(ToolFailure) -> TAP {
        // The kernel puts the first free number.
        try open(pattern: "brique%d", words: "bridge:\(name)", bridge: name)
    }

    private static func open(pattern: String, words: String, bridge: String?) throws(ToolFailure) -> TAP {
        let path = "/dev/net/tun"
        // SAFETY: the string outlives the call.
        let opened = unsafe Glibc.open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK).raised()
        guard opened >= 0 else { throw failure("--network \(words): cannot open \(path)") }
        var isKept = false
        defer { if !isKept { close(opened) } }
        var request = Self.request(name: pattern)
        store(flagTAP | flagNoInformation | flagHeader, in: &request)
        guard control(opened, setInterface, &request) == 0 else {
            let hint = errno == EPERM || errno == EACCES ? " (as root: ip tuntap add dev NAME mode tap user USER)" : ""
            throw failure("--network \(words): cannot attach", hint: hint)
        }
        let name = String(decoding: request.prefix(16).prefix { $0 != 0 }, as: UTF8.self)
        var headerByteCount: Int32 = 12
        // SAFETY: the kernel reads one number; the other request takes its argument by value.
        guard unsafe ioctl(opened, setHeaderSize, &headerByteCount) == 0,
            unsafe ioctl(opened, setOffload, UnsafeMutableRawPointer(bitPattern: offloads)!) == 0
        else { throw failure("--network \(words): the TAP takes no offloads") }
        let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw failure("no socket") }
        defer { close(socket) }
        if let bridge { try join(name, bridge, socket) }
        try raise(name, words, socket)
        request = Self.request(name: name)
        guard control(socket, interfaceUnit, &request) == 0 else { throw failure("--network \(words): the TAP tells no MTU") }
        let unit = Int(word(of: request))
        isKept = true
        return TAP(descriptor: opened, name: name, maximumTransmissionUnit: min(max(unit, 68), 65535))
    }

    private static func join(_ name: String, _ bridge: String, _ socket: Int32) throws(ToolFailure) {
        var request = Self.request(name: name)
        guard control(socket, interfaceIndex, &request) == 0 else { throw failure("--network bridge:\(bridge): the TAP is gone") }
        let index = word(of: request)
        request = Self.request(name: bridge)
        for position in 0..<4 { request[valueOffset + position] = UInt8(truncatingIfNeeded: index >> UInt32(8 * position)) }
        guard control(socket, addToBridge, &request) == 0 else {
            let hint = errno == EOPNOTSUPP || errno == EINVAL ? " (it is no bridge)" : ""
            throw failure("--network bridge:\(bridge): cannot join", hint: hint)
        }
    }

    private static func raise(_ name: String, _ words: String, _ socket: Int32) throws(ToolFailure) {
        var request = Self.request(name: name)
        guard control(socket, interfaceFlags, &request) == 0 else { throw failure("--network \(words): the TAP is gone") }
        let flags = UInt16(request[valueOffset]) | UInt16(request[valueOffset + 1]) << 8
        guard flags & isUp == 0 else { return }
        store(flags | isUp, in: &request)
        guard control(socket, setInterfaceFlags, &request) == 0 else {
            throw failure("--network \(words): the TAP is down", hint: " (as root: ip link set \(name) up)")
        }
    }

    // MARK: Requests

    private static func request(name: String) -> [UInt8] {
        let bytes = Array(name.utf8.prefix(15))
        return bytes + [UInt8](repeating: 0, count: requestByteCount - bytes.count)
    }

    private static func store(_ value: UInt16, in request: inout [UInt8]) {
        request[valueOffset] = UInt8(truncatingIfNeeded: value)
        request[valueOffset + 1] = UInt8(truncatingIfNeeded: value >> 8)
    }

    private static func word(of request: [UInt8]) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(request[valueOffset + $1]) << UInt32(8 * $1) }
    }

    private static func control(_ descriptor: Int32, _ number: UInt, _ request: inout [UInt8]) -> Int32 {
        // SAFETY: the kernel reads and writes one struct ifreq, which is what the array holds.
        unsafe request.withUnsafeMutableBytes { unsafe ioctl(descriptor, number, $0.baseAddress!) }
    }

    /// From errno(3).
    private static func failure(_ text: String, hint: String = "") -> ToolFailure {
        let status: ExitStatus =
            switch errno {
            case EPERM, EACCES: .permission
            case ENOENT, ENODEV, ENXIO: .cannotOpen
            default: .hostRefused
            }
        return ToolFailure(status, "\(text): \(Errno(rawValue: errno))\(hint)")
    }
}
