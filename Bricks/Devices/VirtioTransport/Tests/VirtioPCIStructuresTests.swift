import RegisterBank
import Testing
import VirtioFormat
import VirtioTransport

/// 256 bytes of configuration space, writable by tests alone.
struct Configuration: RegisterBank {
    var words = [UInt32](repeating: 0, count: 64)

    func read(_ offset: Int, _ width: RegisterWidth) -> UInt32 {
        precondition(offset % 4 == 0)
        return words[offset / 4]
    }

    func write(_ value: UInt32, to offset: Int, _ width: RegisterWidth) { fatalError("parsing writes nothing") }

    mutating func set(_ offset: Int, _ values: UInt32...) {
        for (index, value) in values.enumerated() { words[offset / 4 + index] = value }
    }
}

/// What QEMU's virtio console has: MSI-X in register 1, the structures in 4 and 5.
func goodConfiguration() -> Configuration {
    var configuration = Configuration()
    configuration.set(0x00, 0x1043_1af4, 0x0010_0000)
    configuration.set(0x14, 0xfebd_1000)
    configuration.set(0x20, 0xfe00_000c, 0x1)
    configuration.set(0x34, 0x98)
    configuration.set(0x98, 0x0001_8411, 0x0000_0001, 0x0000_0801)
    configuration.set(0x84, 0x0214_7009, 4, 0x3000, 0x1000, 4)
    configuration.set(0x70, 0x0310_6009, 4, 0x1000, 0x1000)
    configuration.set(0x60, 0x0110_4009, 4, 0x0000, 0x1000)
    configuration.set(0x40, 0x0514_0009, 0, 0, 0, 0)
    return configuration
}

struct VirtioPCIStructuresTests {
    @Test func `the structures of a console are found`() throws {
        let found = try #require(VirtioPCIStructures(configuration: goodConfiguration()))
        #expect(found.type == VirtioDeviceType.console)
        #expect(found.common == PCIRegion(address: 0x1_fe00_0000, byteCount: 0x1000))
        #expect(found.notification == PCIRegion(address: 0x1_fe00_3000, byteCount: 0x1000))
        #expect(found.notificationMultiplier == 4)
        #expect(found.vectorTable == PCIRegion(address: 0xfebd_1000, byteCount: 16))
        #expect(found.vectorCapability == 0x98)
    }

    @Test func `a transitional console is one`() throws {
        var configuration = goodConfiguration()
        configuration.set(0x00, 0x1003_1af4)
        #expect(try #require(VirtioPCIStructures(configuration: configuration)).type == VirtioDeviceType.console)
    }

    @Test(arguments: [0x1043_1af5, 0x1002_1af4, 0x1040_1af4, 0x1080_1af4, 0xffff_ffff, 0] as [UInt32])
    func `another device is not virtio`(identity: UInt32) {
        var configuration = goodConfiguration()
        configuration.set(0x00, identity)
        #expect(VirtioPCIStructures(configuration: configuration) == nil)
    }

    @Test(
        arguments: [
            (0x04, 0), (0x34, 0), (0x34, 0x3c), (0x84, 0x0214_0009), (0x60, 0x0510_4009), (0x8c, 0xffff_f001), (0x88, 6), (0x88, 255),
            (0x88, 3), (0x20, 0xfe00_000d), (0x24, 0x80), (0x90, 1), (0x94, 3), (0x94, 8192), (0x6c, 55), (0x14, 1),
        ] as [(Int, UInt32)])
    func `a field that cannot be is refused`(offset: Int, value: UInt32) {
        var configuration = goodConfiguration()
        configuration.set(offset, value)
        #expect(VirtioPCIStructures(configuration: configuration) == nil)
    }

    @Test(arguments: [0x40, 0x60, 0x98, 0xfc])
    func `a list that loops ends`(target: UInt32) {
        var configuration = goodConfiguration()
        configuration.set(0x40, 0x0514_0009 | target << 8)
        configuration.set(0xfc, 0x09 | target << 8)
        #expect(VirtioPCIStructures(configuration: configuration) != nil)
    }

    @Test(arguments: 0..<2000 as Range<UInt64>)
    func `random configuration spaces are read without a trap`(seed: UInt64) {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        var configuration = goodConfiguration()
        for _ in 0..<8 { configuration.words[Int(next() % 64)] = UInt32(truncatingIfNeeded: next()) }
        configuration.set(0x00, 0x1043_1af4)
        guard let found = VirtioPCIStructures(configuration: configuration) else { return }
        #expect(found.common.byteCount >= 56 && found.common.address >> 40 == 0, "seed \(seed)")
        #expect(found.notification.byteCount >= 2 && found.notificationMultiplier <= 4096, "seed \(seed)")
    }
}
