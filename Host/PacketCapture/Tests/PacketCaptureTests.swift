import Bytes
import Foundation
import PacketCapture
import Testing
import Time

struct PacketCaptureTests {
    let path = FileManager.default.temporaryDirectory.appending(path: "capture-\(UUID().uuidString).pcap").path

    @Test func `frames are recorded whole, with their times`() throws {
        defer { try? FileManager.default.removeItem(atPath: path) }
        let capture = try #require(PacketCapture(path: path))
        let frame: [UInt8] = [1, 2, 3, 4, 5, 6]
        let bytes = ByteReader(frame.span).unread
        capture.record(bytes, at: WallTime(nanosecondsSince1970: 1_700_000_000_123_456_789))
        capture.record(bytes.extracting(0..<1), bytes.extracting(1..<1), bytes.extracting(1..<6), at: WallTime(nanosecondsSince1970: 1))
        #expect(capture.failure == nil)
        let file = [UInt8](try Data(contentsOf: URL(filePath: path)))
        #expect(file.count == 24 + 2 * (16 + 6))
        #expect(Array(file[..<8]) == [0x4d, 0x3c, 0xb2, 0xa1, 2, 0, 4, 0] && Array(file[20..<24]) == [1, 0, 0, 0])
        var reader = ByteReader(file.span)
        try reader.skip(24)
        #expect(try reader.read(UInt32.self, .little) == 1_700_000_000)
        #expect(try reader.read(UInt32.self, .little) == 123_456_789)
        #expect(try reader.read(UInt32.self, .little) == 6)
        #expect(Array(file[40..<46]) == frame && Array(file.suffix(6)) == frame)
    }

    @Test func `a file that cannot be made or written is told`() {
        #expect(PacketCapture(path: "/nowhere/at/all") == nil)
        let capture = PacketCapture(path: "/dev/full")
        #expect(capture?.failure == ENOSPC)
    }
}
