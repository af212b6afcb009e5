import Bytes
import Errno
import LinuxMemory
import VFS

/// MADV_… of madvise(2).
private enum Advice {
    static var willNeed: Int32 { 3 }
    static var dontNeed: Int32 { 4 }
    static var free: Int32 { 8 }
    static var remove: Int32 { 9 }
    static var populateRead: Int32 { 22 }
    static var populateWrite: Int32 { 23 }
    static var dontNeedLocked: Int32 { 24 }

    /// Hints that change nothing where memory is neither swapped, merged, copied nor dumped.
    static func isHint(_ advice: Int32) -> Bool {
        switch advice {
        case 0...3, 10...17, 19...21, 25: true
        default: false
        }
    }
}

extension LinuxThread {
    static func sysMadvise(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let advice = arguments.int32(2)
        if advice == 100 || advice == 101 { throw .eperm }  // MADV_HWPOISON, MADV_SOFT_OFFLINE
        guard Advice.isHint(advice) || [4, 8, 9, 18, 22, 23, 24].contains(advice) else { throw .einval }
        let range = try PageRange(arguments[0], arguments[1], overflow: .einval)
        guard range.byteCount > 0 else { return 0 }
        guard AddressSpace.isInside(range.start, range.byteCount) else { throw .enomem }
        let memory = thread.memory
        let isWhole = try memory.forEachPart(range.start, range.end) { (part) throws(Errno) in try thread.advise(part, advice) }
        guard isWhole else { throw .enomem }
        return 0
    }

    private func advise(_ part: Area, _ advice: Int32) throws(Errno) {
        switch advice {
        case 14, 15: try memory.setSparse(part, advice == 15)
        case Advice.dontNeed, Advice.dontNeedLocked: memory.forget(part)
        case Advice.free:
            guard part.mapping == nil, !part.isShared else { throw .einval }
            memory.forget(part)
        case 18:  // MADV_WIPEONFORK
            guard part.mapping == nil, !part.isShared else { throw .einval }
        case Advice.remove:
            guard part.isShared else { throw .einval }
            guard let mapping = part.mapping else { throw .einval }
            guard mapping.file.flags.isWritable, part.protection.contains(.write) else { throw .eacces }
            if memory.clear(part) { return }
            try mapping.file.allocate(
                .punchHole, at: part.filePage * Int64(AddressSpace.pageByteCount), byteCount: Int64(part.byteCount))
        case Advice.populateRead, Advice.populateWrite:
            let isWrite = advice == Advice.populateWrite
            guard part.protection.contains(isWrite ? .write : .read) else { throw .einval }
            do throws(MemoryFault) {
                try memory.populate(part.start, part.byteCount, isWrite: isWrite)
            } catch {
                throw error == .outOfMemory ? .enomem : .efault
            }
        default: return
        }
    }

    static func sysMincore(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let page = AddressSpace.pageByteCount
        guard arguments[0] % page == 0 else { throw .einval }
        let range = try PageRange(arguments[0], arguments[1], overflow: .enomem)
        let count = range.byteCount / page
        guard count <= UInt64(Int32.max) else { throw .enomem }
        try thread.memory.prepare(arguments[2], Int(count), isWrite: true)
        guard count > 0 else { return 0 }
        guard AddressSpace.isInside(range.start, range.byteCount) else { throw .enomem }
        let memory = thread.memory, target = arguments[2]
        let isWhole = try memory.forEachPart(range.start, range.end) { (part) throws(Errno) in
            var at = part.start
            while at < part.end {
                let byte: UInt8 = memory.isResident(at, in: part) ? 1 : 0
                try memory.write(byte, at: target + (at - range.start) / page)
                at += page
            }
        }
        guard isWhole else { throw .enomem }
        return 0
    }

    static func sysMsync(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.int32(2)
        // MS_ASYNC 1, MS_INVALIDATE 2, MS_SYNC 4
        guard flags & ~7 == 0, flags & 5 != 5 else { throw .einval }
        let range = try PageRange(arguments[0], arguments[1], overflow: .enomem)
        guard range.byteCount > 0 else { return 0 }
        guard AddressSpace.isInside(range.start, range.byteCount) else { throw .enomem }
        let isWhole = try thread.memory.forEachPart(range.start, range.end) { (part) throws(Errno) in
            if flags & 4 != 0, part.isShared, let mapping = part.mapping { try mapping.file.synchronize() }
        }
        guard isWhole else { throw .enomem }
        return 0
    }

    // MARK: Locking: nothing is ever swapped, so what is there stays there.

    static func sysMlock(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.lock(arguments[0], arguments[1], populates: true)
    }

    static func sysMlock2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments.int32(2) & ~1 == 0 else { throw .einval }
        return try thread.lock(arguments[0], arguments[1], populates: arguments.int32(2) == 0)
    }

    private func lock(_ address: UInt64, _ byteCount: UInt64, populates: Bool) throws(Errno) -> Int {
        let limit = process.limits.soft[ResourceLimits.lockedMemory]
        let isPrivileged = process.credentials.has(.lockMemory)
        guard limit > 0 || isPrivileged else { throw .eperm }
        guard let range = try lockedRange(address, byteCount) else { return 0 }
        guard range.byteCount <= limit || isPrivileged else { throw .enomem }
        let memory = memory
        let isWhole = try memory.forEachPart(range.start, range.end) { (part) throws(Errno) in
            guard populates else { return }
            do throws(MemoryFault) {
                try memory.populate(part.start, part.byteCount, isWrite: part.protection.contains(.write))
            } catch {
                throw error == .outOfMemory ? .eagain : .enomem
            }
        }
        guard isWhole else { throw .enomem }
        return 0
    }

    private func lockedRange(_ address: UInt64, _ byteCount: UInt64) throws(Errno) -> PageRange? {
        let start = address & ~(AddressSpace.pageByteCount - 1)
        guard byteCount <= linuxHighest, address <= linuxHighest else { throw .einval }
        let end = AddressSpace.roundUp(address + byteCount)
        guard byteCount > 0 else { return nil }
        guard AddressSpace.isInside(start, end - start) else { throw .enomem }
        return PageRange(start, to: end)
    }

    static func sysMunlock(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard let range = try thread.lockedRange(arguments[0], arguments[1]) else { return 0 }
        guard try thread.memory.forEachPart(range.start, range.end, { (_) throws(Errno) in }) else { throw .enomem }
        return 0
    }

    static func sysMlockall(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.int32(0)
        guard flags != 0, flags & ~7 == 0, flags != 4 else { throw .einval }
        guard thread.process.limits.soft[ResourceLimits.lockedMemory] > 0 || thread.process.credentials.has(.lockMemory) else {
            throw .eperm
        }
        return 0
    }

    static func sysMunlockall(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { 0 }
}
