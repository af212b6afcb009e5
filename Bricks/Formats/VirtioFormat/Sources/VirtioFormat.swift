/// Device status, virtio 1.2 §2.1.
public struct VirtioStatus: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let acknowledge = VirtioStatus(rawValue: 1)
    public static let driver = VirtioStatus(rawValue: 2)
    public static let driverOK = VirtioStatus(rawValue: 4)
    public static let featuresOK = VirtioStatus(rawValue: 8)
    public static let needsReset = VirtioStatus(rawValue: 64)
    public static let failed = VirtioStatus(rawValue: 128)
}

/// Feature bits, virtio 1.2 §2.2; those below 24 belong to a device type.
public struct VirtioFeatures: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// VIRTIO_F_VERSION_1, §6: not a legacy device.
    public static let version1 = VirtioFeatures(rawValue: 1 << 32)
    /// VIRTIO_F_EVENT_IDX, §2.7.7 and §2.7.10.
    public static let eventIndex = VirtioFeatures(rawValue: 1 << 29)
}

/// Device types, virtio 1.2 §5.
public enum VirtioDeviceType {
    public static let network: UInt32 = 1
    public static let console: UInt32 = 3
}

/// virtio-console, virtio 1.2 §5.3: the queues of port 0.
public enum VirtioConsoleQueue {
    public static let receive: UInt32 = 0
    public static let transmit: UInt32 = 1
}

/// Where the parts of a split queue lie when they follow each other, virtio 1.2 §2.7.
public struct SplitQueueLayout: Sendable {
    /// Descriptors: a power of two, 32,768 at most.
    public let size: Int
    public init(size: Int) { self.size = size }

    public static let descriptorByteCount = 16
    public static let usedElementByteCount = 8
    /// `flags`, `idx`, then the ring, in both rings.
    public static let ringIndexOffset = 2
    public static let ringOffset = 4

    public var availableOffset: Int { Self.descriptorByteCount &* size }
    /// Aligned to 4.
    public var usedOffset: Int { (availableOffset &+ 6 &+ 2 &* size &+ 3) & ~3 }
    public var byteCount: Int { usedOffset &+ 6 &+ Self.usedElementByteCount &* size }

    /// VIRTQ_DESC_F_NEXT: the chain goes on.
    public static let flagNext: UInt16 = 1
    /// VIRTQ_DESC_F_WRITE: the device writes this buffer.
    public static let flagWrite: UInt16 = 2
    /// VIRTQ_DESC_F_INDIRECT, which nobody negotiates here.
    public static let flagIndirect: UInt16 = 4
    /// VIRTQ_AVAIL_F_NO_INTERRUPT and VIRTQ_USED_F_NO_NOTIFY.
    public static let flagNoInterrupt: UInt16 = 1
    public static let flagNoNotify: UInt16 = 1

    /// `used_event`, behind the available ring, and `avail_event`, behind the used ring (§2.7.7, §2.7.8).
    public var usedEventOffset: Int { availableOffset &+ Self.ringOffset &+ 2 &* size }
    public var availableEventOffset: Int { usedOffset &+ Self.ringOffset &+ Self.usedElementByteCount &* size }
}

/// Registers of virtio over MMIO, virtio 1.2 §4.2.2.
public enum VirtioMMIO {
    /// "virt".
    public static let magic: UInt32 = 0x7472_6976
    public static let version: UInt32 = 2

    public static let magicOffset = 0x00
    public static let versionOffset = 0x04
    public static let deviceTypeOffset = 0x08
    public static let deviceFeaturesOffset = 0x10
    public static let deviceFeaturesSelectOffset = 0x14
    public static let driverFeaturesOffset = 0x20
    public static let driverFeaturesSelectOffset = 0x24
    public static let queueSelectOffset = 0x30
    public static let queueSizeMaximumOffset = 0x34
    public static let queueSizeOffset = 0x38
    public static let queueReadyOffset = 0x44
    public static let queueNotifyOffset = 0x50
    public static let interruptStatusOffset = 0x60
    public static let interruptAcknowledgeOffset = 0x64
    public static let statusOffset = 0x70
    public static let queueDescriptorsOffset = 0x80
    public static let queueAvailableOffset = 0x90
    public static let queueUsedOffset = 0xa0
    public static let byteCount = 0x100
    /// The device's own configuration follows the registers.
    public static let configurationOffset = 0x100
}

/// The common configuration structure of virtio over PCI, virtio 1.2 §4.1.4.3.
public enum VirtioPCICommon {
    public static let deviceFeaturesSelectOffset = 0
    public static let deviceFeaturesOffset = 4
    public static let driverFeaturesSelectOffset = 8
    public static let driverFeaturesOffset = 12
    public static let statusOffset = 20
    public static let queueSelectOffset = 22
    public static let queueSizeOffset = 24
    public static let queueVectorOffset = 26
    public static let queueEnableOffset = 28
    public static let queueNotifyOffset = 30
    public static let queueDescriptorsOffset = 32
    public static let queueAvailableOffset = 40
    public static let queueUsedOffset = 48
    public static let byteCount = 56
}

/// PCI configuration space as far as virtio needs it: PCI 3.0 §6.1, §6.7, §6.8.2; virtio 1.2 §4.1.
public enum VirtioPCI {
    public static let vendor: UInt32 = 0x1af4
    /// A device's own number is this plus its type; a transitional one has 0x1000 and up.
    public static let deviceBase: UInt32 = 0x1040
    public static let transitionalConsole: UInt32 = 0x1003
    /// Device numbers end at 0x107f.
    public static let deviceTypeLimit: UInt32 = 0x3f

    public static let identityOffset = 0x00
    public static let commandOffset = 0x04
    public static let barOffset = 0x10
    public static let capabilitiesOffset = 0x34
    /// Command: memory space, bus master. Status, in the upper half: capabilities list.
    public static let commandEnable: UInt32 = 0x6
    public static let statusCapabilities: UInt32 = 0x10 << 16

    public static let capabilityMSIX: UInt32 = 0x11
    public static let capabilityVendor: UInt32 = 0x09
    /// Capabilities are four-byte aligned in 192 bytes: a longer list has a loop.
    public static let capabilityLimit = 48

    /// `cfg_type` of a virtio capability.
    public static let commonConfiguration: UInt32 = 1
    public static let notifyConfiguration: UInt32 = 2
    public static let deviceConfiguration: UInt32 = 4
}
