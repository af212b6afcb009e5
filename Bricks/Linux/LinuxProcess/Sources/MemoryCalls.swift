import CLinuxFormat
import Errno
import LinuxMemory
import PageFrames
import VFS

/// MAP_… of mmap(2).
struct MapFlags: OptionSet {
    let rawValue: UInt64
    static var fixed: MapFlags { MapFlags(rawValue: 0x10) }
    static var anonymous: MapFlags { MapFlags(rawValue: 0x20) }
    static var low: MapFlags { MapFlags(rawValue: 0x40) }
    static var growsDown: MapFlags { MapFlags(rawValue: 0x100) }
    static var locked: MapFlags { MapFlags(rawValue: 0x2000) }
    static var noReserve: MapFlags { MapFlags(rawValue: 0x4000) }
    static var populate: MapFlags { MapFlags(rawValue: 0x8000) }
    static var nonBlock: MapFlags { MapFlags(rawValue: 0x1_0000) }
    static var huge: MapFlags { MapFlags(rawValue: 0x4_0000) }
    static var fixedNoReplace: MapFlags { MapFlags(rawValue: 0x10_0000) }
    /// What MAP_SHARED_VALIDATE lets pass: all that mmap(2) knows but MAP_SYNC.
    static var validated: MapFlags { MapFlags(rawValue: 0xfc17_f97f) }

    enum Kind { case shared, isolated, validated }
    var kind: Kind? {
        switch rawValue & 0xf {
        case 1: .shared
        case 2: .isolated
        case 3: .validated
        default: nil
        }
    }
}

/// What a call of mmap(2) asks for.
private struct MapRequest {
    var address: UInt64
    var byteCount: UInt64
    let protection: Protection
    let flags: MapFlags
    var isShared = false
    var file: OpenFile?
    var page: Int64
}

/// Where programs of Linux could map: TASK_SIZE.
let linuxHighest: UInt64 = 0x7fff_ffff_f000

extension LinuxThread {
    static func sysMmap(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = MapFlags(rawValue: arguments[3])
        guard arguments[5] % AddressSpace.pageByteCount == 0 else { throw .einval }
        var request = MapRequest(
            address: arguments[0], byteCount: arguments[1], protection: Protection(rawValue: UInt8(arguments[2] & 7)), flags: flags,
            page: Int64(arguments[5] / AddressSpace.pageByteCount))
        if !flags.contains(.anonymous) {
            let file = try thread.process.descriptors[arguments.descriptor(4)]
            guard !file.flags.contains(.path) else { throw .ebadf }
            if flags.contains(.huge) { throw .einval }
            request.file = file
        } else if flags.contains(.huge) {
            throw .enomem
        }
        guard request.byteCount > 0 else { throw .einval }
        guard request.byteCount <= linuxHighest else { throw .enomem }
        request.byteCount = AddressSpace.roundUp(request.byteCount)
        guard request.byteCount <= AddressSpace.highest else { throw .enomem }
        try thread.place(&request)
        try thread.check(&request)
        try thread.checkCommitment(request.byteCount, request.protection, isShared: request.isShared, flags)
        try thread.memory.map(
            request.address, request.byteCount, request.protection, isShared: request.isShared, file: request.file, page: request.page,
            growsDown: flags.contains(.growsDown))
        if flags.contains(.locked) || (flags.contains(.populate) && !flags.contains(.nonBlock)) {
            // What cannot be had is met at its access.
            _ = try? thread.memory.populate(request.address, request.byteCount, isWrite: request.protection.contains(.write))
        }
        return Int(request.address)
    }

    private func place(_ request: inout MapRequest) throws(Errno) {
        let page = AddressSpace.pageByteCount
        if request.flags.contains(.fixed) || request.flags.contains(.fixedNoReplace) {
            guard request.address % page == 0 else { throw .einval }
            // Below vm.mmap_min_addr.
            guard request.address >= AddressSpace.lowest else { throw .eperm }
            guard AddressSpace.isInside(request.address, request.byteCount) else { throw .enomem }
            if request.flags.contains(.fixedNoReplace), !memory.isFree(request.address, request.byteCount) { throw .eexist }
            return
        }
        let hint = request.address &+ (page - 1) & ~(page - 1)
        let isLow = request.flags.contains(.low)
        if hint != 0, AddressSpace.isInside(hint, request.byteCount), memory.isFree(hint, request.byteCount),
            !isLow || hint + request.byteCount <= 0x8000_0000
        {
            request.address = hint
        } else {
            request.address = try memory.findFree(request.byteCount, below: isLow ? 0x8000_0000 : nil)
        }
    }

    /// The kinds of mapping, and what a file must allow.
    private func check(_ request: inout MapRequest) throws(Errno) {
        guard let kind = request.flags.kind else { throw .einval }
        request.isShared = kind != .isolated
        guard let file = request.file else {
            guard kind != .validated, !(request.isShared && request.flags.contains(.growsDown)) else { throw .einval }
            request.page = 0
            if request.isShared { request.file = SharedMemory(memory.frames, byteCount: request.byteCount) }
            return
        }
        let pages = Int64(request.byteCount / AddressSpace.pageByteCount)
        guard request.page <= (Int64.max >> 12) - pages else { throw .eoverflow }
        if kind == .validated, !MapFlags.validated.isSuperset(of: request.flags) { throw .eopnotsupp }
        if request.isShared, request.protection.contains(.write), !file.flags.isWritable { throw .eacces }
        guard file.flags.isReadable else { throw .eacces }
        guard file.kind == .regular || file.kind == .characterDevice, !request.flags.contains(.growsDown) else {
            throw file.kind == .regular ? .einval : .enodev
        }
        try checkPages(request, file)
    }

    private func checkPages(_ request: MapRequest, _ file: OpenFile) throws(Errno) {
        if request.isShared, let seals = file.vnode?.seals {
            // F_SEAL_WRITE 8, F_SEAL_FUTURE_WRITE 16
            if seals & 0x18 != 0, request.protection.contains(.write) { throw .eperm }
        }
        // A file without pages tells so; a page that is not there is met later.
        do throws(Errno) {
            let frame = try file.frame(at: request.page, forWriting: false)
            memory.frames.release(frame)
        } catch {
            if error == .enodev || error == .eacces { throw error }
        }
    }

    /// What runtimes reserve at once and hardly touch.
    private static var leastCommitment: UInt64 { 256 << 20 }

    /// As Linux's heuristic: one request for more than there is at all is refused (vm.overcommit_memory 0); a small instance counts as
    /// a larger machine.
    func checkCommitment(_ byteCount: UInt64, _ protection: Protection, isShared: Bool, _ flags: MapFlags) throws(Errno) {
        let memory = max(process.system.memoryByteCount, Self.leastCommitment)
        guard protection.contains(.write), !isShared, !flags.contains(.noReserve), byteCount > memory else { return }
        throw .enomem
    }

    static func sysMunmap(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let range = try PageRange(arguments[0], arguments[1], overflow: .einval)
        guard range.byteCount > 0 else { throw .einval }
        guard let range = range.inside else { return 0 }
        try thread.memory.unmap(range.start, range.byteCount)
        return 0
    }

    static func sysMprotect(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.protect(arguments)
    }

    func protect(_ arguments: borrowing Arguments) throws(Errno) -> Int {
        let growsDown: UInt64 = 0x0100_0000, growsUp: UInt64 = 0x0200_0000
        let bits = arguments[2]
        guard bits & (growsDown | growsUp) != growsDown | growsUp else { throw .einval }
        var range = try PageRange(arguments[0], arguments[1], overflow: .enomem)
        guard range.byteCount > 0 else { return 0 }
        // PROT_SEM is 8 and means nothing here.
        guard bits & ~(growsDown | growsUp | 0xf) == 0 else { throw .einval }
        guard AddressSpace.isInside(range.start, range.byteCount) else { throw .enomem }
        if bits & growsUp != 0 { throw .einval }
        if bits & growsDown != 0 {
            guard let area = memory.area(of: range.start) else { throw .enomem }
            guard area.growsDown else { throw .einval }
            range = PageRange(area.start, to: range.end)
        }
        try memory.protect(range.start, range.byteCount, Protection(rawValue: UInt8(bits & 7)))
        return 0
    }

    /// The break as it is afterwards: what cannot be had leaves it where it was.
    static func sysBrk(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let memory = thread.memory
        let wanted = arguments[0]
        guard wanted >= memory.heapStart, wanted < AddressSpace.highest else { return Int(memory.heapEnd) }
        guard wanted - memory.heapStart <= thread.process.limits.soft[2] else { return Int(memory.heapEnd) }
        let old = AddressSpace.roundUp(memory.heapEnd), new = AddressSpace.roundUp(wanted)
        do throws(Errno) {
            if new < old {
                try memory.unmap(new, old - new)
            } else if new > old {
                guard memory.isFree(old, new - old + AddressSpace.pageByteCount) else { throw .enomem }
                try thread.checkCommitment(new - old, .write, isShared: false, [])
                try memory.map(old, new - old, [.read, .write], name: .heap)
            }
            memory.heapEnd = wanted
        } catch {
            // The old break tells it.
        }
        return Int(memory.heapEnd)
    }
}

/// [start, end): whole pages below Linux's own bound.
struct PageRange {
    let start: UInt64
    let end: UInt64
    var byteCount: UInt64 { end - start }

    init(_ start: UInt64, to end: UInt64) {
        self.start = start
        self.end = end
    }

    /// `.einval`: `start` is within a page; `overflow`: the end is no address.
    init(_ start: UInt64, _ byteCount: UInt64, overflow: Errno) throws(Errno) {
        guard start % AddressSpace.pageByteCount == 0 else { throw .einval }
        guard start <= linuxHighest, byteCount <= linuxHighest - start else { throw overflow }
        self.init(start, to: start + AddressSpace.roundUp(byteCount))
    }

    /// The part of it that a program can have mapped.
    var inside: PageRange? {
        let start = max(start, AddressSpace.lowest), end = min(end, AddressSpace.highest)
        return start < end ? PageRange(start, to: end) : nil
    }
}
