import CLinuxFormat
import Errno
import LinuxMemory

extension LinuxThread {
    /// The words of each set in a version of the header; nil: no version.
    private static func capabilityWords(_ version: UInt32) -> Int? {
        switch version {
        case 0x1998_0330: 1
        case 0x2007_1026, 0x2008_0522: 2
        default: nil
        }
    }

    private func capabilityHeader(at address: UInt64) throws(Errno) -> (words: Int, identifier: Int32)? {
        let header = try memory.read(linux_capability_header.self, at: address)
        guard let words = Self.capabilityWords(header.version) else {
            try memory.write(UInt32(0x2008_0522), at: address)
            return nil
        }
        return (words, header.pid)
    }

    static func sysCapget(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard let header = try thread.capabilityHeader(at: arguments[0]) else {
            if arguments[1] == 0 { return 0 }
            throw .einval
        }
        guard header.identifier >= 0 else { throw .einval }
        try thread.process.check(header.identifier)
        guard arguments[1] != 0 else { return 0 }
        let credentials = thread.process.credentials
        for index in 0..<header.words {
            let shift = UInt64(index * 32)
            let data = linux_capability_data(
                effective: UInt32(truncatingIfNeeded: credentials.effective >> shift),
                permitted: UInt32(truncatingIfNeeded: credentials.permitted >> shift),
                inheritable: UInt32(truncatingIfNeeded: credentials.inheritable >> shift))
            try thread.memory.write(data, at: arguments[1] &+ UInt64(index * 12))
        }
        return 0
    }

    static func sysCapset(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard let header = try thread.capabilityHeader(at: arguments[0]) else { throw .einval }
        guard header.identifier == 0 || header.identifier == thread.identifier else { throw .eperm }
        var effective: UInt64 = 0, permitted: UInt64 = 0, inheritable: UInt64 = 0
        for index in 0..<header.words {
            let data = try thread.memory.read(linux_capability_data.self, at: arguments[1] &+ UInt64(index * 12))
            effective |= UInt64(data.effective) << UInt64(index * 32)
            permitted |= UInt64(data.permitted) << UInt64(index * 32)
            inheritable |= UInt64(data.inheritable) << UInt64(index * 32)
        }
        effective &= Capability.all
        permitted &= Capability.all
        inheritable &= Capability.all
        let old = thread.process.credentials
        guard permitted & ~old.permitted == 0, effective & ~permitted == 0 else { throw .eperm }
        let mayInherit = old.inheritable | (old.has(.setCapabilities) ? old.bounding : old.permitted)
        guard inheritable & ~mayInherit == 0 else { throw .eperm }
        thread.process.credentials.effective = effective
        thread.process.credentials.permitted = permitted
        thread.process.credentials.inheritable = inheritable
        return 0
    }
}
