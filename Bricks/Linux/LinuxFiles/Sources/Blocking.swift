import Errno
import LinuxMemory
import LinuxProcess
import Time
import VFS

// The one place where calls on files block.
extension LinuxThread {
    /// An open file that can do more than be named. `.ebadf`.
    func file(_ descriptor: Int32) throws(Errno) -> OpenFile {
        let file = try process.descriptors[descriptor]
        guard !file.flags.contains(.path) else { throw .ebadf }
        return file
    }

    func readable(_ descriptor: Int32) throws(Errno) -> OpenFile {
        let file = try process.descriptors[descriptor]
        guard file.flags.isReadable else { throw .ebadf }
        return file
    }

    func writable(_ descriptor: Int32) throws(Errno) -> OpenFile {
        let file = try process.descriptors[descriptor]
        guard file.flags.isWritable else { throw .ebadf }
        return file
    }

    /// Tries until it no longer throws `.eagain`; a file opened with O_NONBLOCK is tried once. After a `timeout` it is EAGAIN after all,
    /// and no signal starts the call again.
    @inline(__always) func blocking(
        _ file: OpenFile, isNonBlocking: Bool = false, timeout: @autoclosure () -> Duration? = nil, _ attempt: () throws(Errno) -> Int
    ) throws(Errno) -> Int {
        do throws(Errno) {
            return try attempt()
        } catch {
            guard error == .eagain, !isNonBlocking, !file.flags.contains(.nonBlock) else { throw error }
        }
        let deadline = timeout().map { process.system.now.advanced(by: $0) }
        while true {
            do throws(Errno) {
                try wait(for: file.observers, of: file, deadline: deadline)
            } catch {
                if error == .etimedout { throw .eagain }
                throw error == .restart && deadline != nil ? .eintr : error
            }
            do throws(Errno) {
                return try attempt()
            } catch {
                guard error == .eagain else { throw error }
            }
        }
    }

    /// Waits with the file kept open: another thread may close its descriptor meanwhile.
    func wait(for list: ObserverList, of file: OpenFile, deadline: Instant? = nil) throws(Errno) {
        file.retain()
        defer { file.release() }
        try wait(on: list, deadline: deadline)
    }
}
