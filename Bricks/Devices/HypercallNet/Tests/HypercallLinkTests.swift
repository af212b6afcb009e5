import BootFormat
import Bytes
import Hypercalls
import HypercallNet
import NetFormats
import NetworkLink
import Testing

private func frame(_ byteCount: Int, _ filler: UInt8 = 7) -> [UInt8] { [UInt8](repeating: filler, count: byteCount) }

private func makeLink(isCallCheap: Bool = false, gatherByteCount: Int = 16 << 10) throws -> HypercallLink {
    startMonitor()
    let configuration = HypercallLink.Configuration(
        gatherByteCount: gatherByteCount, regionByteCount: 80 << 10, isCallCheap: isCallCheap)
    return try #require(HypercallLink(index: 0, configuration: configuration))
}

extension HypercallLink {
    fileprivate func send(_ headers: [UInt8], _ payload: [UInt8] = [], _ rest: [UInt8] = [], _ offload: TransmitOffload = .none) -> Bool {
        transmit(headers.raw, payload.raw, rest.raw, offload)
    }

    fileprivate func received(limit: Int = 100) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        let count = receive(limit: limit) { bytes, _ in frames.append(Array(copying: bytes)) }
        #expect(count == frames.count)
        return frames
    }
}

private let emptyHeader = [UInt8](repeating: 0, count: 12)

@Suite(.serialized)
struct HypercallLinkTests {
    @Test func `a link is what the platform says, and there is none where it says so`() throws {
        let link = try makeLink()
        #expect(link.macAddress == MACAddress(rawValue: 0x5254_0001_0203))
        #expect(link.maximumTransmissionUnit == 1500)
        #expect(link.offloads == [.transmitChecksum, .segmentation4, .segmentation6, .receiveChecksum, .largeReceive])
        let configuration = HypercallLink.Configuration.fitting(memoryByteCount: 1 << 20, isCallCheap: true)
        #expect(HypercallLink(index: 1, configuration: configuration) == nil)
    }

    @Test func `frames wait for one call that sends, receives and waits`() throws {
        let link = try makeLink()
        for size in [14, 60, 1000] {
            let isTaken = link.send(frame(size), frame(100), frame(3))
            #expect(isTaken)
        }
        link.flush()
        #expect(withMonitor { $0.exchanges.count } == 0)
        withMonitor { $0.arriving = [emptyHeader + frame(60), emptyHeader + frame(61)] }
        let ready = link.wait(for: .consoleInput, timeoutNanoseconds: 5)
        #expect(ready == .link(0))
        #expect(withMonitor { $0.sent.map(\.count) } == [129, 175, 1115])
        #expect(withMonitor { $0.exchanges.count } == 1)
        #expect(withMonitor { $0.exchanges[0].timeout } == 5)
        #expect(withMonitor { $0.exchanges[0].events } == 0x101)
        #expect(link.received().map(\.count) == [60, 61])
        #expect(withMonitor { $0.exchanges.count } == 1)
    }

    @Test func `where calls are cheap, flush sends, and large payloads go at once and in order`() throws {
        let link = try makeLink(isCallCheap: true)
        let isTaken = link.send(frame(54))
        #expect(isTaken)
        #expect(withMonitor { $0.sent.count } == 0)
        let isLargeTaken = link.send(frame(54, 1), frame(30000, 2), frame(30000, 3))
        #expect(isLargeTaken)
        #expect(withMonitor { $0.sent } == [emptyHeader + frame(54), emptyHeader + frame(54, 1) + frame(30000, 2) + frame(30000, 3)])
        let isNextTaken = link.send(frame(54), frame(4095))
        #expect(isNextTaken)
        link.flush()
        #expect(withMonitor { $0.sent.count } == 3)
        link.flush()
        #expect(withMonitor { $0.exchanges.count } == 2)
    }

    @Test func `the offload is in the header of virtio`() throws {
        let link = try makeLink()
        let offload = TransmitOffload(checksumStart: 54, checksumOffset: 16, segmentSize: 1428, headerByteCount: 74, isIPv6: true)
        let isTaken = link.send(frame(74), frame(8000), [], offload)
        #expect(isTaken)
        _ = link.wait(for: [], timeoutNanoseconds: 0)
        #expect(withMonitor { Array($0.sent[0].prefix(12)) } == [1, 4, 74, 0, 0x94, 5, 54, 0, 16, 0, 0, 0])
        withMonitor { $0.arriving = [[1, 1, 66, 0, 0xa8, 5, 34, 0, 16, 0, 1, 0] + frame(60), [2] + frame(11, 0) + frame(60)] }
        _ = link.wait(for: [], timeoutNanoseconds: 0)
        var offloads: [ReceiveOffload] = []
        _ = link.receive(limit: 9) { _, offload in offloads.append(offload) }
        #expect(
            offloads == [
                ReceiveOffload(isChecksumValid: true, isChecksumPartial: true, segmentSize: 1448), ReceiveOffload(isChecksumValid: true),
            ])
    }

    @Test func `a full link keeps what it can and drops the rest`() throws {
        let link = try makeLink(gatherByteCount: 4096)
        withMonitor { $0.room = 1 }
        let taken = (0..<10).map { link.send(frame(500, UInt8($0))) }
        // Eight fit; the ninth makes one go out, which leaves no room while the others wait.
        #expect(taken == [Bool](repeating: true, count: 8) + [false, false])
        #expect(link.droppedFrameCount == 2)
        withMonitor { $0.room = .max }
        _ = link.wait(for: [], timeoutNanoseconds: 0)
        #expect(withMonitor { $0.sent.map { $0[12] } } == [0, 1, 2, 3, 4, 5, 6, 7])
        let isTaken = link.send(frame(4000))
        #expect(isTaken)
    }

    @Test func `a frame that went by its address is not kept by a full link`() throws {
        let link = try makeLink(isCallCheap: true)
        withMonitor { $0.room = 0 }
        let isGathered = link.send(frame(60))
        let isTaken = link.send(frame(54), frame(5000), frame(10))
        #expect(isGathered && !isTaken)
        withMonitor { $0.room = .max }
        link.flush()
        #expect(withMonitor { $0.sent.map(\.count) } == [72])
        #expect(withMonitor { $0.exchanges.last?.buffers } == 1)
    }

    @Test func `more buffers than one call takes go out in several`() throws {
        let link = try makeLink(gatherByteCount: 64 << 10)
        for _ in 0..<600 {
            let isTaken = link.send(frame(60))
            #expect(isTaken)
        }
        _ = link.wait(for: [], timeoutNanoseconds: 0)
        #expect(withMonitor { $0.exchanges.map(\.buffers) } == [256, 256, 88])
        #expect(withMonitor { $0.sent.count } == 600)
    }

    @Test func `frames beyond the region come with the next calls, and the limit is kept`() throws {
        let link = try makeLink()
        withMonitor { $0.arriving = [UInt8](0..<30).map { emptyHeader + frame(1500, $0) } }
        let ready = link.wait(for: [], timeoutNanoseconds: .max)
        #expect(ready == .link(0))
        #expect(link.received(limit: 4).map { $0[0] } == [0, 1, 2, 3])
        let readyAgain = link.wait(for: .consoleInput, timeoutNanoseconds: .max)
        #expect(readyAgain == .link(0))
        // Unread frames are not overwritten, and not waited over.
        #expect(withMonitor { $0.exchanges.last?.capacity } == 0)
        #expect(withMonitor { $0.exchanges.last?.timeout } == 0)
        #expect(link.received().map { $0[0] } == [UInt8](4..<30))
        #expect(link.received().isEmpty)
    }

    @Test func `frames may be sent while frames are received`() throws {
        let link = try makeLink(isCallCheap: true)
        withMonitor { $0.arriving = (0..<3).map { _ in emptyHeader + frame(60) } }
        _ = link.wait(for: [], timeoutNanoseconds: 0)
        let payload = frame(6000)
        let count = link.receive(limit: 9) { bytes, _ in
            let isTaken = link.transmit(bytes, payload.raw, payload.raw, .none)
            #expect(isTaken)
        }
        #expect(count == 3)
        #expect(withMonitor { $0.sent.map(\.count) } == [12072, 12072, 12072])
    }

    @Test func `frames of no possible size are dropped`() throws {
        let link = try makeLink()
        let isRuntTaken = link.send(frame(13), frame(100))
        let isGiantTaken = link.send(frame(60), frame(65500))
        #expect(!isRuntTaken && !isGiantTaken)
        let isLargestTaken = link.send(frame(50), frame(65500))
        #expect(isLargestTaken)
    }

    @Test func `a platform that refuses is waited for without the link`() throws {
        let link = try makeLink()
        withMonitor { $0.refusal = -14 }
        _ = link.send(frame(60))
        let ready = link.wait(for: [.consoleInput, .link(0)], timeoutNanoseconds: .max)
        #expect(ready == [])
        #expect(withMonitor { $0.waits } == [100_000_000])
        #expect(link.failedExchangeCount == 1)
    }
}
