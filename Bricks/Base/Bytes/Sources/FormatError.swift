/// Why bytes could not be parsed or written.
public enum FormatError: Error, Equatable {
    /// The input ends before the value does.
    case truncated
    /// The output has no room for the value.
    case full
    /// The bytes are there, but their value is not one the format allows.
    case invalid
}

/// The order of the bytes of an integer in a format.
public enum ByteOrder: Sendable {
    case little
    /// Network order.
    case big
}
