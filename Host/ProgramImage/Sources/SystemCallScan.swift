import Bytes
import ELFFormat
import SystemPackage

/// The system calls that the code of a program makes, as far as the code says it: a number that is moved to eax or rax shortly before a
/// `syscall` instruction. A number that comes from elsewhere (syscall(3)) is not found, and a jump in between may make one up.
public struct SystemCallScan {
    /// Numbers beyond are none of Linux's.
    static let numberLimit = 512
    /// How far before the instruction the number may have been moved.
    private static let distance = 48
    private static let chunk = 1 << 20, byteLimit: UInt64 = 1 << 30

    public private(set) var numbers: Set<Int> = []
    /// `syscall` instructions whose number is not known.
    public private(set) var unknownCount = 0
    /// Every name that the file links dynamically.
    public private(set) var names: Set<String> = []

    private static let namesLimit = 8 << 20

    /// nil: the file is no ELF file.
    public init?(path: String) {
        guard let file = try? ReadableFile(path), ELFObject.isELF(file) else { return nil }
        guard let prefix = try? file.bytes(at: 0, count: ELFHeader.byteCount) else { return }
        var reader = ByteReader(prefix.span)
        guard let header = try? ELFHeader(parsing: &reader), header.programHeaderCount <= 256,
            header.programHeaderByteCount == UInt16(ELFProgramHeader.byteCount), let offset = Int(exactly: header.programHeaderOffset),
            let table = try? file.bytes(at: offset, count: Int(header.programHeaderCount) * ELFProgramHeader.byteCount)
        else { return }
        if let object = try? ELFObject(file, title: path), !object.strings.isEmpty, object.strings.count <= Self.namesLimit,
            let strings = try? file.bytes(at: object.strings.lowerBound, count: object.strings.count)
        {
            names = Set(strings.split(separator: 0).lazy.filter { $0.count <= 32 }.map { String(decoding: $0, as: UTF8.self) })
        }
        var segments = ByteReader(table.span)
        while let segment = try? ELFProgramHeader(parsing: &segments) {
            guard segment.type == ELFProgramHeader.load, segment.flags & ELFProgramHeader.execute != 0,
                segment.fileByteCount <= Self.byteLimit, let start = Int(exactly: segment.offset)
            else { continue }
            scan(file, start, Int(segment.fileByteCount))
        }
    }

    /// Of code alone.
    init(code: [UInt8]) { scan(code, from: 0) }

    private mutating func scan(_ file: ReadableFile, _ start: Int, _ count: Int) {
        var done = 0
        while done < count {
            // Each piece begins with the end of the one before: a number may be there.
            let before = min(done, Self.distance)
            guard let bytes = try? file.bytes(at: start + done - before, count: before + min(Self.chunk, count - done)),
                bytes.count > before
            else { return }
            scan(bytes, from: before)
            done += bytes.count - before
        }
    }

    private mutating func scan(_ bytes: [UInt8], from first: Int) {
        var index = max(first, 1)
        while index < bytes.count {
            // syscall is 0f 05.
            if bytes[index] == 0x05, bytes[index - 1] == 0x0f { note(bytes, index - 1) }
            index += 1
        }
    }

    private mutating func note(_ bytes: [UInt8], _ end: Int) {
        let first = max(0, end - Self.distance)
        var index = end - 2
        while index >= first {
            if let number = Self.number(bytes, index, end) {
                if number < Self.numberLimit { numbers.insert(number) } else { unknownCount += 1 }
                return
            }
            index -= 1
        }
        unknownCount += 1
    }

    /// The number if an instruction at `index` puts one into eax or rax: mov, or xor of it with itself.
    private static func number(_ bytes: [UInt8], _ index: Int, _ end: Int) -> Int? {
        func word(_ at: Int) -> Int? {
            guard at + 4 <= end else { return nil }
            let value = Int(bytes[at]) | Int(bytes[at + 1]) << 8 | Int(bytes[at + 2]) << 16 | Int(bytes[at + 3]) << 24
            return value < numberLimit ? value : nil
        }
        switch bytes[index] {
        case 0xb8: return word(index + 1)
        case 0xc7 where index + 1 < end && bytes[index + 1] == 0xc0: return word(index + 2)
        case 0x31, 0x33: return index + 1 < end && bytes[index + 1] == 0xc0 ? 0 : nil
        default: return nil
        }
    }
}

/// The files of an image's root, taken out of it again.
public enum RootExtraction {
    /// Writes the root of the image at `path` below `folder`, an empty one of our own, with Debian's fsck.erofs.
    ///
    /// - Returns: where the root is.
    public static func extract(
        _ path: String, offset: Int, byteCount: Int, to folder: String, searchPath: String
    ) async throws(ProgramFailure) -> String {
        let folders = searchPath.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/bin", "/sbin", "/bin"]
        guard let place = folders.first(where: { (try? HostFile.status($0 + "/fsck.erofs")) != nil }) else {
            throw ProgramFailure(.tool, "no fsck.erofs on PATH: install Debian's erofs-utils")
        }
        let node = RootNode(.piece(path, offset: offset, byteCount: byteCount), FileStatus(kind: .regular, permissions: 0o600))
        try Stage(root: folder).write(node, to: folder + "/erofs")
        let target = folder + "/root"
        let answer = try await EROFSMaker.run(place + "/fsck.erofs", ["--extract=" + target, "--no-preserve", folder + "/erofs"])
        guard answer.isSuccess else { throw ProgramFailure(.tool, "fsck.erofs: \(answer.errors)") }
        return target
    }
}
