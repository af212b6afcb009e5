/// Exit statuses of a monitor's own refusals (the names are sysexits.h's).
public enum RefusalStatus: UInt8, Error {
    case usage = 64
    case imageRefused = 65
    case imageUnreadable = 66
    case unavailable = 69
    case hostRefused = 71
    case permission = 77
    case memoryTooSmall = 78
}

/// Why a monitor does not start an instance: one line for a person, and the status it exits with.
public struct Refusal: Error {
    public let status: RefusalStatus
    public let text: StaticString
    /// What the kernel answered (errno(3)), if it was asked.
    public let errno: Int64

    public init(_ status: RefusalStatus, _ text: StaticString, errno: Int64 = 0) {
        self.status = status
        self.text = text
        self.errno = errno
    }
}

/// The few error numbers that monitors use or explain (errno(3)), in the form of a result: negative.
public enum ErrorNumber {
    public static let permission: Int64 = -1
    public static let noEntry: Int64 = -2
    public static let interrupted: Int64 = -4
    public static let inputOutput: Int64 = -5
    public static let again: Int64 = -11
    public static let noMemory: Int64 = -12
    public static let access: Int64 = -13
    public static let fault: Int64 = -14
    public static let exists: Int64 = -17
    public static let noDevice: Int64 = -19
    public static let isDirectory: Int64 = -21
    public static let invalid: Int64 = -22
    public static let noSpace: Int64 = -28
    public static let noCall: Int64 = -38

    static func text(_ result: Int64) -> StaticString? {
        switch result {
        case permission: "operation not permitted"
        case noEntry: "no such file"
        case noMemory: "out of memory"
        case access: "permission denied"
        case exists: "the address is taken"
        case isDirectory: "is a directory"
        default: nil
        }
    }
}
