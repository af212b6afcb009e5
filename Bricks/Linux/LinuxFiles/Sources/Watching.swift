import Bytes
import Errno
import LinuxMemory
import LinuxProcess
import VFS

/// inotify(7): a queue of what happened to the vnodes that are watched.
final class WatchQueue: OpenFile {
    private struct Event {
        var descriptor: Int32
        var events: WatchEvents
        var cookie: UInt32
        var name: [UInt8]

        /// The name with zeros up to a multiple of 16.
        var nameByteCount: Int { name.isEmpty ? 0 : (name.count + 16) & ~15 }
        var byteCount: Int { 16 + nameByteCount }
    }

    private var queue: [Event] = []
    private var entries: [WatchEntry] = []
    private var lastDescriptor: Int32 = 0

    static var queueLimit: Int { 16384 }
    static var watchLimit: Int { 65536 }

    override var displayName: [UInt8] { Array("anon_inode:inotify".utf8) }
    override var readiness: PollEvents { queue.isEmpty ? [] : .input }

    override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard let first = queue.first else { throw .eagain }
        guard first.byteCount <= bytes.byteCount else { throw .einval }
        var offset = 0, taken = 0
        while taken < queue.count, offset + queue[taken].byteCount <= bytes.byteCount {
            let event = queue[taken]
            bytes.storeBytes(of: event.descriptor, toByteOffset: offset, as: Int32.self)
            bytes.storeBytes(of: event.events.rawValue, toByteOffset: offset + 4, as: UInt32.self)
            bytes.storeBytes(of: event.cookie, toByteOffset: offset + 8, as: UInt32.self)
            bytes.storeBytes(of: UInt32(event.nameByteCount), toByteOffset: offset + 12, as: UInt32.self)
            bytes.clear(from: offset + 16, byteCount: event.nameByteCount)
            bytes.replace(from: offset + 16, with: event.name.raw)
            offset += event.byteCount
            taken += 1
        }
        queue.removeFirst(taken)
        return offset
    }

    /// FIONREAD.
    override func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        guard request == 0x541b else { throw .enotty }
        var sum = 0
        for event in queue { sum += event.byteCount }
        try user.copyOut(Int32(clamping: sum), to: argument)
        return 0
    }

    fileprivate func report(_ entry: WatchEntry, _ events: WatchEvents, _ cookie: UInt32, _ name: [UInt8]) {
        let event = Event(descriptor: entry.descriptor, events: events, cookie: cookie, name: name)
        // The same thing once more says nothing new.
        if let last = queue.last, last.descriptor == event.descriptor, last.events == events, last.cookie == cookie, last.name == name {
            return
        }
        if queue.count < Self.queueLimit {
            queue.append(event)
        } else if queue.count == Self.queueLimit {
            queue.append(Event(descriptor: -1, events: .overflow, cookie: 0, name: []))
        }
        observers.notify(.input)
    }

    func add(_ vnode: Vnode, _ mask: UInt32) throws(Errno) -> Int32 {
        if let entry = entries.first(where: { $0.vnode === vnode }) {
            // IN_MASK_CREATE, IN_MASK_ADD
            if mask & 0x1000_0000 != 0 { throw .eexist }
            entry.mask = mask & 0x2000_0000 != 0 ? entry.mask | mask : mask
            return entry.descriptor
        }
        guard entries.count < Self.watchLimit else { throw .enospc }
        lastDescriptor += 1
        let entry = WatchEntry(self, vnode, lastDescriptor, mask)
        entries.append(entry)
        vnode.add(entry)
        return entry.descriptor
    }

    func remove(_ descriptor: Int32) throws(Errno) {
        guard let entry = entries.first(where: { $0.descriptor == descriptor }) else { throw .einval }
        remove(entry)
    }

    fileprivate func remove(_ entry: WatchEntry) {
        entry.vnode.remove(entry)
        entries.removeAll { $0 === entry }
        report(entry, .ignored, 0, [])
    }

    override func lastClose() {
        for entry in entries { entry.vnode.remove(entry) }
        entries = []
        queue = []
    }
}

/// One vnode that a queue watches.
private final class WatchEntry: Watch {
    private let queue: WatchQueue
    let vnode: Vnode
    let descriptor: Int32
    var mask: UInt32

    init(_ queue: WatchQueue, _ vnode: Vnode, _ descriptor: Int32, _ mask: UInt32) {
        self.queue = queue
        self.vnode = vnode
        self.descriptor = descriptor
        self.mask = mask
    }

    override func report(_ events: WatchEvents, cookie: UInt32, name: RawSpan) {
        if events.rawValue & mask & 0xfff != 0 {
            queue.report(self, events, cookie, Array(copying: name))
            // IN_ONESHOT
            if mask & 0x8000_0000 != 0 { return queue.remove(self) }
        }
        if events.contains(.deleteSelf) { queue.remove(self) }
    }
}

extension LinuxThread {
    private func makeQueue(_ flags: UInt32) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: flags)
        guard flags.subtracting([.closeOnExec, .nonBlock]).isEmpty else { throw .einval }
        let queue = WatchQueue(flags.contains(.nonBlock) ? .nonBlock : [])
        return Int(try process.descriptors.insert(queue, closesOnExec: flags.contains(.closeOnExec)))
    }
    static func sysInotifyInit(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { try thread.makeQueue(0) }
    static func sysInotifyInit1(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.makeQueue(arguments.uint32(0))
    }
    static func sysInotifyAddWatch(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let mask = arguments.uint32(2)
        guard mask & 0xfff != 0, mask & 0x3000_0000 != 0x3000_0000 else { throw .einval }
        guard let queue = try thread.file(arguments.descriptor(0)) as? WatchQueue else { throw .einval }
        // IN_DONT_FOLLOW, IN_ONLYDIR
        let place = try thread.place(At.workingDirectory, try thread.path(at: arguments[1]), mask & 0x200_0000 != 0 ? At.noFollow : 0)
        if mask & 0x100_0000 != 0, place.vnode.kind != .directory { throw .enotdir }
        try thread.process.paths.checkAccess(place.vnode, 4)
        return Int(try queue.add(place.vnode, mask))
    }
    static func sysInotifyRmWatch(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard let queue = try thread.file(arguments.descriptor(0)) as? WatchQueue else { throw .einval }
        try queue.remove(arguments.int32(1))
        return 0
    }
}
