import NetFormats
@testable import TCP
import Testing
import Time

struct HandshakeTests {
    @Test func `a SYN announces what this end can do`() throws {
        let now = Instant(nanoseconds: 3_000_000)
        var control = TCPControlBlock(
            connectingFrom: clientAddress, to: serverAddress, initialSequenceNumber: SequenceNumber(rawValue: 100), timestampOffset: 7,
            now: now)
        let transmission = control.nextTransmission(now: now, maximumByteCount: 0)
        let syn = try #require(transmission).header
        #expect(syn.flags == .syn)
        #expect(syn.sourcePort == clientAddress.port && syn.destinationPort == serverAddress.port)
        #expect(syn.options.maximumSegmentSize == 1_460)
        #expect(syn.options.windowScale == 7)
        #expect(syn.options.isSACKPermitted)
        #expect(syn.options.timestamps == TCPTimestamps(value: 10, echo: 0))
        #expect(syn.window == 65_535)
    }

    @Test func `a SYN is sent again after 1, 2 and 4 seconds, and then given up`() {
        let script = Scripted.synSent { $0.synRetransmissionLimit = 3 }
        script.expectNothing(for: .seconds(1))
        script.expect(.syn, 100, 0)
        script.expectNothing(for: .seconds(2))
        script.expect(.syn, 100, 0)
        script.expectNothing(for: .seconds(4))
        script.expect(.syn, 100, 0)
        script.expectNothing(for: .seconds(8))
        script.expectNothing()
        #expect(script.control.failure == .timedOut)
        #expect(script.events.contains([.failed, .closed]))
        #expect(script.control.nextDeadline == nil)
    }

    @Test func `a SYN-ACK completes an active open`() {
        let script = Scripted.synSent()
        script.send([.syn, .ack], 1_000, 101)
        #expect(script.events.contains(.established))
        script.expect(.ack, 101, 1_001)
        script.expectNothing()
    }

    @Test func `a RST that acknowledges the SYN refuses, any other is ignored`() {
        let script = Scripted.synSent()
        script.send([.rst, .ack], 0, 100)
        script.send(.rst, 0, 0)
        script.expectNothing()
        #expect(script.control.failure == nil)
        script.send([.rst, .ack], 0, 101)
        #expect(script.control.failure == .refused)
        script.expectNothing()
    }

    @Test(arguments: [99, 100, 102, 50_000])
    func `an ACK of what was never sent is answered by a RST with its number`(acknowledgment: Int) {
        let script = Scripted.synSent()
        script.send([.syn, .ack], 1_000, acknowledgment)
        script.expect(.rst, acknowledgment, 0)
        script.expectNothing()
        #expect(script.control.failure == nil)
    }

    @Test func `both ends may open at once`() {
        let script = Scripted.synSent()
        script.send(.syn, 1_000, 0)
        script.expect([.syn, .ack], 100, 1_001)
        script.send([.syn, .ack], 1_000, 101)
        #expect(script.control.state == .established)
        script.expect(.ack, 101, 1_001)
        script.expectNothing()
    }

    @Test func `two ends that open at once agree`() {
        var pair = Pair()
        let port = SocketAddress(address: serverAddress.address, port: serverAddress.port)
        pair.server = TCPControlBlock(
            connectingFrom: port, to: clientAddress, initialSequenceNumber: SequenceNumber(rawValue: 9), now: pair.now)
        pair.run()
        #expect(pair.client.state == .established)
        #expect(pair.server?.state == .established)
        _ = pair.client.write([1, 2])
        pair.run()
        #expect(pair.server?.readAll() == [1, 2])
    }

    @Test func `a SYN that comes again is answered again`() {
        let script = Scripted.synReceived()
        script.send(.syn, 1_000, 0)
        script.expect([.syn, .ack], 100, 1_001)
        script.expectNothing(for: .seconds(1))
        script.expect([.syn, .ack], 100, 1_001)
        script.send(.ack, 1_001, 101)
        #expect(script.control.state == .established)
    }

    @Test func `data may come with the last segment of the handshake`() {
        let script = Scripted.synReceived()
        script.send(.ack, 1_001, 101, [1, 2, 3])
        #expect(script.control.state == .established)
        #expect(script.control.readAll() == [1, 2, 3])
        script.expect(.ack, 101, 1_004)
    }

    @Test(arguments: [100, 102])
    func `a wrong ACK does not complete a handshake`(acknowledgment: Int) {
        let script = Scripted.synReceived()
        script.send(.ack, 1_001, acknowledgment)
        script.expect(.rst, acknowledgment, 0)
        #expect(script.control.state == .synReceived(.init(isPassive: true)))
    }

    @Test func `a RST ends a handshake`() {
        let script = Scripted.synReceived()
        script.send(.rst, 1_001, 0)
        #expect(script.control.failure == .reset)
    }

    @Test func `what is finished before the handshake ends after it`() {
        let script = Scripted.synSent()
        #expect(script.write(3) == 3)
        script.control.finish()
        #expect(script.write(1) == 0)
        script.send([.syn, .ack], 1_000, 101)
        #expect(script.control.state == .finWait1)
        script.expect([.fin, .ack], 101, 1_001, TransferTests.pattern(3))
    }

    @Test func `without options the window is not scaled and segments are small`() {
        let now = Instant(nanoseconds: 0)
        let syn = TCPHeader(sourcePort: 80, destinationPort: 40_000, sequenceNumber: Scripted.number(1_000), flags: .syn, window: 500)
        var control = TCPControlBlock(
            accepting: syn, local: clientAddress, remote: serverAddress, initialSequenceNumber: Scripted.number(100), now: now)
        let answer = control.nextTransmission(now: now, maximumByteCount: 0)?.header
        #expect(answer?.options.windowScale == nil)
        #expect(answer?.options.timestamps == nil)
        #expect(answer?.options.isSACKPermitted == false)
        #expect(answer?.options.maximumSegmentSize == 1_460)
        #expect(control.segmentSize == 536)
    }

    @Test func `a segment without a connection is answered by the right RST`() {
        var header = TCPHeader(
            sourcePort: 1, destinationPort: 2, sequenceNumber: Scripted.number(10), acknowledgmentNumber: Scripted.number(20), flags: .ack)
        var reset = TCPHeader.reset(answering: header, payloadByteCount: 5)
        #expect(reset?.flags == .rst && reset?.sequenceNumber == Scripted.number(20))
        #expect(reset?.sourcePort == 2 && reset?.destinationPort == 1)
        header.flags = [.syn, .fin]
        reset = TCPHeader.reset(answering: header, payloadByteCount: 5)
        #expect(reset?.flags == [.rst, .ack] && reset?.acknowledgmentNumber == Scripted.number(17))
        header.flags = [.rst, .ack]
        #expect(TCPHeader.reset(answering: header, payloadByteCount: 0) == nil)
    }
}
