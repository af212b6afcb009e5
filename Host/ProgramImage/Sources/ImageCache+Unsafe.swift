import Glibc
import SystemPackage

/// Images made earlier, by the digest of what they are made from: a folder that any number of runs may use at once.
public struct ImageCache: Sendable {
    /// Beyond either, what was not used for longest goes.
    public static let entryLimit = 128
    public static let byteLimit: Int64 = 16 << 30
    /// What was used within this time stays in any case: a run may be about to open it.
    private static let graceSeconds: Int64 = 60

    public let folder: String

    /// - Parameter environment: where XDG_CACHE_HOME or HOME say where (XDG Base Directory Specification).
    public init(environment: [String: String]) throws(ProgramFailure) {
        let base: String
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
            base = cache
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            base = home + "/.cache"
        } else {
            throw ProgramFailure(.cannotWrite, "no folder for images: neither XDG_CACHE_HOME nor HOME is set")
        }
        folder = base + "/brique/images"
        var path = ""
        for name in RootTree.components(folder) {
            path += "/" + name
            do throws(Errno) {
                try HostFile.makeFolder(path)
            } catch {
                guard error != .fileExists, (try? HostFile.status(path)) == nil else { continue }
                throw ProgramFailure(.cannotWrite, "cannot make \(path): \(error)")
            }
        }
    }

    public func path(of key: String) -> String { folder + "/" + key + ".image" }

    /// The image for a key if it is there; it counts as used now.
    public func find(_ key: String) -> String? {
        let path = path(of: key)
        guard let status = try? HostFile.status(path), status.kind == .regular else { return nil }
        touch(path)
        return path
    }

    private func touch(_ path: String) {
        var now = timespec()
        // SAFETY: the call writes one timespec.
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        try? HostFile.setModified(path, seconds: Int64(now.tv_sec), nanoseconds: Int64(now.tv_nsec))
    }

    /// The image for a key: found, or made by `make`, which gets a folder of its own on the same file system and writes the image to the
    /// path that it gets. Of several runs one makes it.
    public func image(
        for key: String, make: (_ scratch: String, _ target: String) async throws -> Void
    ) async throws -> String {
        if let path = find(key) { return path }
        let lock = try Lock(folder + "/" + key + ".lock")
        defer { lock.release() }
        if let path = find(key) { return path }
        let scratch = try makeScratch()
        defer { Self.remove(scratch) }
        let target = scratch + "/image"
        try await make(scratch, target)
        let path = path(of: key)
        try Self.replace(path, with: target)
        touch(path)
        evict(keeping: key)
        return path
    }

    /// A fresh folder of our own, named so that one which a killed run left is known.
    public func makeScratch() throws(ProgramFailure) -> String {
        sweep()
        var random = SystemRandomNumberGenerator()
        let path = "\(folder)/scratch-\(getpid())-\(String(random.next(), radix: 36))"
        do throws(Errno) {
            try HostFile.makeFolder(path)
        } catch {
            throw ProgramFailure(.cannotWrite, "cannot make \(path): \(error)")
        }
        return path
    }

    /// Removes the scratch folders of runs that are gone.
    private func sweep() {
        for name in (try? HostFile.names(in: folder)) ?? [] where name.hasPrefix("scratch-") {
            guard let owner = pid_t(name.split(separator: "-").dropFirst().first ?? ""), owner > 0 else { continue }
            if kill(owner, 0) != 0 && errno == ESRCH { Self.remove(folder + "/" + name) }
        }
    }

    private func evict(keeping key: String) {
        var now = timespec()
        // SAFETY: the call writes one timespec.
        unsafe clock_gettime(CLOCK_REALTIME, &now)
        var entries: [(name: String, status: FileStatus)] = []
        for name in (try? HostFile.names(in: folder)) ?? [] where name.hasSuffix(".image") {
            if let status = try? HostFile.status(folder + "/" + name) { entries.append((name, status)) }
        }
        entries.sort { $0.status.modifiedSeconds < $1.status.modifiedSeconds }
        var count = entries.count
        var byteCount = entries.reduce(Int64(0)) { $0 + $1.status.byteCount }
        for (name, status) in entries {
            guard count > Self.entryLimit || byteCount > Self.byteLimit else { return }
            guard name != key + ".image", status.modifiedSeconds < Int64(now.tv_sec) - Self.graceSeconds else { continue }
            unsafe unlink(folder + "/" + name)
            unsafe unlink(folder + "/" + name.dropLast(6) + ".lock")
            unsafe unlink(folder + "/" + name.dropLast(6) + ".symbols")
            count -= 1
            byteCount -= status.byteCount
        }
    }

    /// A file takes the place of another, or of none, at once.
    public static func replace(_ path: String, with source: String) throws(ProgramFailure) {
        guard unsafe rename(source, path) == 0 else {
            throw ProgramFailure(.cannotWrite, "cannot write \(path): \(Errno(rawValue: errno))")
        }
    }

    /// Removes a folder with everything in it, links not followed.
    public static func remove(_ path: String) {
        guard let status = try? HostFile.status(path) else { return }
        if status.kind == .folder {
            // A folder of a root may forbid even its owner to look.
            try? HostFile.setPermissions(path, 0o700)
            for name in (try? HostFile.names(in: path)) ?? [] { remove(path + "/" + name) }
            unsafe rmdir(path)
        } else {
            unsafe unlink(path)
        }
    }

    /// An advisory lock on a file (flock(2)), which ends with the process at the latest.
    private struct Lock {
        let descriptor: Int32

        init(_ path: String) throws(ProgramFailure) {
            descriptor = unsafe open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw ProgramFailure(.cannotWrite, "cannot write \(path): \(Errno(rawValue: errno))") }
            while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
        }

        func release() { close(descriptor) }
    }
}
