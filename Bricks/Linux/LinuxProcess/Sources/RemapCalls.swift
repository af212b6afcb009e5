import Errno
import LinuxMemory

/// A call of mremap(2).
private struct Remap {
    static var mayMove: UInt64 { 1 }
    static var fixed: UInt64 { 2 }
    static var keepsArea: UInt64 { 4 }

    let old: UInt64
    let oldByteCount: UInt64
    let newByteCount: UInt64
    let flags: UInt64
    let target: UInt64
    func has(_ flag: UInt64) -> Bool { flags & flag != 0 }
}

extension LinuxThread {
    static func sysMremap(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments[3] & ~7 == 0, arguments[0] % AddressSpace.pageByteCount == 0 else { throw .einval }
        guard arguments[1] <= linuxHighest, arguments[2] <= linuxHighest, arguments[2] > 0 else { throw .einval }
        let request = Remap(
            old: arguments[0], oldByteCount: AddressSpace.roundUp(arguments[1]), newByteCount: AddressSpace.roundUp(arguments[2]),
            flags: arguments[3], target: arguments[4])
        if request.has(Remap.fixed), !request.has(Remap.mayMove) { throw .einval }
        if request.has(Remap.keepsArea), !request.has(Remap.mayMove) || request.oldByteCount != request.newByteCount { throw .einval }
        guard thread.memory.area(of: request.old) != nil else { throw .efault }
        return Int(
            request.has(Remap.fixed) || request.has(Remap.keepsArea)
                ? try thread.remapTo(request) : try thread.remap(request))
    }

    /// To a place of the program's choice, or one that leaves the old addresses mapped.
    private func remapTo(_ request: Remap) throws(Errno) -> UInt64 {
        var target = request.target
        var oldByteCount = request.oldByteCount
        let newByteCount = request.newByteCount
        if request.has(Remap.fixed) {
            guard target % AddressSpace.pageByteCount == 0, newByteCount <= linuxHighest, target <= linuxHighest - newByteCount else {
                throw .einval
            }
            guard target >= request.old + oldByteCount || target + newByteCount <= request.old else { throw .einval }
            guard target >= AddressSpace.lowest else { throw .eperm }
            guard AddressSpace.isInside(target, newByteCount) else { throw .enomem }
            try memory.unmap(target, newByteCount)
        } else {
            target = try memory.findFree(newByteCount)
        }
        if oldByteCount > newByteCount {
            try unmapTail(request.old + newByteCount, oldByteCount - newByteCount)
            oldByteCount = newByteCount
        }
        try checkResize(request.old, oldByteCount, newByteCount)
        if oldByteCount == 0 {
            try memory.duplicate(request.old, at: target, newByteCount)
        } else {
            try memory.move(from: request.old, oldByteCount, to: target, newByteCount, keepsArea: request.has(Remap.keepsArea))
        }
        return target
    }

    private func remap(_ request: Remap) throws(Errno) -> UInt64 {
        let old = request.old, oldByteCount = request.oldByteCount, newByteCount = request.newByteCount
        if oldByteCount >= newByteCount {
            try unmapTail(old + newByteCount, oldByteCount - newByteCount)
            return old
        }
        try checkResize(old, oldByteCount, newByteCount)
        let growth = newByteCount - oldByteCount
        if oldByteCount > 0, memory.area(of: old)?.end == old + oldByteCount, AddressSpace.isInside(old, newByteCount),
            memory.isFree(old + oldByteCount, growth)
        {
            try memory.extend(old + oldByteCount, by: growth)
            return old
        }
        guard request.has(Remap.mayMove) else { throw .enomem }
        guard newByteCount <= AddressSpace.highest else { throw .enomem }
        let target = try memory.findFree(newByteCount)
        if oldByteCount == 0 {
            try memory.duplicate(old, at: target, newByteCount)
        } else {
            try memory.move(from: old, oldByteCount, to: target, newByteCount)
        }
        return target
    }

    private func unmapTail(_ start: UInt64, _ byteCount: UInt64) throws(Errno) {
        guard byteCount > 0, let range = PageRange(start, to: start + byteCount).inside else { return }
        try memory.unmap(range.start, range.byteCount)
    }

    /// What is resized is one area, and the rest of it may be had.
    private func checkResize(_ old: UInt64, _ oldByteCount: UInt64, _ newByteCount: UInt64) throws(Errno) {
        guard let area = memory.area(of: old) else { throw .efault }
        if oldByteCount == 0, !area.isShared { throw .einval }
        guard oldByteCount <= area.end - old else { throw .efault }
        if newByteCount > oldByteCount {
            try checkCommitment(newByteCount - oldByteCount, area.protection, isShared: area.isShared, [])
        }
    }
}
