import RegisterBank
import VirtioFormat

/// One register of either transport: by MMIO all are 32 bits wide.
struct VirtioRegister {
    let mmioOffset: Int
    let pciOffset: Int
    let pciWidth: RegisterWidth

    static let deviceFeaturesSelect = VirtioRegister(
        VirtioMMIO.deviceFeaturesSelectOffset, VirtioPCICommon.deviceFeaturesSelectOffset, .long)
    static let deviceFeatures = VirtioRegister(VirtioMMIO.deviceFeaturesOffset, VirtioPCICommon.deviceFeaturesOffset, .long)
    static let driverFeaturesSelect = VirtioRegister(
        VirtioMMIO.driverFeaturesSelectOffset, VirtioPCICommon.driverFeaturesSelectOffset, .long)
    static let driverFeatures = VirtioRegister(VirtioMMIO.driverFeaturesOffset, VirtioPCICommon.driverFeaturesOffset, .long)
    static let status = VirtioRegister(VirtioMMIO.statusOffset, VirtioPCICommon.statusOffset, .byte)
    static let queueSelect = VirtioRegister(VirtioMMIO.queueSelectOffset, VirtioPCICommon.queueSelectOffset, .word)
    /// Over PCI the same register tells the greatest size and takes the chosen one.
    static let queueSizeMaximum = VirtioRegister(VirtioMMIO.queueSizeMaximumOffset, VirtioPCICommon.queueSizeOffset, .word)
    static let queueSize = VirtioRegister(VirtioMMIO.queueSizeOffset, VirtioPCICommon.queueSizeOffset, .word)
    static let queueEnable = VirtioRegister(VirtioMMIO.queueReadyOffset, VirtioPCICommon.queueEnableOffset, .word)
    static let queueDescriptors = VirtioRegister(VirtioMMIO.queueDescriptorsOffset, VirtioPCICommon.queueDescriptorsOffset, .long)
    static let queueAvailable = VirtioRegister(VirtioMMIO.queueAvailableOffset, VirtioPCICommon.queueAvailableOffset, .long)
    static let queueUsed = VirtioRegister(VirtioMMIO.queueUsedOffset, VirtioPCICommon.queueUsedOffset, .long)

    private init(_ mmioOffset: Int, _ pciOffset: Int, _ pciWidth: RegisterWidth) {
        self.mmioOffset = mmioOffset
        self.pciOffset = pciOffset
        self.pciWidth = pciWidth
    }
}

/// The registers of one device, behind either transport.
struct VirtioRegisters<Bank: RegisterBank> {
    /// Over PCI: the common configuration structure.
    let bank: Bank
    /// Over PCI: the notification structure and its multiplier, and the MSI-X vector for every queue.
    let notification: Bank?
    let notificationMultiplier: Int
    let vector: UInt32

    func read(_ register: VirtioRegister) -> UInt32 {
        notification == nil ? bank.read(register.mmioOffset, .long) : bank.read(register.pciOffset, register.pciWidth)
    }

    func write(_ value: UInt32, to register: VirtioRegister) {
        if notification == nil {
            bank.write(value, to: register.mmioOffset, .long)
        } else {
            bank.write(value, to: register.pciOffset, register.pciWidth)
        }
    }

    /// Two 32-bit halves, low first, as both transports allow.
    func write(address: UInt64, to register: VirtioRegister) {
        let offset = notification == nil ? register.mmioOffset : register.pciOffset
        bank.write(UInt32(truncatingIfNeeded: address), to: offset, .long)
        bank.write(UInt32(truncatingIfNeeded: address >> 32), to: offset + 4, .long)
    }

    func add(_ status: VirtioStatus) {
        write(read(.status) & 0xff | UInt32(status.rawValue), to: .status)
    }

    func negotiate(wanted: VirtioFeatures) throws(NegotiationError) -> VirtioFeatures {
        write(0, to: .status)
        // §4.1.4.3.2: a reset over PCI is over when zero reads back. At most this many reads.
        var patience = 100_000
        while read(.status) & 0xff != 0 {
            patience -= 1
            guard patience > 0 else { throw .resetFailed }
        }
        add(.acknowledge)
        add(.driver)
        write(1, to: .deviceFeaturesSelect)
        let high = UInt64(read(.deviceFeatures))
        write(0, to: .deviceFeaturesSelect)
        let offered = VirtioFeatures(rawValue: high << 32 | UInt64(read(.deviceFeatures)))
        let features = wanted.union(.version1).intersection(offered)
        write(0, to: .driverFeaturesSelect)
        write(UInt32(truncatingIfNeeded: features.rawValue), to: .driverFeatures)
        write(1, to: .driverFeaturesSelect)
        write(UInt32(truncatingIfNeeded: features.rawValue >> 32), to: .driverFeatures)
        if features.contains(.version1) { add(.featuresOK) }
        guard read(.status) & UInt32(VirtioStatus.featuresOK.rawValue) != 0 else {
            add(.failed)
            throw .featuresRefused
        }
        return features
    }
}
