import Bytes
import Glibc
import NetFormats
import TCP
import Time

extension UserNetwork {
    /// Payload of one super-segment: an IP packet's length has 16 bits.
    static let superSegmentByteCountLimit = 65_535 - IPv6Header.byteCount - 60

    func handleTCP(_ source: IPAddress, _ destination: IPAddress, _ segment: RawSpan) {
        var reader = ByteReader(segment)
        guard let header = try? TCPHeader(parsing: &reader) else { return }
        let key = FlowKey(
            transport: .tcp, instance: SocketAddress(address: source, port: header.sourcePort),
            remote: SocketAddress(address: destination, port: header.destinationPort))
        guard let number = flows[key], let flow = tcpFlows[number] else {
            if header.flags.contains(.syn), header.flags.isDisjoint(with: [.ack, .rst, .fin]) { return open(key, header) }
            return refuse(key, header, payloadByteCount: reader.remainingByteCount)
        }
        guard flow.block != nil else {
            // The host's half still connects: the instance may give up, or repeat itself.
            if header.flags.contains(.rst) { remove(flow) }
            return
        }
        _ = flow.block?.handle(header, reader.unread, now: now)
        enqueue(flow)
    }

    /// A RST for a segment that nobody expects.
    private func refuse(_ key: FlowKey, _ header: TCPHeader, payloadByteCount: Int) {
        guard let reset = TCPHeader.reset(answering: header, payloadByteCount: payloadByteCount) else { return }
        let none = [UInt8]()
        let empty = ByteReader(none.span).unread
        transmitTCP(reset, key, segmentSize: 0, empty, empty)
    }

    // MARK: Beginnings

    /// The instance connects: so does the host, and only then is the SYN answered.
    private func open(_ key: FlowKey, _ syn: TCPHeader) {
        guard let target = hostAddress(key.remote) else { return fail(key, syn, EHOSTUNREACH) }
        guard tcpFlows.count < Self.tcpFlowLimit, let socket = HostSocket(.tcp, isIPv6: target.address.isIPv6) else {
            return fail(key, syn, ECONNREFUSED)
        }
        socket.setNoDelay()
        let outcome = socket.connect(to: target)
        if case .failed(let error) = outcome {
            socket.close()
            return fail(key, syn, error)
        }
        let flow = TCPFlow(key: key, socket: socket)
        flow.syn = syn
        guard add(flow) else {
            socket.close()
            return fail(key, syn, ECONNREFUSED)
        }
    }

    private func add(_ flow: TCPFlow) -> Bool {
        flow.number = tcpFlows.insert(flow)
        let tag = PollTag.tcp(flow.number, generation: tcpFlows.generation(flow.number))
        guard poller.add(flow.socket.descriptor, tag: tag.rawValue) else {
            tcpFlows.remove(flow.number)
            return false
        }
        flows[flow.key] = flow.number
        return true
    }

    /// The host's attempt has ended, one way or the other.
    func concludeConnect(_ flow: TCPFlow) {
        guard let syn = flow.syn, flow.canRead || flow.canWrite else { return }
        let error = flow.socket.takeError()
        guard error == 0 else {
            let key = flow.key
            remove(flow)
            return fail(key, syn, error)
        }
        guard flow.canWrite else { return }
        flow.syn = nil
        flow.block = TCPControlBlock(
            accepting: syn, local: flow.key.remote, remote: flow.key.instance,
            initialSequenceNumber: sequenceNumbers.initialSequenceNumber(local: flow.key.remote, remote: flow.key.instance, now: now),
            timestampOffset: sequenceNumbers.timestampOffset(local: flow.key.remote, remote: flow.key.instance),
            configuration: blockConfiguration(flow.key), now: now)
        enqueue(flow)
    }

    /// A client of a published port: the instance is connected to.
    func connectInstance(_ socket: HostSocket, _ key: FlowKey) {
        guard tcpFlows.count < Self.tcpFlowLimit else { return socket.reset() }
        let flow = TCPFlow(key: key, socket: socket)
        socket.setNoDelay()
        guard add(flow) else { return socket.reset() }
        flow.block = TCPControlBlock(
            connectingFrom: key.remote, to: key.instance,
            initialSequenceNumber: sequenceNumbers.initialSequenceNumber(local: key.remote, remote: key.instance, now: now),
            timestampOffset: sequenceNumbers.timestampOffset(local: key.remote, remote: key.instance),
            configuration: blockConfiguration(key), now: now)
        enqueue(flow)
    }

    private func blockConfiguration(_ key: FlowKey) -> TCPControlBlock.Configuration {
        var block = TCPControlBlock.Configuration()
        let headers = TCPHeader.byteCount + (key.remote.address.isIPv6 ? IPv6Header.byteCount : IPv4Header.byteCount)
        block.maximumSegmentSize = max(configuration.maximumTransmissionUnit - headers, 536)
        // What the many may have shrinks with their number.
        let share = Self.bufferByteCountLimit / (2 * max(tcpFlows.count, 1))
        block.receiveBufferLimit = min(4 << 20, max(64 << 10, share))
        block.sendBufferLimit = block.receiveBufferLimit
        // What comes from the host has been gathered there.
        block.isNoDelay = true
        return block
    }

    /// The answer to a SYN that leads nowhere.
    private func fail(_ key: FlowKey, _ syn: TCPHeader, _ error: Int32) {
        switch error {
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EADDRNOTAVAIL, EAFNOSUPPORT, EACCES, EPERM, ETIMEDOUT:
            let quotation = Self.written(8) { (writer) throws(FormatError) in
                try writer.write(syn.sourcePort, .big)
                try writer.write(syn.destinationPort, .big)
                try writer.write(syn.sequenceNumber.rawValue, .big)
            }
            reportUnreachable(key, error == EADDRNOTAVAIL || error == EAFNOSUPPORT ? ENETUNREACH : error, quotation)
        default: refuse(key, syn, payloadByteCount: 0)
        }
    }

    // MARK: Service

    func enqueue(_ flow: TCPFlow) {
        guard !flow.isQueued else { return }
        flow.isQueued = true
        queue.append(flow)
    }

    /// Gives every flow with something to do a turn.
    func serveFlows() {
        let turn = queue
        queue = []
        for flow in turn {
            flow.isQueued = false
            // It may have ended, and its number be another's.
            guard flow.block != nil, tcpFlows[flow.number] === flow else { continue }
            serve(flow)
        }
    }

    private func serve(_ flow: TCPFlow) {
        var hasMore = true
        for _ in 0..<Self.turnLimit where hasMore {
            hasMore = moveToHost(flow)
            hasMore = moveFromHost(flow) || hasMore
            if transmit(flow) { break }
        }
        guard let block = flow.block else { return }
        if block.failure != nil {
            flow.socket.reset()
            return forget(flow)
        }
        if block.isTimeWait || block.isClosed, block.readableByteCount == 0, flow.isShutDown || block.isClosed {
            return remove(flow)
        }
        if let deadline = block.nextDeadline, deadline < flow.scheduled {
            flow.scheduled = deadline
            deadlines.insert(flow.number, at: deadline)
        }
        if hasMore { enqueue(flow) }
    }

    /// What the instance has sent. True: there may be more to move.
    private func moveToHost(_ flow: TCPFlow) -> Bool {
        guard let readable = flow.block?.readableByteCount else { return false }
        var moved = false
        if readable > 0, flow.canWrite {
            let outcome = flow.block?.withReadable { first, second in flow.socket.send(first, second) }
            switch outcome {
            case .done(let count):
                flow.block?.consume(count)
                moved = true
            case .wait: flow.canWrite = false
            case .failed, nil: flow.block?.abort()
            }
        }
        if flow.block?.isEndOfStream == true, !flow.isShutDown {
            flow.isShutDown = true
            flow.socket.shutdownWriting()
        }
        return moved
    }

    /// What the host's peer has sent. True: there may be more to move.
    private func moveFromHost(_ flow: TCPFlow) -> Bool {
        guard flow.canRead, !flow.hasHostEnded, let block = flow.block, !block.isClosed else { return false }
        let room = block.writableByteCount
        guard room > 0 else { return false }
        switch flow.socket.receive(into: buffer, limit: room) {
        case .done(0):
            flow.hasHostEnded = true
            flow.block?.finish()
        case .done(let count):
            let written = buffer.withBytes(count) { flow.block?.write($0) ?? 0 }
            assert(written == count)
            return true
        case .wait: flow.canRead = false
        case .failed: flow.block?.abort()
        }
        return false
    }

    /// Sends segments while there are any. True: the instance takes no more at present.
    private func transmit(_ flow: TCPFlow) -> Bool {
        let limit = configuration.framing == .virtio ? Self.superSegmentByteCountLimit : 0
        while !link.isFull {
            guard let transmission = flow.block?.nextTransmission(now: now, maximumByteCount: limit) else { return false }
            flow.block?.withPayload(of: transmission) { first, second in
                transmitTCP(transmission.header, flow.key, segmentSize: transmission.segmentSize, first, second)
            }
        }
        if !flow.isQueued {
            flow.isQueued = true
            blockedFlows.append(flow)
        }
        return true
    }

    func remove(_ flow: TCPFlow) {
        flow.socket.close()
        forget(flow)
    }

    private func forget(_ flow: TCPFlow) {
        flow.block = nil
        guard tcpFlows[flow.number] === flow else { return }
        tcpFlows.remove(flow.number)
        flows[flow.key] = nil
    }
}
