import NetFormats
@testable import TCP
import Testing
import Time

struct ClosingTests {
    @Test func `a peer's FIN is acknowledged, and this end may go on`() {
        let script = Scripted.closeWait()
        #expect(script.events.contains([.endOfStream, .readable]))
        #expect(script.control.isEndOfStream)
        #expect(script.write(10) == 10)
        script.expect(.ack, 101, 1_002, count: 10)
        script.send(.ack, 1_002, 111)
        script.control.finish()
        script.expect([.fin, .ack], 111, 1_002)
        #expect(script.control.state == .lastAck)
        script.send(.ack, 1_002, 112)
        #expect(script.control.state == .closed(.init(failure: nil)))
        #expect(script.events.contains(.closed) && !script.events.contains(.failed))
    }

    @Test func `a half-closed end still reads`() {
        let script = Scripted.finWait2()
        script.send(.ack, 1_001, 102, [1, 2, 3])
        #expect(script.control.readAll() == [1, 2, 3])
        script.expect(.ack, 102, 1_004)
        #expect(script.write(1) == 0)
        script.send([.fin, .ack], 1_004, 102)
        #expect(script.control.isTimeWait)
    }

    @Test func `the FIN goes with the last data`() {
        let script = Scripted.established()
        #expect(script.write(5) == 5)
        script.control.finish()
        script.expect([.fin, .ack], 101, 1_001, count: 5)
        script.send(.ack, 1_001, 106)
        #expect(script.control.state == .finWait1)
        script.send(.ack, 1_001, 107)
        #expect(script.control.state == .finWait2)
    }

    @Test func `a FIN waits for what precedes it`() {
        let script = Scripted.established()
        script.send([.fin, .ack], 1_011, 101, [7])
        script.expect(.ack, 101, 1_001, sack: [(1_011, 1_012)])
        #expect(script.control.state == .established)
        script.send(.ack, 1_001, 101, [UInt8](repeating: 1, count: 10))
        #expect(script.control.state == .closeWait)
        script.expect(.ack, 101, 1_013)
        #expect(script.control.readAll().count == 11)
    }

    @Test func `both ends may close at once`() {
        let script = Scripted.closing()
        script.send(.ack, 1_002, 102)
        #expect(script.control.isTimeWait)
        script.expectNothing(for: .seconds(60))
        #expect(script.control.isClosed && script.control.failure == nil)
    }

    @Test func `a FIN is sent again`() {
        let script = Scripted.finWait1()
        script.expectNothing(for: .milliseconds(210))
        script.expect([.fin, .ack], 101, 1_001)
    }

    @Test func `TIME-WAIT answers a repeated FIN and begins anew`() {
        let script = Scripted.timeWait()
        script.wait(.seconds(40))
        script.send([.fin, .ack], 1_001, 102)
        script.expect(.ack, 102, 1_002)
        script.expectNothing(for: .seconds(59))
        #expect(script.control.isTimeWait)
        script.expectNothing(for: .seconds(1))
        #expect(script.control.isClosed)
    }

    @Test func `TIME-WAIT is not ended by a RST`() {
        let script = Scripted.timeWait()
        script.send(.rst, 1_002, 0)
        #expect(script.control.isTimeWait)
    }

    @Test func `TIME-WAIT gives way to a later SYN alone`() {
        let script = Scripted.timeWait()
        func syn(_ number: Int) -> TCPHeader {
            TCPHeader(sourcePort: 80, destinationPort: 40_000, sequenceNumber: Scripted.number(number), flags: .syn)
        }
        #expect(!script.control.canBeReplaced(by: syn(1_001)))
        #expect(!script.control.canBeReplaced(by: syn(1_002)))
        #expect(script.control.canBeReplaced(by: syn(1_003)))
        #expect(script.control.successorSequenceNumber - Scripted.number(102) > 60_000)
        #expect(!Scripted.finWait2().control.canBeReplaced(by: syn(1_003)))
    }

    @Test func `data that nobody will read is answered by a RST`() {
        let script = Scripted.established()
        script.control.close(now: script.now)
        script.expect([.fin, .ack], 101, 1_001)
        script.send(.ack, 1_001, 102)
        script.send(.ack, 1_001, 102, [1])
        script.expect([.rst, .ack], 102, 1_001)
        #expect(script.control.failure == .aborted)
        script.expectNothing()
    }

    @Test func `a closed end does not wait for ever`() {
        let script = Scripted.established { $0.finWait2Timeout = .seconds(30) }
        script.control.close(now: script.now)
        script.expect([.fin, .ack], 101, 1_001)
        script.send(.ack, 1_001, 102)
        script.expectNothing(for: .seconds(30))
        #expect(script.control.isClosed)
    }

    @Test func `an abort tells the peer where it would believe it`() {
        for (name, script) in Scripted.everyState() {
            script.control.abort()
            #expect(script.control.failure == .aborted, "\(name)")
            let segment = script.next()
            switch name {
            case "SYN-SENT", "CLOSING", "LAST-ACK", "TIME-WAIT": #expect(segment == nil, "\(name)")
            default: #expect(segment?.header.flags == [.rst, .ack], "\(name)")
            }
            script.expectNothing()
            #expect(script.control.nextDeadline == nil)
        }
    }

    @Test func `a RST in its place ends every connection but one in TIME-WAIT`() {
        for (name, script) in Scripted.everyState() where name != "SYN-SENT" && name != "TIME-WAIT" {
            let next = ["CLOSE-WAIT", "CLOSING", "LAST-ACK"].contains(name) ? 1_002 : 1_001
            script.send(.rst, next, 0)
            #expect(script.control.isClosed, "\(name)")
            #expect(script.control.failure == (["CLOSING", "LAST-ACK"].contains(name) ? nil : .reset), "\(name)")
            script.expectNothing()
        }
    }
}
