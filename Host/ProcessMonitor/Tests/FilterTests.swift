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

private let base = GuestMemory.virtualBase

/// The filter of an instance that runs programs: guest memory is descriptor 7, the image 8, a layer 9.
private func programFilter() throws -> SystemCallFilter {
    let map = try SampleInstance.map(memoryByteCount: 16 << 20, root: [1], needsTables: false)
    let files = ProgramFiles(memory: FileDescriptor(7), root: FileDescriptor(8), rootOffset: 4096, layer: FileDescriptor(9))
    return ProcessInstance.filter(
        map: map, control: HostControl(control: nil), links: HostLinks(), files: files, timer: try TickTimer())
}

@Test func `a program's calls all trap, whatever they are`() throws {
    let filter = try programFilter()
    // AUDIT_ARCH_X86_64 and AUDIT_ARCH_I386
    for architecture in [0xc000_003e, 0x4000_0003] as [UInt32] {
        for call in Array(0...500) + [0x4000_0000, 0x4000_0001, .max] as [UInt32] {
            for address in [0, 2, 0x40_0000, base - 1] as [UInt64] {
                let verdict = filter.verdict(
                    call: call, architecture: architecture, instructionPointer: address, [1, 4096, 0, 0, 0, 0])
                #expect(verdict == .trap, "call \(call) at \(address)")
            }
        }
    }
    let exit = UInt32(__NR_exit_group)
    for address in [base, base + 0x10_0000, 0x3000_0000_0000, 0x7fff_ffff_f000] as [UInt64] {
        #expect(filter.verdict(call: exit, instructionPointer: address, [0, 0, 0, 0, 0, 0]) == .allow)
        #expect(filter.verdict(call: exit, architecture: 0x4000_0003, instructionPointer: address, [0, 0, 0, 0, 0, 0]) == .killProcess)
    }
}

@Test func `programs' pages come from the instance's own files, shared, and are below the library OS`() throws {
    let filter = try programFilter()
    func verdict(
        _ address: UInt64, _ count: UInt64 = 4096, _ protection: UInt64 = 7, _ flags: UInt64 = 0x11, _ file: UInt64 = 7
    ) -> SystemCallFilter.Verdict {
        filter.verdict(call: UInt32(__NR_mmap), [address, count, protection, flags, file, 0])
    }
    for address in [4096, 0x40_0000, base - 4096] as [UInt64] { #expect(verdict(address) == .allow) }
    for address in [0, base, base + 4096, 0x3000_0000_0000, 0x7fff_0000_0000, .max - 4095] as [UInt64] {
        #expect(verdict(address) == .trap)
    }
    for count in [4096, 1 << 32, 1 << 44] as [UInt64] { #expect(verdict(4096, count) == .allow) }
    for count in [0, 1 << 44 + 1, 1 << 45, .max] as [UInt64] { #expect(verdict(4096, count) == .trap) }
    for protection in UInt64(0)...7 { #expect(verdict(4096, 4096, protection) == .allow) }
    for protection in [8, 1 << 24, 1 << 32] as [UInt64] { #expect(verdict(4096, 4096, protection) == .trap) }
    // Private, anonymous, anywhere, growing down, locked, huge pages
    for flags in [0, 1, 2, 0x10, 0x12, 0x13, 0x22, 0x31, 0x32, 0x111, 0x2011, 0x40011, 0x1_0000_0011] as [UInt64] {
        #expect(verdict(4096, 4096, 1, flags) == .trap)
    }
    for file in UInt64(0)...20 {
        let isTheirs = [7, 8, 9].contains(file)
        #expect(verdict(4096, 4096, 1, 0x11, file) == (isTheirs ? .allow : .trap))
    }
    #expect(verdict(4096, 4096, 1, 0x11, 0xffff_ffff) == .trap)
}

@Test func `what is unmapped is below the monitor, and one timer is set`() throws {
    let filter = try programFilter()
    func verdict(_ call: Int32, _ a: UInt64, _ b: UInt64) -> SystemCallFilter.Verdict {
        filter.verdict(call: UInt32(call), [a, b, 0, 0, 0, 0])
    }
    #expect(verdict(__NR_munmap, 4096, 4096) == .allow)
    #expect(verdict(__NR_munmap, base - 4096, 1 << 44) == .allow)
    #expect(verdict(__NR_munmap, base, 4096) == .trap)
    #expect(verdict(__NR_munmap, 4096, 1 << 45) == .trap)
    let timer = UInt64(try TickTimer().number)
    #expect(verdict(__NR_timer_settime, timer &+ 1, 0) == .trap)
    for call in [__NR_timer_create, __NR_mremap, __NR_madvise, __NR_brk, __NR_setitimer, __NR_rt_sigaction, __NR_prctl] {
        #expect(verdict(call, 4096, 4096) == .trap)
    }
}
