import CHypercalls
import Memory

/// A body of code with a stack of its own, which stops in the middle and goes on later.
///
/// `resume` runs it until it suspends or ends; `suspend`, called from inside, goes back to whoever resumed it.
/// Not thread-safe; `resume` does not nest into the same coroutine.
@safe public final class Coroutine {
    private let stack: GuardedStack
    private var body: (() -> Void)?
    /// Two saved contexts: the coroutine's own, and its resumer's. Behind a pointer, for a switch writes one while the
    /// code that it switches to reads the other.
    private let contexts: UnsafeMutablePointer<(own: UInt64, resumer: UInt64)>
    public private(set) var isFinished = false

    public init(stackByteCount: Int, body: @escaping () -> Void) throws(OutOfMemory) {
        stack = try GuardedStack(byteCount: stackByteCount)
        self.body = body
        unsafe contexts = .allocate(capacity: 1)
        // SAFETY: the entry reads its argument at the first resume, which holds a reference to this object.
        let own = unsafe brique_context_make(UInt64(stack.top), coroutineEntry, Unmanaged.passUnretained(self).toOpaque())
        unsafe contexts.initialize(to: (own, 0))
    }

    deinit { unsafe contexts.deallocate() }

    public func resume() {
        precondition(!isFinished, "a finished coroutine does not go on")
        // SAFETY: `own` is a context that `make` or `suspend` saved, on a stack that this object keeps.
        unsafe brique_context_switch(&contexts.pointee.resumer, contexts.pointee.own)
    }

    /// To be called from inside the body only.
    public func suspend() {
        // SAFETY: `resumer` was saved by the `resume` that runs this body, and whose frame is still there.
        unsafe brique_context_switch(&contexts.pointee.own, contexts.pointee.resumer)
    }

    fileprivate func run() {
        body?()
        body = nil
        isFinished = true
        suspend()
    }
}

private func coroutineEntry(_ argument: UnsafeMutableRawPointer?) {
    // SAFETY: the argument that `init` gave. Unretained: the frame never returns, so it could
    // give nothing back; `resume` refuses a finished coroutine.
    unsafe Unmanaged<Coroutine>.fromOpaque(argument!)._withUnsafeGuaranteedRef { coroutine in coroutine.run() }
}
