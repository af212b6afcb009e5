import BootFormat
import ELFFormat
import Foundation
import LinuxCalls
@testable import MonitorSupport
import SampleImage
import Testing

/// A command line as the kernel would pass it; `body` runs while its strings live.
private func withArguments<R>(_ words: [String], environment: [String] = [], _ body: (brique_program) throws -> R) rethrows -> R {
    // SAFETY: every string and both arrays live until the deferred frees, after the body.
    let strings = unsafe (words + environment).map { unsafe strdup($0) }
    defer { for index in 0..<(unsafe strings.count) { unsafe free(strings[index]) } }
    var arguments = unsafe Array(strings[..<words.count]) + [nil]
    var variables = unsafe Array(strings[words.count...]) + [nil]
    return try unsafe arguments.withUnsafeMutableBufferPointer { arguments in
        try unsafe variables.withUnsafeMutableBufferPointer { variables in
            try unsafe body(
                brique_program(
                    argument_count: UInt64(words.count), arguments: arguments.baseAddress, environment: variables.baseAddress, vdso: 0))
        }
    }
}

private func withFile<R>(_ bytes: [UInt8], _ body: (String) throws -> R) throws -> R {
    let path = FileManager.default.temporaryDirectory.appending(path: "brique-\(UUID()).image").path
    try Data(bytes).write(to: URL(filePath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

private func refusal(_ words: [String]) -> Refusal? {
    // SAFETY: withArguments keeps the strings for as long as they are used.
    unsafe withArguments(["monitor"] + words) { program in
        do throws(Refusal) {
            let loader = try unsafe InstanceLoader(MonitorArguments(program), needsTables: true)
            let (memory, file) = try loader.mapMemory(at: 0)
            file.close()
            defer { unsafe memory.unmap() }
            try loader.loadImage(into: memory)
            return nil
        } catch {
            return error
        }
    }
}

@Test func `a loaded instance has the image's bytes, its strings and fresh entropy`() throws {
    let file = SampleImage().bytes()
    try withFile(file) { path in
        // SAFETY: as in refusal.
        try unsafe withArguments(["monitor", path, "2097152", "-", "one", ""], environment: ["K=V"]) { program in
            let loader = try unsafe InstanceLoader(MonitorArguments(program), needsTables: false)
            let (memory, descriptor) = try loader.mapMemory(at: 0)
            descriptor.close()
            try loader.loadImage(into: memory)
            let address = try loader.writeBootInformation(.init(number: BRIQUE_PLATFORM_PROCESS, gate: 77), into: memory)
            #expect(memory.word(virtual: address) == UInt64(BRIQUE_BOOT_MAGIC))
            #expect(memory.word(virtual: address + 8) == UInt64(BRIQUE_ABI_VERSION) | UInt64(BRIQUE_PLATFORM_PROCESS) << 32)
            #expect(memory.word(virtual: address + 16) == GuestMemory.virtualBase + loader.map.heapStart)
            #expect(memory.word(virtual: address + 32) == 2_097_152)
            #expect(memory.word(virtual: address + 40) == 77)
            #expect((0..<4).contains { (memory.word(virtual: address + 56 + 8 * $0) ?? 0) != 0 })
            #expect(memory.word(virtual: address + 88) == 2 | 1 << 32)
            #expect(memory.word(virtual: address + 104) == 9)
            // "one\0\0K=V" as a word.
            #expect(memory.word(virtual: try #require(memory.word(virtual: address + 96))) == 0x563d_4b00_0065_6e6f)
            #expect(memory.word(virtual: GuestMemory.virtualBase + 0x101000) == 0x9090_9090_9090_9090)
            #expect(memory.word(virtual: GuestMemory.virtualBase + 0x102040) == 0)
            unsafe memory.unmap()
        }
    }
}

@Test func `each bad file has its status`() throws {
    let good = SampleImage().bytes()
    #expect(try withFile(good) { refusal([$0, "1048576", "-"])?.status } == nil)
    #expect(try withFile(Array(good[..<100])) { refusal([$0, "1048576", "-"]) }?.status == .imageRefused)
    #expect(try withFile([]) { refusal([$0, "1048576", "-"]) }?.status == .imageRefused)
    #expect(try withFile(good) { refusal([$0, "65536", "-"]) }?.status == .memoryTooSmall)
    #expect(refusal(["/nonexistent/image", "1048576", "-"])?.status == .imageUnreadable)
    #expect(refusal(["/", "1048576", "-"])?.status == .imageUnreadable)
    for number in ["", "x", "-1", "1e6", "99999999999999999999999", "0x10"] {
        #expect(try withFile(good) { refusal([$0, number, "-"]) }?.status == .usage, "\(number)")
        #expect(try withFile(good) { refusal([$0, "1048576", number]) }?.status == .usage, "\(number)")
    }
    #expect(refusal([])?.status == .usage)
    #expect(refusal(["image", "1048576"])?.status == .usage)
}
