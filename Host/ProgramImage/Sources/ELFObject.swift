import Bytes
import ELFFormat

/// What dynamic linking asks of one ELF file (System V gABI, chapter 5): nothing in it is trusted.
struct ELFObject: Equatable {
    /// PT_INTERP
    var interpreter: String?
    /// DT_NEEDED, in order.
    var needed: [String] = []
    /// DT_SONAME
    var name: String?
    /// DT_RPATH and DT_RUNPATH, in pieces.
    var searchPaths: [String] = []
    var runPaths: [String] = []
    /// Whether there is anything to execute: e_entry is not 0.
    var hasEntry = false
    /// DT_STRTAB, as a place in the file: the names of everything that is linked dynamically.
    var strings: Range<Int> = 0..<0

    private static let headerLimit = 256, dynamicLimit = 1 << 16, neededLimit = 1024, pathLimit = 4096

    /// Whether the file begins as ELF files do.
    static func isELF(_ file: ReadableFile) -> Bool { (try? file.bytes(at: 0, count: 4)) == [0x7f, 0x45, 0x4c, 0x46] }

    /// - Parameter title: what the file is called in a failure.
    init(_ file: ReadableFile, title: String) throws(ProgramFailure) {
        let header = try Self.header(file, title)
        var segments: [ELFProgramHeader] = []
        let table = try Self.bytes(
            file, header.programHeaderOffset, UInt64(header.programHeaderCount) * UInt64(ELFProgramHeader.byteCount), title)
        var reader = ByteReader(table.span)
        do throws(FormatError) {
            for _ in 0..<header.programHeaderCount { segments.append(try ELFProgramHeader(parsing: &reader)) }
        } catch {
            throw Self.damaged(title, "its program headers are truncated")
        }
        hasEntry = header.entry != 0
        if let segment = segments.first(where: { $0.type == ELFProgramHeader.interpreter }) {
            guard segment.fileByteCount <= Self.pathLimit else { throw Self.damaged(title, "its interpreter has too long a name") }
            interpreter = Self.text(try Self.bytes(file, segment.offset, segment.fileByteCount, title), 0)
            guard let interpreter, interpreter.hasPrefix("/") else { throw Self.damaged(title, "its interpreter has no absolute name") }
        }
        if let segment = segments.first(where: { $0.type == ELFProgramHeader.dynamic }) {
            try readDynamic(file, segment, segments, title)
        }
    }

    private static func header(_ file: ReadableFile, _ title: String) throws(ProgramFailure) -> ELFHeader {
        guard isELF(file) else { throw ProgramFailure(.refused, "\(title) is not an ELF file") }
        let bytes = try bytes(file, 0, UInt64(ELFHeader.byteCount), title)
        var reader = ByteReader(bytes.span)
        let header: ELFHeader
        do throws(FormatError) {
            header = try ELFHeader(parsing: &reader)
        } catch {
            throw ProgramFailure(.refused, "\(title) is not an ELF file")
        }
        guard header.encoding == 1, header.fileClass == 2, header.machine == ELFHeader.x86_64 else {
            throw ProgramFailure(.refused, "\(title) is built for another processor (\(processor(header))): only x86-64 runs")
        }
        // ET_EXEC and ET_DYN.
        guard header.type == 2 || header.type == 3 else {
            throw ProgramFailure(.refused, "\(title) is an ELF file, but neither a program nor a library")
        }
        guard header.programHeaderByteCount == UInt16(ELFProgramHeader.byteCount), header.programHeaderCount > 0,
            header.programHeaderCount <= headerLimit
        else { throw damaged(title, "its program headers make no sense") }
        return header
    }

    private static func processor(_ header: ELFHeader) -> String {
        let names: [UInt16: String] = [
            3: "i386", 8: "MIPS", 20: "PowerPC", 21: "PowerPC 64", 22: "s390", 40: "ARM", 62: "x86-64, 32-bit", 183: "AArch64",
            243: "RISC-V", 258: "LoongArch",
        ]
        return names[header.machine] ?? "ELF machine \(header.machine)"
    }

    private static func damaged(_ title: String, _ reason: String) -> ProgramFailure {
        ProgramFailure(.refused, "\(title) is damaged: \(reason)")
    }

    /// Exactly these bytes of the file.
    private static func bytes(_ file: ReadableFile, _ offset: UInt64, _ count: UInt64, _ title: String) throws(ProgramFailure) -> [UInt8] {
        guard let offset = Int(exactly: offset), let count = Int(exactly: count), offset <= file.byteCount,
            count <= file.byteCount - offset, count <= dynamicLimit
        else { throw damaged(title, "it ends too early") }
        do {
            let bytes = try file.bytes(at: offset, count: count)
            guard bytes.count == count else { throw damaged(title, "it ends too early") }
            return bytes
        } catch let failure as ProgramFailure {
            throw failure
        } catch {
            throw ProgramFailure(.cannotRead, "cannot read \(title): \(error)")
        }
    }

    /// The string that begins at `offset`, up to its zero, or nil if there is none within the bytes.
    private static func text(_ bytes: [UInt8], _ offset: UInt64) -> String? {
        guard let start = Int(exactly: offset), start < bytes.count, let end = bytes[start...].firstIndex(of: 0),
            end - start <= pathLimit, end > start
        else { return nil }
        return String(validating: bytes[start..<end], as: UTF8.self)
    }

    private mutating func readDynamic(
        _ file: ReadableFile, _ segment: ELFProgramHeader, _ segments: [ELFProgramHeader], _ title: String
    ) throws(ProgramFailure) {
        guard segment.fileByteCount <= Self.dynamicLimit else { throw Self.damaged(title, "its dynamic section is too long") }
        let bytes = try Self.bytes(file, segment.offset, segment.fileByteCount, title)
        var entries: [(tag: UInt64, value: UInt64)] = []
        var reader = ByteReader(bytes.span)
        while let tag = try? reader.read(UInt64.self, .little), let value = try? reader.read(UInt64.self, .little), tag != 0 {
            entries.append((tag, value))
        }
        func value(_ tag: UInt64) -> UInt64? { entries.first { $0.tag == tag }?.value }
        // DT_STRTAB is an address: the segment that holds it tells where in the file.
        guard let address = value(5), let count = value(10) else { return }
        let home = segments.first {
            $0.type == ELFProgramHeader.load && address >= $0.virtualAddress && address - $0.virtualAddress < $0.fileByteCount
        }
        guard let home, case let (offset, overflow) = home.offset.addingReportingOverflow(address - home.virtualAddress), !overflow else {
            throw Self.damaged(title, "its strings are nowhere")
        }
        if let start = Int(exactly: offset), start <= file.byteCount {
            strings = start..<min(file.byteCount, start + Int(clamping: min(count, UInt64(file.byteCount))))
        }
        func list(_ tag: UInt64) throws(ProgramFailure) -> [String] {
            var texts: [String] = []
            for entry in entries where entry.tag == tag {
                guard entry.value < count, case let (start, overflow) = offset.addingReportingOverflow(entry.value), !overflow else {
                    throw Self.damaged(title, "a name in it makes no sense")
                }
                // The table itself may have many megabytes.
                let bytes = try Self.bytes(file, start, min(count - entry.value, UInt64(Self.pathLimit) + 1), title)
                // An empty string is allowed, and says nothing.
                if bytes.first == 0 { continue }
                guard let text = Self.text(bytes, 0) else { throw Self.damaged(title, "a name in it makes no sense") }
                texts.append(text)
                guard texts.count <= Self.neededLimit else { throw Self.damaged(title, "it needs too many libraries") }
            }
            return texts
        }
        needed = try list(1)
        name = try list(14).first
        searchPaths = try list(15).flatMap { $0.split(separator: ":").map(String.init) }
        runPaths = try list(29).flatMap { $0.split(separator: ":").map(String.init) }
    }
}
