import Bytes
import DHCPFormat
import DNSFormat
import Glibc
import NetFormats

extension UserNetwork {
    /// Datagrams of one flow that are taken in one turn.
    static let datagramBatchLimit = 32

    func handleUDP(_ source: IPAddress, _ destination: IPAddress, _ header: UDPHeader, _ payload: RawSpan) {
        if case .v4(let address) = destination, header.destinationPort == DHCPv4Message.serverPort,
            address.isBroadcast || address == UserNetworkLayout.gateway
        {
            return handleDHCP(payload)
        }
        let key = FlowKey(
            transport: .udp, instance: SocketAddress(address: source, port: header.sourcePort),
            remote: SocketAddress(address: destination, port: header.destinationPort))
        if isNameServer(destination), header.destinationPort == DNSMessage.port, answerQuery(key, payload) { return }
        guard let flow = datagramFlow(key) else { return }
        flow.lastUse = now
        let outcome: HostSocket.Outcome
        switch flow.kind {
        case .own(let socket): outcome = socket.send(payload, payload.extracting(first: 0))
        case .published(let listener, let client):
            outcome = listeners[listener].socket.send(payload, payload.extracting(first: 0), to: client)
        case .echo: return
        }
        if case .failed(let error) = outcome { report(flow, error) }
    }

    func isNameServer(_ address: IPAddress) -> Bool {
        address == .v4(UserNetworkLayout.nameServer) || address == .v6(UserNetworkLayout.nameServer6)
    }

    private func datagramFlow(_ key: FlowKey) -> DatagramFlow? {
        if let number = flows[key] { return datagramFlows[number] }
        guard let target = hostAddress(key.remote) else {
            report(key, EHOSTUNREACH)
            return nil
        }
        guard let socket = HostSocket(.udp, isIPv6: target.address.isIPv6) else { return nil }
        if case .failed(let error) = socket.connect(to: target) {
            socket.close()
            report(key, error)
            return nil
        }
        let flow = DatagramFlow(key: key, kind: .own(socket), isNameQuery: isNameServer(key.remote.address), now: now)
        return add(flow) ? flow : nil
    }

    /// Makes room if there is none.
    func add(_ flow: DatagramFlow) -> Bool {
        if datagramFlows.count >= Self.datagramFlowLimit, let oldest = datagramFlows.all.min(by: { $0.lastUse < $1.lastUse }) {
            remove(oldest)
        }
        flow.number = datagramFlows.insert(flow)
        if let socket = flow.socket {
            let tag = PollTag.datagram(flow.number, generation: datagramFlows.generation(flow.number))
            guard poller.add(socket.descriptor, tag: tag.rawValue) else {
                datagramFlows.remove(flow.number)
                socket.close()
                return false
            }
        }
        flows[flow.key] = flow.number
        return true
    }

    func remove(_ flow: DatagramFlow) {
        guard datagramFlows[flow.number] === flow else { return }
        flow.socket?.close()
        if case .published(let listener, let client) = flow.kind {
            publishedClients[PublishedClient(listener: listener, address: client)] = nil
        }
        datagramFlows.remove(flow.number)
        flows[flow.key] = nil
    }

    /// What has come to the flow's socket.
    func receiveDatagrams(_ flow: DatagramFlow) {
        guard let socket = flow.socket, datagramFlows[flow.number] === flow else { return }
        for _ in 0..<Self.datagramBatchLimit {
            guard !link.isFull else { return blockedDatagramFlows.append(flow) }
            switch socket.receive(into: buffer, limit: buffer.byteCount) {
            case .done(let count):
                flow.lastUse = now
                flow.hasAnswer = true
                buffer.withBytes(count) { deliver($0, to: flow) }
            case .wait: return
            case .failed(let error):
                report(flow, error)
                if flow.isNameQuery, !nameServers.isEmpty { nameServerIndex = (nameServerIndex + 1) % nameServers.count }
                return
            }
        }
        // The others have their turn; the edge has passed, so this one is remembered.
        blockedDatagramFlows.append(flow)
        hasBlockedDatagrams = true
    }

    private func deliver(_ payload: RawSpan, to flow: DatagramFlow) {
        if case .echo = flow.kind {
            deliverEcho(payload, to: flow)
        } else if payload.byteCount <= 65_507 {
            transmitUDP(from: flow.key.remote, to: flow.key.instance, payload)
        }
    }

    private func report(_ flow: DatagramFlow, _ error: Int32) {
        switch error {
        case ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EACCES, EPERM: report(flow.key, error)
        default: return
        }
    }

    private func report(_ key: FlowKey, _ error: Int32) {
        guard !key.remote.address.isMulticast else { return }
        if case .v4(let address) = key.remote.address, address.isBroadcast || address == UserNetworkLayout.prefix.broadcast { return }
        let quotation = Self.written(8) { (writer) throws(FormatError) in
            try UDPHeader(sourcePort: key.instance.port, destinationPort: key.remote.port, payloadByteCount: 0).write(into: &writer)
        }
        reportUnreachable(key, error, quotation)
    }

    // MARK: DHCP and names

    private func handleDHCP(_ payload: RawSpan) {
        var reader = ByteReader(payload)
        guard let message = try? DHCPv4Message(parsing: &reader), let reply = dhcp.handle(message, now: now) else { return }
        if reply.message.kind == .acknowledge, !reply.message.yourAddress.isUnspecified { instanceIPv4 = reply.message.yourAddress }
        let bytes = reply.message.bytes
        transmitUDP(
            from: SocketAddress(UserNetworkLayout.gateway, port: DHCPv4Message.serverPort),
            to: SocketAddress(reply.destination, port: DHCPv4Message.clientPort), ByteReader(bytes.span).unread, hardware: reply.hardware)
    }

    /// Answers a question for one of the configured names. False: the host's servers are to be asked.
    private func answerQuery(_ key: FlowKey, _ payload: RawSpan) -> Bool {
        guard !configuration.hosts.isEmpty else { return false }
        var reader = ByteReader(payload)
        guard let query = try? DNSMessage(parsing: &reader), !query.isResponse, query.questions.count == 1 else { return false }
        let question = query.questions[0]
        guard let host = configuration.hosts.first(where: { $0.name == question.name }) else { return false }
        var answer = DNSMessage(identifier: query.identifier)
        answer.isResponse = true
        answer.isRecursionDesired = query.isRecursionDesired
        answer.isRecursionAvailable = true
        answer.questions = query.questions
        for address in host.addresses {
            switch (address, question.type) {
            case (.v4(let v4), .a): answer.answers.append(DNSRecord(name: question.name, timeToLive: .seconds(60), data: .a(v4)))
            case (.v6(let v6), .aaaa): answer.answers.append(DNSRecord(name: question.name, timeToLive: .seconds(60), data: .aaaa(v6)))
            default: continue
            }
        }
        let bytes = answer.bytes(limit: DNSMessage.plainByteCountLimit)
        transmitUDP(from: key.remote, to: key.instance, ByteReader(bytes.span).unread)
        return true
    }
}
