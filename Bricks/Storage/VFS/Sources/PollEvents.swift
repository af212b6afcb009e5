/// What a file is ready for: the bits of poll(2), which are those of epoll(7) too.
public struct PollEvents: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var input: PollEvents { PollEvents(rawValue: 1) }
    public static var priority: PollEvents { PollEvents(rawValue: 2) }
    public static var output: PollEvents { PollEvents(rawValue: 4) }
    public static var error: PollEvents { PollEvents(rawValue: 8) }
    public static var hangUp: PollEvents { PollEvents(rawValue: 0x10) }
    public static var invalid: PollEvents { PollEvents(rawValue: 0x20) }
    public static var readHangUp: PollEvents { PollEvents(rawValue: 0x2000) }
}
