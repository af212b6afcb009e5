import Bytes
import IP
import Neighbors
import NetFormats
import NetworkLink

/// The headers of one packet while it is written: Ethernet, IP and TCP with all options fit.
struct HeaderBuffer: ~Copyable {
    static let capacity = 128
    private var storage = InlineArray<128, UInt8>(repeating: 0)
    private(set) var count = 0

    /// Appends what `body` writes. False if it does not fit.
    mutating func append(_ body: (inout ByteWriter) throws(FormatError) -> Void) -> Bool {
        var span = storage.mutableSpan
        var rest = span._mutatingExtracting(droppingFirst: count)
        var writer = ByteWriter(&rest)
        do throws(FormatError) {
            try body(&writer)
        } catch {
            return false
        }
        count += writer.offset
        return true
    }

    /// Stores a 16-bit number in network order.
    mutating func store(_ value: UInt16, at offset: Int) {
        storage[offset] = UInt8(value >> 8)
        storage[offset + 1] = UInt8(truncatingIfNeeded: value)
    }

    var bytes: RawSpan {
        @_lifetime(borrow self) get { storage.span.extracting(first: count).raw }
    }
}

/// What an IP packet needs beside its payload.
struct PacketOptions {
    var transport: IPProtocol
    var hopLimit: UInt8 = 64
    var isDontFragment = true
    var trafficClass: UInt8 = 0
}

extension NetStack {
    /// Sends one packet of `transport` over `hop`, in fragments if need be. False if it could not go.
    ///
    /// The payload's checksum is complete already.
    @discardableResult
    func send(_ payload: RawSpan, _ options: PacketOptions, to destination: IPAddress, over hop: Hop) -> Bool {
        let interface = hop.interface
        let mtu = pathMTUs.lookup(destination, now: now) ?? interface.maximumTransmissionUnit
        let headerCount = destination.isIPv6 ? IPv6Header.byteCount : IPv4Header.byteCount
        let limit = min(mtu, interface.maximumTransmissionUnit)
        guard payload.byteCount + headerCount > limit else { return sendWhole(payload, options, to: destination, over: hop) }
        return sendFragments(payload, options, to: destination, over: hop, limit: limit)
    }

    private func sendWhole(_ payload: RawSpan, _ options: PacketOptions, to destination: IPAddress, over hop: Hop) -> Bool {
        var header = HeaderBuffer()
        guard appendIP(options, payload.byteCount, from: hop.source, to: destination, &header) else { return false }
        return send(header.bytes, payload, isIPv6: destination.isIPv6, destination, over: hop)
    }

    /// RFC 791 §3.2, RFC 8200 §4.5. The sender itself cuts only datagrams, so "don't fragment" does not matter here.
    private func sendFragments(
        _ payload: RawSpan, _ options: PacketOptions, to destination: IPAddress, over hop: Hop, limit: Int
    ) -> Bool {
        let isIPv6 = destination.isIPv6
        let headerCount = isIPv6 ? IPv6Header.byteCount + IPv6FragmentHeader.byteCount : IPv4Header.byteCount
        let step = (limit - headerCount) & ~7
        guard step > 0, payload.byteCount <= 65_535 - headerCount else { return false }
        identification &+= 1
        var offset = 0
        while offset < payload.byteCount {
            let count = min(step, payload.byteCount - offset)
            let hasMore = offset + count < payload.byteCount
            var header = HeaderBuffer()
            let isWritten =
                switch (hop.source, destination) {
                case (.v4(let source), .v4(let destination)):
                    header.append { writer throws(FormatError) in
                        var ip = IPv4Header(source: source, destination: destination, protocol: options.transport, payloadByteCount: count)
                        ip.identification = UInt16(truncatingIfNeeded: identification)
                        ip.hasMoreFragments = hasMore
                        ip.fragmentOffset = offset
                        ip.timeToLive = options.hopLimit
                        try ip.write(into: &writer)
                    }
                case (.v6(let source), .v6(let destination)):
                    header.append { writer throws(FormatError) in
                        var ip = IPv6Header(
                            source: source, destination: destination, nextHeader: .fragment,
                            payloadByteCount: count + IPv6FragmentHeader.byteCount)
                        ip.hopLimit = options.hopLimit
                        try ip.write(into: &writer)
                        try IPv6FragmentHeader(
                            nextHeader: options.transport, offset: offset, hasMoreFragments: hasMore,
                            identification: identification
                        ).write(into: &writer)
                    }
                case (.v4, .v6), (.v6, .v4): false
                }
            let piece = payload.extracting(offset..<offset + count)
            guard isWritten, send(header.bytes, piece, isIPv6: isIPv6, destination, over: hop) else { return false }
            offset += count
        }
        return true
    }

    func appendIP(
        _ options: PacketOptions, _ payloadByteCount: Int, from source: IPAddress, to destination: IPAddress,
        _ header: inout HeaderBuffer
    ) -> Bool {
        switch (source, destination) {
        case (.v4(let source), .v4(let destination)):
            identification &+= 1
            var ip = IPv4Header(source: source, destination: destination, protocol: options.transport, payloadByteCount: payloadByteCount)
            ip.identification = UInt16(truncatingIfNeeded: identification)
            ip.isDontFragment = options.isDontFragment
            ip.timeToLive = options.hopLimit
            ip.trafficClass = options.trafficClass
            return header.append { writer throws(FormatError) in try ip.write(into: &writer) }
        case (.v6(let source), .v6(let destination)):
            var ip = IPv6Header(
                source: source, destination: destination, nextHeader: options.transport, payloadByteCount: payloadByteCount)
            ip.hopLimit = options.hopLimit
            ip.trafficClass = options.trafficClass
            return header.append { writer throws(FormatError) in try ip.write(into: &writer) }
        case (.v4, .v6), (.v6, .v4): return false
        }
    }

    /// Sends an IP packet that is complete, or keeps it until its next hop's address is known.
    private func send(_ header: RawSpan, _ payload: RawSpan, isIPv6: Bool, _ destination: IPAddress, over hop: Hop) -> Bool {
        guard let link = linkAddress(of: hop, for: destination) else {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(header.byteCount + payload.byteCount)
            bytes.append(header)
            bytes.append(payload)
            queue(bytes, isIPv6: isIPv6, for: hop)
            return true
        }
        var frame = HeaderBuffer()
        let isWritten = frame.append { writer throws(FormatError) in
            try EthernetHeader(destination: link, source: hop.interface.macAddress, type: isIPv6 ? .ipv6 : .ipv4).write(into: &writer)
            try writer.write(header)
        }
        return isWritten && put(frame.bytes, payload, RawSpan(), .none, on: hop.interface)
    }

    /// Gives one frame to the link.
    func put(
        _ headers: RawSpan, _ payload: RawSpan, _ rest: RawSpan, _ offload: TransmitOffload, on interface: NetworkInterface
    ) -> Bool {
        guard interface.link.transmit(headers, payload, rest, offload) else {
            interface.counts.transmitDropped += 1
            return false
        }
        interface.counts.transmitted += 1
        interface.counts.transmittedBytes += headers.byteCount + payload.byteCount + rest.byteCount
        return true
    }

    /// The link-layer address for the next hop, if it is known now.
    func linkAddress(of hop: Hop, for destination: IPAddress) -> MACAddress? {
        if hop.interface.isLoopback { return hop.interface.macAddress }
        switch destination {
        case .v4(let address):
            if address.isMulticast { return MACAddress(multicast: address) }
            if address.isBroadcast || isDirectedBroadcast(address, on: hop.interface) { return .broadcast }
        case .v6(let address):
            if address.isMulticast { return MACAddress(multicast: address) }
        }
        let link = hop.interface.neighbors.lookup(hop.nextHop, now: now)
        noteDeadline(hop.interface.neighbors.nextDeadline)
        return link
    }

    func isDirectedBroadcast(_ address: IPv4Address, on interface: NetworkInterface) -> Bool {
        for own in interface.addresses {
            if case .v4(let ownAddress) = own.address,
                IPv4Prefix(address: ownAddress, length: own.prefixLength).broadcast == address
            {
                return true
            }
        }
        return false
    }

    /// Keeps an IP packet until the neighbor answers, and asks for it.
    func queue(_ bytes: [UInt8], isIPv6: Bool, for hop: Hop) {
        let packet = NeighborCache.QueuedPacket(bytes: bytes, isIPv6: isIPv6)
        if hop.interface.neighbors.enqueue(packet, for: hop.nextHop, now: now) { solicit(hop.nextHop, on: hop.interface) }
        noteDeadline(hop.interface.neighbors.nextDeadline)
    }

    /// Sends packets that waited for `link` to be known.
    func send(_ packets: [NeighborCache.QueuedPacket], to link: MACAddress, on interface: NetworkInterface) {
        for packet in packets {
            var frame = HeaderBuffer()
            let isWritten = frame.append { writer throws(FormatError) in
                try EthernetHeader(destination: link, source: interface.macAddress, type: packet.isIPv6 ? .ipv6 : .ipv4)
                    .write(into: &writer)
            }
            if isWritten { _ = put(frame.bytes, packet.bytes.raw, RawSpan(), .none, on: interface) }
        }
    }
}
