import LinuxCalls
import MonitorSupport
@testable import ProcessMonitor
import SampleImage
import Testing

private func verdict(_ call: Int32, _ a: UInt64 = 0, _ b: UInt64 = 0, _ c: UInt64 = 0) throws -> SystemCallFilter.Verdict {
    let map = try SampleInstance.map(memoryByteCount: 16 << 20, needsTables: false)
    return ProcessInstance.filter(map: map, control: HostControl(control: nil), links: HostLinks()).verdict(
        call: UInt32(call), [a, b, c, 0, 0, 0])
}

@Test func `a guest that opens, connects, starts or traces is refused`() throws {
    for call in [
        __NR_open, __NR_openat, __NR_openat2, __NR_socket, __NR_connect, __NR_ptrace, __NR_process_vm_readv, __NR_execve, __NR_execveat,
        __NR_clone,
        __NR_clone3, __NR_fork, __NR_vfork, __NR_mmap, __NR_mremap, __NR_brk, __NR_munmap, __NR_pkey_mprotect, __NR_unshare, __NR_setns,
        __NR_mount,
        __NR_rt_sigaction, __NR_rt_sigprocmask, __NR_sigaltstack, __NR_kill, __NR_prctl, __NR_arch_prctl, __NR_seccomp, __NR_ioctl,
        __NR_dup, __NR_fcntl,
        __NR_memfd_create, __NR_io_uring_setup, __NR_bpf, __NR_userfaultfd, __NR_shmget, __NR_msgget, __NR_getpid,
    ] {
        #expect(try verdict(call) == .trap, "call \(call)")
    }
}

@Test func `only the heap can change its access`() throws {
    let map = try SampleInstance.map(memoryByteCount: 16 << 20, needsTables: false)
    let start = GuestMemory.virtualBase + map.heapStart, end = GuestMemory.virtualBase + map.heapEnd
    for protection in [0, 1, 2, 3] as [UInt64] {
        #expect(try verdict(__NR_mprotect, start, 4096, protection) == .allow)
        #expect(try verdict(__NR_mprotect, end - 4096, 4096, protection) == .allow)
    }
    for address in [0, start - 4096, start - 1, end, 0x3000_0000_0000, 0x3000_0000_2000, 0x7fff_0000_0000, .max - 4095] as [UInt64] {
        #expect(try verdict(__NR_mprotect, address, 4096, 1) == .trap, "\(address)")
    }
    for count in [end - start + 1, 1 << 32, 1 << 44, .max] as [UInt64] { #expect(try verdict(__NR_mprotect, start, count, 1) == .trap) }
}

@Test func `nothing becomes executable`() throws {
    let map = try SampleInstance.map(memoryByteCount: 16 << 20, needsTables: false)
    let start = GuestMemory.virtualBase + map.heapStart
    for protection in [4, 5, 6, 7, 0xc, 1 << 24 | 1, 1 << 32 | 1, 1 << 63] as [UInt64] {
        #expect(try verdict(__NR_mprotect, start, 4096, protection) == .trap)
    }
}
