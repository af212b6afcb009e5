/// Why the tool itself ends, after sysexits(3) where that has a word for it. An instance that ran gives its own status.
public enum ExitStatus: Int32, CaseIterable, Sendable {
    case success = 0
    case usage = 64
    case imageRefused = 65
    case cannotOpen = 66
    case monitorUnavailable = 69
    case internalError = 70
    case hostRefused = 71
    case buildFailed = 73
    case cannotWrite = 74
    case permission = 77
    case memoryTooSmall = 78

    public var meaning: String {
        switch self {
        case .success: "done; for `run`, the instance ended with status 0"
        case .usage: "the command line is wrong"
        case .imageRefused: "the file is not an image that can be started"
        case .cannotOpen: "the image or package cannot be opened or read"
        case .monitorUnavailable: "the monitor cannot run on this machine"
        case .internalError: "a fault of brique itself, or its installation is incomplete"
        case .hostRefused: "the host refused a resource: memory, a process, a descriptor"
        case .buildFailed: "the app does not build: the compiler's errors are above"
        case .cannotWrite: "a file cannot be written"
        case .permission: "permission denied"
        case .memoryTooSmall: "the memory given is too small for the image"
        }
    }

    /// The table of `brique --help` and docs/exit-status.md, without the statuses of an instance.
    public static var table: [(status: String, meaning: String)] {
        allCases.map { (String($0.rawValue), $0.meaning) } + [
            ("132", "the instance trapped: a Swift runtime failure, fatalError, an illegal instruction (SIGILL)"),
            ("134", "the instance panicked or ran out of memory (SIGABRT)"),
            ("135, 136, 139", "misaligned access (SIGBUS), division error (SIGFPE), page or protection fault (SIGSEGV)"),
            ("159", "the instance made a system call that the process monitor refuses (SIGSYS)"),
            ("128 + n", "ended by signal n, such as 130 for Ctrl-C"),
        ]
    }
}

/// A failure that ends the tool with one line on standard error.
public struct ToolFailure: Error, Equatable {
    public var status: ExitStatus
    public var message: String

    public init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }
}
