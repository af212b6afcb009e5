import Bench
import Foundation
import TestSupport
import Testing

/// What is seen of a program from outside: its calls, and where it was when it ended.
@Suite(.timeLimit(.minutes(10)), .enabled(if: ProgramServer.has("gcc"), "no gcc here"))
struct SeeingInTests {
    private static let program = """
        #include <errno.h>
        #include <fcntl.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        #include <unistd.h>
        __attribute__((noinline)) int innermost(int *p) { return *p + 1; }
        __attribute__((noinline)) int middle(int *p) { char b[100]; memset(b, 1, 100); return innermost(p) + b[getpid() & 63]; }
        __attribute__((noinline)) void fail(void) { abort(); }
        int main(int count, char **arguments) {
            if (count > 1 && arguments[1][0] == 'a') { fail(); return 1; }
            if (count > 1) return middle(0) + 1;
            char text[10] = "";
            open("/none", O_RDONLY | O_CLOEXEC);
            int file = open("/tmp/a", O_RDWR | O_CREAT, 0600);
            write(file, "some\\n", 5);
            lseek(file, -5, SEEK_CUR);
            read(file, text, 10);
            return 3;
        }
        """

    private static func compiled(in folder: String) async throws -> String {
        let target = folder + "/seen"
        _ = try await Command("gcc", ["-x", "c", "-O1", "-fomit-frame-pointer", "-o", target, "-"], input: program).output()
        return target
    }

    @Test(arguments: ProgramServer.monitors) func `a trace is what strace writes`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let answer = try await Machine.runProgram(try await Self.compiled(in: folder.path), on: monitor, options: ["--trace"])
        let lines = (answer.output + answer.errors).split(separator: "\n").map { String($0.replacing(#/ +=/#, with: " =")) }
        for line in [
            #"openat(AT_FDCWD, "/none", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)"#,
            #"openat(AT_FDCWD, "/tmp/a", O_RDWR|O_CREAT, 0600) = 3"#, #"write(3, "some\n", 5) = 5"#, "lseek(3, -5, SEEK_CUR) = 0",
            #"read(3, "some\n", 10) = 5"#, "exit_group(3) = ?", "+++ exited with 3 +++",
        ] {
            #expect(lines.contains(line), "\(lines)")
        }
    }

    @Test(arguments: ProgramServer.monitors) func `calls are counted`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let answer = try await Machine.runProgram(try await Self.compiled(in: folder.path), on: monitor, options: ["--stats"])
        let lines = (answer.output + answer.errors).split(separator: "\n")
        #expect(lines.contains("% time     seconds  usecs/call     calls    errors syscall"))
        #expect(lines.contains { $0.hasSuffix(" lseek") } && lines.contains { $0.hasSuffix(" total") })
    }

    @Test(arguments: ProgramServer.monitors) func `a crash names the functions that led to it`(monitor: Monitor) async throws {
        let folder = try TemporaryFolder()
        let answer = try await Machine.runProgram(try await Self.compiled(in: folder.path), on: monitor, arguments: ["c"])
        let text = answer.output + answer.errors
        #expect(answer.status == 139)
        #expect(text.contains("SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL}") && text.contains("rip 0x"))
        let frames = text.split(separator: "\n").filter { $0.contains("#") }
        for (index, name) in ["innermost+", "middle+", "main+"].enumerated() {
            #expect(frames.count > index && frames[index].contains("#\(index) 0x") && frames[index].contains(" \(name)"), "\(text)")
        }
    }

    @Test func `abort is a crash`() async throws {
        let folder = try TemporaryFolder()
        let answer = try await Machine.runProgram(
            try await Self.compiled(in: folder.path), on: ProgramServer.monitors[0], arguments: ["a"])
        let text = answer.output + answer.errors
        #expect(answer.status == 134)
        #expect(text.contains("abort") && text.contains(" fail+") && text.contains(" main+"), "\(text)")
    }
}
