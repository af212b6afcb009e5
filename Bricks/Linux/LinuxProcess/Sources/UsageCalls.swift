import Bytes
import CLinuxFormat
import Errno
import LinuxMemory
import PageFrames
import Time

// What the process uses, and what it may.
extension LinuxThread {
    static func sysGetrlimit(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let resource = Int(arguments.uint32(0))
        guard resource < ResourceLimits.count else { throw .einval }
        try thread.memory.write(thread.process.limit(resource), at: arguments[1])
        return 0
    }

    static func sysSetrlimit(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let limit = try thread.memory.read(linux_rlimit.self, at: arguments[1])
        let resource = Int(arguments.uint32(0))
        guard resource < ResourceLimits.count else { throw .einval }
        try thread.process.setLimit(resource, limit)
        return 0
    }

    static func sysSysinfo(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var information = linux_sysinfo()
        let system = thread.process.system
        information.uptime = Int64(clamping: system.now.nanoseconds / 1_000_000_000)
        information.totalram = system.memoryByteCount
        information.freeram = min(UInt64(thread.memory.frames.freeCount) * AddressSpace.pageByteCount, information.totalram)
        information.procs = UInt16(clamping: thread.process.threads.count)
        information.mem_unit = 1
        try thread.memory.write(information, at: arguments[0])
        return 0
    }

    /// Time is the instance's: which thread used it, and whether in the program or for it, is not counted.
    static func sysGetrusage(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        var usage = linux_rusage()
        switch arguments.int32(0) {
        case 0, 1:
            let process = thread.process
            let passed = process.processorTime
            usage.ru_utime.tv_sec = Int64(clamping: passed / 1_000_000_000)
            usage.ru_utime.tv_usec = Int64(clamping: passed / 1000 % 1_000_000)
            usage.ru_maxrss = Int64(clamping: thread.memory.residentByteCount / 1024)
            usage.ru_minflt = Int64(clamping: thread.memory.faultCount)
        case -1: break
        default: throw .einval
        }
        try thread.memory.write(usage, at: arguments[1])
        return 0
    }
}
