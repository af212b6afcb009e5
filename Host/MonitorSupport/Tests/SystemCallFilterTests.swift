import LinuxCalls
import MonitorSupport
import Testing

private let nothing: InlineArray<6, UInt64> = [0, 0, 0, 0, 0, 0]

private func filter(
    _ otherwise: SystemCallFilter.Otherwise = .killProcess, links: HostLinks = HostLinks()
) -> SystemCallFilter {
    var filter = SystemCallFilter(forMonitor: otherwise)
    filter.allowHost(control: HostControl(control: FileDescriptor(9)), links: links)
    filter.finish()
    return filter
}

@Test func `only the console's calls are allowed, of all numbers there are`() {
    let allowed = Set(
        [__NR_read, __NR_write, __NR_ppoll, __NR_restart_syscall, __NR_clock_gettime, __NR_getrandom, __NR_exit_group, __NR_rt_sigreturn]
            .map(UInt32.init))
    let filter = filter()
    for call in UInt32(0)...2000 where !allowed.contains(call) {
        #expect(filter.verdict(call: call, nothing) == .killProcess, "call \(call)")
    }
    for call in allowed {
        #expect(filter.verdict(call: call, call == UInt32(__NR_write) ? [1, 0, 0, 0, 0, 0] : nothing) == .allow, "call \(call)")
    }
    for call in [0x4000_0000, 0x4000_0001, 0x8000_0001, UInt32.max] { #expect(filter.verdict(call: call, nothing) == .killProcess) }
}

@Test func `numbers of another architecture are never allowed`() {
    // AUDIT_ARCH_I386 and AUDIT_ARCH_AARCH64
    for architecture in [0x4000_0003, 0xc000_00b7, 0] as [UInt32] {
        for call in UInt32(0)...500 { #expect(filter(.trap).verdict(call: call, architecture: architecture, nothing) == .killProcess) }
    }
}

@Test func `descriptors other than the console's and the control's are refused`() {
    let filter = filter(.trap)
    for descriptor in UInt64(0)...64 {
        let arguments: InlineArray<6, UInt64> = [descriptor, 0, 0, 0, 0, 0]
        #expect(filter.verdict(call: UInt32(__NR_write), arguments) == ([1, 2, 9].contains(descriptor) ? .allow : .trap))
        #expect(filter.verdict(call: UInt32(__NR_read), arguments) == (descriptor == 0 ? .allow : .trap))
    }
}

@Test func `signals go to this process only`() {
    let filter = filter()
    let process = UInt64(Linux.processIdentifier)
    #expect(filter.verdict(call: UInt32(__NR_tgkill), [process, process, 2, 0, 0, 0]) == .allow)
    #expect(filter.verdict(call: UInt32(__NR_tgkill), [process + 1, process, 2, 0, 0, 0]) == .killProcess)
    #expect(filter.verdict(call: UInt32(__NR_tgkill), [1, 1, 9, 0, 0, 0]) == .killProcess)
    #expect(filter.verdict(call: UInt32(__NR_ppoll), [0, 2, 0, 0, 0, 0]) == .killProcess)
}

@Test func `a range is compared in all of its 64 bits`() {
    let low: UInt64 = 0x2000_0010_0000, high: UInt64 = 0x2001_8000_0000
    var filter = SystemCallFilter(otherwise: .trap, highestCall: 20, gap: 17..<18)
    filter.allow(10, where: .inside(0, low, high), .withoutBits(1, ~3), .equals(2, 0x1_0000_0002))
    filter.finish()
    func verdict(_ a: UInt64, _ b: UInt64 = 3, _ c: UInt64 = 0x1_0000_0002) -> SystemCallFilter.Verdict {
        filter.verdict(call: 10, [a, b, c, 0, 0, 0])
    }
    for inside in [low, low + 1, 0x2000_ffff_ffff, 0x2001_0000_0000, 0x2001_7fff_ffff, high] { #expect(verdict(inside) == .allow) }
    for outside in [0, low - 1, 0x2000_0000_0000, high + 1, 0x2001_ffff_ffff, 0x2002_0000_0000, 0x10_0000, 0x1fff_ffff_ffff, .max] {
        #expect(verdict(outside) == .trap)
    }
    for bits in [4, 7, 1 << 32, 1 << 63 | 1] as [UInt64] { #expect(verdict(low, bits) == .trap) }
    for value in [2, 0x1_0000_0003, 0x2_0000_0002] as [UInt64] { #expect(verdict(low, 3, value) == .trap) }
}

@Test func `an instance with links may read and write them, and wait for them, and nothing more`() {
    var links = HostLinks()
    for number in [4, 7, 12, 100] as [Int32] {
        let link = HostLink(descriptor: FileDescriptor(number), address: 0, maximumTransmissionUnit: 1500, offloads: 0)
        let isAdded = links.append(link)
        #expect(isAdded)
    }
    let filter = filter(.trap, links: links)
    for descriptor in UInt64(0)...110 {
        let isLink = [4, 7, 12, 100].contains(descriptor)
        #expect(filter.verdict(call: UInt32(__NR_read), [descriptor, 0, 0, 0, 0, 0]) == (isLink || descriptor == 0 ? .allow : .trap))
        #expect(filter.verdict(call: UInt32(__NR_writev), [descriptor, 0, 8, 0, 0, 0]) == (isLink ? .allow : .trap))
        #expect(filter.verdict(call: UInt32(__NR_writev), [descriptor, 0, 9, 0, 0, 0]) == .trap)
        #expect(filter.verdict(call: UInt32(__NR_readv), [descriptor, 0, 1, 0, 0, 0]) == .trap)
    }
    #expect(filter.verdict(call: UInt32(__NR_ppoll), [0, 5, 0, 0, 0, 0]) == .allow)
    #expect(filter.verdict(call: UInt32(__NR_ppoll), [0, 6, 0, 0, 0, 0]) == .trap)
    for call in [__NR_sendmsg, __NR_recvmsg, __NR_sendto, __NR_fcntl, __NR_close] {
        #expect(filter.verdict(call: UInt32(call), [4, 0, 0, 0, 0, 0]) == .trap)
    }
}
