import BootFormat

/// What a program's pages are made of.
public enum ProgramPages: Equatable, Sendable {
    case memory(GuestRange)
    /// A number of a layer, and bytes from its start.
    case layer(Int, offset: UInt64)
}

/// Access of BRIQUE_CALL_MAP, which is also mmap(2)'s.
public struct ProgramAccess: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let read = ProgramAccess(rawValue: UInt64(BRIQUE_MAP_READ))
    public static let write = ProgramAccess(rawValue: UInt64(BRIQUE_MAP_WRITE))
    public static let execute = ProgramAccess(rawValue: UInt64(BRIQUE_MAP_EXECUTE))
    static let all: ProgramAccess = [.read, .write, .execute]
}

extension InstanceMap {
    /// Whole pages below the library OS, and none that Linux keeps free at zero.
    static func isProgramRange(_ address: UInt64, _ byteCount: UInt64) -> Bool {
        address % pageByteCount == 0 && byteCount % pageByteCount == 0 && byteCount > 0 && address >= pageByteCount
            && byteCount < GuestMemory.virtualBase && address <= GuestMemory.virtualBase - byteCount
    }

    /// The layer that holds all of a range of physical addresses.
    func layerPages(physical: UInt64, byteCount: UInt64) -> ProgramPages? {
        for index in 0..<Self.layerCount where layerByteCounts[index] > 0 {
            let region = layerRegion(index)
            if physical >= region.start, physical < region.end, byteCount <= region.end - physical {
                return .layer(index, offset: physical - region.start)
            }
        }
        return nil
    }
}

extension HypercallServer {
    /// BRIQUE_CALL_MAP: `source` is a physical address and, in its low bits, an access.
    mutating func mapProgram(_ address: UInt64, _ byteCount: UInt64, _ source: UInt64) -> Int64 {
        let bits = source % InstanceMap.pageByteCount, physical = source - bits
        guard InstanceMap.isProgramRange(address, byteCount), bits & ~ProgramAccess.all.rawValue == 0 else { return ErrorNumber.invalid }
        guard bits != 0 else { return host.unmapProgram(address, byteCount) }
        let access = ProgramAccess(rawValue: bits)
        if let range = memory.range(physical: physical, byteCount: byteCount) {
            return host.mapProgram(address, byteCount, .memory(range), access)
        }
        guard let pages = map.layerPages(physical: physical, byteCount: byteCount) else { return ErrorNumber.fault }
        return access.contains(.write) ? ErrorNumber.access : host.mapProgram(address, byteCount, pages, access)
    }
}
