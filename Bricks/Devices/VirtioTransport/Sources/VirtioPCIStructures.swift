import RegisterBank
import VirtioFormat

/// A piece of a base address register's region.
public struct PCIRegion: Equatable, Sendable {
    /// Zero: there is none.
    public var address: UInt64
    public var byteCount: UInt32

    public init(address: UInt64 = 0, byteCount: UInt32 = 0) {
        self.address = address
        self.byteCount = byteCount
    }
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
        type = device == VirtioPCI.transitionalConsole ? VirtioDeviceType.console : device &- VirtioPCI.deviceBase
        guard type &- 1 < VirtioPCI.deviceTypeLimit,
            configuration.read(VirtioPCI.commandOffset, .long) & VirtioPCI.statusCapabilities != 0
        else { return nil }
        var at = Int(configuration.read(VirtioPCI.capabilitiesOffset, .long) & 0xfc)
        var patience = VirtioPCI.capabilityLimit
        while at >= 0x40, patience > 0 {
            let header = configuration.read(at, .long)
            // The longest one has 20 bytes.
            if at <= 0xec { take(header, at: at, configuration) }
            at = Int(header >> 8 & 0xfc)
            patience &-= 1
        }
        // §4.1.4.4: a notification is two bytes, at a multiple of two. Greater steps than a page are nobody's.
        guard common.byteCount >= UInt32(VirtioPCICommon.byteCount), notification.byteCount >= 2, vectorTable.byteCount > 0,
            notificationMultiplier & 1 == 0, notificationMultiplier <= 4096
        else { return nil }
    }

    @inline(never) private mutating func take(_ header: UInt32, at: Int, _ configuration: some RegisterBank) {
        let second = configuration.read(at &+ 4, .long)
        if header & 0xff == VirtioPCI.capabilityMSIX {
            // The low three bits of the table's word are its base address register.
            vectorTable = Self.region(bar: second & 7, offset: second & ~7, byteCount: 16, configuration)
            vectorCapability = at
            return
        }
        // §4.1.4.1: the first one of a kind that works is the preferred one.
        let kind = header >> 24
        let isCommon = kind == VirtioPCI.commonConfiguration && common.byteCount == 0
        let isNotification = kind == VirtioPCI.notifyConfiguration && notification.byteCount == 0
        guard header & 0xff == VirtioPCI.capabilityVendor, isCommon || isNotification else { return }
        let region = Self.region(
            bar: second & 0xff, offset: configuration.read(at &+ 8, .long), byteCount: configuration.read(at &+ 12, .long), configuration)
        if isCommon {
            common = region
        } else {
            notification = region
            notificationMultiplier = configuration.read(at &+ 16, .long)
        }
    }

    /// The device's own configuration structure (§4.1.4.6), for those who read one; empty if there is none.
    public static func deviceConfiguration(configuration: some RegisterBank) -> PCIRegion {
        var at = Int(configuration.read(VirtioPCI.capabilitiesOffset, .long) & 0xfc)
        var patience = VirtioPCI.capabilityLimit
        while at >= 0x40, at <= 0xec, patience > 0 {
            let header = configuration.read(at, .long)
            if header & 0xff == VirtioPCI.capabilityVendor, header >> 24 == VirtioPCI.deviceConfiguration {
                let bar = configuration.read(at &+ 4, .long) & 0xff
                return place(
                    bar: bar, offset: configuration.read(at &+ 8, .long), byteCount: configuration.read(at &+ 12, .long), configuration)
            }
            at = Int(header >> 8 & 0xfc)
            patience &-= 1
        }
        return PCIRegion()
    }

    /// Empty if the register is not a memory one that the firmware has placed below 512 GiB.
    @inline(never) private static func region(
        bar: UInt32, offset: UInt32, byteCount: UInt32, _ configuration: some RegisterBank
    ) -> PCIRegion {
        place(bar: bar, offset: offset, byteCount: byteCount, configuration)
    }

    @inline(__always) private static func place(
        bar: UInt32, offset: UInt32, byteCount: UInt32, _ configuration: some RegisterBank
    ) -> PCIRegion {
        let place = VirtioPCI.barOffset &+ 4 &* Int(bar)
        guard bar < 6, byteCount <= .max &- offset else { return PCIRegion() }
        let register = configuration.read(place, .long)
        var base = UInt64(register & ~15)
        if register & 6 == 4, bar < 5 { base |= UInt64(configuration.read(place &+ 4, .long)) << 32 }
        guard register & 1 == 0, base != 0, base >> 39 == 0 else { return PCIRegion() }
        return PCIRegion(address: base &+ UInt64(offset), byteCount: byteCount)
    }
}
