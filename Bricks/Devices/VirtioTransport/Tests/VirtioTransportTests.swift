import RegisterBank
import Testing
import VirtioFormat
import VirtioTransport
import Virtqueue

/// Registers that answer from a script and keep what happened to them, in order.
final class ScriptedBank: RegisterBank {
    enum Event: Equatable { case read(Int), write(Int, UInt32) }

    private(set) var events: [Event] = []
    var values: [Int: UInt32]
    /// Called after a write, to change values as a device would.
    var onWrite: (ScriptedBank, Int, UInt32) -> Void = { _, _, _ in }

    init(_ values: [Int: UInt32] = [:]) { self.values = values }

    func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 {
        events.append(.read(offset))
        let value = values[offset] ?? 0
        return switch width {
        case .byte: value & 0xff
        case .word: value & 0xffff
        case .long: value
        }
    }

    func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) {
        events.append(.write(offset, value))
        onWrite(self, offset, value)
    }

    var writes: [Event] { events.filter { if case .write = $0 { true } else { false } } }
}

struct NoDevice: Error {}

func probe(_ bank: ScriptedBank) throws -> ProbedDevice<ScriptedBank> {
    guard let probed = ProbedDevice(mmio: bank) else { throw NoDevice() }
    return probed
}

/// A console behind MMIO registers that does as it should.
func honestDevice(features: UInt64 = 1 << 32, queueSize: UInt32 = 64) -> ScriptedBank {
    let bank = ScriptedBank([0x00: 0x7472_6976, 0x04: 2, 0x08: 3, 0x34: queueSize])
    bank.onWrite = { bank, offset, value in
        switch offset {
        case 0x70: bank.values[0x70] = value
        case 0x14: bank.values[0x10] = UInt32(truncatingIfNeeded: features >> (value == 1 ? 32 : 0))
        default: break
        }
    }
    return bank
}

struct MMIONegotiationTests {
    @Test func `a modern device is driven in the order of the specification`() throws {
        let bank = honestDevice()
        let probed = try probe(bank)
        #expect(probed.type == VirtioDeviceType.console)
        let negotiated = try probed.negotiate()
        #expect(negotiated.features == .version1)
        try negotiated.configure(queue: 1, Virtqueue<4>())
        let ready = negotiated.start()
        ready.notify(queue: 1)
        #expect(
            bank.writes == [
                .write(0x70, 0), .write(0x70, 1), .write(0x70, 3), .write(0x14, 1), .write(0x14, 0), .write(0x24, 0), .write(0x20, 0),
                .write(0x24, 1), .write(0x20, 1), .write(0x70, 11), .write(0x30, 1), .write(0x38, 4), .write(0x80, 0), .write(0x84, 0),
                .write(0x90, 64), .write(0x94, 0), .write(0xa0, 80), .write(0xa4, 0), .write(0x44, 1), .write(0x70, 15), .write(0x50, 1),
            ])
    }

    @Test(arguments: [[0x00: 0, 0x04: 2], [0x00: 0x7472_6976, 0x04: 1], [0x00: .max, 0x04: .max]] as [[Int: UInt32]])
    func `nothing, and a legacy device, are no device`(values: [Int: UInt32]) {
        let bank = ScriptedBank(values)
        #expect(throws: NoDevice.self) { _ = try probe(bank) }
        #expect(bank.writes.isEmpty)
    }

    @Test func `only wanted features are accepted`() throws {
        let bank = honestDevice(features: 1 << 32 | 0xffff)
        let negotiated = try probe(bank).negotiate(wanted: VirtioFeatures(rawValue: 1 << 4 | 1 << 20))
        #expect(negotiated.features.rawValue == 1 << 32 | 1 << 4)
        #expect(bank.writes.contains(.write(0x20, 1 << 4)))
    }

    @Test func `a device that keeps its status is given up`() throws {
        let bank = ScriptedBank([0x00: 0x7472_6976, 0x04: 2, 0x70: 1])
        let error = try negotiationError(probe(bank))
        #expect(error == .resetFailed)
    }

    @Test func `a device without version 1 is told that it failed`() throws {
        let bank = honestDevice(features: 0xff)
        let error = try negotiationError(probe(bank))
        #expect(error == .featuresRefused)
        #expect(bank.writes.last == .write(0x70, 0x83))
    }

    @Test func `a device that takes its offer back is told that it failed`() throws {
        let bank = honestDevice()
        let honest = bank.onWrite
        bank.onWrite = { bank, offset, value in honest(bank, offset, offset == 0x70 ? value & ~8 : value) }
        let error = try negotiationError(probe(bank))
        #expect(error == .featuresRefused)
        #expect(bank.writes.last == .write(0x70, 0x83))
    }

    @Test(arguments: [0, 3] as [UInt32])
    func `a queue that is too small is refused`(size: UInt32) throws {
        let bank = honestDevice(queueSize: size)
        let negotiated = try probe(bank).negotiate()
        #expect(throws: NegotiationError.queueRefused) { try negotiated.configure(queue: 0, Virtqueue<4>()) }
        #expect(bank.writes.last == .write(0x70, 0x8b))
    }

    @Test func `a queue in use is refused`() throws {
        let bank = honestDevice()
        bank.values[0x44] = 1
        let negotiated = try probe(bank).negotiate()
        #expect(throws: NegotiationError.queueRefused) { try negotiated.configure(queue: 0, Virtqueue<4>()) }
    }

    @Test func `an interrupt is acknowledged with what it was`() throws {
        let bank = honestDevice()
        bank.values[0x60] = 3
        let ready = try probe(bank).negotiate().start()
        ready.acknowledgeInterrupt()
        #expect(bank.writes.last == .write(0x64, 3))
    }

    private func negotiationError(_ probed: consuming ProbedDevice<ScriptedBank>) -> NegotiationError? {
        do throws(NegotiationError) { _ = try probed.negotiate() } catch { return error }
        return nil
    }
}

struct PCINegotiationTests {
    @Test func `the same device over PCI has other offsets and its own doorbell`() throws {
        let common = ScriptedBank([24: 8, 30: 5])
        common.onWrite = { bank, offset, value in
            switch offset {
            case 20: bank.values[20] = value
            case 0: bank.values[4] = value
            default: break
            }
        }
        let doorbell = ScriptedBank()
        let negotiated = try ProbedDevice(pci: common, notification: doorbell, multiplier: 4, type: 3).negotiate()
        try negotiated.configure(queue: 1, Virtqueue<8>())
        let ready = negotiated.start()
        ready.notify(queue: 1)
        ready.acknowledgeInterrupt()
        #expect(
            common.writes == [
                .write(20, 0), .write(20, 1), .write(20, 3), .write(0, 1), .write(0, 0), .write(8, 0), .write(12, 0), .write(8, 1),
                .write(12, 1), .write(20, 11), .write(22, 1), .write(24, 8), .write(32, 0), .write(36, 0), .write(40, 128), .write(44, 0),
                .write(48, 152), .write(52, 0), .write(26, 0), .write(28, 1), .write(20, 15), .write(22, 1),
            ])
        #expect(doorbell.writes == [.write(20, 1)])
    }
}
