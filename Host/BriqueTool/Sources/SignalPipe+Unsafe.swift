import Glibc
import SystemPackage

/// A pipe that no other child inherits; its read end does not block.
struct Pipe {
    /// Children use descriptors below this one.
    static let lowestDescriptor: Int32 = 10

    let readEnd: Int32
    let writeEnd: Int32
    private var isWriteEndOpen = true

    init() throws(ToolFailure) {
        do {
            let ends = try FileDescriptor.pipe(options: .closeOnExec)
            readEnd = ends.readEnd.rawValue.raised()
            writeEnd = ends.writeEnd.rawValue.raised()
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
struct SignalPipe {
    static let numbers: [Int32] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD]

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
