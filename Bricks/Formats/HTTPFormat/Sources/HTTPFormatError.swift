/// Why a message cannot be read or written.
public enum HTTPFormatError: Error, Equatable, Sendable {
    case badRequestLine
    case badStatusLine
    case startLineTooLong
    /// A version whose major number is not 1.
    case unsupportedVersion
    case badFieldName
    case badFieldValue
    /// A field that goes on in a second line (RFC 9112 §5.2).
    case foldedField
    /// A line that does not end with CR LF, or a CR or LF inside one.
    case badLineEnd
    case tooManyFields
    case headTooLarge
    /// No Host, several, or one that no host can have (RFC 9112 §3.2).
    case badHost
    case badContentLength
    /// A transfer coding other than chunked as the only one.
    case unsupportedTransferCoding
    /// Several rules for where the body ends: one of two readers would be deceived (RFC 9112 §6.1, §11.2).
    case ambiguousFraming
    case unsupportedExpectation
    case badChunk
    case bodyTooLarge
    /// The stream ends inside the message.
    case truncated
    /// The body written is not as long as its head says.
    case bodyLengthMismatch

    /// The status with which a server answers a request that has this error (RFC 9110 §15).
    public var status: Int {
        switch self {
        case .badRequestLine, .badStatusLine, .badFieldName, .badFieldValue, .foldedField, .badLineEnd, .badHost, .badContentLength,
            .ambiguousFraming, .badChunk, .truncated:
            400
        case .bodyTooLarge: 413
        case .startLineTooLong: 414
        case .unsupportedExpectation: 417
        case .tooManyFields, .headTooLarge: 431
        case .bodyLengthMismatch: 500
        case .unsupportedTransferCoding: 501
        case .unsupportedVersion: 505
        }
    }
}
