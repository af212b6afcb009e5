import ELFFormat
import Foundation

/// An image file that any monitor would accept, and what its headers say.
public struct ImageFile {
    /// More than this is no image: guest addresses of segments end at 4 GiB.
    public static let byteLimit = 1 << 32
    private static let readLimit: UInt64 = 16 << 20

    public let bytes: Data
    public let layout: ImageLayout

    public init(path: String) throws(ImageError) {
        let bytes: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? handle.close() }
            let byteCount = try handle.seekToEnd()
            guard byteCount <= UInt64(Self.byteLimit) else { throw ImageError.tooLarge }
            try handle.seek(toOffset: 0)
            // What is large is a root, of which little is looked at.
            bytes =
                byteCount > Self.readLimit
                ? try Data(contentsOf: URL(filePath: path), options: .alwaysMapped) : try handle.readToEnd() ?? Data()
        } catch let error as ImageError {
            throw error
        } catch {
            throw .unreadable(error.localizedDescription)
        }
        try self.init(bytes: bytes)
    }

    public init(bytes: Data) throws(ImageError) {
        self.bytes = bytes
        let prefix = [UInt8](bytes.prefix(ImageLayout.prefixByteCount))
        do throws(ELFError) {
            layout = try ImageLayout(prefix: prefix, fileByteCount: bytes.count)
        } catch {
            throw .refused(error)
        }
    }

    public var segments: [ImageLayout.Segment] { (0..<layout.segmentCount).map { layout[segment: $0] } }

    /// Whether `other` has the same bytes at the same addresses: an image and its symbols belong together.
    public func isSameProgram(as other: ImageFile) -> Bool {
        guard segments.count == other.segments.count else { return false }
        return zip(segments, other.segments).allSatisfy { mine, theirs in
            // The file's own headers lie in the first segment and differ: they tell of sections, and of a root.
            let start = mine.fileOffset == 0 ? headerByteCount : 0
            return mine.start == theirs.start && mine.memoryByteCount == theirs.memoryByteCount
                && mine.fileByteCount == theirs.fileByteCount
                && bytes(of: mine).dropFirst(start).elementsEqual(other.bytes(of: theirs).dropFirst(start))
        }
    }

    /// The ELF header, and the program headers where they follow it at once.
    private var headerByteCount: Int {
        // e_phnum
        let count = bytes.count > 57 ? Int(bytes[bytes.startIndex + 56]) | Int(bytes[bytes.startIndex + 57]) << 8 : 0
        return ELFHeader.byteCount + count * ELFProgramHeader.byteCount
    }

    private func bytes(of segment: ImageLayout.Segment) -> Data {
        bytes.dropFirst(segment.fileOffset).prefix(segment.fileByteCount)
    }
}

/// Why a file is not an image.
public enum ImageError: Error, Equatable {
    case unreadable(String)
    case tooLarge
    case refused(ELFError)

    /// One line for a person.
    public var text: String {
        switch self {
        case .unreadable(let reason): reason
        case .tooLarge: "larger than 4 GiB"
        case .refused(let error): "\(error.text)"
        }
    }
}
