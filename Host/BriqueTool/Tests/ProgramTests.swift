import Foundation
import ProgramImage
import Testing

@testable import BriqueTool

private func start(
    _ defaults: ProgramDefaults, _ arguments: [String]? = nil, variables: [String] = [], _ options: [String] = [],
    root: RootTree = RootTree()
) throws -> ProgramStart {
    try ProgramStart(
        defaults, arguments: arguments, variables: variables, options: try ProgramRunOptions.parse(options), listing: { root })
}

private func status(_ body: () throws -> Void) -> BriqueTool.ExitStatus? {
    do { try body() } catch { return (error as? ToolFailure)?.status }
    return nil
}

@Test func `a program's words are the image's, and the user's in their place`() throws {
    var defaults = ProgramDefaults(
        source: "s", entrypoint: ["/bin/a", "-x"], command: ["default"], program: "/bin/a", environment: ["A=1", "B=2"], directory: "/srv",
        user: UserIdentity(user: 5, group: 6))
    let plain = try start(defaults)
    #expect(plain.arguments == ["/bin/a", "-x", "default"])
    #expect(plain.environment.prefix(2) == ["A=1", "B=2"])
    for word in ["BRIQUE_PROGRAM=/bin/a", "BRIQUE_DIRECTORY=/srv", "BRIQUE_USER=5:6"] { #expect(plain.environment.contains(word)) }
    #expect(!plain.environment.contains { $0.hasPrefix("BRIQUE_TRACE") || $0.hasPrefix("BRIQUE_STATS") })
    #expect(plain.environment.contains { $0.hasPrefix("PATH=") } && plain.environment.contains("HOME=/"))
    let changed = try start(
        defaults, ["1", "2"], variables: ["B=3", "C="], ["--directory", "/tmp", "--user", "9:9", "--trace", "--stats"])
    #expect(changed.arguments == ["/bin/a", "-x", "1", "2"])
    #expect(
        changed.environment.filter { !$0.hasPrefix("PATH=") && !$0.hasPrefix("HOME=") } == [
            "A=1", "B=3", "C=", "BRIQUE_PROGRAM=/bin/a", "BRIQUE_DIRECTORY=/tmp", "BRIQUE_USER=9:9", "BRIQUE_TRACE=1", "BRIQUE_STATS=1",
        ])
    #expect(try start(defaults, []).arguments == ["/bin/a", "-x"])
    defaults.entrypoint = []
    defaults.command = []
    #expect(status { _ = try start(defaults) } == .usage)
}

@Test func `what the user may not say is refused`() throws {
    let defaults = ProgramDefaults(source: "s", entrypoint: ["/bin/a"], program: "/bin/a")
    #expect(status { _ = try start(defaults, variables: ["BRIQUE_PROGRAM=/x"]) } == .usage)
    #expect(status { _ = try start(defaults, variables: ["BRIQUE_IP=1"]) } == .usage)
    #expect(status { _ = try start(defaults, nil, ["--directory", "tmp"]) } == .usage)
    #expect(status { _ = try start(defaults, nil, ["--user", "nobody"]) } == .usage)
}

@Test func `a program of a root is found as execvp would`() throws {
    let listing = """
        d\t755\t0\t0\t0\t/bin
        f\t755\t0\t0\t9\t/bin/busybox
        l\t777\t0\t0\t0\t/bin/ls\tbusybox
        l\t777\t0\t0\t0\t/sbin\tbin
        """
    let tree = ImageListing(parsing: listing).tree
    let defaults = ProgramDefaults(source: "s", environment: ["PATH=/none:/sbin"])
    func program(_ word: String, _ options: [String] = []) throws -> String? {
        try start(defaults, [word], options, root: tree).environment.first { $0.hasPrefix("BRIQUE_PROGRAM=") }.map {
            String($0.dropFirst(15))
        }
    }
    #expect(try program("ls") == "/sbin/ls")
    #expect(try program("/bin/ls") == "/bin/ls")
    #expect(try program("./ls", ["--directory", "/bin"]) == "/bin/./ls")
    #expect(status { _ = try program("cat") } == .cannotOpen)
    #expect(status { _ = try program("/bin") } == .cannotOpen)
}

@Test func `what a word of the command line is is seen from the file`() throws {
    let folder = try TemporaryFolder()
    func target(_ name: String, _ bytes: [UInt8]) throws -> Target {
        try Data(bytes).write(to: URL(filePath: folder.path + "/" + name))
        return try Target(folder.path + "/" + name)
    }
    let elf = [0x7f] + Array("ELF".utf8) + [UInt8](repeating: 0, count: 60)
    #expect(try target("program", elf) == .program(.program(folder.path + "/program")))
    #expect(try target("image", elf + Array("Brique\0\0".utf8)) == .image(folder.path + "/image"))
    #expect(try target("script", Array("#!/bin/sh\n".utf8)) == .program(.program(folder.path + "/script")))
    #expect(
        try target("a.tar", [UInt8](repeating: 0, count: 257) + Array("ustar".utf8) + [0]) == .program(.archive(folder.path + "/a.tar")))
    #expect(try target("a.tgz", [0x1f, 0x8b]) == .program(.archive(folder.path + "/a.tgz")))
    #expect(try target("text", [1, 2, 3]) == .image(folder.path + "/text"))
    #expect(try Target(folder.path) == .package(folder.path))
    try folder.write("{}", to: "oci-layout")
    try folder.write("{}", to: "index.json")
    #expect(try Target(folder.path) == .program(.layout(folder.path)))
    #expect(try Target("oci:/x:y") == .program(.layout("/x:y")))
    #expect(try Target("ls", searchPath: "/none:/bin") == .program(.program("/bin/ls")))
    #expect(status { _ = try Target("no-such-thing", searchPath: "/bin") } == .cannotOpen)
    #expect(status { _ = try Target("./ls", searchPath: "/bin") } == .cannotOpen)
    #expect(ProgramSource.archive("/a/b.tar.gz").name == "b" && ProgramSource.layout("x/y/").name == "y")
}

@Test func `a program, a root and a package are different things to build`() throws {
    func source(_ words: [String]) throws -> ProgramSource? { try ProgramOptions.parse(words).source() }
    #expect(try source([]) == nil)
    #expect(try source(["--program", "/bin/ls"]) == .program("/bin/ls"))
    #expect(try source(["--rootfs", "/srv"]) == .folder("/srv"))
    #expect(status { _ = try source(["--rootfs", "/srv", "--program", "/bin/ls"]) } == .usage)
    #expect(try ProgramOptions.parse(["--include", "/a", "--include", "/b:/c"]).inclusions == [Inclusion("/a"), Inclusion("/b:/c")])
}

@Test func `calls that the catalogue lacks are named with who makes them`() {
    let catalogue = """
        # Calls
        | call | support | note |
        |---|---|---|
        | `read` | full | |
        | mount | refused: EPERM | |
        """
    #expect(SystemCallReport.names(in: catalogue).contains("read") && !SystemCallReport.names(in: catalogue).contains("mount"))
    let report = SystemCallReport(
        catalogue: catalogue,
        findings: [
            .init(path: "/bin/a", numbers: [0, 165], names: ["write"]),
            .init(path: "/lib/libc.so.6", numbers: [0, 1, 60, 165, 511], names: []),
        ])
    #expect(report.foundCount == 4)
    #expect(
        report.lacking == [
            .init(call: "write", files: [], linkedBy: ["/bin/a"]), .init(call: "exit", files: [], linkedBy: []),
            .init(call: "mount", files: ["/bin/a"], linkedBy: []),
        ])
    #expect(report.text.contains("lacking       mount: /bin/a\n") && report.text.contains("in the C library alone: exit"))
}
