import Foundation
@testable import ProgramImage
import Testing

private let sample = "/bin/ls"

@Test func `a dynamic program comes with its linker and its libraries`() throws {
    let root = try ProgramRoot(program: sample)
    let object = try ELFObject(try ReadableFile(sample), title: sample)
    let linker = try #require(object.interpreter)
    #expect(!object.needed.isEmpty && object.hasEntry)
    #expect(root.tree.node(at: linker) != nil)
    let names = outline(root.tree)
    for name in object.needed { #expect(names.contains { $0.hasSuffix("/" + name) || $0.contains("/\(name) -> ") }, "\(name)") }
    #expect(names.contains("/tmp/") && root.tree.node(at: "/tmp")?.status.permissions == 0o1777)
    #expect(root.defaults.entrypoint == [sample] && root.defaults.program == sample)
    // Links are as they are here: on a host whose /bin is one, so is the image's.
    if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/bin") { #expect(names.contains("/bin -> \(target)")) }
    #expect(root.notes.isEmpty)
}

/// A copy of a program in which one name is another of the same length.
private func changed(_ name: String, _ other: String, in folder: borrowing TemporaryFolder) throws -> String {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: sample)))
    let old = Array(name.utf8)
    precondition(old.count == other.utf8.count)
    var start = 0
    while let index = bytes[start...].firstIndex(of: old[0]), index + old.count <= bytes.count {
        if bytes[index..<index + old.count].elementsEqual(old) { bytes.replaceSubrange(index..<index + old.count, with: Array(other.utf8)) }
        start = index + 1
    }
    return try folder.write(bytes, to: "changed")
}

@Test func `a missing library or linker is named, and who needs it`() async throws {
    let folder = try TemporaryFolder()
    let object = try ELFObject(try ReadableFile(sample), title: sample)
    let library = try #require(object.needed.first { $0 != "libc.so.6" } ?? object.needed.first)
    let lost = "q" + library.dropFirst()
    let program = try changed(library, lost, in: folder)
    let first = try #require(await failure { _ = try ProgramRoot(program: program) })
    #expect(first == ProgramFailure(.cannotRead, "\(program) needs the library \(lost), which is not here"))
    let linker = try #require(object.interpreter)
    let none = "/q" + linker.dropFirst(2)
    let other = try changed(linker, none, in: folder)
    let second = try #require(await failure { _ = try ProgramRoot(program: other) })
    #expect(second == ProgramFailure(.cannotRead, "\(other) needs the interpreter \(none), which is not here"))
}

@Test func `what is no program of this processor is refused in one line`() async throws {
    let folder = try TemporaryFolder()
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: sample)))
    bytes[18] = 183
    let foreign = try folder.write(bytes, to: "foreign")
    #expect(
        await failure { _ = try ProgramRoot(program: foreign) }
            == ProgramFailure(.refused, "\(foreign) is built for another processor (AArch64): only x86-64 runs"))
    let text = try folder.write("hello", to: "text")
    #expect(await failure { _ = try ProgramRoot(program: text) } == ProgramFailure(.refused, "\(text) is not an ELF file"))
    #expect(await failure { _ = try ProgramRoot(program: folder.path + "/none") }?.reason == .cannotRead)
    #expect(await failure { _ = try ProgramRoot(program: folder.path) }?.reason == .refused)
    #expect(await failure { _ = try ProgramRoot(program: "/bin/ls", inclusions: [Inclusion("/none")]) }?.reason == .cannotRead)
    #expect(await failure { _ = try ProgramRoot(program: "/bin/ls", inclusions: [Inclusion("relative")]) }?.reason == .usage)
}

@Test func `a script is started by the program of its first line`() async throws {
    let folder = try TemporaryFolder()
    let script = try folder.write("#! /bin/ls -l  \nx", to: "script")
    #expect(try ProgramRoot(program: script).defaults.entrypoint == ["/bin/ls", "-l", script])
    let second = try folder.write("#!\(script)\n", to: "second")
    #expect(try ProgramRoot(program: second).defaults.entrypoint == ["/bin/ls", "-l", script, second])
    let environment = try folder.write("#!/usr/bin/env ls\n", to: "environment")
    #expect(try ProgramRoot(program: environment, searchPath: "/none:/bin").defaults.entrypoint == ["/bin/ls", environment])
    #expect(await failure { _ = try ProgramRoot(program: environment, searchPath: "/none") }?.reason == .cannotRead)
    for line in ["#!", "#!ls", "#!/usr/bin/env", "#!/usr/bin/env -i ls"] {
        let path = try folder.write(line, to: "bad")
        #expect(await failure { _ = try ProgramRoot(program: path, searchPath: "/bin") }?.reason == .refused, "\(line)")
    }
    let loop = folder.path + "/loop"
    try folder.write("#!\(loop)\n", to: "loop")
    #expect(await failure { _ = try ProgramRoot(program: loop) }?.reason == .refused)
}

@Test func `damaged programs are refused or read, never a trap`() throws {
    let good = [UInt8](try Data(contentsOf: URL(filePath: sample)))
    let folder = try TemporaryFolder()
    let seed: UInt64 = 0x31f
    var random = SeededGenerator(state: seed)
    let object = try ELFObject(try ReadableFile(sample), title: sample)
    var refused = 0
    for round in 0..<1000 {
        var bytes = good
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            // Headers, and now and then anything.
            let limit = round % 4 == 0 ? bytes.count : 1024
            bytes[Int.random(in: 0..<limit, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
        }
        if round % 5 == 0 { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
        let file = try ReadableFile(try folder.write(bytes, to: "damaged"))
        do { _ = try ELFObject(file, title: "seed \(seed), round \(round)") } catch { refused += 1 }
    }
    #expect(refused > 50 && object.hasEntry)
}

@Test func `linkers' tokens and musl's names`() {
    #expect(LibrarySearch.folders(["$ORIGIN/../lib", "${ORIGIN}", "/a"], origin: "/srv/bin") == ["/srv/bin/../lib", "/srv/bin", "/a"])
    let musl = LibrarySearch(interpreter: "/lib/ld-musl-x86_64.so.1")
    #expect(musl.isMusl && musl.isBuiltIn("libc.musl-x86_64.so.1") && musl.isBuiltIn("libpthread.so.0") && !musl.isBuiltIn("libz.so.1"))
    let ordinary = LibrarySearch(interpreter: "/lib64/ld-linux-x86-64.so.2")
    #expect(!ordinary.isMusl && !ordinary.isBuiltIn("libc.so.6") && ordinary.standard.contains("/lib/x86_64-linux-gnu"))
}

@Test func `a link out of an included folder brings the file it leads to, not a folder`() throws {
    let folder = try TemporaryFolder()
    try folder.write("1", to: "data/own")
    try folder.write("2", to: "elsewhere/file")
    try folder.write("3", to: "other/deep/file")
    try folder.link("data/file", to: "../elsewhere/file")
    try folder.link("data/folder", to: folder.path + "/other")
    try folder.link("data/nowhere", to: "/no/such/thing")
    let root = try ProgramRoot(program: sample, inclusions: [Inclusion(folder.path + "/data")])
    #expect(root.tree.node(at: folder.path + "/data/file") != nil)
    #expect(root.tree.node(at: folder.path + "/elsewhere/file") != nil)
    #expect(root.tree.node(at: folder.path + "/other") == nil)
    #expect(root.tree.resolve(folder.path + "/data/folder", followsLast: false)?.node?.content == .link(folder.path + "/other"))
}

@Test func `system calls are found in code`() throws {
    func scan(_ code: [UInt8]) -> SystemCallScan { SystemCallScan(code: code) }
    let call: [UInt8] = [0x0f, 0x05]
    #expect(scan([0xb8, 39, 0, 0, 0] + call).numbers == [39])
    #expect(scan([0x48, 0xc7, 0xc0, 60, 0, 0, 0] + [0x90, 0x90] + call).numbers == [60])
    #expect(scan([0x31, 0xc0] + call + [0xb8, 1, 1, 0, 0] + call).numbers == [0, 257])
    #expect(scan(call + [UInt8](repeating: 0x90, count: 100) + call).unknownCount == 2)
    #expect(scan([0xb8, 39, 0, 0, 0] + [UInt8](repeating: 0x90, count: 100) + call).numbers == [])
    #expect(scan([0xb8, 39, 0x0f, 0x05]).numbers == [])
    #expect(scan([]).numbers == [])
    let libc = try #require(try RootTree().addHost("/lib/x86_64-linux-gnu/libc.so.6"))
    let found = try #require(SystemCallScan(path: libc.path))
    // read, write, mmap, openat
    #expect(found.numbers.isSuperset(of: [0, 1, 9, 257]))
    #expect(try #require(SystemCallScan(path: sample)).names.contains("readlink"))
    #expect(SystemCallScan(path: "/etc/passwd") == nil)
}
