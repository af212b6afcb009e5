import NetFormats
import Bytes
import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import Time

/// Levels of setsockopt(2).
private enum Level {
    static var ip: Int32 { 0 }
    static var socket: Int32 { 1 }
    static var tcp: Int32 { 6 }
    static var ipv6: Int32 { 41 }
    static var netlink: Int32 { 270 }
}

extension Socket {
    private var isInternet: Bool { family == .inet || family == .inet6 }
    private var isTCP: Bool { isInternet && isStream }

    private func check(_ level: Int32) throws(Errno) {
        switch level {
        case Level.socket: return
        case Level.tcp where isTCP: return
        case Level.ip where isInternet: return
        case Level.ipv6 where family == .inet6: return
        case Level.netlink where family == .netlink: return
        default: throw isInternet ? .enoprotoopt : .eopnotsupp
        }
    }

    // MARK: Numbers

    /// What getsockopt(2) tells of an option that is a number.
    func option(_ level: Int32, _ name: Int32) throws(Errno) -> Int32 {
        try check(level)
        func flag(_ value: Bool) -> Int32 { value ? 1 : 0 }
        switch (level, name) {
        case (Level.socket, 2): return flag(options.reusesAddress)
        case (Level.socket, 3): return socketKind.rawValue
        case (Level.socket, 4): return takeError()?.rawValue ?? 0
        case (Level.socket, 6): return flag(options.broadcasts)
        case (Level.socket, 7): return options.sendBuffer
        case (Level.socket, 8): return options.receiveBuffer
        case (Level.socket, 9): return flag(options.keepsAlive)
        case (Level.socket, 12): return options.priority
        case (Level.socket, 15): return flag(options.reusesPort)
        case (Level.socket, 16): return flag(options.passesCredentials)
        case (Level.socket, 18), (Level.socket, 19): return 1
        case (Level.socket, 30): return flag(isListening)
        case (Level.socket, 36): return options.mark
        case (Level.socket, 38): return protocolNumber
        case (Level.socket, 39): return family.rawValue
        // SO_DEBUG, DONTROUTE, OOBINLINE, TIMESTAMP, TIMESTAMPNS, RXQ_OVFL, BUSY_POLL, INCOMING_CPU, INCOMING_NAPI_ID, ZEROCOPY
        case (Level.socket, 1), (Level.socket, 5), (Level.socket, 10), (Level.socket, 29), (Level.socket, 35), (Level.socket, 40),
            (Level.socket, 46), (Level.socket, 49), (Level.socket, 56), (Level.socket, 60):
            return options.other(level, name)
        case (Level.tcp, 1): return flag(options.isNoDelay)
        case (Level.tcp, 2): return Int32(clamping: try tcpInformation().segmentSize)
        case (Level.tcp, 3): return flag(options.isCorked)
        case (Level.tcp, 4): return options.keepAliveIdle
        case (Level.tcp, 5): return options.keepAliveInterval
        case (Level.tcp, 6): return options.keepAliveCount
        case (Level.tcp, 7): return options.synCount
        case (Level.tcp, 9): return options.deferAccept
        case (Level.tcp, 12): return flag(options.isQuickAck)
        case (Level.tcp, 18): return options.userTimeout
        // TCP_LINGER2, WINDOW_CLAMP, FASTOPEN, NOTSENT_LOWAT, FASTOPEN_CONNECT
        case (Level.tcp, 8), (Level.tcp, 10), (Level.tcp, 23), (Level.tcp, 25), (Level.tcp, 30): return options.other(level, name)
        case (Level.ip, 1), (Level.ipv6, 67): return options.trafficClass
        case (Level.ip, 2), (Level.ipv6, 16): return options.hopLimit
        case (Level.ip, 8), (Level.ipv6, 49): return flag(options.wantsPacketInformation)
        case (Level.ip, 33), (Level.ipv6, 18): return options.multicastHopLimit
        case (Level.ip, 34), (Level.ipv6, 19): return flag(options.multicastLoops)
        case (Level.ip, 10), (Level.ip, 11), (Level.ip, 12), (Level.ip, 13), (Level.ip, 15), (Level.ip, 24):
            return options.other(level, name)
        case (Level.ip, 14), (Level.ipv6, 24): return 1500
        case (Level.ipv6, 26): return flag(options.isIPv6Only)
        case (Level.ipv6, 23), (Level.ipv6, 25), (Level.ipv6, 51), (Level.ipv6, 62), (Level.ipv6, 66): return options.other(level, name)
        case (Level.netlink, _): return 0
        default: throw .enoprotoopt
        }
    }

    func setOption(_ level: Int32, _ name: Int32, to value: Int32) throws(Errno) {
        try check(level)
        let isOn = value != 0
        switch (level, name) {
        case (Level.socket, 2): options.reusesAddress = isOn
        case (Level.socket, 3), (Level.socket, 4), (Level.socket, 30), (Level.socket, 38), (Level.socket, 39): throw .enoprotoopt
        case (Level.socket, 6): options.broadcasts = isOn
        case (Level.socket, 7), (Level.socket, 32): options.sendBuffer = doubled(value, atLeast: SocketOptions.leastSendBuffer)
        case (Level.socket, 8), (Level.socket, 33): options.receiveBuffer = doubled(value, atLeast: SocketOptions.leastReceiveBuffer)
        case (Level.socket, 9): options.keepsAlive = isOn
        case (Level.socket, 12): options.priority = value
        case (Level.socket, 15): options.reusesPort = isOn
        case (Level.socket, 16): options.passesCredentials = isOn
        case (Level.socket, 18): break
        case (Level.socket, 36): options.mark = value
        case (Level.socket, 1), (Level.socket, 5), (Level.socket, 10), (Level.socket, 29), (Level.socket, 35), (Level.socket, 40),
            (Level.socket, 46), (Level.socket, 49), (Level.socket, 60):
            options.setOther(level, name, to: isOn ? 1 : 0)
        case (Level.tcp, _): try setTCPOption(name, value)
        case (Level.ip, 1), (Level.ipv6, 67): options.trafficClass = value & 0xff
        case (Level.ip, 2), (Level.ipv6, 16):
            guard value == -1 || (value >= 1 && value <= 255) else { throw .einval }
            options.hopLimit = value == -1 ? 64 : value
        case (Level.ip, 8), (Level.ipv6, 49): options.wantsPacketInformation = isOn
        case (Level.ip, 33), (Level.ipv6, 18):
            guard value >= -1, value <= 255 else { throw .einval }
            options.multicastHopLimit = value == -1 ? 1 : value
        case (Level.ip, 34), (Level.ipv6, 19): options.multicastLoops = isOn
        case (Level.ip, 10), (Level.ip, 11), (Level.ip, 12), (Level.ip, 13), (Level.ip, 15), (Level.ip, 24):
            options.setOther(level, name, to: value)
        case (Level.ipv6, 26):
            guard (try? localName().address(isIPv6: true).port) ?? 0 == 0 else { throw .einval }
            options.isIPv6Only = isOn
        case (Level.ipv6, 23), (Level.ipv6, 25), (Level.ipv6, 51), (Level.ipv6, 62), (Level.ipv6, 66):
            options.setOther(level, name, to: value)
        case (Level.netlink, _): return
        default: throw .enoprotoopt
        }
        optionsChanged()
    }

    private func setTCPOption(_ name: Int32, _ value: Int32) throws(Errno) {
        func within(_ range: ClosedRange<Int32>) throws(Errno) -> Int32 {
            guard range.contains(value) else { throw .einval }
            return value
        }
        switch name {
        case 1: options.isNoDelay = value != 0
        case 2: _ = try within(0...32_767)
        case 3: options.isCorked = value != 0
        case 4: options.keepAliveIdle = try within(1...32_767)
        case 5: options.keepAliveInterval = try within(1...32_767)
        case 6: options.keepAliveCount = try within(1...127)
        case 7: options.synCount = try within(1...127)
        case 9: options.deferAccept = max(0, value)
        case 12: options.isQuickAck = value != 0
        case 18: options.userTimeout = try within(0...Int32.max)
        case 8, 10, 23, 25, 30: options.setOther(Level.tcp, name, to: value)
        default: throw .enoprotoopt
        }
    }

    /// Linux doubles what it is told, for its own bookkeeping, up to a limit of the system.
    private func doubled(_ value: Int32, atLeast least: Int32) -> Int32 {
        max(least, 2 * min(max(value, 0), SocketOptions.defaultBuffer))
    }
}

extension LinuxThread {
    static func sysSetsockopt(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        let level = arguments.int32(1), name = arguments.int32(2), address = arguments[3], length = arguments.int32(4)
        guard length >= 0 else { throw .einval }
        switch (level, name) {
        case (Level.socket, 13):
            guard length >= 8 else { throw .einval }
            let linger = try thread.memory.read(linux_linger.self, at: address)
            socket.options.linger = linger.l_onoff == 0 ? nil : max(0, linger.l_linger)
        case (Level.socket, 20), (Level.socket, 21):
            guard length >= 16 else { throw .einval }
            let time = try thread.memory.read(linux_timeval.self, at: address)
            guard time.tv_usec >= 0, time.tv_usec < 1_000_000 else { throw .edom }
            let isNone = time.tv_sec < 0 || (time.tv_sec == 0 && time.tv_usec == 0)
            let timeout = isNone ? nil : Duration.seconds(min(time.tv_sec, 1 << 33)) + .microseconds(time.tv_usec)
            if name == 20 { socket.options.receiveTimeout = timeout } else { socket.options.sendTimeout = timeout }
        // SO_BINDTODEVICE: none is the only one that changes nothing.
        case (Level.socket, 25):
            let first = length == 0 ? 0 : try thread.memory.read(UInt8.self, at: address)
            guard first == 0 else { throw .eperm }
        case (Level.tcp, 13):
            let wanted = try thread.memory.withReadable(address, Int(min(length, 15))) { (bytes) throws(Errno) in [UInt8](copying: bytes) }
            let text = wanted.prefix { $0 != 0 }
            guard text.count == 5, Array(text).hasSameBytes(as: Array("cubic".utf8).raw, from: 0) else { throw .enoent }
        // A byte is enough for what IPv4 keeps in one.
        case (Level.ip, 33) where length < 4, (Level.ip, 34) where length < 4, (Level.ip, 1) where length < 4:
            guard length >= 1 else { throw .einval }
            try socket.setOption(level, name, to: Int32(try thread.memory.read(UInt8.self, at: address)))
        default:
            guard length >= 4 else { throw .einval }
            try socket.setOption(level, name, to: try thread.memory.read(Int32.self, at: address))
        }
        return 0
    }

    static func sysGetsockopt(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let socket = try thread.socket(arguments.descriptor(0))
        let level = arguments.int32(1), name = arguments.int32(2)
        let length = try thread.memory.read(Int32.self, at: arguments[4])
        guard length >= 0 else { throw .einval }
        var value: [UInt8] = []
        switch (level, name) {
        case (Level.socket, 13):
            append32(socket.options.linger == nil ? 0 : 1, to: &value)
            append32(UInt32(bitPattern: socket.options.linger ?? 0), to: &value)
        case (Level.socket, 17):
            let credentials = socket.peerCredentials
            append32(UInt32(bitPattern: credentials.process), to: &value)
            append32(credentials.user, to: &value)
            append32(credentials.group, to: &value)
        case (Level.socket, 20), (Level.socket, 21):
            let timeout = (name == 20 ? socket.options.receiveTimeout : socket.options.sendTimeout) ?? .zero
            let (seconds, attoseconds) = timeout.components
            for number in [UInt64(seconds), UInt64(attoseconds / 1_000_000_000_000)] {
                append32(UInt32(truncatingIfNeeded: number), to: &value)
                append32(UInt32(truncatingIfNeeded: number >> 32), to: &value)
            }
        case (Level.socket, 25): break
        case (Level.socket, 57):
            append32(UInt32(truncatingIfNeeded: socket.number), to: &value)
            append32(UInt32(truncatingIfNeeded: socket.number >> 32), to: &value)
        case (Level.tcp, 11): value = try socket.tcpInformation().bytes
        case (Level.tcp, 13):
            value = Array("cubic".utf8)
            while value.count < 16 { value.append(0) }
        default: append32(UInt32(bitPattern: try socket.option(level, name)), to: &value)
        }
        let count = min(Int(length), value.count)
        try thread.memory.copyOut(value.raw.extracting(first: count), to: arguments[3])
        try thread.memory.write(UInt32(count), at: arguments[4])
        return 0
    }
}

private func append32(_ number: UInt32, to bytes: inout [UInt8]) {
    for shift in [0, 8, 16, 24] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
}

extension TCPInformation {
    /// struct tcp_info as of Linux 6.
    fileprivate var bytes: [UInt8] {
        var bytes = [state, 0, 0, 0, 0, 0, 0, 0]
        let words: [UInt32] = [
            200_000, 40_000, segmentSize, segmentSize, unacknowledged, 0, 0, 0, 0, 0, 0, 0, 0, 1500, 0, roundTripMicroseconds, 0, .max,
            congestionWindow, segmentSize, 3, 0, 0, retransmissions,
        ]
        for word in words { append32(word, to: &bytes) }
        while bytes.count < 240 { bytes.append(0) }
        return bytes
    }
}
