import BootFormat
import ELFFormat
import Foundation
import LinuxCalls
@testable import MonitorSupport
import SampleImage
import Testing

/// A command line as the kernel would pass it; `body` runs while its strings live.
private func withArguments<R>(_ words: [String], environment: [String] = [], _ body: (brique_host_program) throws -> R) rethrows -> R {
    // SAFETY: every string and both arrays live until the deferred frees, after the body.
    let strings = unsafe (words + environment).map { unsafe strdup($0) }
    defer { for index in 0..<(unsafe strings.count) { unsafe free(strings[index]) } }
    var arguments = unsafe Array(strings[..<words.count]) + [nil]
    var variables = unsafe Array(strings[words.count...]) + [nil]
    return try unsafe arguments.withUnsafeMutableBufferPointer { arguments in
        try unsafe variables.withUnsafeMutableBufferPointer { variables in
            try unsafe body(
                brique_host_program(
                    argument_count: UInt64(words.count), arguments: arguments.baseAddress, environment: variables.baseAddress, vdso: 0,
                    capabilities: 0))
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

@Test(arguments: [true, false]) func `root and layer are mapped and told of`(inDirectMap: Bool) throws {
    var image = SampleImage()
    image.addRoot((0..<5000).map { UInt8(truncatingIfNeeded: $0) })
    let layer = [UInt8](repeating: 9, count: 10)
    try withFile(image.bytes()) { path in
        try withFile(layer) { layerPath in
            let file = FileDescriptor(try FileHandle(forReadingFrom: URL(filePath: layerPath)).leakedDescriptor())
            defer { file.close() }
            // SAFETY: as in refusal.
            try unsafe withArguments(["monitor", path, "2097152", "-,layer:\(file.number)"]) { program in
                let loader = try unsafe InstanceLoader(MonitorArguments(program), needsTables: false)
                let (memory, descriptor) = try loader.mapMemory(at: 0)
                defer { unsafe memory.unmap() }
                descriptor.close()
                try loader.loadImage(into: memory)
                let addresses = try loader.mapLayers(inDirectMap: inDirectMap)
                let base = GuestMemory.virtualBase + UInt64(BRIQUE_LAYER_BASE)
                if inDirectMap { #expect(addresses[0] == base && addresses[1] == base + UInt64(BRIQUE_LAYER_STEP)) }
                // SAFETY: the loader just mapped two pages and one page, which are unmapped below.
                let root = unsafe GuestMemory(start: UnsafeMutableRawPointer(bitPattern: UInt(addresses[0]))!, byteCount: 8192)
                let over = unsafe GuestMemory(start: UnsafeMutableRawPointer(bitPattern: UInt(addresses[1]))!, byteCount: 4096)
                #expect(root.word(virtual: GuestMemory.virtualBase + GuestMemory.physicalBase + 4096) == 0x0706_0504_0302_0100)
                #expect(over.word(virtual: GuestMemory.virtualBase + GuestMemory.physicalBase + 8) == 0x0909)
                unsafe root.unmap()
                unsafe over.unmap()
                #expect(loader.imageFile != nil && loader.layerFile == file)
                loader.imageFile?.close()
                let address = try loader.writeBootInformation(.init(number: BRIQUE_PLATFORM_PROCESS), into: memory)
                #expect(
                    (0..<4).map { memory.word(virtual: address + 112 + 8 * $0) } == [
                        base, base + UInt64(BRIQUE_LAYER_STEP), base + 5000, base + UInt64(BRIQUE_LAYER_STEP) + 10,
                    ])
            }
        }
    }
}

@Test func `a layer that is no file with bytes is refused`() throws {
    try withFile(SampleImage().bytes()) { path in
        try withFile([]) { emptyPath in
            let empty = try FileHandle(forReadingFrom: URL(filePath: emptyPath)).leakedDescriptor()
            defer { FileDescriptor(empty).close() }
            #expect(refusal([path, "1048576", "-,layer:\(empty)"])?.status == .imageUnreadable)
            #expect(refusal([path, "1048576", "-,layer:999999"])?.status == .imageUnreadable)
        }
    }
}

extension FileHandle {
    /// A descriptor that outlives the handle.
    fileprivate func leakedDescriptor() throws -> Int32 { dup(fileDescriptor) }
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
