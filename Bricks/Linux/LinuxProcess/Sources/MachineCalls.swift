import Bytes
import CLinuxFormat
import Errno
import LinuxMemory
import VFS

/// What uname(2) tells.
public enum KernelName {
    public static var release: StaticString { "6.1.0-brique" }
    public static var version: StaticString { "#1 SMP PREEMPT_DYNAMIC" }
}

extension LinuxThread {
    /// struct utsname: six fields of 65 bytes.
    static func sysUname(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var bytes: [UInt8] = []
        var parts: [[UInt8]] = [Array("Linux".utf8), thread.process.hostName, [], [], Array("x86_64".utf8), Array("(none)".utf8)]
        append(KernelName.release, to: &parts[2])
        append(KernelName.version, to: &parts[3])
        for part in parts {
            let end = bytes.count + 65
            bytes.append(contentsOf: part.prefix(64))
            while bytes.count < end { bytes.append(0) }
        }
        try thread.memory.copyOut(bytes.raw, to: arguments[0])
        return 0
    }

    static func sysGetrandom(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments.uint32(2)
        // GRND_NONBLOCK 1, GRND_RANDOM 2, GRND_INSECURE 4
        guard flags & ~7 == 0, flags & 6 != 6 else { throw .einval }
        let byteCount = Int(min(arguments[1], 0x7fff_ffff))
        var done = 0
        while done < byteCount {
            let part = min(byteCount - done, 1 << 16)
            do throws(Errno) {
                try thread.memory.withWritable(arguments[0] &+ UInt64(done), part) { (bytes) throws(Errno) in
                    thread.process.system.fill(&bytes)
                }
            } catch {
                if done > 0 { return done }
                throw error
            }
            done += part
            if done < byteCount, thread.hasSignal { return done }
        }
        return done
    }

    static func sysPrlimit64(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let resource = Int(arguments.uint32(1))
        guard resource < ResourceLimits.count else { throw .einval }
        var new: linux_rlimit?
        if arguments[2] != 0 { new = try thread.memory.read(linux_rlimit.self, at: arguments[2]) }
        try thread.process.check(arguments.int32(0))
        let old = thread.process.limit(resource)
        if let new { try thread.process.setLimit(resource, new) }
        if arguments[3] != 0 { try thread.memory.write(old, at: arguments[3]) }
        return 0
    }
}

extension LinuxProcess {
    /// `.esrch`: neither 0 nor a thread of this process.
    func check(_ identifier: Int32) throws(Errno) {
        guard identifier == 0 || thread(identifier) != nil else { throw .esrch }
    }

    func limit(_ resource: Int) -> linux_rlimit { linux_rlimit(rlim_cur: limits.soft[resource], rlim_max: limits.hard[resource]) }

    /// `.eperm`: only root raises what is allowed at most.
    func setLimit(_ resource: Int, _ limit: linux_rlimit) throws(Errno) {
        guard limit.rlim_cur <= limit.rlim_max else { throw .einval }
        if resource == ResourceLimits.openFiles, limit.rlim_max > UInt64(DescriptorTable.highestLimit) { throw .eperm }
        if limit.rlim_max > limits.hard[resource], !credentials.has(.resources) { throw .eperm }
        limits.soft[resource] = limit.rlim_cur
        limits.hard[resource] = limit.rlim_max
        applyLimits()
    }

    /// Brings those in step that keep a limit of their own.
    func applyLimits() {
        descriptors.limit = Int(clamping: limits.soft[ResourceLimits.openFiles])
        memory.byteLimit = limits.soft[ResourceLimits.addressSpace]
        memory.stackByteLimit = limits.soft[ResourceLimits.stack]
    }
}

extension ResourceLimits {
    static var stack: Int { 3 }
    static var openFiles: Int { 7 }
    static var lockedMemory: Int { 8 }
    static var addressSpace: Int { 9 }
}
