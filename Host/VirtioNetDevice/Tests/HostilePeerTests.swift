import Bytes
import DMAMemory
import NetworkLink
import Random
import Testing
import VirtioFormat
import VirtioNet
import VirtioNetDevice

/// Peers that write anything into the shared memory, or into registers: nothing traps, and nothing goes on for ever.
struct HostilePeerTests {
    private func offset(of queue: Int, _ configuration: VirtioNetConfiguration) -> Int {
        queue == 0 ? 0 : (SplitQueueLayout(size: configuration.receiveBufferCount).byteCount + 15) & ~15
    }

    @Test func `a used index that jumps breaks the driver, not the instance`() throws {
        let configuration = VirtioNetConfiguration.fitting(memoryByteCount: 1 << 20)
        let loop = try Loopback(configuration: configuration)
        let used = SplitQueueLayout(size: configuration.receiveBufferCount).usedOffset
        loop.testMemory.memory.store16(1000, at: used + 2)
        #expect(loop.received().isEmpty)
        #expect(loop.driver.isBroken && !loop.driver.hasReceived && !loop.driver.prepareWait())
        let isTaken = loop.send([pattern(60), [], []])
        _ = isTaken
        loop.driver.flush()
    }

    @Test func `a frame that claims more buffers than there are breaks the driver`() throws {
        for claimed in [2, 200, 65535] as [UInt16] {
            let loop = try Loopback()
            #expect(loop.deliver(pattern(60)))
            let places = loop.testMemory.memory
            // num_buffers of the first buffer, which lies behind both queues.
            var at = 0
            while places.load16(at: at + 10) != 1 || places.load8(at: at + 12) != 0 || places.load8(at: at + 13) != 7 { at += 16 }
            places.store16(claimed, at: at + 10)
            #expect(loop.received().isEmpty)
            #expect(loop.driver.isBroken)
        }
    }

    @Test func `random words in the rings never trap a driver, seed: 3`() throws {
        var random = SplitMix(state: 3)
        let configuration = VirtioNetConfiguration(
            receiveBufferCount: 8, transmitSlotCount: 8, bufferByteCount: 2048, slotByteCount: 2048)
        let end = offset(of: 1, configuration) * 2
        for _ in 0..<400 {
            let loop = try Loopback(configuration: configuration)
            for _ in 0..<40 {
                let place = Int.random(in: 0..<end / 2, using: &random) * 2
                let value = UInt16.random(in: 0...(Bool.random(using: &random) ? 12 : .max), using: &random)
                loop.testMemory.memory.store16(value, at: place)
                _ = loop.send([pattern(60), pattern(Int.random(in: 0...6000, using: &random)), []])
                loop.driver.flush()
                _ = loop.driver.receive(limit: 20) { frame, _ in _ = frame.byteCount }
                _ = loop.driver.prepareWait()
                _ = loop.sent(limit: 20)
                _ = loop.deliver(pattern(Int.random(in: 14...9000, using: &random)))
            }
        }
    }

    @Test func `random registers and rings never trap a device, seed: 4`() throws {
        var random = SplitMix(state: 4)
        for _ in 0..<300 {
            let memory = TestMemory(byteCount: 64 << 10)
            let device = VirtioNetDevice(memory: memory.memory, address: 1, maximumTransmissionUnit: 1500)
            for _ in 0..<200 {
                let near = TestMemory.deviceAddress &+ UInt64.random(in: 0...70_000, using: &random)
                let address = Int.random(in: 0...7, using: &random) == 0 ? UInt64.random(in: .min ... .max, using: &random) : near
                switch Int.random(in: 0...7, using: &random) {
                case 0:
                    let register = Int.random(in: 0...0x50, using: &random) * 4
                    device.write(UInt32.random(in: .min ... .max, using: &random), to: register, .long)
                case 1: start(device, address & ~15, size: UInt32.random(in: 0...300, using: &random))
                case 2, 3:
                    let place = Int.random(in: 0..<8192, using: &random) * 8
                    memory.memory.store64(Bool.random(using: &random) ? address : UInt64(random.next() & 0x1f_ffff), at: place)
                case 4: _ = device.takeFrames(limit: 50) { _ in Bool.random(using: &random) }
                case 5: _ = device.deliver(VirtioNetHeader(), pattern(Int.random(in: 0...9000, using: &random)).raw)
                default: _ = device.read(Int.random(in: 0...0x110, using: &random), .long)
                }
            }
        }
    }

    /// A queue of any size at any address, and a device that believes its driver is ready.
    private func start(_ device: VirtioNetDevice, _ address: UInt64, size: UInt32) {
        device.write(0, to: VirtioMMIO.statusOffset, .long)
        device.write(1, to: VirtioMMIO.driverFeaturesSelectOffset, .long)
        device.write(1, to: VirtioMMIO.driverFeaturesOffset, .long)
        device.write(0xf, to: VirtioMMIO.statusOffset, .long)
        for queue in 0..<2 as Range<UInt32> {
            device.write(queue, to: VirtioMMIO.queueSelectOffset, .long)
            device.write(size.nextPowerOfTwo, to: VirtioMMIO.queueSizeOffset, .long)
            let base = address &+ UInt64(queue) * 16384
            for (register, offset) in [
                (VirtioMMIO.queueDescriptorsOffset, 0), (VirtioMMIO.queueAvailableOffset, 4096), (VirtioMMIO.queueUsedOffset, 8192),
            ] as [(Int, UInt64)] {
                device.write(UInt32(truncatingIfNeeded: base &+ offset), to: register, .long)
                device.write(UInt32(truncatingIfNeeded: (base &+ offset) >> 32), to: register + 4, .long)
            }
            device.write(1, to: VirtioMMIO.queueReadyOffset, .long)
        }
    }

    @Test func `a chain that loops, or leaves memory, makes the device need a reset`() throws {
        for kind in 0..<4 {
            let loop = try Loopback(configuration: .fitting(memoryByteCount: 1 << 20))
            _ = loop.send([pattern(60), pattern(3000), []])
            loop.driver.flush()
            let configuration = loop.driver.receiveBufferCountForTests
            let table = (SplitQueueLayout(size: configuration).byteCount + 15) & ~15
            let memory = loop.testMemory.memory
            let head = Int(memory.load16(at: table + SplitQueueLayout(size: 32).availableOffset + 4))
            switch kind {
            case 0:  // the second descriptor goes back to the first
                let next = Int(memory.load16(at: table + head * 16 + 14))
                memory.store16(1, at: table + next * 16 + 12)
                memory.store16(UInt16(head), at: table + next * 16 + 14)
            case 1: memory.store64(0, at: table + head * 16)
            case 2: memory.store32(.max, at: table + head * 16 + 8)
            default: memory.store16(7, at: table + head * 16 + 12)
            }
            #expect(loop.sent().isEmpty)
            #expect(loop.device.needsReset && !loop.device.isRunning, "\(kind)")
            #expect(!loop.deliver(pattern(60)))
            loop.device.write(0, to: VirtioMMIO.statusOffset, .long)
            #expect(!loop.device.needsReset)
        }
    }
}

extension UInt32 {
    fileprivate var nextPowerOfTwo: UInt32 { self & 1 == 0 ? 1 << (self % 10) : self }
}

extension VirtioNetDriver {
    /// Of the least configuration.
    fileprivate var receiveBufferCountForTests: Int { 32 }
}
