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

    /// A device behind the MMIO registers `bank` (virtio 1.2 §4.2.2); nil: none, or a legacy one.
    public init?(mmio bank: Bank) {
        guard bank.read(VirtioMMIO.magicOffset, .long) == VirtioMMIO.magic,
            bank.read(VirtioMMIO.versionOffset, .long) == VirtioMMIO.version
        else { return nil }
        type = bank.read(VirtioMMIO.deviceTypeOffset, .long)
        registers = VirtioRegisters(bank: bank, notification: nil, notificationMultiplier: 0, vector: 0)
    }

    /// A device behind the structures that `VirtioPCIStructures` found, mapped as `common` and `notification`.
    ///
    /// `vector` is the MSI-X table entry for all queues.
    public init(pci common: Bank, notification: Bank, multiplier: Int, type: UInt32, vector: UInt32) {
        self.type = type
        registers = VirtioRegisters(bank: common, notification: notification, notificationMultiplier: multiplier, vector: vector)
    }

    /// Resets the device and agrees on `VIRTIO_F_VERSION_1` and those of `wanted` that it offers (§3.1.1, steps 1 to 6).
    public consuming func negotiate(wanted: VirtioFeatures = []) throws(NegotiationError) -> NegotiatedDevice<Bank> {
        let registers = registers
        let features = try registers.negotiate(wanted: wanted)
        return NegotiatedDevice(features: features, registers: registers)
    }
}

/// A device that waits for its queues.
public struct NegotiatedDevice<Bank: RegisterBank>: ~Copyable {
    public let features: VirtioFeatures
    let registers: VirtioRegisters<Bank>

    /// Tells the device where queue `index` is (§4.1.5.1.3, §4.2.3.2).
    public func configure<let size: Int>(queue index: Int, _ queue: borrowing Virtqueue<size>) throws(NegotiationError) {
        registers.write(UInt32(truncatingIfNeeded: index), to: .queueSelect)
        guard registers.read(.queueEnable) == 0, registers.read(.queueSizeMaximum) >= UInt32(size) else {
            registers.add(.failed)
            throw .queueRefused
        }
        registers.write(UInt32(size), to: .queueSize)
        registers.write(address: queue.descriptorsAddress, to: .queueDescriptors)
        registers.write(address: queue.availableAddress, to: .queueAvailable)
        registers.write(address: queue.usedAddress, to: .queueUsed)
        if registers.notification != nil { registers.bank.write(registers.vector, to: VirtioPCICommon.queueVectorOffset, .word) }
        registers.write(1, to: .queueEnable)
    }

    /// DRIVER_OK: from here the device works.
    public consuming func start() -> ReadyDevice<Bank> {
        registers.add(.driverOK)
        return ReadyDevice(registers: registers)
    }
}

/// A device at work.
public struct ReadyDevice<Bank: RegisterBank>: ~Copyable {
    let registers: VirtioRegisters<Bank>

    /// Tells the device that queue `index` has new buffers (§4.1.5.2, §4.2.3.3).
    public func notify(queue index: Int) {
        guard let notification = registers.notification else {
            return registers.bank.write(UInt32(truncatingIfNeeded: index), to: VirtioMMIO.queueNotifyOffset, .long)
        }
        registers.write(UInt32(truncatingIfNeeded: index), to: .queueSelect)
        // Mapped as far as any 16-bit offset times the multiplier goes.
        let offset = Int(registers.bank.read(VirtioPCICommon.queueNotifyOffset, .word) & 0xffff)
        notification.write(UInt32(truncatingIfNeeded: index), to: offset * registers.notificationMultiplier, .word)
    }

    /// Lets the device interrupt again (§4.2.3.4); by MSI-X there is nothing to acknowledge.
    public func acknowledgeInterrupt() {
        guard registers.notification == nil else { return }
        registers.bank.write(
            registers.bank.read(VirtioMMIO.interruptStatusOffset, .long), to: VirtioMMIO.interruptAcknowledgeOffset, .long)
    }
}
