import NetworkLink
import Bytes
import Errno
import NetFormats
import NetStack
import VFS

/// A socket of NETLINK_ROUTE (rtnetlink(7)): lists links, addresses and routes; nothing can be changed by it.
public final class NetlinkSocket: Socket {
    /// Answers that wait to be read.
    static var answerLimit: Int { 1024 }
    /// Bytes of one answer, unless a single message is longer.
    static var answerByteCount: Int { 3584 }

    private var portID: UInt32 = 0
    private var answers: [[UInt8]] = []

    public init(_ network: SocketNetwork, _ kind: SocketKind, _ flags: OpenFlags) { super.init(network, .netlink, kind, 0, flags) }

    public override var readiness: PollEvents { answers.isEmpty ? .output : [.input, .output] }

    private static func name(_ portID: UInt32) -> SocketName {
        var name = SocketName()
        name.append(UInt8(SocketFamily.netlink.rawValue))
        for _ in 0..<3 { name.append(0) }
        for shift in [0, 8, 16, 24] as [UInt32] { name.append(UInt8(truncatingIfNeeded: portID >> shift)) }
        for _ in 0..<4 { name.append(0) }
        return name
    }

    public override func bind(to name: SocketName) throws(Errno) {
        guard name.family == .netlink, name.byteCount >= 12 else { throw .einval }
        var wanted: UInt32 = 0
        for index in (4..<8).reversed() { wanted = wanted << 8 | UInt32(name.bytes.byte(at: index)) }
        portID = wanted == 0 ? UInt32(truncatingIfNeeded: number) : wanted
    }

    public override func connect(to name: SocketName) throws(Errno) {
        guard name.family == .netlink || name.family == .unspecified else { throw .einval }
        if portID == 0 { portID = UInt32(truncatingIfNeeded: number) }
    }

    public override func localName() throws(Errno) -> SocketName { Self.name(portID) }
    public override func peerName() throws(Errno) -> SocketName { Self.name(0) }
    public override func shutDown(_ how: Int32) throws(Errno) { throw .eopnotsupp }

    public override func send(_ bytes: RawSpan, _ flags: MessageFlags, _ message: borrowing SentMessage) throws(Errno) -> Int {
        if portID == 0 { portID = UInt32(truncatingIfNeeded: number) }
        var offset = 0
        while bytes.byteCount - offset >= RouteMessage.headerByteCount {
            let length = Int(load32(bytes, offset))
            guard length >= RouteMessage.headerByteCount, length <= bytes.byteCount - offset else { break }
            handle(bytes.extracting(offset..<offset + length))
            offset += min((length + 3) & ~3, bytes.byteCount - offset)
        }
        if !answers.isEmpty { observers.notify(.input) }
        return bytes.byteCount
    }

    private func load32(_ bytes: RawSpan, _ offset: Int) -> UInt32 {
        UInt32(bytes.byte(at: offset)) | UInt32(bytes.byte(at: offset + 1)) << 8 | UInt32(bytes.byte(at: offset + 2)) << 16
            | UInt32(bytes.byte(at: offset + 3)) << 24
    }

    private func handle(_ request: RawSpan) {
        let type = UInt16(truncatingIfNeeded: load32(request, 4)), flags = UInt16(truncatingIfNeeded: load32(request, 4) >> 16)
        let sequence = load32(request, 8)
        // NLM_F_REQUEST
        guard flags & 1 != 0 else { return }
        let family = request.byteCount > RouteMessage.headerByteCount ? request.byte(at: RouteMessage.headerByteCount) : 0
        var answer = RouteAnswer(sequence: sequence, portID: portID)
        // NLM_F_DUMP is two bits; one alone asks for a single object.
        let isDump = flags & 0x300 == 0x300
        switch type {
        case RouteMessage.linkRequest:
            let index = !isDump && request.byteCount >= 24 ? load32(request, 20) : 0
            for interface in network.stack.interfaces where isDump || interface.index == index { answer.add(interface) }
            if !isDump, answer.isEmpty { answer.addError(.enodev, request) }
        case RouteMessage.addressRequest where isDump:
            for interface in network.stack.interfaces {
                for address in interface.addresses { answer.add(address, of: interface, family: family) }
            }
        case RouteMessage.routeRequest where isDump:
            for route in network.stack.routes { answer.add(route, family: family) }
        default: answer.addError(.eopnotsupp, request)
        }
        if isDump { answer.finish() }
        if !isDump, flags & 4 != 0, type == RouteMessage.linkRequest, !answer.isEmpty { answer.addError(Errno(rawValue: 0), request) }
        for bytes in answer.datagrams where answers.count < Self.answerLimit { answers.append(bytes) }
    }

    public override func receive(
        into bytes: inout MutableRawSpan, _ flags: MessageFlags, _ message: inout ReceivedMessage
    ) throws(Errno) -> Int {
        guard let answer = answers.first else { throw .eagain }
        let count = min(answer.count, bytes.byteCount)
        bytes.replace(from: 0, with: answer.raw.extracting(first: count))
        if !flags.contains(.peek) { answers.removeFirst() }
        message.byteCount = answer.count
        message.name = Self.name(0)
        if count < answer.count { message.flags.insert(.truncated) }
        return count
    }

    public override var readableByteCount: Int { answers.first?.count ?? 0 }
}
