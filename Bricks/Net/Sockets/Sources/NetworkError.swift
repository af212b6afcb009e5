import NetStack
import TCP

/// Why a network operation did not succeed.
public enum NetworkError: Error, Equatable, Sendable {
    /// Nobody listens there.
    case refused
    /// The peer gave the connection up.
    case reset
    /// The deadline passed, or the peer stopped to answer.
    case timedOut
    /// There is no way to the peer.
    case unreachable
    /// The task was cancelled.
    case cancelled
    /// This end was closed.
    case closed
    case addressInUse
    /// Not an address of this instance.
    case addressNotAvailable
    case tooManyConnections
    /// A datagram longer than IP can carry.
    case tooLong
    /// The link has no room.
    case busy
    /// The name does not exist, or has no address.
    case noSuchName
    /// Not a name.
    case invalidName
    /// No name server answered, or the one that did could not.
    case resolverFailed
    /// The instance has no network.
    case noNetwork

    init(_ failure: TCPFailure) {
        self =
            switch failure {
            case .refused: .refused
            case .reset: .reset
            case .timedOut: .timedOut
            case .aborted: .closed
            case .unreachable: .unreachable
            }
    }

    init(_ failure: TCPOpenFailure) {
        self =
            switch failure {
            case .addressInUse: .addressInUse
            case .addressNotAvailable: .addressNotAvailable
            case .unreachable: .unreachable
            case .tooManyConnections: .tooManyConnections
            }
    }

    init(_ failure: UDPFailure) {
        self =
            switch failure {
            case .unreachable: .unreachable
            case .refused: .refused
            case .tooLong: .tooLong
            case .busy: .busy
            case .addressInUse: .addressInUse
            case .addressNotAvailable: .addressNotAvailable
            }
    }
}
