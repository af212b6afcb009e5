import LinuxCalls
import MonitorSupport
import Testing

/// Runs `body` in a child that has the monitors' filter; the status as wait4(2) tells it.
private func statusOfFilteredChild(_ body: () -> Void) -> Int32 {
    // SAFETY: the child is a copy with one thread that makes system calls only, and never returns from here (fork(2)).
    let child = brique_linux_call(Int64(__NR_fork), 0, 0, 0, 0, 0, 0)
    if child == 0 {
        var filter = SystemCallFilter(forMonitor: .killProcess)
        filter.allowHost(control: HostControl(control: nil), links: HostLinks())
        filter.finish()
        if filter.install() == 0 { body() }
        Linux.exit(7)
    }
    var status: Int32 = -1
    // SAFETY: the kernel writes one 32-bit status.
    _ = unsafe withUnsafeMutablePointer(to: &status) {
        brique_linux_call(Int64(__NR_wait4), UInt64(bitPattern: child), UInt64(UInt(bitPattern: $0)), 0, 0, 0, 0)
    }
    return status
}

@Test func `a process behind the filter that opens a file is killed by the kernel`() {
    let sigsys: Int32 = 31
    #expect(statusOfFilteredChild { _ = FileDescriptor.open("/dev/null") } & 0x7f == sigsys)
    #expect(statusOfFilteredChild { _ = brique_linux_call(Int64(__NR_socket), 1, 1, 0, 0, 0, 0) } & 0x7f == sigsys)
    #expect(statusOfFilteredChild { _ = brique_linux_call(Int64(__NR_mmap), 0, 4096, 7, 0x22, ~0, 0) } & 0x7f == sigsys)
    #expect(statusOfFilteredChild { _ = brique_linux_call(Int64(__NR_execve), 0, 0, 0, 0, 0, 0) } & 0x7f == sigsys)
}

@Test func `a process behind the filter may tell the time and end`() {
    #expect(statusOfFilteredChild { Linux.exit(42) } == 42 << 8)
    #expect(statusOfFilteredChild { _ = brique_linux_call(Int64(__NR_clock_gettime), 1, 0, 0, 0, 0, 0) } == 7 << 8)
}
