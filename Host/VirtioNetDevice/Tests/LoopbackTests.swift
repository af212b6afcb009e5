import Bytes
import DMAMemory
import NetFormats
import NetworkLink
import Random
import RegisterBank
import Testing
import VirtioFormat
import VirtioNet
import VirtioNetDevice
import VirtioTransport

/// The registers of a device from an offset on; counts notifications.
final class DeviceBank: RegisterBank {
    let device: VirtioNetDevice
    let start: Int
    private(set) var notificationCount = 0

    init(_ device: VirtioNetDevice, from start: Int = 0) {
        self.device = device
        self.start = start
    }

    func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 { device.read(start + offset, width) }
    func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) {
        if start + offset == VirtioMMIO.queueNotifyOffset { notificationCount += 1 }
        device.write(value, to: start + offset, width)
    }
}

/// The guest's driver and the host's device over the same memory.
struct Loopback {
    static let address: UInt64 = 0x5254_0011_2233
    let testMemory: TestMemory
    let device: VirtioNetDevice
    let bank: DeviceBank
    let driver: VirtioNetDriver<DeviceBank>

    init(
        offered: VirtioFeatures = VirtioNetDevice.offeredFeatures, maximumTransmissionUnit: UInt16 = 1500,
        configuration: VirtioNetConfiguration = .fitting(memoryByteCount: 64 << 20)
    ) throws {
        testMemory = TestMemory(byteCount: configuration.memoryByteCount)
        device = VirtioNetDevice(
            memory: testMemory.memory, address: Self.address, maximumTransmissionUnit: maximumTransmissionUnit, offered: offered)
        bank = DeviceBank(device)
        guard let probed = ProbedDevice(mmio: bank) else { fatalError("no device") }
        driver = try VirtioNetDriver(
            probed, registers: DeviceBank(device, from: VirtioMMIO.configurationOffset), memory: testMemory.memory,
            configuration: configuration)
    }

    /// What the device finds sent, header and frame.
    func sent(limit: Int = 1000) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        let count = device.takeFrames(limit: limit) { ranges in
            var frame: [UInt8] = []
            for range in ranges {
                testMemory.memory.withBytes(at: range.offset, byteCount: range.byteCount) { frame.append($0) }
            }
            frames.append(frame)
            return true
        }
        #expect(count == frames.count)
        return frames
    }

    func send(_ pieces: [[UInt8]], _ offload: TransmitOffload = .none) -> Bool {
        let first = pieces[0], second = pieces[1], third = pieces[2]
        return driver.transmit(first.raw, second.raw, third.raw, offload)
    }

    func deliver(_ frame: [UInt8], _ header: VirtioNetHeader = VirtioNetHeader()) -> Bool { device.deliver(header, frame.raw) }

    func received(limit: Int = 1000) -> [(bytes: [UInt8], offload: ReceiveOffload)] {
        var frames: [(bytes: [UInt8], offload: ReceiveOffload)] = []
        _ = driver.receive(limit: limit) { frames.append((Array(copying: $0), $1)) }
        return frames
    }
}

private let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

/// Bytes that tell where they belong.
func pattern(_ byteCount: Int, _ seed: UInt8 = 0) -> [UInt8] { Array(bytes[Int(seed)..<Int(seed) + byteCount]) }

private let emptyHeader = [UInt8](repeating: 0, count: 12)

struct LoopbackTests {
    @Test func `driver and device agree on what a link is`() throws {
        let loop = try Loopback(maximumTransmissionUnit: 1400)
        #expect(loop.driver.macAddress == MACAddress(rawValue: Loopback.address))
        #expect(loop.driver.maximumTransmissionUnit == 1400)
        #expect(loop.driver.offloads == [.transmitChecksum, .segmentation4, .segmentation6, .receiveChecksum, .largeReceive])
        #expect(loop.driver.isUp && loop.device.isRunning)
        let plain = try Loopback(offered: [.netAddress])
        #expect(plain.driver.offloads == [] && plain.driver.maximumTransmissionUnit == 1500)
        // Least memory has no room for large segments.
        let small = try Loopback(configuration: .fitting(memoryByteCount: 1 << 20))
        #expect(small.driver.offloads == [.transmitChecksum, .receiveChecksum])
    }

    @Test func `frames of every size arrive as they were sent`() throws {
        let loop = try Loopback()
        for size in [0, 46, 1446, 4070, 4071, 4083, 4084, 4085, 8170, 30000, 65482] {
            let isTaken = loop.send([pattern(54), pattern(size, 1), pattern(14, 2)])
            #expect(isTaken)
            #expect(loop.sent() == [], "before the flush")
            loop.driver.flush()
            #expect(loop.sent() == [emptyHeader + pattern(54) + pattern(size, 1) + pattern(14, 2)])
        }
        #expect(!loop.send([pattern(54), pattern(65483), pattern(14)]))
    }

    @Test func `received frames merge as many buffers as they need`() throws {
        let loop = try Loopback()
        for round in 0..<40 {
            for size in [14, 60, 4084, 4085, 8180, 40000, 65550] {
                let frame = pattern(size, UInt8(round))
                #expect(loop.deliver(frame))
                #expect(loop.driver.hasReceived)
                let received = loop.received()
                #expect(received.map(\.bytes) == [frame])
            }
        }
        #expect(loop.driver.droppedFrameCount == 0 && loop.device.droppedFrameCount == 0)
    }

    @Test func `offloads go both ways in the header`() throws {
        let loop = try Loopback()
        let offload = TransmitOffload(checksumStart: 34, checksumOffset: 16, segmentSize: 1448, headerByteCount: 66)
        let isTaken = loop.send([pattern(66), pattern(5000), []], offload)
        #expect(isTaken)
        loop.driver.flush()
        #expect(Array(loop.sent()[0].prefix(12)) == [1, 1, 66, 0, 0xa8, 5, 34, 0, 16, 0, 0, 0])
        var header = VirtioNetHeader()
        header.isChecksumValid = true
        header.segmentation = .tcp6
        header.segmentSize = 1428
        #expect(loop.deliver(pattern(3000), header))
        #expect(loop.received()[0].offload == ReceiveOffload(isChecksumValid: true, segmentSize: 1428))
    }

    @Test func `full queues drop frames on either side and go on`() throws {
        let configuration = VirtioNetConfiguration(
            receiveBufferCount: 4, transmitSlotCount: 8, bufferByteCount: 2048, slotByteCount: 2048)
        let loop = try Loopback(configuration: configuration)
        let taken = (0..<10).map { _ in loop.send([pattern(60), [], []]) }
        #expect(taken == [Bool](repeating: true, count: 8) + [false, false])
        loop.driver.flush()
        #expect(loop.sent().count == 8)
        let isTaken = loop.send([pattern(60), pattern(5000), []])
        #expect(isTaken)
        let delivered = (0..<6).map { _ in loop.deliver(pattern(1500)) }
        #expect(delivered == [true, true, true, true, false, false])
        #expect(loop.received().count == 4)
        #expect(loop.deliver(pattern(6000)))
        #expect(!loop.deliver(pattern(3000)))
        #expect(loop.received().map(\.bytes.count) == [6000])
        #expect(loop.device.droppedFrameCount == 3)
    }

    @Test func `the event index keeps notifications and interrupts rare`() throws {
        let loop = try Loopback()
        let before = loop.bank.notificationCount
        for _ in 0..<50 { _ = loop.send([pattern(60), [], []]) }
        loop.driver.flush()
        // The device has not looked since: it needs no second call.
        for _ in 0..<20 {
            _ = loop.send([pattern(60), [], []])
            loop.driver.flush()
        }
        #expect(loop.bank.notificationCount == before + 1)
        #expect(loop.sent().count == 70)
        _ = loop.send([pattern(60), [], []])
        loop.driver.flush()
        #expect(loop.bank.notificationCount == before + 2)
        #expect(!loop.device.isInterrupting)
        // A driver that polls is not interrupted; one that sleeps is, once.
        loop.driver.endWait()
        #expect(loop.deliver(pattern(60)))
        #expect(!loop.device.isInterrupting)
        #expect(loop.received().count == 1)
        #expect(!loop.driver.prepareWait())
        #expect(loop.deliver(pattern(60)))
        #expect(loop.device.isInterrupting)
        #expect(loop.driver.prepareWait(), "a frame is there: no sleep")
    }

    @Test func `without the event index and without merging, small frames work all the same`() throws {
        let loop = try Loopback(offered: [.netAddress, .netChecksum, .netGuestChecksum])
        for index in 0..<500 {
            _ = loop.send([pattern(60, UInt8(truncatingIfNeeded: index)), pattern(1000), []])
            loop.driver.flush()
            #expect(loop.sent().map(\.count) == [1072])
            #expect(loop.deliver(pattern(1514)))
            #expect(loop.received().map(\.bytes.count) == [1514])
        }
        #expect(!loop.deliver(pattern(5000)))
    }

    @Test func `large segments without merging buffers are refused`() {
        #expect(throws: NegotiationError.featuresRefused) { try Loopback(offered: [.netGuestChecksum, .netGuestTSO4]) }
    }

    @Test func `random traffic arrives whole and in order, seed: 11`() throws {
        var random = SplitMix(state: 11)
        let loop = try Loopback()
        var expectedByDevice: [[UInt8]] = [], expectedByDriver: [[UInt8]] = []
        for step in 0..<3000 {
            let size = Int.random(in: 14...(Int.random(in: 0...9, using: &random) == 0 ? 60000 : 1514), using: &random)
            let frame = pattern(size, UInt8(truncatingIfNeeded: step))
            switch Int.random(in: 0...5, using: &random) {
            case 0, 1:
                let cut = Int.random(in: 14...size, using: &random)
                if loop.send([Array(frame[..<cut]), Array(frame[cut...]), []]) { expectedByDevice.append(emptyHeader + frame) }
            case 2, 3: if loop.deliver(frame) { expectedByDriver.append(frame) }
            case 4:
                loop.driver.flush()
                let limit = Int.random(in: 1...20, using: &random)
                let sent = loop.sent(limit: limit)
                #expect(sent == Array(expectedByDevice.prefix(sent.count)))
                expectedByDevice.removeFirst(sent.count)
            default:
                let received = loop.received(limit: Int.random(in: 1...20, using: &random)).map(\.bytes)
                #expect(received == Array(expectedByDriver.prefix(received.count)))
                expectedByDriver.removeFirst(received.count)
            }
        }
        #expect(!loop.driver.isBroken && !loop.device.needsReset)
    }
}
