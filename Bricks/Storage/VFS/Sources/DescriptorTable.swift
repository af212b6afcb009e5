import Errno

/// The file descriptors of a process.
public final class DescriptorTable {
    private struct Entry {
        var file: OpenFile?
        var closesOnExec = false
    }

    private var entries: [Entry] = []
    /// All below are taken.
    private var lowestFree = 0
    public private(set) var openCount = 0
    /// RLIMIT_NOFILE: descriptors are below it.
    public var limit: Int

    /// Linux's own ceiling for `limit` (fs.nr_open).
    public static var highestLimit: Int { 1 << 20 }

    public init(limit: Int = 1024) { self.limit = limit }

    /// `.ebadf`: not open.
    public subscript(descriptor: Int32) -> OpenFile {
        get throws(Errno) {
            guard descriptor >= 0, Int(descriptor) < entries.count, let file = entries[Int(descriptor)].file else { throw .ebadf }
            return file
        }
    }

    /// One beyond the highest descriptor that was ever open.
    public var count: Int { entries.count }
    public func isOpen(_ descriptor: Int32) -> Bool {
        descriptor >= 0 && Int(descriptor) < entries.count && entries[Int(descriptor)].file != nil
    }

    /// Gives the file the lowest free descriptor from `lowest` on. `.emfile`: there is none; `.einval`: `lowest` is none.
    public func insert(_ file: OpenFile, from lowest: Int32 = 0, closesOnExec: Bool = false) throws(Errno) -> Int32 {
        let descriptor = try reserve(from: lowest)
        place(file, at: descriptor, closesOnExec)
        return Int32(descriptor)
    }

    /// The descriptor that `insert` would give.
    private func reserve(from lowest: Int32) throws(Errno) -> Int {
        guard lowest >= 0, Int(lowest) < limit else { throw .einval }
        var descriptor = max(Int(lowest), lowestFree)
        while descriptor < entries.count, entries[descriptor].file != nil { descriptor += 1 }
        guard descriptor < limit else { throw .emfile }
        return descriptor
    }

    /// Throws what `insert` would throw for `more` files: asked before something is made that cannot be undone.
    public func checkRoom(for more: Int = 1) throws(Errno) {
        guard openCount + more <= limit else { throw .emfile }
        if more == 1 { _ = try reserve(from: 0) }
    }

    /// dup2(2), dup3(2): what was open there is closed first. `.ebadf`: beyond the limit.
    public func set(_ descriptor: Int32, to file: OpenFile, closesOnExec: Bool = false) throws(Errno) {
        guard descriptor >= 0, Int(descriptor) < limit else { throw .ebadf }
        let old = isOpen(descriptor) ? entries[Int(descriptor)].file : nil
        if old != nil { openCount -= 1 }
        place(file, at: Int(descriptor), closesOnExec)
        old?.release()
    }

    private func place(_ file: OpenFile, at descriptor: Int, _ closesOnExec: Bool) {
        while entries.count <= descriptor { entries.append(Entry()) }
        file.retain()
        entries[descriptor] = Entry(file: file, closesOnExec: closesOnExec)
        openCount += 1
        if descriptor == lowestFree { lowestFree += 1 }
    }

    /// `.ebadf`: not open. Gives the file back so that the caller can drop locks; its reference is released.
    @discardableResult
    public func close(_ descriptor: Int32) throws(Errno) -> OpenFile {
        let file = try self[descriptor]
        entries[Int(descriptor)] = Entry()
        openCount -= 1
        lowestFree = min(lowestFree, Int(descriptor))
        file.release()
        return file
    }

    public func closesOnExec(_ descriptor: Int32) throws(Errno) -> Bool {
        _ = try self[descriptor]
        return entries[Int(descriptor)].closesOnExec
    }

    public func setClosesOnExec(_ descriptor: Int32, _ closes: Bool) throws(Errno) {
        _ = try self[descriptor]
        entries[Int(descriptor)].closesOnExec = closes
    }

    /// execve(2).
    public func closeForExec() {
        for descriptor in entries.indices where entries[descriptor].closesOnExec {
            if entries[descriptor].file != nil { _ = try? close(Int32(descriptor)) }
        }
    }

    public func closeAll() {
        for descriptor in entries.indices where entries[descriptor].file != nil { _ = try? close(Int32(descriptor)) }
    }
}
