import CHypercalls
import CLinuxFormat
import Errno
import LinuxMemory

// rseq(2): a thread learns its processor by one load, and a sequence that was interrupted starts again. One processor: number 0.
extension LinuxThread {
    private static var areaByteCount: UInt32 { 32 }

    static func sysRseq(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let address = arguments[0], byteCount = arguments.uint32(1), flags = arguments.int32(2), signature = arguments.uint32(3)
        // RSEQ_FLAG_UNREGISTER
        if flags & 1 != 0 {
            guard flags == 1, address == thread.restartableSequence, address != 0, byteCount == areaByteCount else { throw .einval }
            guard signature == thread.sequenceSignature else { throw .eperm }
            try thread.memory.write(UInt32(0), at: address)
            try thread.memory.write(UInt32.max, at: address + 4)
            thread.restartableSequence = 0
            return 0
        }
        guard flags == 0 else { throw .einval }
        if thread.restartableSequence != 0 {
            guard address == thread.restartableSequence, byteCount == areaByteCount else { throw .einval }
            throw signature == thread.sequenceSignature ? .ebusy : .eperm
        }
        guard address % 32 == 0, address != 0, byteCount == areaByteCount else { throw .einval }
        guard address < linuxHighest else { throw .efault }
        thread.restartableSequence = address
        thread.sequenceSignature = signature
        // cpu_id_start and cpu_id; the rest is the program's.
        try thread.memory.write(UInt64(0), at: address)
        return 0
    }

    /// The thread was interrupted: a sequence it was in goes on at its abort handler.
    func abortSequence() {
        guard restartableSequence != 0 else { return }
        do throws(Errno) {
            let descriptor = try memory.read(UInt64.self, at: restartableSequence + 8)
            guard descriptor != 0 else { return }
            // struct rseq_cs: version and flags, start_ip, post_commit_offset, abort_ip
            let start = try memory.read(UInt64.self, at: descriptor &+ 8)
            let byteCount = try memory.read(UInt64.self, at: descriptor &+ 16)
            let abort = try memory.read(UInt64.self, at: descriptor &+ 24)
            try memory.write(UInt64(0), at: restartableSequence + 8)
            guard context.registers.rip &- start < byteCount else { return }
            guard abort < AddressSpace.highest, try memory.read(UInt32.self, at: abort &- 4) == sequenceSignature else { throw .efault }
            context.registers.rip = abort
        } catch {
            forceSignal(linux_signal_information(signal: Signal.segment, code: 0x80))
        }
    }
}
