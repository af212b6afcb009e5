import Foundation
import Glibc
import SystemPackage

/// Starts one child, passes signals on to it and waits for it.
///
/// posix_spawn(3) because the descriptors beyond 2 must be exact and a monitor must be a direct child: the same
/// foreground group, nothing between it and the terminal.
struct Supervisor {
    /// After this many signals the child is killed: whatever happens, the user gets the terminal back.
    static let patience = 3

    /// Runs the program to its end.
    ///
    /// - Parameter receive: gets what the child writes to the collected descriptors, as it comes.
    /// - Parameter tick: called about four times a second.
    static func run(
        _ launch: ChildLaunch, receive: ([UInt8]) -> Void = { _ in }, tick: () -> Void = {}
    ) throws(ToolFailure) -> ChildEnd {
        var signals = try SignalPipe.install()
        defer { signals.uninstall() }
        var output = try Pipe()
        defer { output.close() }
        let child = try start(launch, writeEnd: output.writeEnd)
        output.closeWriteEnd()
        var waiter = Waiter(child: child, output: output.readEnd, signals: signals.readEnd)
        return waiter.wait(receive: receive, tick: tick)
    }

    private static func start(_ launch: ChildLaunch, writeEnd: Int32) throws(ToolFailure) -> pid_t {
        closeOnExec()
        var actions = unsafe posix_spawn_file_actions_t()
        // SAFETY: `actions` is initialised before use and destroyed once, on every path.
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if launch.withoutInput { unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) }
        for descriptor in launch.collected { unsafe posix_spawn_file_actions_adddup2(&actions, writeEnd, descriptor) }
        var child: pid_t = 0
        let failure = unsafe withStrings([launch.path] + launch.arguments) { arguments in
            unsafe withStrings(launch.environment) { environment in
                // SAFETY: both arrays are NUL-terminated lists of C strings that outlive the call.
                unsafe posix_spawn(&child, launch.path, &actions, nil, arguments, environment)
            }
        }
        guard failure == 0 else {
            let status: ExitStatus = failure == EACCES || failure == EPERM ? .permission : failure == ENOENT ? .internalError : .hostRefused
            throw ToolFailure(status, "cannot start \(launch.path): \(Errno(rawValue: failure))")
        }
        return child
    }

    /// Descriptors that this program was itself started with go no further; the copies made for a child do.
    private static func closeOnExec() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > STDERR_FILENO { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// Calls `body` with a NULL-terminated array of C strings.
    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = unsafe strings.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        // SAFETY: every pointer but the last is of strdup, used by nobody after `body`, and freed once.
        defer { unsafe pointers.forEach { unsafe free($0) } }
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    }

    /// Ends this process the way the child ended: by the same signal, without a core file of its own.
    static func die(of signalNumber: Int32) -> Never {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        // SAFETY: plain values for this process only; the limit is read, not kept.
        unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        signal(signalNumber, SIG_DFL)
        var set = sigset_t()
        unsafe sigemptyset(&set)
        unsafe sigaddset(&set, signalNumber)
        unsafe pthread_sigmask(SIG_UNBLOCK, &set, nil)
        kill(getpid(), signalNumber)
        exit(128 + signalNumber)
    }
}

/// The loop of `Supervisor.run`.
private struct Waiter {
    let child: pid_t
    let output: Int32
    let signals: Int32
    private var isOutputOpen = true
    private var signalCount = 0

    init(child: pid_t, output: Int32, signals: Int32) {
        self.child = child
        self.output = output
        self.signals = signals
    }

    mutating func wait(receive: ([UInt8]) -> Void, tick: () -> Void) -> ChildEnd {
        while true {
            var polled = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
            if isOutputOpen { polled.append(pollfd(fd: output, events: Int16(POLLIN), revents: 0)) }
            // SAFETY: the array and its count belong together and outlive the call.
            let ready = unsafe poll(&polled, nfds_t(polled.count), 250)
            if isOutputOpen { drain(into: receive) }
            if ready > 0, polled[0].revents != 0 { forwardSignals() }
            if let end = reap() {
                // What the child wrote last may still be in the pipe.
                if isOutputOpen { drain(into: receive) }
                return end
            }
            tick()
        }
    }

    private mutating func drain(into receive: ([UInt8]) -> Void) {
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            // SAFETY: at most the buffer's own count is written.
            let count = unsafe read(output, &buffer, buffer.count)
            if count > 0 { receive(Array(buffer[..<count])) }
            if count == 0 { isOutputOpen = false }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return }
        }
    }

    private mutating func forwardSignals() {
        var words = [UInt8](repeating: 0, count: 64)
        // SAFETY: at most the buffer's own count is written.
        let count = unsafe read(signals, &words, words.count)
        guard count > 0 else { return }
        for pair in stride(from: 0, to: count - 1, by: 2) {
            let received = ReceivedSignal(number: Int32(words[pair]), fromKernel: words[pair + 1] != 0)
            guard received.number != SIGCHLD else { continue }
            signalCount += 1
            if signalCount >= Supervisor.patience {
                kill(child, SIGKILL)
            } else if !received.fromKernel {
                kill(child, received.number)
            }
        }
    }

    private func reap() -> ChildEnd? {
        var status: Int32 = 0
        // SAFETY: `status` outlives the call.
        let reaped = unsafe waitpid(child, &status, WNOHANG)
        guard reaped == child else { return reaped < 0 && errno != EINTR ? .exited(ExitStatus.internalError.rawValue) : nil }
        // wait(2): the low seven bits are the signal, zero for an exit; the next byte is the status.
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }
}

/// A pipe that no other child inherits; its read end does not block.
private struct Pipe {
    let readEnd: Int32
    let writeEnd: Int32
    private var isWriteEndOpen = true

    init() throws(ToolFailure) {
        do {
            let ends = try FileDescriptor.pipe(options: .closeOnExec)
            readEnd = ends.readEnd.rawValue
            writeEnd = ends.writeEnd.rawValue
        } catch {
            throw ToolFailure(.hostRefused, "no pipe: \(error)")
        }
        _ = fcntl(readEnd, F_SETFL, O_NONBLOCK)
    }

    mutating func closeWriteEnd() {
        if isWriteEndOpen { Glibc.close(writeEnd) }
        isWriteEndOpen = false
    }

    mutating func close() {
        closeWriteEnd()
        Glibc.close(readEnd)
    }
}

/// Write end of the signal pipe; minus one while no child is supervised.
// SAFETY: a plain word with a constant initial value, set before the handlers are installed and read by them only.
nonisolated(unsafe) private var signalWriteEnd: Int32 = -1

/// Turns the signals that end a process, and SIGCHLD, into bytes of a pipe while a child runs.
private struct SignalPipe {
    static let numbers = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD]

    private var pipe: Pipe
    private var previous: [(Int32, sigaction)]
    var readEnd: Int32 { pipe.readEnd }

    static func install() throws(ToolFailure) -> SignalPipe { SignalPipe(pipe: try Pipe()) }

    private init(pipe: Pipe) {
        unsafe signalWriteEnd = pipe.writeEnd
        previous = []
        _ = fcntl(pipe.writeEnd, F_SETFL, O_NONBLOCK)
        self.pipe = pipe
        for number in Self.numbers {
            var old = sigaction()
            // SAFETY: sigaction only fills `old`.
            guard unsafe sigaction(number, nil, &old) == 0 else { continue }
            // A signal that was ignored at start (nohup, a shell's background job) stays ignored, in the child too.
            if number != SIGCHLD && Self.isIgnored(old) { continue }
            var new = sigaction()
            unsafe new.__sigaction_handler.sa_sigaction = { number, information, _ in
                // SAFETY: only write(2) on a word and two bytes of the stack: async-signal-safe. The kernel passes a valid siginfo.
                let saved = errno
                let fromKernel: UInt8 = unsafe (information?.pointee.si_code ?? 0) > 0 ? 1 : 0
                var word: (UInt8, UInt8) = (UInt8(truncatingIfNeeded: number), fromKernel)
                unsafe write(signalWriteEnd, &word, 2)
                errno = saved
            }
            new.sa_flags = SA_SIGINFO | SA_RESTART
            unsafe sigaction(number, &new, nil)
            previous.append((number, old))
        }
    }

    private static func isIgnored(_ action: sigaction) -> Bool {
        // SAFETY: SIG_IGN is compared as an address, never called.
        unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    mutating func uninstall() {
        for (number, old) in previous {
            var action = old
            // SAFETY: `action` is what sigaction itself gave at install.
            unsafe sigaction(number, &action, nil)
        }
        unsafe signalWriteEnd = -1
        pipe.close()
    }
}
