import BootFormat
import Bytes
import ELFFormat
import Random
import SampleImage
import Testing

func layout(of file: [UInt8]) throws(ELFError) -> ImageLayout {
    let prefix = Array(file.prefix(ImageLayout.prefixByteCount))
    return try ImageLayout(parsing: ByteReader(prefix.span).unread, fileByteCount: file.count)
}

func refusal(of file: [UInt8]) -> ELFError? {
    do throws(ELFError) {
        _ = try layout(of: file)
        return nil
    } catch {
        return error
    }
}

@Test func `a correct image is accepted with everything in its place`() throws {
    let image = SampleImage()
    let layout = try layout(of: image.bytes())
    #expect(layout.segmentCount == 3)
    #expect(layout[segment: 0].access == .read)
    #expect(layout.executable.start == image.programHeaders[1].physicalAddress)
    #expect(layout.writable.start == image.programHeaders[2].physicalAddress)
    #expect(layout.note == image.note)
    #expect(layout.pvhEntry == nil)
    #expect(layout.imageEnd % 4096 == 0)
    #expect(layout.imageEnd >= layout.machineArea + UInt64(BRIQUE_AREA_BYTES))
}

@Test func `a read-only segment after the writable one is the root`() throws {
    var image = SampleImage()
    image.addRoot([UInt8](repeating: 7, count: 5000))
    let layout = try layout(of: image.bytes())
    let root = try #require(layout.root)
    #expect(layout.segmentCount == 3)
    #expect(root.fileOffset == SampleImage.rootOffset)
    #expect(root.byteCount == 5000)
    #expect(root.start == layout.imageEnd)
    #expect(layout.imageEnd == layout.writable.endPage)
    #expect(try layoutWithoutRoot().root == nil)
}

@Test func `a root of a gibibyte fits, one that ends above 4 GiB does not`() throws {
    var image = SampleImage()
    image.addRoot([1])
    func layout(rootByteCount: UInt64) throws(ELFError) -> ImageLayout {
        var image = image
        image.programHeaders[4].fileByteCount = rootByteCount
        image.programHeaders[4].memoryByteCount = rootByteCount
        let file = image.bytes()
        return try ImageLayout(parsing: ByteReader(file.span.extracting(first: 4096)).unread, fileByteCount: .max)
    }
    #expect(try layout(rootByteCount: 1 << 30).root?.byteCount == 1 << 30)
    #expect(throws: ELFError.addressOutOfRange) { _ = try layout(rootByteCount: 1 << 32) }
}

private func layoutWithoutRoot() throws -> ImageLayout { try layout(of: SampleImage().bytes()) }

@Test func `every truncation of the file is refused`() {
    var image = SampleImage()
    image.addRoot([1, 2, 3])
    let file = image.bytes()
    for count in 0..<file.count {
        #expect(refusal(of: Array(file[..<count])) != nil, "\(count) bytes")
    }
}

struct Corruption: Sendable, CustomTestStringConvertible {
    let refusal: ELFError
    let apply: @Sendable (inout SampleImage) -> Void
    init(_ refusal: ELFError, _ apply: @escaping @Sendable (inout SampleImage) -> Void) {
        self.refusal = refusal
        self.apply = apply
    }
    var testDescription: String { "\(refusal)" }
}

let corruptions: [Corruption] = [
    Corruption(.truncatedHeader) { $0.truncated = 63 },
    Corruption(.notELF) { $0.patches = [0: 0x7e] },
    Corruption(.not64Bit) { $0.header.fileClass = 1 },
    Corruption(.notLittleEndian) { $0.header.encoding = 2 },
    Corruption(.badVersion) { $0.header.version = 0 },
    Corruption(.wrongMachine) { $0.header.machine = 183 },
    Corruption(.notAnExecutable) { $0.header.type = 3 },
    Corruption(.badHeaderSize) { $0.header.headerByteCount = 52 },
    Corruption(.badProgramHeaderSize) { $0.header.programHeaderByteCount = 32 },
    Corruption(.noProgramHeaders) { $0.programHeaders = [] },
    Corruption(.programHeadersOutsideFile) { $0.header.programHeaderOffset = .max },
    Corruption(.programHeadersOutsideFile) { $0.header.programHeaderOffset = 4090 },
    Corruption(.noSegments) { $0.programHeaders.removeFirst(3) },
    Corruption(.tooManySegments) { image in
        let header = image.programHeaders[0]
        image.programHeaders = (UInt64(0)..<9).map { index in
            var copy = header
            copy.virtualAddress += 0x10000 * index
            copy.physicalAddress += 0x10000 * index
            copy.alignment = 1
            return copy
        }
    },
    Corruption(.segmentOutsideFile) { $0.programHeaders[1].offset = .max },
    Corruption(.segmentOutsideFile) { $0.programHeaders[2].offset += 4096 },
    Corruption(.memorySmallerThanFile) { $0.programHeaders[0].memoryByteCount = 8 },
    Corruption(.badAlignment) { $0.programHeaders[1].alignment = 3 },
    Corruption(.badAlignment) { $0.programHeaders[1].alignment = 1 << 40 },
    Corruption(.badAccess) { $0.programHeaders[0].flags = 0 },
    Corruption(.badAccess) { $0.programHeaders[0].flags = 0xc },
    Corruption(.writableAndExecutable) { $0.programHeaders[2].flags = 7 },
    Corruption(.addressMismatch) { $0.programHeaders[1].virtualAddress += 4096 },
    Corruption(.addressOutOfRange) { $0.programHeaders[0].physicalAddress = 0xff000 },
    Corruption(.addressOutOfRange) { $0.programHeaders[2].memoryByteCount = .max },
    Corruption(.addressOutOfRange) { $0.programHeaders[2].physicalAddress = .max - 4095 },
    Corruption(.segmentsOverlap) { $0.programHeaders.swapAt(0, 1) },
    Corruption(.segmentsOverlap) { $0.programHeaders[0].memoryByteCount = 0x2001 },
    Corruption(.segmentsShareAPage) { image in
        image.programHeaders[0].fileByteCount = 0x700
        image.programHeaders[0].memoryByteCount = 0x700
        image.programHeaders[1].offset -= 0x800
        image.programHeaders[1].physicalAddress -= 0x800
        image.programHeaders[1].virtualAddress -= 0x800
    },
    Corruption(.noSingleExecutableSegment) { $0.programHeaders[1].flags = 4 },
    Corruption(.noSingleExecutableSegment) { $0.programHeaders[0].flags = 5 },
    Corruption(.noSingleWritableSegment) { $0.programHeaders[0].flags = 6 },
    Corruption(.noSingleWritableSegment) { $0.programHeaders.remove(at: 2) },
    Corruption(.segmentAfterRoot) { image in
        image.addRoot([1])
        image.addRoot([2])
        image.programHeaders[5].physicalAddress += 4096
        image.programHeaders[5].virtualAddress += 4096
    },
    Corruption(.segmentAfterRoot) { image in
        image.addRoot([1])
        image.programHeaders.append(image.programHeaders[2])
    },
    Corruption(.rootMisaligned) { image in
        image.addRoot([1])
        image.programHeaders[4].offset -= 8
        image.programHeaders[4].alignment = 8
    },
    Corruption(.rootMisaligned) { image in
        image.addRoot([1])
        image.programHeaders[4].physicalAddress += 8
        image.programHeaders[4].virtualAddress += 8
        image.programHeaders[4].alignment = 8
    },
    Corruption(.rootNotWhole) { image in
        image.addRoot([1])
        image.programHeaders[4].memoryByteCount += 1
    },
    Corruption(.segmentOutsideFile) { image in
        image.addRoot([1])
        image.programHeaders[4].fileByteCount += 1
        image.programHeaders[4].memoryByteCount += 1
    },
    Corruption(.segmentsOverlap) { image in
        image.addRoot([1])
        image.programHeaders[4].physicalAddress -= 4096
        image.programHeaders[4].virtualAddress -= 4096
    },
    Corruption(.dynamicallyLinked) { $0.programHeaders[3].type = 3 },
    Corruption(.notesTooFar) { $0.programHeaders[3].offset = 4080 },
    Corruption(.notesTooFar) { $0.programHeaders[3].fileByteCount = .max },
    Corruption(.notesTruncated) { $0.programHeaders[3].fileByteCount -= 4 },
    Corruption(.noBriqueNote) { $0.noteType = 2 },
    Corruption(.noBriqueNote) { $0.programHeaders.remove(at: 3) },
    Corruption(.severalBriqueNotes) { $0.programHeaders.append($0.programHeaders[3]) },
    Corruption(.badBriqueNoteSize) { $0.noteBytes.removeLast(8) },
    Corruption(.wrongABIVersion) { $0.note.abiVersion = 2 },
    Corruption(.unknownFlags) { $0.note.flags = 1 },
    Corruption(.badPVHNote) { $0.pvhDescriptor = [1, 2] },
    Corruption(.pvhEntryNotExecutable) { $0.pvhDescriptor = [0, 0, 0, 0] },
    Corruption(.pvhEntryNotExecutable) { $0.pvhDescriptor = [UInt8](repeating: 0xff, count: 8) },
    Corruption(.startNotExecutable) { $0.note.start = $0.programHeaders[2].virtualAddress },
    Corruption(.startNotExecutable) { $0.header.entry = 0 },
    Corruption(.exceptionEntriesNotExecutable) { $0.note.exceptionEntries = $0.programHeaders[1].virtualAddress + 0x1000 - 511 },
    Corruption(.coreEntryNotExecutable) { $0.note.coreEntry = .max },
    Corruption(.machineAreaMisaligned) { $0.note.machineArea += 8 },
    Corruption(.machineAreaNotWritable) { $0.note.machineArea += 0x10000 },
    Corruption(.machineAreaNotWritable) { $0.note.machineArea = $0.programHeaders[2].virtualAddress },
]

@Test(arguments: corruptions)
func `each broken rule has its own refusal`(corruption: Corruption) {
    var image = SampleImage()
    corruption.apply(&image)
    #expect(refusal(of: image.bytes()) == corruption.refusal)
}

@Test func `every refusal can be caused and has its own text`() {
    let caused = Set(corruptions.map { "\($0.refusal)" })
    #expect(ELFError.allCases.filter { !caused.contains("\($0)") } == [])
    #expect(Set(ELFError.allCases.map { $0.text.description }).count == ELFError.allCases.count)
}

@Test func `a PVH note is found beside the Brique note`() throws {
    var image = SampleImage()
    image.pvhDescriptor = [0, 0x10, 0x10, 0]
    let layout = try layout(of: image.bytes())
    #expect(layout.pvhEntry == 0x101000)
}

@Test func `random damage is refused or accepted, never a trap`() {
    let file = SampleImage().bytes()
    var random = SplitMix(state: 0xb51c)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(1)
    var accepted = 0, refused = 0
    while clock.now < end {
        var damaged = file
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            let index = Int.random(in: 0..<min(damaged.count, 640), using: &random)
            damaged[index] = UInt8.random(in: .min ... .max, using: &random)
        }
        if Bool.random(using: &random) { damaged.removeLast(Int.random(in: 0..<damaged.count, using: &random)) }
        if refusal(of: damaged) == nil { accepted += 1 } else { refused += 1 }
    }
    #expect(refused > 1000 && accepted > 0)
}
