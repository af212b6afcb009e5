import CLinuxFormat
import Errno
import LinuxMemory
import Time

/// A thread that waits for a word to change (futex(2)).
final class FutexWaiter {
    let thread: LinuxThread
    var address: UInt64
    private(set) var bits: UInt32
    var isWoken = false
    var next: FutexWaiter?
    var previous: FutexWaiter?
    /// The place in futex_waitv(2)'s array.
    var index = 0

    init(_ thread: LinuxThread, _ address: UInt64, bits: UInt32) {
        self.thread = thread
        self.address = address
        self.bits = bits
    }

    /// For the next wait.
    func reset(_ address: UInt64, bits: UInt32) {
        self.address = address
        self.bits = bits
        isWoken = false
    }
}

/// All waiters, hashed by address, first come first served.
public final class FutexTable {
    private var heads = [FutexWaiter?](repeating: nil, count: 256)
    private var tails = [FutexWaiter?](repeating: nil, count: 256)

    private func slot(_ address: UInt64) -> Int { Int(truncatingIfNeeded: (address >> 2) ^ (address >> 10)) & 255 }

    func add(_ waiter: FutexWaiter) {
        let slot = slot(waiter.address)
        waiter.previous = tails[slot]
        waiter.next = nil
        if let tail = tails[slot] { tail.next = waiter } else { heads[slot] = waiter }
        tails[slot] = waiter
    }

    func remove(_ waiter: FutexWaiter) {
        let slot = slot(waiter.address)
        if let previous = waiter.previous { previous.next = waiter.next } else if heads[slot] === waiter { heads[slot] = waiter.next }
        if let next = waiter.next { next.previous = waiter.previous } else if tails[slot] === waiter { tails[slot] = waiter.previous }
        waiter.next = nil
        waiter.previous = nil
    }

    /// Wakes up to `count` waiters of `address` whose bits meet `bits`.
    @discardableResult
    public func wake(_ address: UInt64, count: Int, bits: UInt32 = .max) -> Int {
        var woken = 0
        var waiter = heads[slot(address)]
        while let current = waiter, woken < count {
            waiter = current.next
            guard current.address == address, current.bits & bits != 0 else { continue }
            remove(current)
            current.isWoken = true
            current.thread.wake()
            woken += 1
        }
        return woken
    }

    /// Moves up to `count` waiters to another word.
    func requeue(_ address: UInt64, to other: UInt64, count: Int) -> Int {
        var moved = 0
        var waiter = heads[slot(address)]
        while let current = waiter, moved < count {
            waiter = current.next
            guard current.address == address else { continue }
            remove(current)
            current.address = other
            add(current)
            moved += 1
        }
        return moved
    }

    func hasWaiters(_ address: UInt64) -> Bool {
        var waiter = heads[slot(address)]
        while let current = waiter {
            if current.address == address { return true }
            waiter = current.next
        }
        return false
    }
}

extension LinuxThread {
    /// A private word's address is enough to wake at; what is shared is found by its memory (FUTEX_PRIVATE_FLAG 128).
    fileprivate func checkFutex(_ address: UInt64, _ operation: UInt32) throws(Errno) {
        guard operation & 128 != 0 else { return try memory.prepare(address, 4, isWrite: false) }
        guard address <= linuxHighest - 4 else { throw .efault }
    }

    /// FUTEX_WAIT and its kin. `.eagain`: the word is another one; `.etimedout`; `.restart`.
    func waitForFutex(_ address: UInt64, value: UInt32, bits: UInt32, deadline: Instant?) throws(Errno) {
        guard bits != 0 else { throw .einval }
        guard try memory.read(UInt32.self, at: address) == value else { throw .eagain }
        let waiter = futexWaiter ?? FutexWaiter(self, address, bits: bits)
        waiter.reset(address, bits: bits)
        futexWaiter = waiter
        process.futexes.add(waiter)
        var failure: Errno?
        do throws(Errno) { try wait(until: deadline) } catch { failure = error }
        if waiter.isWoken { return }
        process.futexes.remove(waiter)
        if let failure { throw failure }
    }
}

/// futex(2), its operations.
enum FutexOperation {
    static var wait: UInt32 { 0 }
    static var wake: UInt32 { 1 }
    static var requeue: UInt32 { 3 }
    static var compareRequeue: UInt32 { 4 }
    static var wakeOperation: UInt32 { 5 }
    static var lock: UInt32 { 6 }
    static var unlock: UInt32 { 7 }
    static var tryLock: UInt32 { 8 }
    static var waitBits: UInt32 { 9 }
    static var wakeBits: UInt32 { 10 }
    static var lock2: UInt32 { 13 }
    static var mask: UInt32 { 0x7f }
    static var realTime: UInt32 { 256 }
    /// FUTEX_WAITERS, FUTEX_OWNER_DIED, FUTEX_TID_MASK
    static var waiters: UInt32 { 0x8000_0000 }
    static var ownerDied: UInt32 { 0x4000_0000 }
    static var ownerMask: UInt32 { 0x3fff_ffff }
}

func sysFutex(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
    let address = arguments[0], operation = arguments.uint32(1), value = arguments.uint32(2)
    guard address % 4 == 0 else { throw .einval }
    let futexes = thread.process.futexes
    switch operation & FutexOperation.mask {
    case FutexOperation.wait, FutexOperation.waitBits:
        let isAbsolute = operation & FutexOperation.mask == FutexOperation.waitBits
        let deadline = try thread.deadline(
            at: arguments[3], isAbsolute: isAbsolute, isRealTime: isAbsolute && operation & FutexOperation.realTime != 0)
        do throws(Errno) {
            try thread.waitForFutex(address, value: value, bits: isAbsolute ? arguments.uint32(5) : .max, deadline: deadline)
        } catch {
            // A relative time would start anew.
            throw error == .restart && deadline != nil && !isAbsolute ? .eintr : error
        }
        return 0
    case FutexOperation.wake:
        try thread.checkFutex(address, operation)
        return futexes.wake(address, count: max(1, Int(arguments.int32(2))))
    case FutexOperation.wakeBits:
        guard arguments.uint32(5) != 0 else { throw .einval }
        try thread.checkFutex(address, operation)
        return futexes.wake(address, count: max(1, Int(arguments.int32(2))), bits: arguments.uint32(5))
    case FutexOperation.requeue, FutexOperation.compareRequeue:
        guard arguments.int32(2) >= 0, arguments.int32(3) >= 0, arguments[4] % 4 == 0 else { throw .einval }
        let isCompared = operation & FutexOperation.mask == FutexOperation.compareRequeue
        let current = try thread.memory.read(UInt32.self, at: address)
        try thread.memory.prepare(arguments[4], 4, isWrite: false)
        if isCompared, current != arguments.uint32(5) { throw .eagain }
        let woken = futexes.wake(address, count: Int(arguments.int32(2)))
        return woken + futexes.requeue(address, to: arguments[4], count: Int(arguments.int32(3)))
    case FutexOperation.wakeOperation: return try wakeOperation(thread, arguments)
    case FutexOperation.lock, FutexOperation.lock2:
        let deadline = try thread.deadline(
            at: arguments[3], isAbsolute: true,
            isRealTime: operation & FutexOperation.mask == FutexOperation.lock || operation & FutexOperation.realTime != 0)
        try lock(thread, address, deadline)
        return 0
    case FutexOperation.tryLock:
        guard try tryLock(thread, address) else { throw .eagain }
        return 0
    case FutexOperation.unlock:
        try unlock(thread, address)
        return 0
    default: throw .enosys
    }
}

/// FUTEX_WAKE_OP: changes the second word, wakes at the first, and at the second if its old value compares.
private func wakeOperation(_ thread: LinuxThread, _ arguments: borrowing Arguments) throws(Errno) -> Int {
    let second = arguments[4], code = arguments.uint32(5)
    guard second % 4 == 0 else { throw .einval }
    var operand = (code >> 12) & 0xfff
    let comparand = UInt32(bitPattern: Int32(bitPattern: code << 20) >> 20)
    operand = UInt32(bitPattern: Int32(bitPattern: operand << 20) >> 20)
    if code & 0x8000_0000 != 0 { operand = 1 << (operand & 31) }
    let old = try thread.memory.read(UInt32.self, at: second)
    let new: UInt32 =
        switch code >> 28 & 7 {
        case 0: operand
        case 1: old &+ operand
        case 2: old | operand
        case 3: old & ~operand
        case 4: old ^ operand
        default: throw .enosys
        }
    try thread.memory.write(new, at: second)
    let a = Int32(bitPattern: old), b = Int32(bitPattern: comparand)
    let holds =
        switch code >> 24 & 15 {
        case 0: a == b
        case 1: a != b
        case 2: a < b
        case 3: a <= b
        case 4: a > b
        case 5: a >= b
        default: throw .enosys
        }
    var woken = thread.process.futexes.wake(arguments[0], count: max(1, Int(arguments.int32(2))))
    if holds { woken += thread.process.futexes.wake(second, count: max(1, Int(arguments.int32(3)))) }
    return woken
}

// Priority inheritance needs no priorities where all threads have the same one: what is left is the hand-over of the lock.

private func tryLock(_ thread: LinuxThread, _ address: UInt64) throws(Errno) -> Bool {
    let word = try thread.memory.read(UInt32.self, at: address)
    let owner = Int32(bitPattern: word & FutexOperation.ownerMask)
    if owner == thread.identifier { throw .edeadlk }
    guard owner == 0 || word & FutexOperation.ownerDied != 0 else {
        guard thread.process.thread(owner) != nil else { throw .esrch }
        return false
    }
    let kept = word & (FutexOperation.ownerDied | FutexOperation.waiters)
    try thread.memory.write(UInt32(bitPattern: thread.identifier) | kept, at: address)
    return true
}

private func lock(_ thread: LinuxThread, _ address: UInt64, _ deadline: Instant?) throws(Errno) {
    while try !tryLock(thread, address) {
        let word = try thread.memory.read(UInt32.self, at: address) | FutexOperation.waiters
        try thread.memory.write(word, at: address)
        try thread.waitForFutex(address, value: word, bits: .max, deadline: deadline)
        // The lock was handed over.
        if try thread.memory.read(UInt32.self, at: address) & FutexOperation.ownerMask == UInt32(bitPattern: thread.identifier) { return }
    }
}

private func unlock(_ thread: LinuxThread, _ address: UInt64) throws(Errno) {
    let word = try thread.memory.read(UInt32.self, at: address)
    guard word & FutexOperation.ownerMask == UInt32(bitPattern: thread.identifier) else { throw .eperm }
    try thread.memory.write(0, at: address)
    guard thread.process.futexes.hasWaiters(address) else { return }
    // Whoever is woken takes it; the mark stays for those behind.
    try thread.memory.write(FutexOperation.waiters, at: address)
    thread.process.futexes.wake(address, count: 1)
}

extension LinuxThread {
    /// The instant that a struct timespec at `address` means; nil if there is none.
    public func deadline(at address: UInt64, isAbsolute: Bool, isRealTime: Bool) throws(Errno) -> Instant? {
        guard address != 0 else { return nil }
        let time = try memory.read(linux_timespec.self, at: address)
        guard time.tv_sec >= 0, time.tv_nsec >= 0, time.tv_nsec < 1_000_000_000 else { throw .einval }
        let (whole, overflow) = UInt64(time.tv_sec).multipliedReportingOverflow(by: 1_000_000_000)
        let (nanoseconds, overflow2) = whole.addingReportingOverflow(UInt64(time.tv_nsec))
        guard !overflow, !overflow2 else { return .distantFuture }
        return process.system.deadline(nanoseconds, isAbsolute: isAbsolute, isRealTime: isRealTime)
    }
}

extension System {
    public func deadline(_ nanoseconds: UInt64, isAbsolute: Bool, isRealTime: Bool) -> Instant {
        var nanoseconds = nanoseconds
        if isAbsolute {
            guard isRealTime else { return Instant(nanoseconds: nanoseconds) }
            let wall = wallTime.nanosecondsSince1970
            nanoseconds = nanoseconds > wall ? nanoseconds - wall : 0
        }
        let (sum, overflow) = now.nanoseconds.addingReportingOverflow(nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }
}
