import CHypercalls
import Errno

/// The registers of a thread while the library OS runs.
@safe public final class UserContext {
    public let pointer: UnsafeMutablePointer<brique_user_context>
    private let base: UnsafeMutableRawPointer
    public let extendedByteCount: Int

    /// `extendedByteCount`: what XSAVE needs (CPUID leaf 13).
    public init(extendedByteCount: Int) {
        self.extendedByteCount = extendedByteCount
        let byteCount = Int(BRIQUE_USER_CONTEXT_BYTES) + extendedByteCount
        // SAFETY: memory of this object's own, given back with it; the structure begins it and the extended state fills the rest.
        unsafe base = .allocate(byteCount: byteCount, alignment: 64)
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        unsafe pointer = base.assumingMemoryBound(to: brique_user_context.self)
        reset()
    }

    deinit { unsafe base.deallocate() }

    // SAFETY (all below): the pointer is this object's; the processor changes the state only while the thread runs.
    /// The state with which a program begins (System V AMD64 ABI §3.4.1).
    public func reset() {
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: Int(BRIQUE_USER_CONTEXT_BYTES) + extendedByteCount)
        unsafe (base + Int(BRIQUE_USER_CONTEXT_BYTES)).storeBytes(of: 0x37f, as: UInt16.self)
        unsafe (base + Int(BRIQUE_USER_CONTEXT_BYTES) + 24).storeBytes(of: 0x1f80, as: UInt32.self)
        unsafe pointer.pointee.is_full = 1
        unsafe pointer.pointee.rflags = 0x202
    }

    public var registers: brique_user_context {
        @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer) }
        @inline(__always) unsafeMutableAddress { unsafe pointer }
    }

    /// Copies everything of another thread: what clone(2) gives to the new one.
    public func copy(_ other: UserContext) {
        unsafe base.copyMemory(from: other.base, byteCount: Int(BRIQUE_USER_CONTEXT_BYTES) + extendedByteCount)
    }

    /// The extended state, as XSAVE lays it out.
    public func withExtended<Result>(_ body: (inout MutableRawSpan) throws(Errno) -> Result) throws(Errno) -> Result {
        var span = unsafe MutableRawSpan(_unsafeStart: base + Int(BRIQUE_USER_CONTEXT_BYTES), byteCount: extendedByteCount)
        return try body(&span)
    }

    #if hasFeature(Embedded)
        /// Puts all of it into memory.
        public func capture() { unsafe brique_program_capture(pointer) }
        /// FS, GS or the vectors were changed in memory: the processor's are old.
        public func forget() { unsafe brique_program_forget(pointer) }
        public func enter() { unsafe brique_program_enter(pointer) }
    #else
        public func capture() {}
        public func forget() {}
        public func enter() {}
    #endif
}
