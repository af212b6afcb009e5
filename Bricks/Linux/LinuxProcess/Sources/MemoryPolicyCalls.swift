import Bytes
import CLinuxFormat
import Errno
import LinuxMemory

// Keys, barriers, nodes and copies: what is left of memory calls on one processor and one node.
extension LinuxThread {
    static func sysPkeyMprotect(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let key = arguments.int32(3)
        guard key == -1 || key == 0 else { throw .einval }
        return try thread.protect(arguments)
    }

    static func sysPkeyAlloc(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments[0] == 0, arguments[1] & ~3 == 0 else { throw .einval }
        throw .enospc
    }

    static func sysPkeyFree(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int { throw .einval }

    /// One processor sees its own stores in order; what is left is who registered.
    static func sysMembarrier(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let command = arguments.int32(0), flags = arguments.uint32(1)
        // MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ alone has a flag, which names a processor.
        guard flags == 0 || (command == 128 && flags == 1) else { throw .einval }
        switch command {
        case 0: return 0x1ff
        case 1, 2: return 0
        case 4, 16, 64, 256:
            thread.process.registeredBarriers |= command
            return 0
        case 8, 32, 128:
            guard thread.process.registeredBarriers & (command << 1) != 0 else { throw .eperm }
            return 0
        default: throw .einval
        }
    }

    static func sysGetMempolicy(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let flags = arguments[4]
        // MPOL_F_NODE 1, MPOL_F_ADDR 2, MPOL_F_MEMS_ALLOWED 4
        guard flags & ~7 == 0, flags & 4 == 0 || flags == 4 else { throw .einval }
        if flags & 2 != 0 {
            guard thread.memory.area(of: arguments[3]) != nil else { throw .efault }
        } else if arguments[3] != 0 {
            throw .einval
        }
        if flags & 3 == 1 { throw .einval }
        if arguments[0] != 0 { try thread.memory.write(UInt32(0), at: arguments[0]) }
        guard arguments[1] != 0 else { return 0 }
        guard arguments[2] > 0, arguments[2] <= 1 << 15 else { throw .einval }
        let words = (arguments[2] + 63) / 64
        for index in 0..<words {
            try thread.memory.write(index == 0 && flags & 4 != 0 ? UInt64(1) : 0, at: arguments[1] &+ index * 8)
        }
        return 0
    }

    static func sysSetMempolicy(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.checkPolicy(mode: arguments[0], nodes: arguments[1], bitCount: arguments[2])
    }

    static func sysMbind(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        guard arguments[5] & ~7 == 0 else { throw .einval }
        let range = try PageRange(arguments[0], arguments[1], overflow: .einval)
        _ = try thread.checkPolicy(mode: arguments[2], nodes: arguments[3], bitCount: arguments[4])
        guard let inside = range.inside else { return 0 }
        guard try thread.memory.forEachPart(inside.start, inside.end, { (_) throws(Errno) in }) else { throw .efault }
        return 0
    }

    /// The one node is node 0.
    private func checkPolicy(mode: UInt64, nodes: UInt64, bitCount: UInt64) throws(Errno) -> Int {
        // MPOL_F_STATIC_NODES, MPOL_F_RELATIVE_NODES
        guard mode & ~0xc000 <= 5, mode & 0xc000 != 0xc000 else { throw .einval }
        guard nodes != 0, bitCount > 1 else { return 0 }
        guard bitCount <= 1 << 15 else { throw .einval }
        let set = try memory.read(UInt64.self, at: nodes)
        guard set & ~1 == 0 else { throw .einval }
        return 0
    }

    // MARK: process_vm_readv(2) of itself

    static func sysProcessVMReadv(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.copyParts(arguments, toOther: false)
    }

    static func sysProcessVMWritev(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        try thread.copyParts(arguments, toOther: true)
    }

    private func copyParts(_ arguments: borrowing Arguments, toOther: Bool) throws(Errno) -> Int {
        guard arguments[5] == 0 else { throw .einval }
        var local = try parts(at: arguments[1], count: arguments[2]), other = try parts(at: arguments[3], count: arguments[4])
        let target = arguments.int32(0)
        guard target == process.identifier || process.thread(target) != nil else { throw .esrch }
        var done = 0
        while let first = local.first, let second = other.first {
            let count = min(first.iov_len, second.iov_len, 4096)
            let source = toOther ? first.iov_base : second.iov_base, target = toOther ? second.iov_base : first.iov_base
            do throws(Errno) {
                try copy(from: source, to: target, Int(count))
            } catch {
                if done > 0 { return done }
                throw error
            }
            done += Int(count)
            Self.advance(&local, by: count)
            Self.advance(&other, by: count)
        }
        return done
    }

    private func copy(from source: UInt64, to target: UInt64, _ byteCount: Int) throws(Errno) {
        guard byteCount > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: byteCount)
        var span = buffer.mutableSpan
        var raw = span.raw
        try memory.copyIn(source, into: &raw)
        try memory.copyOut(raw.bytes, to: target)
    }

    private static func advance(_ parts: inout [linux_iovec], by count: UInt64) {
        parts[0].iov_base &+= count
        parts[0].iov_len -= count
        if parts[0].iov_len == 0 { parts.removeFirst() }
    }

    private func parts(at address: UInt64, count: UInt64) throws(Errno) -> [linux_iovec] {
        guard count <= 1024 else { throw .einval }
        var parts: [linux_iovec] = []
        for index in 0..<count {
            let part = try memory.read(linux_iovec.self, at: address &+ index * 16)
            guard part.iov_len <= UInt64(Int.max) else { throw .einval }
            if part.iov_len > 0 { parts.append(part) }
        }
        return parts
    }
}
