import BootFormat
import Bytes
import ELFFormat
import SystemPackage

/// A finished image made of a kernel and a root: the root is one more loadable segment behind everything else, and behind that are the
/// program's defaults and the list of the root's files. See docs/programs.md.
public struct ImageComposition {
    /// The last bytes of such an image: this, after two counts of bytes.
    static let magic: [UInt8] = Array("BriquePI".utf8)
    static let trailerByteCount = 24
    public static let defaultsLimit = 1 << 20, listingLimit = 1 << 28

    /// Writes an image.
    ///
    /// - Parameter kernel: an image without a root, whose first page has an unused program header.
    public static func write(
        kernel: [UInt8], root: String, defaults: [UInt8], listing: [UInt8], to path: String
    ) throws(ProgramFailure) {
        let source: ReadableFile
        do throws(Errno) {
            source = try ReadableFile(root)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(root): \(error)")
        }
        var kernel = kernel
        let page = Int(ImageLayout.pageByteCount)
        let offset = (kernel.count + page - 1) & ~(page - 1)
        try addHeader(to: &kernel, rootOffset: offset, rootByteCount: source.byteCount)
        kernel += [UInt8](repeating: 0, count: offset - kernel.count)
        do {
            let file = try FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter {
                try file.writeAll(kernel)
                var done = 0
                while done < source.byteCount {
                    let bytes = try source.bytes(at: done, count: 4 << 20)
                    guard !bytes.isEmpty else { throw Errno.ioError }
                    try file.writeAll(bytes)
                    done += bytes.count
                }
                try file.writeAll(defaults + listing + trailer(defaults.count, listing.count))
            }
        } catch {
            throw ProgramFailure(.cannotWrite, "cannot write \(path): \(error)")
        }
    }

    private static func trailer(_ defaultsByteCount: Int, _ listingByteCount: Int) -> [UInt8] {
        little(defaultsByteCount) + little(listingByteCount) + magic
    }

    private static func little(_ value: Int) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

    /// Turns the unused program header into the root's.
    private static func addHeader(to kernel: inout [UInt8], rootOffset: Int, rootByteCount: Int) throws(ProgramFailure) {
        let layout: ImageLayout
        let prefix = Array(kernel.prefix(ImageLayout.prefixByteCount))
        do throws(ELFError) {
            layout = try ImageLayout(parsing: ByteReader(prefix.span).unread, fileByteCount: kernel.count)
        } catch {
            throw ProgramFailure(.refused, "the kernel is not a Brique image: \(error.text)")
        }
        guard layout.root == nil else { throw ProgramFailure(.refused, "the kernel has a root already") }
        guard let slot = unusedHeader(prefix) else {
            throw ProgramFailure(.refused, "the kernel has no room for a root's program header")
        }
        let count = UInt64(rootByteCount)
        guard count > 0, count <= ImageLayout.highestAddress - layout.imageEnd else {
            throw ProgramFailure(.refused, "the root is too large for an image: it would end above 4 GiB")
        }
        let header = ELFProgramHeader(
            type: ELFProgramHeader.load, flags: ELFProgramHeader.read, offset: UInt64(rootOffset),
            virtualAddress: ImageLayout.virtualBase + layout.imageEnd, physicalAddress: layout.imageEnd, fileByteCount: count,
            memoryByteCount: count, alignment: ImageLayout.pageByteCount)
        var bytes = [UInt8](repeating: 0, count: ELFProgramHeader.byteCount)
        var span = bytes.mutableSpan
        var writer = ByteWriter(&span)
        do throws(FormatError) { try header.write(into: &writer) } catch { preconditionFailure() }
        kernel.replaceSubrange(slot..<slot + bytes.count, with: bytes)
    }

    /// Where the last PT_NULL is; no loadable segment may follow it.
    private static func unusedHeader(_ prefix: [UInt8]) -> Int? {
        var reader = ByteReader(prefix.span)
        guard let header = try? ELFHeader(parsing: &reader), let start = Int(exactly: header.programHeaderOffset) else { return nil }
        var slot: Int?
        for index in 0..<Int(header.programHeaderCount) {
            let offset = start + index * ELFProgramHeader.byteCount
            guard offset + 4 <= prefix.count else { return nil }
            let type = UInt32(prefix[offset]) | UInt32(prefix[offset + 1]) << 8
            if type == 0 { slot = offset } else if type == ELFProgramHeader.load { slot = nil }
        }
        return slot
    }

    // MARK: Reading

    /// What stands behind the root of the image at `path`; nil: it is no image of a program.
    public static func read(_ path: String) throws(ProgramFailure) -> (defaults: [UInt8], listing: Range<Int>)? {
        do throws(Errno) {
            let file = try ReadableFile(path)
            guard file.byteCount > trailerByteCount else { return nil }
            let end = file.byteCount - trailerByteCount
            let trailer = try file.bytes(at: end, count: trailerByteCount)
            guard Array(trailer.suffix(8)) == magic else { return nil }
            func number(_ offset: Int) -> Int { (0..<8).reduce(0) { $0 | Int(trailer[offset + $1]) << (8 * $1) } }
            let defaultsByteCount = number(0), listingByteCount = number(8)
            guard defaultsByteCount > 0, defaultsByteCount <= defaultsLimit, listingByteCount >= 0, listingByteCount <= listingLimit,
                defaultsByteCount + listingByteCount <= end
            else { return nil }
            let start = end - listingByteCount - defaultsByteCount
            return (try file.bytes(at: start, count: defaultsByteCount), start + defaultsByteCount..<end)
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(path): \(error)")
        }
    }
}
