import BootFormat
import MonitorSupport

/// The guest's page tables (Intel SDM volume 3, §4.5): the direct map of its memory with the access that the map gives each page.
struct PageTables {
    /// Accessed and dirty are preset: otherwise the processor, or KVM, would write them into guest memory one by one.
    private static let present: UInt64 = 1, writable: UInt64 = 2, user: UInt64 = 4, accessed: UInt64 = 0x20, dirty: UInt64 = 0x40
    private static let large: UInt64 = 0x80, noExecute: UInt64 = 1 << 63
    /// The ring-0 core's mark for what is not the guest's memory: its access never changes.
    private static let foreign: UInt64 = 0x200
    private static let table = present | writable | user | accessed
    private static let addressMask: UInt64 = 0x000f_ffff_ffff_f000

    private let memory: GuestMemory
    private let map: InstanceMap
    private var usedCount: UInt64 = 0

    /// The physical address of the top table, for CR3.
    static func write(_ map: InstanceMap, into memory: GuestMemory) -> UInt64 {
        var tables = PageTables(memory: memory, map: map)
        let top = tables.addTable()
        let pointers = tables.addTable()
        memory.store(pointers | table, physical: top + (UInt64(BRIQUE_VIRTUAL_BASE) >> 39 & 511) * 8)
        for index in 0..<map.regionCount { tables.map(map[region: index], in: pointers) }
        for index in 0..<InstanceMap.layerCount {
            tables.map(map.layerRegion(index), in: pointers, foreign)
        }
        return top
    }

    private init(memory: GuestMemory, map: InstanceMap) {
        self.memory = memory
        self.map = map
    }

    private mutating func map(_ region: InstanceMap.Region, in pointers: UInt64, _ mark: UInt64 = 0) {
        guard let access = Self.bits(region.access) else { return }
        let bits = access | mark
        let largeByteCount = InstanceMap.largePageByteCount
        var address = region.start
        while address < region.end {
            let directory = table(at: pointers + (address >> 30 & 511) * 8)
            let entry = directory + (address >> 21 & 511) * 8
            if address % largeByteCount == 0 && region.end - address >= largeByteCount {
                memory.store(address | bits | Self.large, physical: entry)
                address += largeByteCount
            } else {
                let end = min(region.end, (address / largeByteCount + 1) * largeByteCount)
                let leaves = table(at: entry)
                while address < end {
                    memory.store(address | bits, physical: leaves + (address >> 12 & 511) * 8)
                    address += InstanceMap.pageByteCount
                }
            }
        }
    }

    private static func bits(_ access: PageAccess) -> UInt64? {
        let base = present | accessed | dirty
        return switch access {
        case .none: nil
        case .core: base | writable | noExecute
        case .read: base | user | noExecute
        case .readExecute: base | user
        case .readWrite: base | user | writable | noExecute
        }
    }

    /// The table that `entry` refers to, made if there is none.
    private mutating func table(at entry: UInt64) -> UInt64 {
        let value = memory.word(virtual: UInt64(BRIQUE_VIRTUAL_BASE) + entry) ?? 0
        if value & Self.present != 0 { return value & Self.addressMask }
        let table = addTable()
        memory.store(table | Self.table, physical: entry)
        return table
    }

    /// InstanceMap counted the tables that this takes; fresh memory is zero.
    private mutating func addTable() -> UInt64 {
        precondition(usedCount < map.tableCount)
        usedCount += 1
        return map.tables + (usedCount - 1) * InstanceMap.pageByteCount
    }
}
