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
    /// - Parameter started: called when the child has its descriptors.
    /// - Parameter tick: called about four times a second.
    static func run(
        _ launch: ChildLaunch, receive: ([UInt8]) -> Void = { _ in }, started: () -> Void = {}, tick: () -> Void = {}
    ) throws(ToolFailure) -> ChildOutcome {
        var signals = try SignalPipe.install()
        defer { signals.uninstall() }
        var channels = try Channels(launch)
        defer { channels.close() }
        let child = try start(launch, channels)
        channels.closeChildEnds()
        started()
        var waiter = Waiter(child: child, channels: channels, signals: signals.readEnd, interruption: launch.interruption)
        return waiter.wait(receive: receive, tick: tick)
    }

    private static func start(_ launch: ChildLaunch, _ channels: Channels) throws(ToolFailure) -> pid_t {
        closeOnExec()
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        // SAFETY: both are initialised before use and destroyed once, on every path.
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        if launch.withoutInput { unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) }
        for (own, child) in channels.inherited { unsafe posix_spawn_file_actions_adddup2(&actions, own, child) }
        // Never the mask of this thread: the runtime's workers block nearly all signals.
        var blocked = sigset_t()
        unsafe sigemptyset(&blocked)
        if launch.interruption != nil {
            for number in SignalPipe.numbers where number != SIGCHLD { unsafe sigaddset(&blocked, number) }
        }
        unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var child: pid_t = 0
        let failure = unsafe withStrings([launch.path] + launch.arguments) { arguments in
            unsafe withStrings(launch.environment) { environment in
                // SAFETY: both arrays are NUL-terminated lists of C strings that outlive the call.
                unsafe posix_spawn(&child, launch.path, &actions, &attributes, arguments, environment)
            }
        }
        guard failure == 0 else {
            throw ToolFailure(status(of: failure), "cannot start \(launch.path): \(Errno(rawValue: failure))")
        }
        return child
    }

    private static func status(of failure: Int32) -> ExitStatus {
        switch failure {
        case EACCES, EPERM: .permission
        case ENOENT: .internalError
        case E2BIG: .usage
        default: .hostRefused
        }
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
        // To this very thread, so that it is taken before the next line.
        raise(signalNumber)
        exit(128 + signalNumber)
    }
}
