#if !hasFeature(Embedded)
    import BootFormat
    import CHypercalls
    import Glibc

    /// The platform of tests: the hypercalls answered by Linux itself, in an ordinary process with its C library.
    @c(brique_hosted_gate)
    public func hostedGate(number: UInt64, a: UInt64, b: UInt64, c: UInt64) -> Int64 {
        // SAFETY: addresses come from spans that the typed hypercalls keep alive, with their own byte counts.
        switch Int32(truncatingIfNeeded: number) {
        case BRIQUE_CALL_EXIT: exit(Int32(truncatingIfNeeded: a))
        case BRIQUE_CALL_CONSOLE_WRITE: return unsafe result(write(1, UnsafeRawPointer(bitPattern: UInt(a)), Int(b)))
        case BRIQUE_CALL_CONSOLE_READ: return unsafe result(read(0, UnsafeMutableRawPointer(bitPattern: UInt(a)), Int(b)))
        case BRIQUE_CALL_WAIT: return waitForEvents(timeoutNanoseconds: a, mask: b)
        case BRIQUE_CALL_MONOTONIC_TIME: return nanoseconds(of: CLOCK_MONOTONIC)
        case BRIQUE_CALL_WALL_TIME: return nanoseconds(of: CLOCK_REALTIME)
        case BRIQUE_CALL_ENTROPY: return entropy(address: a, byteCount: b)
        case BRIQUE_CALL_PROTECT:
            let protection = c == 0 ? PROT_NONE : c == 1 ? PROT_READ : PROT_READ | PROT_WRITE
            return unsafe result(Int(mprotect(UnsafeMutableRawPointer(bitPattern: UInt(a)), Int(b), protection)))
        case BRIQUE_CALL_NETWORK_INFORMATION, BRIQUE_CALL_NETWORK_EXCHANGE: return -Int64(ENODEV)
        default: return -Int64(ENOSYS)
        }
    }

    private func result(_ value: Int) -> Int64 { value < 0 ? -Int64(errno) : Int64(value) }

    private func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        // SAFETY: the structure outlives the call.
        unsafe clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// At most 256 bytes at once, as getentropy(3) gives them.
    private func entropy(address: UInt64, byteCount: UInt64) -> Int64 {
        let count = Int(min(byteCount, 256))
        // SAFETY: the caller's span holds byteCount bytes at address.
        return unsafe getentropy(UnsafeMutableRawPointer(bitPattern: UInt(address))!, count) == 0 ? Int64(count) : -Int64(errno)
    }

    private func waitForEvents(timeoutNanoseconds: UInt64, mask: UInt64) -> Int64 {
        var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        let count: nfds_t = mask & UInt64(BRIQUE_EVENT_CONSOLE_INPUT) != 0 ? 1 : 0
        let (whole, rest) = timeoutNanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        let milliseconds = timeoutNanoseconds == .max ? -1 : Int32(clamping: whole + (rest == 0 ? 0 : 1))
        // SAFETY: the structure outlives the call.
        let ready = unsafe poll(&input, count, milliseconds)
        return ready > 0 ? Int64(BRIQUE_EVENT_CONSOLE_INPUT) : 0
    }
#endif
