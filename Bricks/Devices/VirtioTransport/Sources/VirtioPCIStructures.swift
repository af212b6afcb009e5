import RegisterBank
import VirtioFormat

/// A piece of a base address register's region.
public struct PCIRegion: Equatable, Sendable {
    public var address: UInt64 = 0
    public var byteCount: UInt32 = 0
}

/// Where a modern virtio device's structures are, from its PCI configuration space (virtio 1.2 §4.1.4).
public struct VirtioPCIStructures: Equatable, Sendable {
    public private(set) var type: UInt32 = 0
    public private(set) var common = PCIRegion()
    public private(set) var notification = PCIRegion()
    public private(set) var notificationMultiplier: UInt32 = 0
    /// The first entry of the MSI-X table.
    public private(set) var vectorTable = PCIRegion()
    /// The MSI-X capability in configuration space.
    public private(set) var vectorCapability = 0

    /// Nil: not a virtio device, a legacy one, or one whose structures are missing, too small or out of reach.
    ///
    /// The list of capabilities is the device's: bounded, aligned, and its fields are checked before use.
    public init?(configuration: some RegisterBank) {
        let identity = configuration.read(VirtioPCI.identityOffset, .long)
        guard identity & 0xffff == VirtioPCI.vendor else { return nil }
        let device = identity >> 16
        if device == VirtioPCI.transitionalConsole {
            type = VirtioDeviceType.console
        } else if device > VirtioPCI.deviceBase {
            type = device - VirtioPCI.deviceBase
        } else {
            return nil
        }
        guard configuration.read(VirtioPCI.commandOffset, .long) & VirtioPCI.statusCapabilities != 0 else { return nil }
        var at = Int(configuration.read(VirtioPCI.capabilitiesOffset, .long) & 0xfc)
        var count = 0
        while at >= 0x40, count < VirtioPCI.capabilityLimit {
            let header = configuration.read(at, .long)
            take(UInt8(truncatingIfNeeded: header), UInt8(truncatingIfNeeded: header >> 24), at: at, configuration)
            at = Int(header >> 8 & 0xfc)
            count += 1
        }
        // §4.1.4.4: a notification is two bytes at a multiple of two.
        guard common.byteCount >= UInt32(VirtioPCICommon.byteCount), notification.byteCount >= 2, vectorTable.byteCount > 0,
            notificationMultiplier & 1 == 0
        else { return nil }
    }

    private mutating func take(_ identifier: UInt8, _ configurationType: UInt8, at: Int, _ configuration: some RegisterBank) {
        if identifier == VirtioPCI.capabilityMSIX, at <= 0xf4 {
            // The low three bits of the table's word are its base address register.
            let table = configuration.read(at + 4, .long)
            vectorTable = region(bar: table & 7, offset: table & ~7, byteCount: 16, configuration)
            vectorCapability = at
        }
        guard identifier == VirtioPCI.capabilityVendor, at <= 0xec else { return }
        let bar = configuration.read(at + 4, .long) & 0xff
        let offset = configuration.read(at + 8, .long)
        let byteCount = configuration.read(at + 12, .long)
        // §4.1.4.1: the first one of a kind that works is the preferred one.
        if configurationType == VirtioPCI.commonConfiguration, common.byteCount == 0 {
            common = region(bar: bar, offset: offset, byteCount: byteCount, configuration)
        } else if configurationType == VirtioPCI.notifyConfiguration, notification.byteCount == 0 {
            notification = region(bar: bar, offset: offset, byteCount: byteCount, configuration)
            notificationMultiplier = configuration.read(at + 16, .long)
        }
    }

    /// Empty if the register is not a memory one that the firmware has placed.
    private func region(bar: UInt32, offset: UInt32, byteCount: UInt32, _ configuration: some RegisterBank) -> PCIRegion {
        guard bar < 6, byteCount <= .max - offset else { return PCIRegion() }
        let register = configuration.read(VirtioPCI.barOffset + 4 * Int(bar), .long)
        guard register & 1 == 0 else { return PCIRegion() }
        var base = UInt64(register & ~15)
        if register & 6 == 4, bar < 5 { base |= UInt64(configuration.read(VirtioPCI.barOffset + 4 * Int(bar) + 4, .long)) << 32 }
        guard base != 0, base < 1 << 39 else { return PCIRegion() }
        return PCIRegion(address: base + UInt64(offset), byteCount: byteCount)
    }
}
