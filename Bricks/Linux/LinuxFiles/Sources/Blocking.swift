import Errno
import LinuxMemory
import LinuxProcess
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

    /// Tries until it no longer throws `.eagain`; a file opened with O_NONBLOCK is tried once.
    func blocking(_ file: OpenFile, isNonBlocking: Bool = false, _ attempt: () throws(Errno) -> Int) throws(Errno) -> Int {
        while true {
            do {
                return try attempt()
            } catch {
                guard error == .eagain, !isNonBlocking, !file.flags.contains(.nonBlock) else { throw error }
            }
            try wait(for: file.observers, of: file)
        }
    }

    /// Waits with the file kept open: another thread may close its descriptor meanwhile.
    func wait(for list: ObserverList, of file: OpenFile) throws(Errno) {
        file.retain()
        defer { file.release() }
        try wait(on: list)
    }
}
