import BootFormat
import ELFFormat
import Foundation
import Testing

@testable import Image

@Test func `a report tells segments, entries and memory of an image`() throws {
    let file = try ImageFile(bytes: SampleImage().data)
    let report = ImageReport(name: "sample", file: file, digest: "sha256:0", bricks: nil)
    #expect(report.segments.map(\.access) == ["R", "RX", "RW"])
    #expect(report.segments[1].virtualAddress == "0x200000101000")
    #expect(report.entries.start == "0x200000101000" && report.entries.pvh == nil)
    #expect(report.notes == ["Brique 1"])
    // Image of 3 pages and the area, a page of information, three upper tables and one last table.
    #expect(report.leastMemoryBytes == 3 * 4096 + UInt64(BRIQUE_AREA_BYTES) + 5 * 4096)
    #expect(try ImageReport(json: report.json()) == report)
}

@Test func `bricks of a report add up to the image`() throws {
    let text = """
        VMA LMA Size Align Out In Symbol
        1 1 10 1 .text
        1 1 10 1         /x/A.build/a.o:(.text)

        """
    let bricks = ImageReport.bricks(of: try LinkMap(parsing: text), imageByteCount: 100)
    #expect(bricks.map(\.name) == ["A", "headers and padding"])
    #expect(bricks.map(\.bytes).reduce(0, +) == 100)
}

@Test func `an image and its symbols are told from those of another build`() throws {
    let sample = SampleImage()
    var other = sample
    other.bytes[0x1100] ^= 1
    var withSections = sample
    withSections.bytes[40] = 0xff
    withSections.bytes += [1, 2, 3]
    let file = try ImageFile(bytes: sample.data)
    #expect(file.isSameProgram(as: try ImageFile(bytes: withSections.data)))
    #expect(!file.isSameProgram(as: try ImageFile(bytes: other.data)))
}

@Test func `files that are no image are refused with a reason`() throws {
    func error(_ change: (inout SampleImage) -> Void) -> ImageError? {
        var sample = SampleImage()
        change(&sample)
        do throws(ImageError) {
            _ = try ImageFile(bytes: sample.data)
            return nil
        } catch {
            return error
        }
    }
    #expect(error { $0.bytes = [] } == .refused(.truncatedHeader))
    #expect(error { $0.bytes = Array("#!/bin/sh\n".utf8) + [UInt8](repeating: 0, count: 100) } == .refused(.notELF))
    #expect(error { $0.bytes[18] = 183 } == .refused(.wrongMachine))
    #expect(error { $0.bytes.removeLast(32) } == .refused(.segmentOutsideFile))
    #expect(error { $0 = SampleImage(abiVersion: 99) } == .refused(.wrongABIVersion))
    #expect(error { $0.bytes[0x40c] = 0x58 } == .refused(.noBriqueNote))
    #expect(ImageError.refused(.notELF).text == "not an ELF file")
}

@Test func `a file that is not there is unreadable`() {
    do throws(ImageError) {
        _ = try ImageFile(path: "/nonexistent/image")
        Issue.record("it was read")
    } catch {
        guard case .unreadable = error else {
            Issue.record("another reason: \(error)")
            return
        }
    }
}

@Test func `no damaged image makes the reader trap`() {
    var random = SeededGenerator(seed: 0x1a6e_0001)
    let sample = SampleImage()
    var accepted = 0
    for _ in 0..<3000 {
        var bytes = sample.bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes[Int.random(in: 0..<0x440, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        guard let file = try? ImageFile(bytes: Data(bytes)) else { continue }
        accepted += 1
        #expect(ImageReport(name: "x", file: file, digest: "", bricks: nil).leastMemoryBytes > 0)
    }
    #expect(accepted > 0)
}
