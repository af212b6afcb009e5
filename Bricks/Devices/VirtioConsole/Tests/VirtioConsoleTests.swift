import DMAMemory
import Random
import RegisterBank
import Testing
import VirtioConsole
import VirtioFormat
import VirtioTransport

/// A console device in the same memory: it takes what is sent, and gives what the test tells it to.
final class LoopbackConsole: RegisterBank {
    private var values: [Int: UInt32] = [0x00: VirtioMMIO.magic, 0x04: 2, 0x08: 3, 0x34: 16]
    private var queues: [UInt32: (size: Int, addresses: [Int: UInt64])] = [:]
    private var available: [UInt32: UInt16] = [:]
    private(set) var used: [UInt32: UInt16] = [:]
    let memory: SharedMemory
    private(set) var sent: [UInt8] = []
    /// Sent buffers stay with the device.
    var isSlow = false

    init(memory: SharedMemory) { self.memory = memory }

    func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 { values[offset] ?? 0 }

    func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) {
        let selected = values[0x30] ?? 0
        switch offset {
        case 0x14: values[0x10] = value
        case 0x38: queues[selected] = (Int(value), [:])
        case 0x80, 0x90, 0xa0: queues[selected]?.addresses[offset] = UInt64(value)
        case 0x84, 0x94, 0xa4: #expect(value == 0)
        case 0x44: break
        case 0x50: if value == VirtioConsoleQueue.transmit, !isSlow { finishSending() }
        default: values[offset] = value
        }
    }

    private func offset(_ queue: UInt32, _ part: Int) -> Int { Int(queues[queue]!.addresses[part]! - memory.deviceAddress) }

    private func take(_ queue: UInt32) -> (descriptor: UInt16, address: Int, byteCount: Int)? {
        let index = available[queue, default: 0]
        let ring = offset(queue, 0x90)
        guard memory.load16(at: ring + 2) != index else { return nil }
        available[queue] = index &+ 1
        let descriptor = memory.load16(at: ring + 4 + 2 * (Int(index) % queues[queue]!.size))
        let entry = offset(queue, 0x80) + 16 * Int(descriptor)
        return (descriptor, Int(memory.load64(at: entry) - memory.deviceAddress), Int(memory.load32(at: entry + 8)))
    }

    func give(_ queue: UInt32, descriptor: UInt32, byteCount: UInt32) {
        let index = used[queue, default: 0]
        let ring = offset(queue, 0xa0)
        memory.store32(descriptor, at: ring + 4 + 8 * (Int(index) % queues[queue]!.size))
        memory.store32(byteCount, at: ring + 8 + 8 * (Int(index) % queues[queue]!.size))
        used[queue] = index &+ 1
        memory.store16(index &+ 1, at: ring + 2)
    }

    func finishSending() {
        while let buffer = take(VirtioConsoleQueue.transmit) {
            for index in 0..<buffer.byteCount { sent.append(memory.load8(at: buffer.address + index)) }
            give(VirtioConsoleQueue.transmit, descriptor: UInt32(buffer.descriptor), byteCount: 0)
        }
    }

    /// How many of `bytes` found a buffer.
    func type(_ bytes: [UInt8]) -> Int {
        var at = 0
        while at < bytes.count, let buffer = take(VirtioConsoleQueue.receive) {
            let count = min(buffer.byteCount, bytes.count - at)
            for index in 0..<count { memory.store8(bytes[at + index], at: buffer.address + index) }
            give(VirtioConsoleQueue.receive, descriptor: UInt32(buffer.descriptor), byteCount: UInt32(count))
            at += count
        }
        return at
    }
}

struct NoDevice: Error {}

/// A driver that the test macros can look at: they copy what they are shown.
final class Console {
    private var driver = VirtioConsoleDriver<LoopbackConsole>()

    func attach(_ device: LoopbackConsole, memory: SharedMemory) throws {
        guard let probed = ProbedDevice(mmio: device) else { throw NoDevice() }
        try driver.attach(probed, memory: memory)
    }

    func send(address: UInt64, byteCount: UInt32) { driver.send(address: address, byteCount: byteCount) }
    func isSending() -> Bool { driver.isSending() }
    func hasInput() -> Bool { driver.hasInput() }
    func read() -> UInt8? { driver.read() }
    func acknowledgeInterrupt() { driver.acknowledgeInterrupt() }
    var isBroken: Bool { driver.isBroken }
}

struct VirtioConsoleTests {
    typealias Driver = VirtioConsoleDriver<LoopbackConsole>
    let shared = TestMemory(byteCount: 16384)

    func attached() throws -> (Console, LoopbackConsole) {
        let device = LoopbackConsole(memory: shared.memory)
        let console = Console()
        try console.attach(device, memory: shared.memory.slice(at: 0, byteCount: Driver.memoryByteCount))
        return (console, device)
    }

    func readAll(_ driver: Console) -> [UInt8] {
        var bytes: [UInt8] = []
        while let byte = driver.read() { bytes.append(byte) }
        return bytes
    }

    @Test func `what is sent arrives`() throws {
        let (driver, device) = try attached()
        for (index, byte) in "Hello\n".utf8.enumerated() { shared.memory.store8(byte, at: 12000 + index) }
        driver.send(address: TestMemory.deviceAddress + 12000, byteCount: 6)
        #expect(!driver.isSending())
        #expect(device.sent == Array("Hello\n".utf8))
    }

    @Test func `a slow device has the bytes until it gives them back`() throws {
        let (driver, device) = try attached()
        device.isSlow = true
        driver.send(address: TestMemory.deviceAddress, byteCount: 1)
        #expect(driver.isSending())
        device.finishSending()
        #expect(!driver.isSending())
        #expect(!driver.isBroken)
    }

    @Test func `input comes in order, through more buffers than there are`() throws {
        let (driver, device) = try attached()
        #expect(!driver.hasInput())
        var typed: [UInt8] = []
        var read: [UInt8] = []
        var random = SplitMix(state: 1)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 1...3000, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
            typed += bytes.prefix(device.type(bytes))
            read += readAll(driver)
        }
        #expect(read == typed)
        #expect(typed.count > 100_000)
    }

    @Test func `a buffer without bytes is given back and not seen`() throws {
        let (driver, device) = try attached()
        device.give(VirtioConsoleQueue.receive, descriptor: 0, byteCount: 0)
        #expect(!driver.hasInput())
        #expect(driver.read() == nil)
        #expect(!driver.isBroken)
    }

    @Test(arguments: [(4, 1), (0, 1025), (.max, 0), (0, .max)] as [(UInt32, UInt32)])
    func `a device that breaks the rules is not listened to any more`(descriptor: UInt32, byteCount: UInt32) throws {
        let (driver, device) = try attached()
        device.give(VirtioConsoleQueue.receive, descriptor: descriptor, byteCount: byteCount)
        #expect(!driver.hasInput())
        #expect(driver.isBroken)
        #expect(device.type([65]) == 1)
        #expect(driver.read() == nil)
        #expect(!driver.isSending())
    }

    @Test func `a console without a device is silent`() {
        let driver = Console()
        #expect(!driver.isSending())
        #expect(!driver.hasInput())
        driver.acknowledgeInterrupt()
        #expect(!driver.isBroken)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `random rings never trap the driver`(seed: UInt64) throws {
        let (driver, _) = try attached()
        var random = SplitMix(state: seed)
        for _ in 0..<300 {
            let offset = Int.random(in: 0..<256, using: &random)
            shared.memory.store8(UInt8.random(in: 0...255, using: &random), at: offset)
            _ = driver.hasInput()
            _ = driver.read()
            if !driver.isSending() { driver.send(address: TestMemory.deviceAddress, byteCount: 1) }
            if driver.isBroken { return }
        }
    }
}
