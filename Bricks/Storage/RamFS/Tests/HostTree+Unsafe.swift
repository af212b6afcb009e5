import Glibc

/// A directory of the host's own, for calls whose outcome is Linux's.
final class HostTree {
    private let folder: String

    init?() {
        var template = Array("/tmp/brique-ramfs-XXXXXX".utf8CString)
        // SAFETY: the template is ours and ends in a zero byte, which mkdtemp leaves there.
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer -> String? in
            guard let base = buffer.baseAddress, unsafe mkdtemp(base) != nil else { return nil }
            return unsafe String(cString: base)
        }
        guard let made else { return nil }
        folder = made
        umask(0o022)
    }

    func remove() { Self.remove(folder) }

    /// The error of a call, 0 when it succeeds.
    func call(_ kind: Int, _ name: String, _ other: String) -> Int32 {
        let one = "\(folder)/\(name)", two = "\(folder)/\(other)"
        // SAFETY: the strings live through the calls, and nothing is kept of them.
        let result: Int32 = {
            switch kind {
            case 0: return unsafe mkdir(one, 0o755)
            case 1:
                let file = unsafe open(one, O_WRONLY | O_CREAT, 0o644)
                guard file >= 0 else { return -1 }
                _ = unsafe name.withCString { unsafe write(file, $0, strlen($0)) }
                return close(file)
            case 2: return unsafe rename(one, two)
            case 3: return unsafe unlink(one)
            case 4: return unsafe rmdir(one)
            case 5: return unsafe link(one, two)
            default: return unsafe symlink(other, one)
            }
        }()
        return result == 0 ? 0 : errno
    }

    func status(_ name: String) -> (mode: UInt32, linkCount: UInt32, byteCount: Int64)? {
        var status = stat()
        // SAFETY: the call fills the value that it is given.
        guard unsafe lstat("\(folder)/\(name)", &status) == 0 else { return nil }
        return (status.st_mode, UInt32(status.st_nlink), Int64(status.st_size))
    }

    private static func remove(_ folder: String) {
        // SAFETY: entries are used before the next one is read, and none after the directory is closed.
        guard let directory = unsafe opendir(folder) else { return }
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            let path = "\(folder)/\(name)"
            if unsafe entry.pointee.d_type == DT_DIR { remove(path) } else { unsafe unlink(path) }
        }
        unsafe closedir(directory)
        unsafe rmdir(folder)
    }
}
