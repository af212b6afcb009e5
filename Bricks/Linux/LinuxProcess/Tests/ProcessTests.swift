import Errno
import LinuxFormat
import Testing

@testable import LinuxProcess

extension ProcessTests {
    @Suite(.serialized) struct ReplacementTests {
        let program: Program
        init() throws { program = try Program() }

        @Test func `a new program has new memory, and no handlers of the old one`() {
            #expect(program.handle(10) == 0)
            #expect(program.handle(12, handler: 1) == 0)
            program.process.threads = [program.thread]
            let old = program.process.memory
            var loads = 0
            program.process.replaceProgram(by: program.thread) {
                loads += 1
                return true
            }
            #expect(program.thread.context.registers.action != 0)
            #expect(program.process.memory === old)
            program.process.finishAction(of: program.thread)
            #expect(loads == 1 && program.process.memory !== old)
            #expect(!program.process.signals.isCaught(10))
            // What was ignored stays so (execve(2)).
            #expect(program.process.signals.action(12).handler == 1)
            old.removeAll()
        }

        @Test func `other threads end with the old program`() {
            program.process.replaceProgram(by: program.thread) { true }
            #expect(program.other.isEnding && !program.thread.isEnding)
        }

        @Test func `a program that cannot be loaded any more ends the process`() {
            program.process.threads = [program.thread]
            let old = program.process.memory
            program.process.replaceProgram(by: program.thread) { false }
            program.process.finishAction(of: program.thread)
            #expect(program.process.exitStatus == 137)
            old.removeAll()
        }

        @Test func `all threads end with exit_group, and the first status counts`() {
            program.process.end(status: 3)
            program.process.end(status: 4)
            #expect(program.process.exitStatus == 3 && program.thread.isEnding && program.other.isEnding)
        }

        @Test func `fork is refused in one line, with the program's own way without`() {
            program.process.executablePath = Array("/usr/sbin/nginx".utf8)
            #expect(program.call(.fork) == -38)
            #expect(program.call(.clone, 17, 0) == -38)
            #expect(program.world.lines == ["fork is not available here: use -g 'daemon off; master_process off;'"])
        }

        @Test func `a program is also known by the name that it was called by`() {
            program.process.executablePath = Array("/usr/bin/redis-check-rdb".utf8)
            program.process.arguments = [Array("/usr/bin/redis-server".utf8)]
            #expect(program.call(.fork) == -38)
            #expect(program.world.lines == ["fork is not available here: use --save '' --appendonly no --daemonize no"])
        }

        @Test func `a call without a row is named once`() {
            for _ in 0..<3 { #expect(program.process.refuse(451) == -38) }
            _ = program.process.refuse(100_000)
            #expect(program.world.lines == ["system call not available: cachestat", "system call not available: 100000"])
        }
    }
}
