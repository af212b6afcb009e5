import CLinuxFormat
import Errno
import LinuxMemory
import LinuxProcess
import VFS

/// AT_* of the calls that take a directory's descriptor (openat(2)).
enum At {
    static var workingDirectory: Int32 { -100 }
    static var noFollow: UInt32 { 0x100 }
    static var removeDirectory: UInt32 { 0x200 }
    static var effectiveAccess: UInt32 { 0x200 }
    static var follow: UInt32 { 0x400 }
    static var noAutomount: UInt32 { 0x800 }
    static var emptyPath: UInt32 { 0x1000 }
    static var synchronization: UInt32 { 0x6000 }
}

extension LinuxThread {
    func path(at address: UInt64) throws(Errno) -> [UInt8] { try memory.string(at: address, limit: PathContext.pathLimit) }

    /// Where a relative path begins; nil is the working directory. An absolute path looks at no descriptor.
    func start(_ descriptor: Int32, _ path: [UInt8], allowsEmpty: Bool = false) throws(Errno) -> Place? {
        guard !path.isEmpty || allowsEmpty else { throw .enoent }
        if path.first == 0x2f || descriptor == At.workingDirectory { return nil }
        let file = try process.descriptors[descriptor]
        guard let place = file.origin?.place else { throw .enotdir }
        guard path.isEmpty || place.vnode.kind == .directory else { throw .enotdir }
        return place
    }

    /// The place that a descriptor, a path and AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH name.
    func place(_ descriptor: Int32, _ path: [UInt8], _ flags: UInt32) throws(Errno) -> Place {
        var options: Resolution = flags & At.noFollow != 0 ? .noFollow : []
        if flags & At.emptyPath != 0 { options.insert(.allowEmpty) }
        return try process.paths.resolve(path, from: try start(descriptor, path, allowsEmpty: flags & At.emptyPath != 0), options)
    }

    /// The same with the directory that holds it.
    func entry(_ descriptor: Int32, _ path: [UInt8], _ flags: UInt32) throws(Errno) -> Origin {
        try process.paths.entry(path, from: try start(descriptor, path), flags & At.noFollow != 0 ? .noFollow : [])
    }

    /// Opens and gives it a descriptor.
    func open(_ path: [UInt8], from start: Place?, _ flags: OpenFlags, mode: UInt32, _ options: Resolution = []) throws(Errno) -> Int {
        try process.descriptors.checkRoom()
        let file = try process.paths.open(path, from: start, flags, mode: mode & 0o7777, options)
        file.retain()
        defer { file.release() }
        while let list = file.openingObservers { try wait(for: list, of: file) }
        return Int(try process.descriptors.insert(file, closesOnExec: flags.contains(.closeOnExec)))
    }

    static func sysOpen(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: arguments.uint32(1)).intersection(.known)
        guard flags.isAllowed else { throw .einval }
        return try thread.open(try thread.path(at: arguments[0]), from: nil, flags, mode: arguments.uint32(2))
    }
    static func sysCreat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.open(try thread.path(at: arguments[0]), from: nil, [.create, .writeOnly, .truncate], mode: arguments.uint32(1))
    }
    static func sysOpenat(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: arguments.uint32(2)).intersection(.known)
        guard flags.isAllowed else { throw .einval }
        let path = try thread.path(at: arguments[1])
        return try thread.open(path, from: try thread.start(arguments.descriptor(0), path), flags, mode: arguments.uint32(3))
    }

    static func sysOpenat2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let size = arguments[3]
        guard size >= 24 else { throw .einval }
        guard size <= 4096 else { throw .e2big }
        let how = try thread.memory.read(linux_open_how.self, at: arguments[2])
        // A longer structure of the future is only understood when it says nothing new.
        for offset in 24..<size where try thread.memory.read(UInt8.self, at: arguments[2] &+ offset) != 0 { throw .e2big }
        guard how.flags & ~UInt64(OpenFlags.known.rawValue) == 0, how.mode & ~0o7777 == 0, how.resolve & ~0x3f == 0 else { throw .einval }
        let flags = OpenFlags(rawValue: UInt32(how.flags))
        let makes = flags.contains(.create) || flags.contains(.temporary)
        guard flags.isAllowed, how.mode == 0 || makes, how.resolve & 0x18 != 0x18 else { throw .einval }
        // RESOLVE_CACHED: nothing here is slow, but nobody promises so.
        guard how.resolve & 0x20 == 0 else { throw .eagain }
        var options: Resolution = []
        for (bit, option) in [
            (UInt64(1), Resolution.noCrossing), (2, .noMagicLinks), (4, .noLinks), (8, .beneath), (0x10, .inRoot),
        ] where how.resolve & bit != 0 {
            options.insert(option)
        }
        let path = try thread.path(at: arguments[1])
        let descriptor = arguments.descriptor(0)
        // Inside of a root even an absolute path begins at the descriptor.
        let start = options.contains(.inRoot) ? try thread.start(descriptor, [], allowsEmpty: true) : try thread.start(descriptor, path)
        return try thread.open(path, from: start, flags, mode: UInt32(how.mode), options)
    }

    // MARK: Descriptors

    /// POSIX locks of the process go when any of its descriptors of the file does (fcntl(2)).
    private func dropLocks(of descriptor: Int32) {
        guard let vnode = (try? process.descriptors[descriptor])?.vnode, vnode.hasLocks else { return }
        vnode.locks.removeAll(of: process)
    }

    static func sysClose(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        thread.dropLocks(of: arguments.descriptor(0))
        try thread.process.descriptors.close(arguments.descriptor(0))
        return 0
    }
    static func sysCloseRange(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let first = arguments.uint32(0), last = arguments.uint32(1), flags = arguments.uint32(2)
        guard flags & ~6 == 0, first <= last else { throw .einval }
        let descriptors = thread.process.descriptors
        var descriptor = UInt64(first)
        while descriptor <= UInt64(last), descriptor < UInt64(descriptors.count) {
            let number = Int32(descriptor)
            descriptor += 1
            guard descriptors.isOpen(number) else { continue }
            if flags & 4 != 0 {
                try descriptors.setClosesOnExec(number, true)
            } else {
                thread.dropLocks(of: number)
                try descriptors.close(number)
            }
        }
        return 0
    }
    static func sysDup(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        Int(try thread.process.descriptors.insert(try thread.process.descriptors[arguments.descriptor(0)]))
    }
    static func sysDup2(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let file = try thread.process.descriptors[arguments.descriptor(0)]
        if arguments.descriptor(0) == arguments.descriptor(1) { return Int(arguments.descriptor(1)) }
        thread.dropLocks(of: arguments.descriptor(1))
        try thread.process.descriptors.set(arguments.descriptor(1), to: file)
        return Int(arguments.descriptor(1))
    }
    static func sysDup3(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: arguments.uint32(2))
        guard flags.subtracting(.closeOnExec).isEmpty, arguments.descriptor(0) != arguments.descriptor(1) else { throw .einval }
        let file = try thread.process.descriptors[arguments.descriptor(0)]
        thread.dropLocks(of: arguments.descriptor(1))
        try thread.process.descriptors.set(arguments.descriptor(1), to: file, closesOnExec: flags.contains(.closeOnExec))
        return Int(arguments.descriptor(1))
    }
}
