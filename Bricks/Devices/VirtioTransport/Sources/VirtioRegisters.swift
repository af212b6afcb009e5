import RegisterBank
import VirtioFormat

/// One register of either transport, in one word: by MMIO all are 32 bits wide.
struct VirtioRegister {
    private let bits: UInt32

    var mmioOffset: Int { Int(bits & 0xff) }
    var pciOffset: Int { Int(bits >> 8 & 0xff) }
    var pciWidth: RegisterWidth {
        switch bits >> 16 {
        case 1: .byte
        case 2: .word
        default: .long
        }
    }

    private init(_ mmioOffset: Int, _ pciOffset: Int, byteCount: UInt32) {
        bits = UInt32(truncatingIfNeeded: mmioOffset | pciOffset << 8) | byteCount << 16
    }

    static var deviceFeaturesSelect: VirtioRegister {
        VirtioRegister(VirtioMMIO.deviceFeaturesSelectOffset, VirtioPCICommon.deviceFeaturesSelectOffset, byteCount: 4)
    }
    static var deviceFeatures: VirtioRegister {
        VirtioRegister(VirtioMMIO.deviceFeaturesOffset, VirtioPCICommon.deviceFeaturesOffset, byteCount: 4)
    }
    static var driverFeaturesSelect: VirtioRegister {
        VirtioRegister(VirtioMMIO.driverFeaturesSelectOffset, VirtioPCICommon.driverFeaturesSelectOffset, byteCount: 4)
    }
    static var driverFeatures: VirtioRegister {
        VirtioRegister(VirtioMMIO.driverFeaturesOffset, VirtioPCICommon.driverFeaturesOffset, byteCount: 4)
    }
    static var status: VirtioRegister { VirtioRegister(VirtioMMIO.statusOffset, VirtioPCICommon.statusOffset, byteCount: 1) }
    static var queueSelect: VirtioRegister {
        VirtioRegister(VirtioMMIO.queueSelectOffset, VirtioPCICommon.queueSelectOffset, byteCount: 2)
    }
    /// Over PCI the same register tells the greatest size and takes the chosen one.
    static var queueSizeMaximum: VirtioRegister {
        VirtioRegister(VirtioMMIO.queueSizeMaximumOffset, VirtioPCICommon.queueSizeOffset, byteCount: 2)
    }
    static var queueSize: VirtioRegister { VirtioRegister(VirtioMMIO.queueSizeOffset, VirtioPCICommon.queueSizeOffset, byteCount: 2) }
    static var queueEnable: VirtioRegister { VirtioRegister(VirtioMMIO.queueReadyOffset, VirtioPCICommon.queueEnableOffset, byteCount: 2) }
    static var queueDescriptors: VirtioRegister {
        VirtioRegister(VirtioMMIO.queueDescriptorsOffset, VirtioPCICommon.queueDescriptorsOffset, byteCount: 4)
    }
    static var queueAvailable: VirtioRegister {
        VirtioRegister(VirtioMMIO.queueAvailableOffset, VirtioPCICommon.queueAvailableOffset, byteCount: 4)
    }
    static var queueUsed: VirtioRegister { VirtioRegister(VirtioMMIO.queueUsedOffset, VirtioPCICommon.queueUsedOffset, byteCount: 4) }

    /// The upper half of a 64-bit register, as both transports allow.
    var upperHalf: VirtioRegister { VirtioRegister(mmioOffset &+ 4, pciOffset &+ 4, byteCount: 4) }
}

/// The registers of one device, behind either transport.
///
/// Not inlined: what is small here is called from many places.
struct VirtioRegisters<Bank: RegisterBank> {
    /// Over PCI: the common configuration structure.
    let bank: Bank
    let isPCI: Bool

    @inline(never) func read(_ register: VirtioRegister) -> UInt32 {
        isPCI ? bank.read(register.pciOffset, register.pciWidth) : bank.read(register.mmioOffset, .long)
    }

    @inline(never) func write(_ value: UInt32, to register: VirtioRegister) {
        isPCI
            ? bank.write(value, to: register.pciOffset, register.pciWidth)
            : bank.write(value, to: register.mmioOffset, .long)
    }

    @inline(never) func write(address: UInt64, to register: VirtioRegister) {
        write(UInt32(truncatingIfNeeded: address), to: register)
        write(UInt32(truncatingIfNeeded: address >> 32), to: register.upperHalf)
    }

    @inline(never) func add(_ status: VirtioStatus) {
        write(read(.status) & 0xff | UInt32(status.rawValue), to: .status)
    }

    /// One half of a feature set; the selector is written first.
    private func offeredHalf(_ half: UInt32) -> UInt32 {
        write(half, to: .deviceFeaturesSelect)
        return read(.deviceFeatures)
    }

    private func acceptHalf(_ half: UInt32, _ features: VirtioFeatures) {
        write(half, to: .driverFeaturesSelect)
        write(UInt32(truncatingIfNeeded: features.rawValue &>> UInt64(32 &* half)), to: .driverFeatures)
    }

    func negotiate(wanted: VirtioFeatures) throws(NegotiationError) -> VirtioFeatures {
        write(0, to: .status)
        // §4.1.4.3.2: a reset over PCI is over when zero reads back. At most this many reads.
        var patience = 100_000
        while read(.status) & 0xff != 0 {
            patience &-= 1
            guard patience > 0 else { throw .resetFailed }
        }
        add(.acknowledge)
        add(.driver)
        let offered = VirtioFeatures(rawValue: UInt64(offeredHalf(1)) << 32 | UInt64(offeredHalf(0)))
        let features = wanted.union(.version1).intersection(offered)
        acceptHalf(0, features)
        acceptHalf(1, features)
        if features.contains(.version1) { add(.featuresOK) }
        guard read(.status) & UInt32(VirtioStatus.featuresOK.rawValue) != 0 else {
            add(.failed)
            throw .featuresRefused
        }
        return features
    }
}
