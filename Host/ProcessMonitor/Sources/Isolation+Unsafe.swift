import LinuxCalls
import MonitorSupport

/// What this process gives up before the guest runs. Every step must succeed: isolation is never silently weaker.
enum Isolation {
    /// CLONE_NEWCGROUP|CLONE_NEWUTS, and CLONE_NEWUSER.
    private static let namespaces: UInt64 = 0x0600_0000, userNamespace: UInt64 = 0x1000_0000
    /// The new root: a directory that holds nothing but this process's own descriptor numbers, and ends with it (proc(5)).
    private static let emptyPlace: StaticString = "/proc/self/fdinfo"
    /// "nobody"
    private static let nobody: UInt64 = 65534

    /// Root gives up being root; a user, who may not, gets a user namespace in which to have nothing.
    static func enter() throws(Refusal) {
        if call(__NR_geteuid) == 0 {
            try check(call(__NR_unshare, namespaces), "the system refuses namespaces")
            try enterEmptyPlace()
            try check(call(__NR_setgroups), "cannot leave the groups")
            try check(call(__NR_setresgid, nobody, nobody, nobody), "cannot leave the group")
            // Leaving user 0 clears every capability and makes the process undumpable (capabilities(7), prctl(2)).
            try check(call(__NR_setresuid, nobody, nobody, nobody), "cannot stop being root")
        } else {
            try check(call(__NR_unshare, namespaces | userNamespace), "the system refuses user namespaces, so this monitor cannot isolate")
            try enterEmptyPlace()
            try check(dropCapabilities(), "cannot drop the capabilities")
            try check(Linux.control(.setDumpable, 0), "cannot hide this process's memory")
        }
    }

    private static func check(_ result: Int64, _ text: StaticString) throws(Refusal) {
        guard result == 0 else { throw Refusal(.unavailable, text, errno: result) }
    }

    /// Shuts the file system out: neither a path from the root nor one from the working directory leads anywhere.
    private static func enterEmptyPlace() throws(Refusal) {
        try check(call(__NR_chroot, address(of: emptyPlace)), "cannot leave the file system (is /proc mounted?)")
        try check(call(__NR_chdir, address(of: "/")), "cannot leave the working directory")
    }

    private static func address(of path: StaticString) -> UInt64 {
        // SAFETY: a static string ends with a zero byte and lives for ever.
        unsafe UInt64(UInt(bitPattern: path.utf8Start))
    }

    private static func dropCapabilities() -> Int64 {
        // struct __user_cap_header_struct: version 3 and this process; then two times effective, permitted, inheritable.
        var header = InlineArray<2, UInt32>(repeating: 0)
        header[0] = 0x2008_0522
        var sets = InlineArray<6, UInt32>(repeating: 0)
        // SAFETY: the kernel reads both structures during the call.
        return unsafe withUnsafeMutablePointer(to: &header) { header in
            unsafe withUnsafeMutablePointer(to: &sets) { sets in
                call(__NR_capset, UInt64(UInt(bitPattern: header)), UInt64(UInt(bitPattern: sets)))
            }
        }
    }

    private static func call(_ number: Int32, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0) -> Int64 {
        brique_linux_call(Int64(number), a, b, c, 0, 0, 0)
    }
}
