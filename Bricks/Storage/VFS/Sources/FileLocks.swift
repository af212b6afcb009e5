import Errno

/// A lock of fcntl(2) on bytes, or of flock(2) on the whole file. POSIX locks belong to the process, the others to an open file.
public struct FileLock {
    public let owner: AnyObject
    /// l_pid: -1 for locks of open files.
    public let process: Int32
    public let isExclusive: Bool
    public let range: Range<Int64>

    public init(owner: AnyObject, process: Int32, isExclusive: Bool, range: Range<Int64>) {
        self.owner = owner
        self.process = process
        self.isExclusive = isExclusive
        self.range = range
    }
}

/// The locks of one file.
public final class FileLocks {
    /// Notified when a lock is gone.
    public let observers = ObserverList()
    private var byteLocks: [FileLock] = []
    private var wholeLocks: [FileLock] = []

    public static var limit: Int { 4096 }

    init() {}

    /// A lock of somebody else that stands in the way.
    public func conflict(with lock: FileLock) -> FileLock? {
        byteLocks.first { $0.owner !== lock.owner && ($0.isExclusive || lock.isExclusive) && $0.range.overlaps(lock.range) }
    }

    /// Replaces what the owner has in the range. `.eagain`: somebody's lock is in the way; `.enolck`: too many.
    public func set(_ lock: FileLock) throws(Errno) {
        guard conflict(with: lock) == nil else { throw .eagain }
        guard byteLocks.count < Self.limit else { throw .enolck }
        cut(lock.range, of: lock.owner)
        var range = lock.range
        // Neighbours of the same kind become one.
        byteLocks.removeAll {
            guard $0.owner === lock.owner, $0.isExclusive == lock.isExclusive else { return false }
            guard $0.range.upperBound == range.lowerBound || $0.range.lowerBound == range.upperBound else { return false }
            range = min($0.range.lowerBound, range.lowerBound)..<max($0.range.upperBound, range.upperBound)
            return true
        }
        byteLocks.append(FileLock(owner: lock.owner, process: lock.process, isExclusive: lock.isExclusive, range: range))
        observers.notify(.input)
    }

    public func unlock(_ range: Range<Int64>, of owner: AnyObject) {
        if cut(range, of: owner) { observers.notify(.input) }
    }

    @discardableResult
    private func cut(_ range: Range<Int64>, of owner: AnyObject) -> Bool {
        var kept: [FileLock] = []
        var changed = false
        for lock in byteLocks {
            guard lock.owner === owner, lock.range.overlaps(range) else {
                kept.append(lock)
                continue
            }
            changed = true
            for rest in [
                lock.range.lowerBound..<max(lock.range.lowerBound, range.lowerBound),
                min(lock.range.upperBound, range.upperBound)..<lock.range.upperBound,
            ] where !rest.isEmpty {
                kept.append(FileLock(owner: owner, process: lock.process, isExclusive: lock.isExclusive, range: rest))
            }
        }
        byteLocks = kept
        return changed
    }

    /// flock(2). `.eagain`: in the way; a lock that could not be converted is lost, as on Linux.
    public func setWhole(owner: AnyObject, isExclusive: Bool) throws(Errno) {
        if let own = wholeLocks.firstIndex(where: { $0.owner === owner }) {
            if wholeLocks[own].isExclusive == isExclusive { return }
            wholeLocks.remove(at: own)
            observers.notify(.input)
        }
        guard !wholeLocks.contains(where: { $0.isExclusive || isExclusive }) else { throw .eagain }
        guard wholeLocks.count < Self.limit else { throw .enolck }
        wholeLocks.append(FileLock(owner: owner, process: 0, isExclusive: isExclusive, range: 0..<0))
    }

    public func unlockWhole(owner: AnyObject) {
        guard let own = wholeLocks.firstIndex(where: { $0.owner === owner }) else { return }
        wholeLocks.remove(at: own)
        observers.notify(.input)
    }

    public func removeAll(of owner: AnyObject) {
        let count = byteLocks.count + wholeLocks.count
        byteLocks.removeAll { $0.owner === owner }
        wholeLocks.removeAll { $0.owner === owner }
        if byteLocks.count + wholeLocks.count < count { observers.notify(.input) }
    }
}
