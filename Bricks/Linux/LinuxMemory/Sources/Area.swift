import VFS

/// Neighbouring pages that were mapped alike.
public struct Area {
    public var start: UInt64
    public var end: UInt64
    public var protection: Protection
    /// MAP_SHARED: stores go to the file.
    public var isShared: Bool
    /// nil: memory of its own.
    public var mapping: FileMapping?
    /// The page of the file at `start`.
    public var filePage: Int64
    /// Grows down on access, a stack.
    public var growsDown = false
    /// Pages come one by one (MADV_NOHUGEPAGE).
    public var isSparse = false
    public var name: AreaName = .none

    public var byteCount: UInt64 { end - start }

    /// The part of it in [from, to), which overlaps it.
    func part(from: UInt64, to: UInt64) -> Area {
        var part = self
        part.start = max(start, from)
        part.end = min(end, to)
        part.filePage += Int64((part.start - start) / AddressSpace.pageByteCount)
        return part
    }

    /// Whether `next` only goes on with this one.
    func joins(_ next: Area) -> Bool {
        end == next.start && protection == next.protection && isShared == next.isShared && mapping === next.mapping
            && (mapping == nil || filePage + Int64(byteCount / AddressSpace.pageByteCount) == next.filePage)
            && growsDown == next.growsDown && isSparse == next.isSparse && name == next.name
    }
}

/// What /proc/self/maps calls a part without a file.
public enum AreaName: Sendable {
    case none, stack, heap, vdso, vvar, trampolines
}
