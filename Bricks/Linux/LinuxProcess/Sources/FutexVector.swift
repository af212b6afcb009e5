import Errno
import LinuxMemory
import Time

extension LinuxThread {
    private static var vectorLimit: UInt32 { 128 }

    /// futex_waitv(2): waits for any of several words; the result is the index of one that was woken.
    static func sysFutexWaitv(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
        let count = arguments.uint32(1), clock = arguments.int32(4)
        guard arguments.uint32(2) == 0, count > 0, count <= vectorLimit, arguments[0] != 0 else { throw .einval }
        if arguments[3] != 0, clock != 0, clock != 1 { throw .einval }
        let deadline = try thread.deadline(at: arguments[3], isAbsolute: true, isRealTime: clock == 0)
        let futexes = thread.process.futexes
        var waiters: [FutexWaiter] = []
        defer {
            for waiter in waiters where !waiter.isWoken { futexes.remove(waiter) }
        }
        for index in 0..<UInt64(count) {
            // struct futex_waitv: val, uaddr, flags, reserved
            let place = arguments[0] &+ index * 24
            let value = try thread.memory.read(UInt64.self, at: place)
            let address = try thread.memory.read(UInt64.self, at: place &+ 8)
            let flags = try thread.memory.read(UInt32.self, at: place &+ 16)
            let reserved = try thread.memory.read(UInt32.self, at: place &+ 20)
            // FUTEX_32 is 2, FUTEX_PRIVATE_FLAG 128
            guard flags & ~0x82 == 0, flags & 2 != 0, reserved == 0, address % 4 == 0 else { throw .einval }
            guard try UInt64(thread.memory.read(UInt32.self, at: address)) == value & 0xffff_ffff else { throw .eagain }
            let waiter = FutexWaiter(thread, address, bits: .max)
            waiter.index = Int(index)
            futexes.add(waiter)
            waiters.append(waiter)
        }
        var failure: Errno?
        do throws(Errno) { try thread.wait(until: deadline) } catch { failure = error }
        for waiter in waiters where waiter.isWoken { return waiter.index }
        throw failure ?? .eagain
    }
}
