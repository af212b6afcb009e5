import LinuxCalls

extension SystemCallFilter {
    /// Puts the filter in force for this process, for good. Minus an errno if the kernel refuses it.
    public func install() -> Int64 {
        let privileges = Linux.control(.setNoNewPrivileges, 1)
        guard privileges == 0 else { return privileges }
        var instructions = program
        // SAFETY: the kernel copies `count` instructions during the call; the array outlives it.
        return unsafe withUnsafeMutablePointer(to: &instructions) { instructions in
            let first = unsafe UnsafeMutableRawPointer(instructions).assumingMemoryBound(to: sock_filter.self)
            var header = unsafe sock_fprog(len: UInt16(count), filter: first)
            return unsafe withUnsafeMutablePointer(to: &header) { pointer in
                let address = UInt64(UInt(bitPattern: pointer))
                return Linux.call(__NR_seccomp, UInt64(SECCOMP_SET_MODE_FILTER), 0, address)
            }
        }
    }
}
