import DMAMemory
import RegisterBank
import VirtioFormat
import Virtqueue

/// Why a device cannot be driven.
public enum NegotiationError: Error, Equatable {
    /// It did not answer a reset.
    case resetFailed
    /// It is a legacy device, or does not accept the features that it offered itself.
    case featuresRefused
    /// It has no such queue, or one that is in use or too small.
    case queueRefused
}

/// A device that is there: of a known type, not yet touched.
public struct ProbedDevice<Bank: RegisterBank>: ~Copyable {
    /// See `VirtioDeviceType`.
    public let type: UInt32
    private let registers: VirtioRegisters<Bank>
    private let doorbell: Doorbell<Bank>

    /// A device behind the MMIO registers `bank` (virtio 1.2 §4.2.2); nil: none, or a legacy one.
    public init?(mmio bank: Bank) {
        guard bank.read(VirtioMMIO.magicOffset, .long) == VirtioMMIO.magic,
            bank.read(VirtioMMIO.versionOffset, .long) == VirtioMMIO.version
        else { return nil }
        type = bank.read(VirtioMMIO.deviceTypeOffset, .long)
        registers = VirtioRegisters(bank: bank, isPCI: false)
        doorbell = Doorbell(bank: bank, multiplier: 0)
    }

    /// A device behind the structures that `VirtioPCIStructures` found, mapped as `common` and `notification`; that as far
    /// as any 16-bit number times `multiplier` reaches. All queues interrupt by the first entry of its MSI-X table.
    public init(pci common: Bank, notification: Bank, multiplier: Int, type: UInt32) {
        self.type = type
        registers = VirtioRegisters(bank: common, isPCI: true)
        doorbell = Doorbell(bank: notification, multiplier: multiplier)
    }

    /// Resets the device and agrees on `VIRTIO_F_VERSION_1` and those of `wanted` that it offers (§3.1.1, steps 1 to 6).
    public consuming func negotiate(wanted: VirtioFeatures = []) throws(NegotiationError) -> NegotiatedDevice<Bank> {
        let registers = registers
        let doorbell = doorbell
        let features = try registers.negotiate(wanted: wanted)
        return NegotiatedDevice(features: features, registers: registers, doorbell: doorbell)
    }
}

/// Where notifications go.
struct Doorbell<Bank: RegisterBank> {
    let bank: Bank
    let multiplier: Int
}

/// A device that waits for its queues.
public struct NegotiatedDevice<Bank: RegisterBank>: ~Copyable {
    public let features: VirtioFeatures
    let registers: VirtioRegisters<Bank>
    let doorbell: Doorbell<Bank>

    /// Tells the device where queue `index` is (§4.1.5.1.3, §4.2.3.2).
    public func configure<let size: Int>(queue index: UInt32, _ queue: borrowing Virtqueue<size>) throws(NegotiationError) {
        registers.write(index, to: .queueSelect)
        guard registers.read(.queueEnable) == 0, registers.read(.queueSizeMaximum) >= UInt32(truncatingIfNeeded: size) else {
            registers.add(.failed)
            throw .queueRefused
        }
        registers.write(UInt32(truncatingIfNeeded: size), to: .queueSize)
        registers.write(address: queue.descriptorsAddress, to: .queueDescriptors)
        registers.write(address: queue.availableAddress, to: .queueAvailable)
        registers.write(address: queue.usedAddress, to: .queueUsed)
        if registers.isPCI { registers.bank.write(0, to: VirtioPCICommon.queueVectorOffset, .word) }
        registers.write(1, to: .queueEnable)
    }

    /// As above, for a queue of chains. `size` descriptors at most.
    public func configure(queue index: UInt32, _ queue: borrowing ChainQueue) throws(NegotiationError) {
        registers.write(index, to: .queueSelect)
        guard registers.read(.queueEnable) == 0, registers.read(.queueSizeMaximum) >= UInt32(queue.size) else {
            registers.add(.failed)
            throw .queueRefused
        }
        registers.write(UInt32(queue.size), to: .queueSize)
        registers.write(address: queue.descriptorsAddress, to: .queueDescriptors)
        registers.write(address: queue.availableAddress, to: .queueAvailable)
        registers.write(address: queue.usedAddress, to: .queueUsed)
        if registers.isPCI { registers.bank.write(0, to: VirtioPCICommon.queueVectorOffset, .word) }
        registers.write(1, to: .queueEnable)
    }

    /// The most descriptors that queue `index` takes; zero: there is no such queue.
    public func maximumSize(queue index: UInt32) -> Int {
        registers.write(index, to: .queueSelect)
        return Int(registers.read(.queueSizeMaximum) & 0xffff)
    }

    /// DRIVER_OK: from here the device works.
    public consuming func start() -> ReadyDevice<Bank> {
        let registers = registers
        let doorbell = doorbell
        registers.add(.driverOK)
        return ReadyDevice(registers: registers, doorbell: doorbell)
    }
}

/// A device at work.
public struct ReadyDevice<Bank: RegisterBank>: ~Copyable {
    let registers: VirtioRegisters<Bank>
    let doorbell: Doorbell<Bank>

    /// Tells the device that queue `index` has new buffers (§4.1.5.2, §4.2.3.3).
    public func notify(queue index: UInt32) {
        guard registers.isPCI else { return doorbell.bank.write(index, to: VirtioMMIO.queueNotifyOffset, .long) }
        registers.write(index, to: .queueSelect)
        let offset = Int(registers.bank.read(VirtioPCICommon.queueNotifyOffset, .word) & 0xffff)
        doorbell.bank.write(index, to: offset &* doorbell.multiplier, .word)
    }

    /// Lets the device interrupt again (§4.2.3.4); by MSI-X there is nothing to acknowledge.
    public func acknowledgeInterrupt() {
        guard !registers.isPCI else { return }
        registers.bank.write(
            registers.bank.read(VirtioMMIO.interruptStatusOffset, .long), to: VirtioMMIO.interruptAcknowledgeOffset, .long)
    }
}
