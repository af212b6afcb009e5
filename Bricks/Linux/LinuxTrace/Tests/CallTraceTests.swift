import CLinuxFormat
import Errno
import LinuxFormat
import LinuxProcess
import Testing

@testable import LinuxTrace

@Suite(.serialized) struct CallTraceTests {
    let program: Program
    init() throws { program = try Program() }

    /// The line of a call.
    func line(_ number: SyscallNumber, _ arguments: [UInt64], _ result: Int64?) -> String {
        var words = InlineArray<6, UInt64>(repeating: 0)
        for (index, word) in arguments.enumerated() { words[index] = word }
        var line = TraceLine(program.thread)
        line.add(call: UInt64(number.rawValue), Arguments(words), result: result)
        if let result { line.add(result: result, isAddress: number == .mmap) }
        return String(decoding: line.bytes, as: UTF8.self).replacing(#/ +=/#, with: " =")
    }

    let here = UInt64(bitPattern: -100)

    // What strace 6.1 wrote of the same calls on Linux.
    @Test func `files are opened, read and missing as strace says it`() {
        let path = program.text("/etc/passwd")
        #expect(
            line(.openat, [here, path, 0o2000000, 0], 3) == #"openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3"#)
        #expect(
            line(.openat, [here, path, 0o1101, 0o644], -2)
                == #"openat(AT_FDCWD, "/etc/passwd", O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 ENOENT (No such file or directory)"#)
        #expect(line(.close, [UInt64(bitPattern: -1)], -9) == "close(-1) = -1 EBADF (Bad file descriptor)")
        let bytes = program.store(Array("root:x:0:0\n\t\"\\\u{1}7\u{1}z".utf8), at: 100)
        #expect(line(.read, [3, bytes, 4096], 18) == #"read(3, "root:x:0:0\n\t\"\\\0017\1z", 4096) = 18"#)
        #expect(line(.read, [3, 0, 4096], -14) == "read(3, NULL, 4096) = -1 EFAULT (Bad address)")
        let long = program.store([UInt8](repeating: 0x61, count: 100), at: 200)
        #expect(line(.write, [1, long, 100], 100) == "write(1, \"\(String(repeating: "a", count: 32))\"..., 100) = 100")
        #expect(line(.lseek, [3, UInt64(bitPattern: -5), 2], 7) == "lseek(3, -5, SEEK_END) = 7")
        #expect(line(.mkdirat, [here, path, 0o755], 0) == #"mkdirat(AT_FDCWD, "/etc/passwd", 0755) = 0"#)
    }

    @Test func `memory, flags and numbers have their names`() {
        #expect(
            line(.mmap, [0, 8192, 3, 0x22, UInt64(bitPattern: -1), 0], 0x7f00_0000_0000)
                == "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000")
        #expect(line(.mprotect, [0x1000, 4096, 0], 0) == "mprotect(0x1000, 4096, PROT_NONE) = 0")
        #expect(line(.futex, [0x1000, 0x80, 2, 0], -11).hasPrefix("futex(0x1000, FUTEX_WAIT_PRIVATE, 2, NULL"))
        #expect(line(.tgkill, [1, 1, 6], 0) == "tgkill(1, 1, SIGABRT) = 0")
        #expect(line(.socket, [2, 0x80001, 0], 3) == "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3")
        #expect(line(.fcntl, [3, 4, 0x800], 0) == "fcntl(3, F_SETFL, 0x800) = 0")
        #expect(line(.exitGroup, [0], nil) == "exit_group(0)")
        #expect(line(.getpid, [], 1) == "getpid() = 1")
        #expect(line(.pause, [], -514) == "pause() = ? ERESTARTNOHAND (To be restarted if no handler)")
    }

    @Test func `structures are shown once the call has filled them`() {
        let address = program.store([2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], at: 0)
        #expect(
            line(.bind, [3, address, 16], 0)
                == #"bind(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("127.0.0.1")}, 16) = 0"#)
        let time = program.store(words: [1, 500], at: 64)
        #expect(line(.clockGettime, [1, time], 0) == "clock_gettime(CLOCK_MONOTONIC, {tv_sec=1, tv_nsec=500}) = 0")
        #expect(line(.clockGettime, [1, time], -22).hasPrefix("clock_gettime(CLOCK_MONOTONIC, 0x"))
        let pair = program.store(words: [4 << 32 | 3], at: 128)
        #expect(line(.pipe2, [pair, 0o2000000], 0) == "pipe2([3, 4], O_CLOEXEC) = 0")
        let text = program.text("hello", at: 200), vector = program.store(words: [text, 5, text, 2], at: 256)
        #expect(
            line(.writev, [1, vector, 2], 7)
                == #"writev(1, [{iov_base="hello", iov_len=5}, {iov_base="he", iov_len=2}], 2) = 7"#)
        let polls = program.store(words: [1 << 32 | 5], at: 320)
        #expect(line(.poll, [polls, 1, UInt64(bitPattern: -1)], 0).hasPrefix("poll([{fd=5, events=POLLIN}], 1, "))
        let set = program.store(words: [1 << 1 | 1 << 13], at: 400)
        #expect(line(.rtSigprocmask, [0, set, 0, 8], 0) == "rt_sigprocmask(SIG_BLOCK, [INT ALRM], NULL, 8) = 0")
        let limit = program.store(words: [1024, .max], at: 440)
        #expect(
            line(.prlimit64, [0, 7, 0, limit], 0) == "prlimit64(0, RLIMIT_NOFILE, NULL, {rlim_cur=1024, rlim_max=RLIM64_INFINITY}) = 0")
        let path = program.text("/bin/a", at: 500), one = program.text("b", at: 520),
            strings = program.store(words: [path, one, 0], at: 600)
        #expect(line(.execve, [path, strings, 0], 0).hasPrefix(#"execve("/bin/a", ["/bin/a", "b"], NULL) = 0"#))
    }

    @Test func `whatever a program passes, a line comes of it`() {
        for number in 0..<SyscallNumber.limit {
            for value in [0, program.data + 0xfff8, .max] as [UInt64] {
                for result in [-14, Int64.max] as [Int64] {
                    let text = line(SyscallNumber(rawValue: number), [value, value, value, value, value, value], result)
                    #expect(text.contains("= "))
                }
            }
        }
    }

    @Test func `lines tell signals, threads and the end`() {
        var lines: [String] = []
        let trace = CallTrace(isTraced: true, hasStatistics: true) { lines.append(String(decoding: $0, as: UTF8.self)) }
        var information = linux_signal_information()
        information.si_signo = 11
        information.si_code = 1
        trace.signalled(program.thread, information)
        trace.began(program.thread, 39, Arguments(InlineArray(repeating: 0)))
        trace.ended(program.thread, 39, Arguments(InlineArray(repeating: 0)), 1)
        trace.ended(program.thread, 3, Arguments(InlineArray(repeating: 0)), -9)
        trace.ended(program.thread)
        #expect(
            lines == [
                "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=NULL} ---",
                "getpid()                                = 1",
                "close(0)                                = -1 EBADF (Bad file descriptor)",
                "+++ exited with 0 +++",
            ])
        lines = []
        trace.exited(program.process)
        #expect(lines.first == "% time     seconds  usecs/call     calls    errors syscall")
        #expect(lines.contains { $0.hasSuffix("         1           getpid") })
        #expect(lines.contains { $0.hasSuffix("         1         1 close") })
        #expect(lines.last?.hasSuffix("         2         1 total") == true)
    }

    @Test func `every call has its own name, and errors theirs`() {
        #expect(SyscallNumber.read.name == Array("read".utf8))
        #expect(SyscallNumber.mseal.name == Array("mseal".utf8))
        #expect(SyscallNumber.futexWaitv.name == Array("futex_waitv".utf8))
        #expect(SyscallNumber(rawValue: 400).name == nil)
        #expect(SyscallNumber(rawValue: -1).name == nil)
        #expect(ErrorNames.text(133).map { String(decoding: $0, as: UTF8.self) } == "EHWPOISON (Memory page has hardware error)")
        #expect(ErrorNames.text(41) == nil)
    }
}
