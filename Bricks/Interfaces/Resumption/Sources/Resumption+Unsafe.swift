/// A suspended task, to be resumed by whoever holds this. Resuming again changes nothing.
///
/// Not thread-safe: it belongs to one run loop, or to one actor.
@safe public final class Resumption: @unchecked Sendable {
    private var continuation: UnsafeContinuation<Void, Never>?

    /// Suspends the calling task, after `body` has put the resumption where it will be found.
    public static func suspend(isolation: isolated (any Actor)? = #isolation, _ body: (Resumption) -> Void) async {
        await unsafe withUnsafeContinuation { continuation in
            // SAFETY: the continuation is resumed once at most, for `resume` forgets it.
            body(unsafe Resumption(continuation))
        }
    }

    private init(_ continuation: UnsafeContinuation<Void, Never>) { unsafe self.continuation = continuation }

    public func resume() {
        guard let suspended = unsafe continuation else { return }
        unsafe continuation = nil
        unsafe suspended.resume()
    }
}
