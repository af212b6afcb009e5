import ArgumentParser
import Foundation
import Testing

@testable import BriqueTool

@Test(arguments: ["--help", "-h"]) func `brique run tells how it is used`(word: String) async throws {
    let command = try RunCommand.parse([word])
    await #expect(throws: CleanExit.self) { try await command.run() }
    await #expect(throws: ToolFailure.self) { try await RunCommand.parse(["--no-such-option"]).run() }
}

@Test func `what follows the target of run belongs to the instance`() throws {
    func split(_ words: [String]) throws -> [String] {
        let (target, arguments) = try RunCommand.split(words)
        return [target] + arguments
    }
    #expect(try split([]) == ["."])
    #expect(try split(["app"]) == ["app"])
    #expect(try split(["app", "a", "-x"]) == ["app", "a", "-x"])
    #expect(try split(["app", "--", "-x", "--", "y"]) == ["app", "-x", "--", "y"])
    #expect(try split(["--", "a"]) == [".", "a"])
    #expect(throws: ToolFailure.self) { try split(["--no-such-option"]) }
}

@Test func `options of run are read before its target only`() throws {
    let line = ["run", "--monitor", "qemu:q35", "--memory", "32M", "-e", "A=-1", "-e", "B=2", "-v", "app", "--memory", "x"]
    let command = try #require(try BriqueCommand.parseAsRoot(line) as? RunCommand)
    #expect(command.monitor == .one(.qemu(.q35)) && command.memory?.byteCount == 32 << 20 && command.verbose)
    #expect(command.environment == ["A=-1", "B=2"])
    #expect(command.words == ["app", "--memory", "x"])
}

@Test func `only named variables reach the instance, the last value of each`() throws {
    let inherited = ["HOME": "/h", "PATH": "/p"]
    let words = try RunCommand.variables(["A=1", "HOME", "NONE", "A=x=y", "E="], inherited: inherited)
    #expect(words == ["HOME=/h", "A=x=y", "E="])
    #expect(throws: ToolFailure.self) { try RunCommand.variables(["=1"], inherited: [:]) }
    #expect(throws: ToolFailure.self) { try RunCommand.variables([""], inherited: [:]) }
}

@Test(arguments: [
    ["run", "--memory", "1X"], ["run", "--monitor", "xen"], ["build", "--no-such"], ["nonsense"], ["symbolicate"], ["new"],
])
func `a wrong command line is a usage error`(line: [String]) {
    #expect(throws: (any Error).self) { try BriqueCommand.parseAsRoot(line) }
    do {
        _ = try BriqueCommand.parseAsRoot(line)
    } catch {
        #expect(BriqueCommand.exitCode(for: error).rawValue == ExitStatus.usage.rawValue)
    }
}

@Test func `every command's help has an example`() {
    for command in BriqueCommand.configuration.subcommands {
        #expect(command.helpMessage().contains("Example: brique \(command.configuration.commandName ?? "?")"))
    }
    #expect(BriqueCommand.helpMessage().contains("Example: brique"))
}

@Test func `completions are made for three shells`() {
    for shell in [CompletionShell.bash, .zsh, .fish] {
        #expect(BriqueCommand.completionScript(for: shell).contains("symbolicate"))
    }
}

@Test func `exit statuses are distinct and explained`() {
    #expect(Set(ExitStatus.allCases.map(\.rawValue)).count == ExitStatus.allCases.count)
    for entry in ExitStatus.table {
        #expect(BriqueCommand.helpMessage(columns: 1000).contains("\(entry.status): \(entry.meaning)"))
    }
}

@Test func `the page of exit statuses is the tool's own table`() throws {
    let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
    let page = try String(contentsOf: root.appending(path: "docs/exit-status.md"), encoding: .utf8)
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().map(String.init)
    #expect(rows == ExitStatus.table.map { "| \($0.status) | \($0.meaning) |" })
}

@Test func `addresses and records are found in what is given to symbolicate`() throws {
    #expect(try SymbolicateCommand.address("0x200000101180") == 0x2000_0010_1180)
    #expect(try SymbolicateCommand.address("ff") == 255)
    for text in ["", "0x", "-1", "+1", "xyz", "10000000000000000"] {
        #expect(throws: ToolFailure.self) { try SymbolicateCommand.address(text) }
    }
    #expect(try SymbolicateCommand.record(in: "12:00 refused call=1 rip=0x1") != nil)
    #expect(try SymbolicateCommand.record(in: "nothing") == nil)
    let words = [String](repeating: "1", count: 122).joined(separator: " ")
    #expect(try SymbolicateCommand.record(in: "12:00 crash-words \(words)") != nil)
    for text in ["crash-words 1", "crash-words \(words) 1", "12:00 refused call=x", "crash kind=other"] {
        #expect(throws: ToolFailure.self) { try SymbolicateCommand.record(in: text) }
    }
}

@Test func `a new package has a name that a module can have`() throws {
    let files = try AppTemplate(name: "my-app", package: "/a \"b\"").files
    #expect(files.map(\.path).contains("Sources/my-app/App.swift"))
    #expect(files.contains { $0.text.contains("import my_app") })
    #expect(files.contains { $0.text.contains(#"?? "/a \"b\"""#) })
    for name in ["", "1a", "a b", "a/b", "..", "class", "Swift", "é", String(repeating: "a", count: 65), "-a"] {
        #expect(throws: ToolFailure.self) { try AppTemplate(name: name, package: "/") }
    }
}

@Test func `filters of system calls are needed by the process monitor`() throws {
    let folder = try TemporaryFolder()
    try folder.write("kill_process kill_thread trap errno allow\n", to: "all")
    try folder.write("trap allow\n", to: "few")
    #expect(SeccompFilter.reasonAgainst(actionsFile: folder.path + "/all") == nil)
    #expect(SeccompFilter.reasonAgainst(actionsFile: folder.path + "/few") == "the kernel's system call filters lack kill_process")
    #expect(SeccompFilter.reasonAgainst(actionsFile: folder.path + "/none") != nil)
}

@Test func `an installation without a package is refused`() throws {
    let folder = try TemporaryFolder()
    #expect(throws: ToolFailure.self) { try Installation(environment: [:], executable: folder.path + "/bin/brique") }
    try folder.write("{}", to: "share/brique/Tools/Toolchain/guest.json")
    let installed = try Installation(environment: [:], executable: folder.path + "/bin/brique")
    #expect(installed.monitor("kvm") == folder.path + "/libexec/brique/brique-monitor-kvm")
    let home = try Installation(environment: ["BRIQUE_HOME": folder.path + "/share/brique"], executable: "")
    #expect(home.package == installed.package)
}
