import CLinuxFormat
import Errno
import LinuxMemory

/// What prctl(2) and personality(2) keep.
struct ProcessAttributes {
    var isDumpable: UInt64 = 1
    var parentDeathSignal: Int32 = 0
    var isSubreaper = false
    var hasNoHugePages = false
    var personality: UInt64 = 0
}

extension LinuxThread {
    static func sysPrctl(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        switch arguments.int32(0) {
        case 1...8: try thread.controlProcess(arguments)
        case 13: 0  // PR_GET_TIMING
        case 14: arguments[1] == 0 ? 0 : try refuse(.einval)  // PR_SET_TIMING
        case 15, 16: try thread.controlName(arguments)
        case 21: 0  // PR_GET_SECCOMP
        case 22: try refuse(.einval)  // PR_SET_SECCOMP
        case 23, 24, 27, 28, 38, 39, 47: try thread.controlPrivileges(arguments)
        default: try thread.controlRest(arguments)
        }
    }

    private static func refuse(_ error: Errno) throws(Errno) -> Int { throw error }

    private func controlProcess(_ arguments: borrowing Arguments) throws(Errno) -> Int {
        switch arguments.int32(0) {
        case 1:  // PR_SET_PDEATHSIG
            guard arguments[1] <= UInt64(Signal.count) else { throw .einval }
            process.attributes.parentDeathSignal = arguments.int32(1)
        case 2: try memory.write(process.attributes.parentDeathSignal, at: arguments[1])
        case 3: return Int(process.attributes.isDumpable)
        case 4:  // PR_SET_DUMPABLE
            guard arguments[1] <= 1 else { throw .einval }
            process.attributes.isDumpable = arguments[1]
        case 7: return process.credentials.keepsCapabilities ? 1 : 0
        case 8:  // PR_SET_KEEPCAPS
            guard arguments[1] <= 1 else { throw .einval }
            process.credentials.keepsCapabilities = arguments[1] == 1
        default: throw .einval
        }
        return 0
    }

    /// PR_SET_NAME and PR_GET_NAME: 15 bytes and a zero.
    private func controlName(_ arguments: borrowing Arguments) throws(Errno) -> Int {
        if arguments.int32(0) == 15 {
            var bytes: [UInt8] = []
            while bytes.count < 15 {
                let byte = try memory.read(UInt8.self, at: arguments[1] &+ UInt64(bytes.count))
                if byte == 0 { break }
                bytes.append(byte)
            }
            name = bytes
            return 0
        }
        for index in 0..<16 { try memory.write(index < name.count ? name[index] : 0, at: arguments[1] &+ UInt64(index)) }
        return 0
    }

    private func controlPrivileges(_ arguments: borrowing Arguments) throws(Errno) -> Int {
        switch arguments.int32(0) {
        case 23:  // PR_CAPBSET_READ
            guard arguments[1] <= UInt64(Capability.last) else { throw .einval }
            return Int(process.credentials.bounding >> arguments[1] & 1)
        case 24:  // PR_CAPBSET_DROP
            guard process.credentials.has(.setCapabilities) else { throw .eperm }
            guard arguments[1] <= UInt64(Capability.last) else { throw .einval }
            process.credentials.bounding &= ~(1 << arguments[1])
            return 0
        case 27: return 0  // PR_GET_SECUREBITS
        case 28: throw .eperm  // PR_SET_SECUREBITS
        case 38:  // PR_SET_NO_NEW_PRIVS
            guard arguments[1] == 1, arguments[2] | arguments[3] | arguments[4] == 0 else { throw .einval }
            process.credentials.hasNoNewPrivileges = true
            return 0
        case 39:
            guard arguments[1] | arguments[2] | arguments[3] | arguments[4] == 0 else { throw .einval }
            return process.credentials.hasNoNewPrivileges ? 1 : 0
        default: return try controlAmbient(arguments)
        }
    }

    /// PR_CAP_AMBIENT: a set that stays empty, for no execve(2) needs it.
    private func controlAmbient(_ arguments: borrowing Arguments) throws(Errno) -> Int {
        if arguments[1] == 4 {
            guard arguments[2] | arguments[3] | arguments[4] == 0 else { throw .einval }
            return 0
        }
        guard arguments[3] | arguments[4] == 0, arguments[2] <= UInt64(Capability.last) else { throw .einval }
        switch arguments[1] {
        case 1, 3: return 0
        case 2: throw .eperm
        default: throw .einval
        }
    }

    private func controlRest(_ arguments: borrowing Arguments) throws(Errno) -> Int {
        switch arguments.int32(0) {
        case 25: try memory.write(UInt32(1), at: arguments[1])  // PR_GET_TSC: as it is
        case 26: if arguments[1] != 1 { throw .einval }
        case 29: timerSlack = arguments[1] == 0 ? Self.usualTimerSlack : arguments[1]
        case 30: return Int(clamping: timerSlack)
        case 31, 32, 33: return 0  // PR_TASK_PERF_EVENTS_DISABLE and ENABLE, PR_MCE_KILL
        case 34: return 2  // PR_MCE_KILL_DEFAULT
        case 35: throw .eperm  // PR_SET_MM
        case 36: process.attributes.isSubreaper = arguments[1] != 0
        case 37: try memory.write(Int32(process.attributes.isSubreaper ? 1 : 0), at: arguments[1])
        case 40: try memory.write(clearOnExit, at: arguments[1])
        case 41:
            guard arguments[2] | arguments[3] | arguments[4] == 0 else { throw .einval }
            process.attributes.hasNoHugePages = arguments[1] != 0
        case 42:
            guard arguments[1] | arguments[2] | arguments[3] | arguments[4] == 0 else { throw .einval }
            return process.attributes.hasNoHugePages ? 1 : 0
        case 0x5356_4d41: try nameArea(arguments)  // PR_SET_VMA
        case 0x5961_6d61: return 0  // PR_SET_PTRACER
        default: throw .einval
        }
        return 0
    }

    /// PR_SET_VMA_ANON_NAME: accepted where it could be shown.
    private func nameArea(_ arguments: borrowing Arguments) throws(Errno) {
        guard arguments[1] == 0 else { throw .einval }
        if arguments[4] != 0 { _ = try memory.string(at: arguments[4], limit: 80) }
        let range = try PageRange(arguments[2], arguments[3], overflow: .einval)
        guard let inside = range.inside else { return }
        let isWhole = try memory.forEachPart(inside.start, inside.end) { (part) throws(Errno) in
            if part.mapping != nil { throw .ebadf }
        }
        guard isWhole else { throw .enomem }
    }

    static func sysPersonality(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let old = thread.process.attributes.personality
        if arguments.uint32(0) != .max { thread.process.attributes.personality = UInt64(arguments.uint32(0)) }
        return Int(old)
    }

    static var usualTimerSlack: UInt64 { 50_000 }
}
