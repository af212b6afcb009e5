import Errno
import VFS

/// What epoll_ctl(2) is told of a file beside PollEvents.
extension PollEvents {
    public static var exclusive: PollEvents { PollEvents(rawValue: 1 << 28) }
    public static var wakeUp: PollEvents { PollEvents(rawValue: 1 << 29) }
    public static var oneShot: PollEvents { PollEvents(rawValue: 1 << 30) }
    public static var edgeTriggered: PollEvents { PollEvents(rawValue: 1 << 31) }

    /// Bits that say how to wait, not for what.
    static var modes: PollEvents { [.exclusive, .wakeUp, .oneShot, .edgeTriggered] }
    /// Always told, asked for or not.
    static var always: PollEvents { [.error, .hangUp] }
    /// EPOLLRDNORM, EPOLLRDBAND, EPOLLWRNORM, EPOLLWRBAND, EPOLLMSG: others' names for input and output.
    public static var readNormal: PollEvents { PollEvents(rawValue: 0x40) }
    public static var writeNormal: PollEvents { PollEvents(rawValue: 0x100) }

    /// With the other names of what it holds.
    public var withSynonyms: PollEvents {
        var events = self
        if contains(.input) { events.insert(.readNormal) }
        if contains(.output) { events.insert(.writeNormal) }
        return events
    }
}

/// A file that a poller watches.
final class PollerEntry: Observer {
    let file: OpenFile
    let descriptor: Int32
    var events: PollEvents
    var data: UInt64
    var poller: Poller?
    /// The next entry of the same descriptor, which referred to another file then.
    var sibling: PollerEntry?
    var isReady = false
    var nextReady: PollerEntry?
    var previousReady: PollerEntry?
    /// EPOLLONESHOT has been told once.
    var isDisabled = false

    init(_ file: OpenFile, _ descriptor: Int32, _ events: PollEvents, _ data: UInt64, _ poller: Poller) {
        self.file = file
        self.descriptor = descriptor
        self.events = events
        self.data = data
        self.poller = poller
    }

    var wanted: PollEvents { isDisabled ? [] : events.subtracting(.modes).union(.always) }
    /// What would be told now.
    var current: PollEvents { isDisabled ? [] : file.readiness.withSynonyms.intersection(wanted) }

    override func notify(_ events: PollEvents) {
        guard !isDisabled, !isReady, !events.withSynonyms.isDisjoint(with: wanted) else { return }
        poller?.becameReady(self)
    }

    override func fileClosed() { poller?.forget(self) }
}

/// An epoll(7) instance. Waiting costs what is ready, not what is watched.
public final class Poller: OpenFile {
    /// Pollers within pollers.
    public static var nestingLimit: Int { 5 }
    /// Entries; /proc/sys/fs/epoll/max_user_watches.
    public static var entryLimit: Int { 1 << 20 }

    /// First entry by descriptor.
    private var entries: [PollerEntry?] = []
    public private(set) var count = 0
    private var firstReady: PollerEntry?
    private var lastReady: PollerEntry?

    public init() { super.init(.readWrite) }

    public override var displayName: [UInt8] { Array("anon_inode:[eventpoll]".utf8) }

    /// Another poller that watches this one asks.
    public override var readiness: PollEvents {
        var entry = firstReady
        while let one = entry {
            if !one.current.isEmpty { return .input }
            entry = one.nextReady
            removeReady(one)
        }
        return []
    }

    // MARK: epoll_ctl(2)

    public func add(_ file: OpenFile, _ descriptor: Int32, _ events: PollEvents, data: UInt64) throws(Errno) {
        guard file.canBePolled else { throw .eperm }
        guard file !== self else { throw .einval }
        if events.contains(.exclusive) {
            let allowed: PollEvents = [.input, .output, .error, .hangUp, .wakeUp, .edgeTriggered, .exclusive, .readNormal, .writeNormal]
            guard events.isSubset(of: allowed), !(file is Poller) else { throw .einval }
        }
        guard find(file, descriptor) == nil else { throw .eexist }
        guard count < Self.entryLimit else { throw .enospc }
        if let inner = file as? Poller {
            guard !inner.reaches(self, depth: 0) else { throw .eloop }
            guard inner.nesting(0) + outerNesting(0) < Self.nestingLimit else { throw .eloop }
            inner.outer.append(self)
        }
        let entry = PollerEntry(file, descriptor, events, data, self)
        let index = Int(descriptor)
        while entries.count <= index { entries.append(nil) }
        entry.sibling = entries[index]
        entries[index] = entry
        count += 1
        file.observers.add(entry)
        if !entry.current.isEmpty { becameReady(entry) }
    }

    public func modify(_ file: OpenFile, _ descriptor: Int32, _ events: PollEvents, data: UInt64) throws(Errno) {
        guard file !== self else { throw .einval }
        guard let entry = find(file, descriptor) else { throw .enoent }
        guard !events.contains(.exclusive), !entry.events.contains(.exclusive) else { throw .einval }
        entry.events = events
        entry.data = data
        entry.isDisabled = false
        if !entry.current.isEmpty {
            if entry.isReady { observers.notify(.input) } else { becameReady(entry) }
        }
    }

    public func remove(_ file: OpenFile, _ descriptor: Int32) throws(Errno) {
        guard file !== self else { throw .einval }
        guard let entry = find(file, descriptor) else { throw .enoent }
        file.observers.remove(entry)
        forget(entry)
    }

    private func find(_ file: OpenFile, _ descriptor: Int32) -> PollerEntry? {
        guard descriptor >= 0, Int(descriptor) < entries.count else { return nil }
        var entry = entries[Int(descriptor)]
        while let one = entry {
            if one.file === file { return one }
            entry = one.sibling
        }
        return nil
    }

    /// The entry has left its file.
    func forget(_ entry: PollerEntry) {
        removeReady(entry)
        if let inner = entry.file as? Poller, let index = inner.outer.firstIndex(where: { $0 === self }) { inner.outer.remove(at: index) }
        entry.poller = nil
        let index = Int(entry.descriptor)
        if entries[index] === entry {
            entries[index] = entry.sibling
        } else {
            var before = entries[index]
            while let one = before, one.sibling !== entry { before = one.sibling }
            before?.sibling = entry.sibling
        }
        entry.sibling = nil
        count -= 1
    }

    // MARK: Nesting

    /// Pollers that watch this one.
    private var outer: [Poller] = []

    private func reaches(_ other: Poller, depth: Int) -> Bool {
        if self === other { return true }
        guard depth < Self.nestingLimit else { return true }
        // Seen from the other side: only pollers are followed, of which there are few.
        return other.isWatched(by: self, depth: depth)
    }

    private func isWatched(by poller: Poller, depth: Int) -> Bool {
        guard depth < Self.nestingLimit else { return false }
        for one in outer where one === poller || one.isWatched(by: poller, depth: depth + 1) { return true }
        return false
    }

    /// How many pollers deep the ones inside reach.
    private func nesting(_ depth: Int) -> Int {
        guard depth <= Self.nestingLimit else { return depth }
        var deepest = 0
        for first in entries {
            var entry = first
            while let one = entry {
                if let inner = one.file as? Poller { deepest = max(deepest, inner.nesting(depth + 1) + 1) }
                entry = one.sibling
            }
        }
        return deepest
    }

    private func outerNesting(_ depth: Int) -> Int {
        guard depth <= Self.nestingLimit else { return depth }
        var highest = 0
        for one in outer { highest = max(highest, one.outerNesting(depth + 1) + 1) }
        return highest
    }

    // MARK: Ready entries

    func becameReady(_ entry: PollerEntry) {
        appendReady(entry)
        observers.notify(.input)
    }

    private func appendReady(_ entry: PollerEntry) {
        guard !entry.isReady else { return }
        entry.isReady = true
        entry.previousReady = lastReady
        if let lastReady { lastReady.nextReady = entry } else { firstReady = entry }
        lastReady = entry
    }

    private func removeReady(_ entry: PollerEntry) {
        guard entry.isReady else { return }
        entry.isReady = false
        if let next = entry.nextReady { next.previousReady = entry.previousReady } else { lastReady = entry.previousReady }
        if let previous = entry.previousReady { previous.nextReady = entry.nextReady } else { firstReady = entry.nextReady }
        entry.nextReady = nil
        entry.previousReady = nil
    }

    /// Gives at most `limit` events to `body`, oldest first, and returns how many. What `body` does not take (an error) stays ready.
    public func collect(limit: Int, _ body: (PollEvents, UInt64) throws(Errno) -> Void) throws(Errno) -> Int {
        var taken = 0
        let end = lastReady
        while taken < limit, let entry = firstReady {
            let isLast = entry === end
            let events = entry.current
            removeReady(entry)
            if !events.isEmpty {
                do throws(Errno) {
                    try body(events, entry.data)
                } catch {
                    appendReady(entry)
                    if taken > 0 { return taken }
                    throw error
                }
                taken += 1
                if entry.events.contains(.oneShot) {
                    entry.isDisabled = true
                } else if !entry.events.contains(.edgeTriggered) {
                    // A level is looked at again by the next call, behind all others.
                    appendReady(entry)
                }
            }
            if isLast { break }
        }
        return taken
    }

    public override func lastClose() {
        for index in entries.indices {
            while let entry = entries[index] {
                entry.file.observers.remove(entry)
                forget(entry)
            }
        }
        entries = []
    }
}
