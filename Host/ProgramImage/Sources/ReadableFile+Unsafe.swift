import Bytes
import SystemPackage

/// A file that is open to be read in pieces.
final class ReadableFile {
    private let descriptor: FileDescriptor
    let byteCount: Int

    init(_ path: String) throws(Errno) {
        do {
            descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
        } catch {
            throw error as? Errno ?? .ioError
        }
        do {
            byteCount = Int(try descriptor.seek(offset: 0, from: .end))
        } catch {
            try? descriptor.close()
            throw error as? Errno ?? .ioError
        }
    }

    deinit { try? descriptor.close() }

    /// The bytes at `offset`: fewer only at the end of the file.
    func bytes(at offset: Int, count: Int) throws(Errno) -> [UInt8] {
        guard offset >= 0, count > 0, offset < byteCount else { return [] }
        let wanted = min(count, byteCount - offset)
        do {
            var done = 0
            return try unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, initialized in
                // SAFETY: each read stays inside the buffer's rest.
                while done < wanted {
                    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[done..<wanted])
                    let read = try unsafe descriptor.read(fromAbsoluteOffset: Int64(offset + done), into: rest)
                    guard read > 0 else { break }
                    done += read
                }
                initialized = done
            }
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}

extension HostFile {
    /// A whole small file.
    static func bytes(of path: String, limit: Int) throws(Errno) -> [UInt8] {
        let file = try ReadableFile(path)
        guard file.byteCount <= limit else { throw .fileTooLarge }
        return try file.bytes(at: 0, count: limit)
    }

    static func text(of path: String, limit: Int) throws(Errno) -> String {
        String(decoding: try bytes(of: path, limit: limit), as: UTF8.self)
    }
}
