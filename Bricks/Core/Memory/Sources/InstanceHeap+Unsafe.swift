import BootFormat
import CHypercalls

// The heap of this instance, made of its region at the first use: an app that takes no memory carries no heap.
// SAFETY: one processor; the region is set by the start of day, before any other code runs. All of it is zero at
// first, for initialised data would be in every image.
nonisolated(unsafe) private var heap: Heap?
nonisolated(unsafe) private var regionStart: UInt = 0
nonisolated(unsafe) private var regionEnd: UInt = 0

func withHeap<Result>(_ body: (inout Heap) -> Result) -> Result {
    if unsafe heap == nil { makeHeap() }
    return unsafe body(&heap!)
}

@inline(never) private func makeHeap() {
    unsafe heap = unsafe Heap(base: max(regionStart, UInt(pageByteCount)), byteCount: Int(regionEnd - regionStart))
}

extension Memory {
    /// Gives the heap its memory: [start, end), page-aligned, owned by nobody else from now on. Once, before the first use.
    @unsafe public static func start(at start: UInt, end: UInt) {
        unsafe regionStart = start
        unsafe regionEnd = end
    }
}

#if hasFeature(Embedded)
    // What the C names of CRuntime (malloc and its family) stand on.

    /// The Swift runtime cannot be refused memory, it has no way to go on: without room the instance ends here.
    @c(brique_allocate)
    public func allocate(_ byteCount: UInt, _ alignment: UInt) -> UInt {
        guard let address = withHeap({ heap in heap.allocate(byteCount: Int(clamping: byteCount), alignment: max(Int(alignment), 16)) })
        else { panic("out of memory", kind: UInt32(BRIQUE_CRASH_OUT_OF_MEMORY)) }
        return address
    }

    @c(brique_free)
    public func free(_ address: UInt) {
        guard address == 0 || withHeap({ heap in heap.free(address) }) else {
            panic("free of memory that was never allocated", kind: UInt32(BRIQUE_CRASH_PANIC))
        }
    }

    @c(brique_usable_byte_count)
    public func usableByteCount(_ address: UInt) -> UInt { UInt(withHeap { heap in heap.usableByteCount(of: address) } ?? 0) }

    private func panic(_ message: StaticString, kind: UInt32) -> Never {
        // SAFETY: a static string lives for ever.
        unsafe brique_panic(kind, UnsafePointer(OpaquePointer(message.utf8Start)), UInt64(message.utf8CodeUnitCount))
    }
#endif
