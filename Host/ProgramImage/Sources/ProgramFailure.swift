/// Why something is not made into an image: one line for a person, and what kind of failure it is.
public struct ProgramFailure: Error, Equatable {
    public enum Reason: Equatable, Sendable {
        /// What was asked for makes no sense.
        case usage
        /// The program, root or image is none that can run.
        case refused
        /// A file is missing or cannot be read.
        case cannotRead
        case cannotWrite
        /// A program that this needs is not installed, or failed.
        case tool
    }

    public var reason: Reason
    public var message: String

    public init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
