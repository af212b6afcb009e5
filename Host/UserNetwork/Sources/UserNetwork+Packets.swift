import Bytes
import NetFormats
import TCP
import VirtioFormat

/// What stands before the payload of a packet to the instance.
struct OutgoingPacket {
    var source: IPAddress
    var destination: IPAddress
    var transport: IPProtocol
    /// Of the transport header, and of what follows it.
    var headerByteCount: Int
    var payloadByteCount: Int
    /// Where the transport header has its checksum; nil: it is complete.
    var checksumOffset: Int?
    /// Below `payloadByteCount`: the receiver cuts, or would have.
    var segmentSize = 0
    var hopLimit: UInt8 = 64
    /// Else the instance's own.
    var hardware: MACAddress?
}

extension UserNetwork {
    /// Room for all headers: 12 + 14 + 40 + 60 at most.
    static let headerByteCountLimit = 160

    /// Sends a packet to the instance. `writeTransport` writes exactly `headerByteCount` bytes, the checksum zero. False: dropped.
    @discardableResult
    func transmit(
        _ packet: OutgoingPacket, _ payload: RawSpan, _ rest: RawSpan, writeTransport: (inout ByteWriter) throws(FormatError) -> Void
    ) -> Bool {
        guard let hardware = packet.hardware ?? instanceHardware else { return false }
        var storage = InlineArray<160, UInt8>(repeating: 0)
        let transportStart: Int
        let end: Int
        do throws(FormatError) {
            var bytes = storage.mutableSpan
            var writer = ByteWriter(&bytes)
            if configuration.framing == .virtio { try offloadHeader(packet).write(into: &writer) }
            try writeNetwork(packet, hardware, into: &writer)
            transportStart = writer.offset
            try writeTransport(&writer)
            end = writer.offset
        } catch { return false }
        if let checksumOffset = packet.checksumOffset {
            let value = checksum(packet, ByteReader(storage.span).unread.extracting(transportStart..<end), payload, rest)
            storage[transportStart + checksumOffset] = UInt8(value >> 8)
            storage[transportStart + checksumOffset + 1] = UInt8(value & 0xff)
        }
        return link.send(ByteReader(storage.span).unread.extracting(first: end), payload, rest, at: wallTime)
    }

    private func writeNetwork(_ packet: OutgoingPacket, _ hardware: MACAddress, into writer: inout ByteWriter) throws(FormatError) {
        let type = packet.source.isIPv6 ? EtherType.ipv6 : .ipv4
        try EthernetHeader(destination: hardware, source: UserNetworkLayout.gatewayHardware, type: type).write(into: &writer)
        let byteCount = packet.headerByteCount + packet.payloadByteCount
        switch (packet.source, packet.destination) {
        case (.v4(let source), .v4(let destination)):
            var header = IPv4Header(source: source, destination: destination, protocol: packet.transport, payloadByteCount: byteCount)
            header.isDontFragment = true
            header.timeToLive = packet.hopLimit
            packetIdentification &+= 1
            header.identification = packetIdentification
            try header.write(into: &writer)
        case (.v6(let source), .v6(let destination)):
            var header = IPv6Header(source: source, destination: destination, nextHeader: packet.transport, payloadByteCount: byteCount)
            header.hopLimit = packet.hopLimit
            try header.write(into: &writer)
        case (.v4, .v6), (.v6, .v4): throw .invalid
        }
    }

    private func offloadHeader(_ packet: OutgoingPacket) -> VirtioNetHeader {
        var header = VirtioNetHeader()
        header.bufferCount = 1
        guard let checksumOffset = packet.checksumOffset else { return header }
        let start = EthernetHeader.byteCount + (packet.source.isIPv6 ? IPv6Header.byteCount : IPv4Header.byteCount)
        header.needsChecksum = true
        header.checksumStart = UInt16(start)
        header.checksumOffset = UInt16(checksumOffset)
        guard packet.segmentSize > 0, packet.payloadByteCount > packet.segmentSize else { return header }
        header.segmentation = packet.source.isIPv6 ? .tcp6 : .tcp4
        header.segmentSize = UInt16(clamping: packet.segmentSize)
        header.headerByteCount = UInt16(start + packet.headerByteCount)
        return header
    }

    private func checksum(_ packet: OutgoingPacket, _ header: RawSpan, _ payload: RawSpan, _ rest: RawSpan) -> UInt16 {
        var checksum = InternetChecksum.pseudoHeader(
            source: packet.source, destination: packet.destination, protocol: packet.transport,
            byteCount: packet.headerByteCount + packet.payloadByteCount)
        if configuration.framing == .virtio { return checksum.partialValue }
        checksum.add(header)
        checksum.add(payload)
        checksum.add(rest)
        return packet.transport == .udp ? checksum.valueForUDP : checksum.value
    }

    func transmitTCP(_ header: TCPHeader, _ key: FlowKey, segmentSize: Int, _ payload: RawSpan, _ rest: RawSpan) {
        let packet = OutgoingPacket(
            source: key.remote.address, destination: key.instance.address, transport: .tcp, headerByteCount: header.byteCount,
            payloadByteCount: payload.byteCount + rest.byteCount, checksumOffset: TCPHeader.checksumOffset, segmentSize: segmentSize)
        transmit(packet, payload, rest) { (writer) throws(FormatError) in try header.write(into: &writer) }
    }

    /// A datagram to the instance, in fragments if it is larger than the link's MTU.
    func transmitUDP(from source: SocketAddress, to destination: SocketAddress, _ payload: RawSpan, hardware: MACAddress? = nil) {
        let header = UDPHeader(sourcePort: source.port, destinationPort: destination.port, payloadByteCount: payload.byteCount)
        let packet = OutgoingPacket(
            source: source.address, destination: destination.address, transport: .udp, headerByteCount: UDPHeader.byteCount,
            payloadByteCount: payload.byteCount, checksumOffset: 6, hardware: hardware)
        let room = configuration.maximumTransmissionUnit - (source.address.isIPv6 ? IPv6Header.byteCount : IPv4Header.byteCount)
        guard UDPHeader.byteCount + payload.byteCount > room else {
            transmit(packet, payload, payload.extracting(first: 0)) { (writer) throws(FormatError) in try header.write(into: &writer) }
            return
        }
        transmitFragments(packet, header, payload)
    }

    private func transmitFragments(_ packet: OutgoingPacket, _ header: UDPHeader, _ payload: RawSpan) {
        guard let hardware = packet.hardware ?? instanceHardware, let whole = datagram(packet, header, payload) else { return }
        packetIdentification &+= 1
        let isIPv6 = packet.source.isIPv6
        let fixed = isIPv6 ? IPv6Header.byteCount + IPv6FragmentHeader.byteCount : IPv4Header.byteCount
        let step = (configuration.maximumTransmissionUnit - fixed) & ~7
        let bytes = ByteReader(whole.span).unread
        var offset = 0
        while offset < whole.count, step > 0 {
            let end = min(offset + step, whole.count)
            var storage = InlineArray<160, UInt8>(repeating: 0)
            let headerEnd: Int
            do throws(FormatError) {
                var span = storage.mutableSpan
                var writer = ByteWriter(&span)
                if configuration.framing == .virtio {
                    var none = VirtioNetHeader()
                    none.bufferCount = 1
                    try none.write(into: &writer)
                }
                try writeFragment(packet, hardware, offset..<end, isLast: end == whole.count, into: &writer)
                headerEnd = writer.offset
            } catch { return }
            let headers = ByteReader(storage.span).unread.extracting(first: headerEnd)
            guard link.send(headers, bytes.extracting(offset..<end), bytes.extracting(first: 0), at: wallTime) else { return }
            offset = end
        }
    }

    private func writeFragment(
        _ packet: OutgoingPacket, _ hardware: MACAddress, _ range: Range<Int>, isLast: Bool, into writer: inout ByteWriter
    ) throws(FormatError) {
        let type = packet.source.isIPv6 ? EtherType.ipv6 : .ipv4
        try EthernetHeader(destination: hardware, source: UserNetworkLayout.gatewayHardware, type: type).write(into: &writer)
        switch (packet.source, packet.destination) {
        case (.v4(let source), .v4(let destination)):
            var header = IPv4Header(source: source, destination: destination, protocol: packet.transport, payloadByteCount: range.count)
            header.identification = packetIdentification
            header.fragmentOffset = range.lowerBound
            header.hasMoreFragments = !isLast
            try header.write(into: &writer)
        case (.v6(let source), .v6(let destination)):
            let byteCount = range.count + IPv6FragmentHeader.byteCount
            try IPv6Header(source: source, destination: destination, nextHeader: .fragment, payloadByteCount: byteCount).write(
                into: &writer)
            try IPv6FragmentHeader(
                nextHeader: packet.transport, offset: range.lowerBound, hasMoreFragments: !isLast,
                identification: UInt32(packetIdentification)
            ).write(into: &writer)
        case (.v4, .v6), (.v6, .v4): throw .invalid
        }
    }

    /// Header and payload with a complete checksum.
    private func datagram(_ packet: OutgoingPacket, _ header: UDPHeader, _ payload: RawSpan) -> [UInt8]? {
        var sum = InternetChecksum.pseudoHeader(
            source: packet.source, destination: packet.destination, protocol: .udp, byteCount: UDPHeader.byteCount + payload.byteCount)
        for word in [header.sourcePort, header.destinationPort, UInt16(clamping: UDPHeader.byteCount + payload.byteCount)] { sum.add(word) }
        sum.add(payload)
        var complete = header
        complete.checksum = sum.valueForUDP
        var bytes = [UInt8](repeating: 0, count: UDPHeader.byteCount + payload.byteCount)
        do throws(FormatError) {
            var span = bytes.mutableSpan
            var writer = ByteWriter(&span)
            try complete.write(into: &writer)
            try writer.write(payload)
        } catch { return nil }
        return bytes
    }
}
