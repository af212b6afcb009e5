import LinuxCalls

extension SharedObject {
    static func byte(of name: StaticString, at index: Int) -> UInt8 {
        precondition(index < name.utf8CodeUnitCount)
        // SAFETY: all literals here are strings, not single scalars, so the pointer is to utf8CodeUnitCount constant bytes.
        return unsafe name.utf8Start[index]
    }
}

/// The host's clocks (clock_gettime(2)), by the function that the kernel lends every process if there is one (vdso(7)).
struct Clock: Sendable {
    /// CLOCK_REALTIME and CLOCK_MONOTONIC.
    static let real: Int32 = 0, monotonic: Int32 = 1

    /// 0: the system call does it.
    private let function: UInt64

    init() {
        let start = unsafe brique_host_program().vdso
        // SAFETY: the kernel maps the object, at least one page, for as long as the process lives (AT_SYSINFO_EHDR, getauxval(3)).
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: UInt(start)),
            let byteCount = SharedObject.byteCount(unsafe RawSpan(_unsafeStart: pointer, byteCount: Int(InstanceMap.pageByteCount))),
            // The header says what of it is mapped.
            let object = SharedObject(unsafe RawSpan(_unsafeStart: pointer, byteCount: byteCount)),
            let offset = object.function("__vdso_clock_gettime")
        else {
            function = 0
            return
        }
        function = start + UInt64(offset)
    }

    func nanoseconds(_ clock: Int32) -> Int64 {
        var time = InlineArray<2, Int64>(repeating: 0)
        // SAFETY: one timespec is written: two 64-bit words.
        let result = unsafe withUnsafeMutablePointer(to: &time) {
            unsafe brique_clock_get(function, clock, UnsafeMutableRawPointer($0).assumingMemoryBound(to: Int64.self))
        }
        return result < 0 ? result : time[0] &* 1_000_000_000 &+ time[1]
    }
}
