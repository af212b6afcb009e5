import Bytes
import Errno
import PageFrames

extension AddressSpace {
    /// Changes code of a private mapping, whatever its protection: the page becomes the process's own.
    public func patch(_ address: UInt64, with bytes: [UInt8]) throws(Errno) {
        var done = 0
        while done < bytes.count {
            let at = address + UInt64(done), page = at & ~(Self.pageByteCount - 1)
            let count = min(bytes.count - done, Int(page + Self.pageByteCount - at))
            let frame = try own(page)
            frames.withBytes(of: frame) { target in
                for index in 0..<count {
                    target.storeBytes(of: bytes[done + index], toByteOffset: Int(at - page) + index, as: UInt8.self)
                }
            }
            done += count
        }
    }

    /// The frame of a page that belongs to this process alone.
    private func own(_ page: UInt64) throws(Errno) -> Frame {
        do throws(MemoryFault) { try fault(page, isWrite: false) } catch { throw .efault }
        guard let area = area(of: page), !area.isShared else { throw .eperm }
        let old = Frame(number: table[page] >> 12)
        if !frames.isForeign(old), frames.referenceCount(old) == 1, area.mapping == nil { return old }
        if !frames.isForeign(old), frames.referenceCount(old) == 1, table[page] & PageTable.owned != 0 { return old }
        let copy = try frames.allocate()
        frames.copy(old, to: copy)
        guard mapper.map(page, byteCount: Self.pageByteCount, to: copy.address, area.protection.subtracting(.write)) else {
            frames.release(copy)
            throw .enomem
        }
        frames.release(old)
        table[page] = copy.number << 12 | PageTable.present | PageTable.owned
        return copy
    }
}
