import NetFormats
import Random
@testable import TCP
import Testing
import Time

struct CookieTests {
    let cookies = SYNCookies(key: SipHash.Key(low: 1, high: 2))
    let now = Instant(nanoseconds: 1_000_000_000_000)

    func answer(_ change: (inout TCPOptions) -> Void) -> (syn: TCPHeader, answer: TCPHeader) {
        var syn = TCPHeader(
            sourcePort: 40_000, destinationPort: 80, sequenceNumber: SequenceNumber(rawValue: 77), flags: .syn, window: 1_000)
        change(&syn.options)
        let answer = cookies.answer(
            to: syn, local: serverAddress, remote: clientAddress, timestampOffset: 9, window: 60_000, windowScale: 7,
            maximumSegmentSize: 1_460, now: now)
        return (syn, answer)
    }

    func third(_ pair: (syn: TCPHeader, answer: TCPHeader)) -> TCPHeader {
        var header = TCPHeader(
            sourcePort: 40_000, destinationPort: 80, sequenceNumber: pair.syn.sequenceNumber + 1,
            acknowledgmentNumber: pair.answer.sequenceNumber + 1, flags: .ack, window: 500)
        header.options.timestamps = pair.answer.options.timestamps.map {
            TCPTimestamps(value: (pair.syn.options.timestamps?.value ?? 0) + 1, echo: $0.value)
        }
        return header
    }

    @Test(arguments: [(1_460, 1_460), (1_459, 1_440), (9_000, 8_960), (536, 536), (100, 216), (1_300, 1_220)] as [(UInt16, UInt16)])
    func `a cookie keeps the segment size, rounded down`(offered: UInt16, kept: UInt16) {
        let pair = answer { $0.maximumSegmentSize = offered }
        let contents = cookies.contents(of: third(pair), local: serverAddress, remote: clientAddress, now: now)
        #expect(contents == .init(maximumSegmentSize: kept, windowScale: nil, isSACKPermitted: false))
    }

    @Test func `timestamps carry the other options`() {
        for scale in [nil, 0, 7, 14] as [UInt8?] {
            for sack in [false, true] {
                let pair = answer {
                    $0.maximumSegmentSize = 1_460
                    $0.timestamps = TCPTimestamps(value: 5, echo: 0)
                    $0.windowScale = scale
                    $0.isSACKPermitted = sack
                }
                #expect(pair.answer.options.timestamps?.echo == 5)
                #expect((pair.answer.options.windowScale == nil) == (scale == nil))
                let contents = cookies.contents(of: third(pair), local: serverAddress, remote: clientAddress, now: now)
                #expect(contents == .init(maximumSegmentSize: 1_460, windowScale: scale, isSACKPermitted: sack))
            }
        }
    }

    @Test func `a cookie is of one connection and of two minutes`() {
        let pair = answer { $0.maximumSegmentSize = 1_460 }
        let header = third(pair)
        #expect(cookies.contents(of: header, local: serverAddress, remote: clientAddress, now: now + .seconds(60)) != nil)
        #expect(cookies.contents(of: header, local: serverAddress, remote: clientAddress, now: now + .seconds(130)) == nil)
        #expect(cookies.contents(of: header, local: clientAddress, remote: serverAddress, now: now) == nil)
        var changed = header
        changed.sequenceNumber += 1
        #expect(cookies.contents(of: changed, local: serverAddress, remote: clientAddress, now: now) == nil)
        for bit in 0..<32 {
            changed = header
            changed.acknowledgmentNumber = SequenceNumber(rawValue: header.acknowledgmentNumber.rawValue ^ 1 << UInt32(bit))
            #expect(cookies.contents(of: changed, local: serverAddress, remote: clientAddress, now: now) == nil, "bit \(bit)")
        }
    }

    @Test func `a connection from a cookie is as any other`() {
        let pair = answer {
            $0.maximumSegmentSize = 1_460
            $0.timestamps = TCPTimestamps(value: 5, echo: 0)
            $0.windowScale = 3
            $0.isSACKPermitted = true
        }
        let header = third(pair)
        guard let contents = cookies.contents(of: header, local: serverAddress, remote: clientAddress, now: now) else {
            Issue.record("no contents")
            return
        }
        var control = TCPControlBlock(
            acceptingCookie: contents, acknowledgment: header, local: serverAddress, remote: clientAddress, timestampOffset: 9, now: now)
        #expect(control.state == .established)
        #expect(control.segmentSize == 1_448)
        let events = control.handle(Segment(header: header, payload: [1, 2, 3]), now: now)
        #expect(events.contains(.readable))
        #expect(control.readAll() == [1, 2, 3])
        _ = control.write([9])
        let segments = control.transmissions(now: now)
        #expect(segments.first?.header.sequenceNumber == header.acknowledgmentNumber)
        #expect(segments.first?.header.options.timestamps.map { $0.value >= header.options.timestamps!.echo } == true)
        #expect(control.inconsistency == nil)
    }

    @Test func `initial numbers differ by connection and grow with time`() {
        let numbers = InitialSequenceNumbers(key: SipHash.Key(low: 3, high: 4))
        let first = numbers.initialSequenceNumber(local: clientAddress, remote: serverAddress, now: now)
        let later = numbers.initialSequenceNumber(local: clientAddress, remote: serverAddress, now: now + .seconds(1))
        #expect(later - first == 250_000)
        var other = clientAddress
        other.port += 1
        #expect(numbers.initialSequenceNumber(local: other, remote: serverAddress, now: now) != first)
        #expect(
            numbers.timestampOffset(local: clientAddress, remote: serverAddress)
                == numbers.timestampOffset(local: clientAddress, remote: serverAddress))
    }
}
