import Bytes
import CHypercalls
import CLinuxFormat
import Errno
import LinuxFormat
import LinuxMemory

/// clone(2), its flags.
private enum Clone {
    static var memory: UInt64 { 0x100 }
    static var parentSetTID: UInt64 { 0x10_0000 }
    static var childClearTID: UInt64 { 0x20_0000 }
    static var childSetTID: UInt64 { 0x100_0000 }
    static var setTLS: UInt64 { 0x8_0000 }
    static var thread: UInt64 { 0x1_0000 }
    static var signals: UInt64 { 0x800 }
    static var vfork: UInt64 { 0x4000 }
    static var folders: UInt64 { 0x200 }
    static var mounts: UInt64 { 0x2_0000 }
    static var users: UInt64 { 0x1000_0000 }

    /// Flags that do not go together.
    static func check(_ flags: UInt64) throws(Errno) {
        if flags & thread != 0, flags & signals == 0 { throw .einval }
        if flags & signals != 0, flags & memory == 0 { throw .einval }
        if flags & folders != 0, flags & (mounts | users) != 0 { throw .einval }
    }
}

extension LinuxThread {
    /// A new thread that goes on where this one is, on another stack.
    private func clone(_ request: linux_clone_arguments) throws(Errno) -> Int {
        let flags = request.flags
        try Clone.check(flags)
        guard flags & Clone.memory != 0, flags & Clone.vfork == 0 else { return try refuseFork() }
        // Memory without the thread group would be another process.
        guard flags & Clone.thread != 0 else { return try refuseFork() }
        let child = try process.makeThread()
        context.capture()
        child.context.copy(context)
        child.context.registers.rax = 0
        child.context.registers.action = 0
        if request.stack != 0 { child.context.registers.rsp = request.stack &+ request.stack_size }
        if flags & Clone.setTLS != 0 {
            guard request.tls < AddressSpace.highest else { throw .eperm }
            child.context.registers.fs_base = request.tls
        }
        child.signals.mask = signals.mask
        child.name = name
        let identifier = UInt32(bitPattern: child.identifier)
        if flags & Clone.parentSetTID != 0 { try memory.write(identifier, at: request.parent_tid) }
        if flags & Clone.childSetTID != 0 { try memory.write(identifier, at: request.child_tid) }
        if flags & Clone.childClearTID != 0 { child.clearOnExit = request.child_tid }
        try process.start(child)
        return Int(child.identifier)
    }

    func refuseFork() throws(Errno) -> Int {
        process.reportFork()
        throw .enosys
    }

    static func sysClone(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var request = linux_clone_arguments()
        request.flags = arguments[0] & ~0xff
        request.stack = arguments[1]
        request.parent_tid = arguments[2]
        request.child_tid = arguments[3]
        request.tls = arguments[4]
        return try thread.clone(request)
    }

    static func sysClone3(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let byteCount = arguments[1]
        guard byteCount >= 64, byteCount <= 4096 else { throw byteCount > 4096 ? .e2big : .einval }
        var request = linux_clone_arguments()
        if byteCount >= 88 {
            request = try thread.memory.read(linux_clone_arguments.self, at: arguments[0])
        } else {
            let first = try thread.memory.read(linux_clone_arguments_first.self, at: arguments[0])
            request.flags = first.flags
            request.child_tid = first.child_tid
            request.exit_signal = first.exit_signal
            request.parent_tid = first.parent_tid
            request.stack = first.stack
            request.stack_size = first.stack_size
            request.tls = first.tls
        }
        guard request.set_tid_size == 0, request.flags >> 34 == 0, request.flags & 0xff == 0 else { throw .einval }
        guard request.exit_signal <= UInt64(Signal.count), request.exit_signal == 0 || request.flags & Clone.thread == 0 else {
            throw .einval
        }
        guard (request.stack == 0) == (request.stack_size == 0) else { throw .einval }
        return try thread.clone(request)
    }

    static func sysExit(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        if thread.process.threads.count == 1 {
            thread.process.end(status: arguments.int32(0) & 0xff)
        } else {
            thread.isEnding = true
            thread.leaveProgram()
        }
        return 0
    }

    static func sysExitGroup(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        thread.process.end(status: arguments.int32(0) & 0xff)
        return 0
    }

    static func sysArchPrctl(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        switch arguments.int32(0) {
        case 0x1001, 0x1002:  // ARCH_SET_GS, ARCH_SET_FS
            guard arguments[1] < AddressSpace.highest else { throw .eperm }
            thread.context.capture()
            if arguments.int32(0) == 0x1002 {
                thread.context.registers.fs_base = arguments[1]
            } else {
                thread.context.registers.gs_base = arguments[1]
            }
            thread.context.forget()
        case 0x1003, 0x1004:  // ARCH_GET_FS, ARCH_GET_GS
            thread.context.capture()
            let base = arguments.int32(0) == 0x1003 ? thread.context.registers.fs_base : thread.context.registers.gs_base
            try thread.memory.write(base, at: arguments[1])
        default: throw .einval
        }
        return 0
    }
}

extension LinuxProcess {
    /// What a thread leaves behind (set_tid_address(2), set_robust_list(2)).
    func cleanUp(_ thread: LinuxThread) {
        releaseRobustList(of: thread)
        if thread.clearOnExit != 0, (try? memory.write(UInt32(0), at: thread.clearOnExit)) != nil {
            futexes.wake(thread.clearOnExit, count: 1)
        }
    }

    /// Locks that the thread still holds are marked, and one waiter of each is woken; the list may be anything, so it is bounded.
    private func releaseRobustList(of thread: LinuxThread) {
        guard thread.robustList != 0, let head = try? memory.read(linux_robust_list_head.self, at: thread.robustList) else { return }
        var entry = head.list
        var count = 0
        while entry & ~1 != thread.robustList, count < 2048 {
            guard let next = try? memory.read(UInt64.self, at: entry & ~1) else { return }
            if entry & ~1 != head.list_op_pending & ~1 { release(entry & ~1 &+ UInt64(bitPattern: head.futex_offset), of: thread) }
            entry = next
            count += 1
        }
        if head.list_op_pending != 0 { release(head.list_op_pending & ~1 &+ UInt64(bitPattern: head.futex_offset), of: thread) }
    }

    private func release(_ address: UInt64, of thread: LinuxThread) {
        guard address % 4 == 0, let word = try? memory.read(UInt32.self, at: address),
            word & FutexOperation.ownerMask == UInt32(bitPattern: thread.identifier)
        else { return }
        guard (try? memory.write(word & FutexOperation.waiters | FutexOperation.ownerDied, at: address)) != nil else { return }
        if word & FutexOperation.waiters != 0 { futexes.wake(address, count: 1) }
    }

    /// One line, that also names the program's own way around it where one is known.
    func reportFork() {
        guard !hasReportedFork else { return }
        hasReportedFork = true
        var line = StaticString("fork is not available here").bytes
        // A link may have led to a file of another name.
        let own = [name(of: arguments.first ?? []), name(of: executablePath)]
        Self.forkAdvice.forEachLine { advice in
            let program = advice.prefix { $0 != 0x20 }
            if own.contains(Array(program)) { line += [0x3a] + advice.dropFirst(program.count) }
        }
        system.log(line)
    }

    /// A program, and its own way without.
    private static var forkAdvice: StaticString {
        """
        nginx use -g 'daemon off; master_process off;'
        redis-server use --save '' --appendonly no --daemonize no
        valkey-server use --save '' --appendonly no --daemonize no
        memcached do not use -d
        php-fpm use php -S
        apache2 use -X
        lighttpd use -D
        haproxy use -db
        dnsmasq use --no-daemon
        unbound use -d
        gunicorn serve with a server of threads instead
        bash name the program itself: a shell runs programs by fork
        dash name the program itself: a shell runs programs by fork
        sh name the program itself: a shell runs programs by fork
        """
    }

    private func name(of path: [UInt8]) -> [UInt8] {
        guard let slash = path.lastIndex(of: 0x2f) else { return path }
        return Array(path[(slash + 1)...])
    }
}

extension LinuxThread {
    static func sysSetTidAddress(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        thread.clearOnExit = arguments[0]
        return Int(thread.identifier)
    }

    static func sysSetRobustList(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments[1] == UInt64(MemoryLayout<linux_robust_list_head>.size) else { throw .einval }
        thread.robustList = arguments[0]
        return 0
    }
}
