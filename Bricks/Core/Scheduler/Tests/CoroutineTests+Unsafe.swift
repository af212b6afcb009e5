import Glibc
import Memory
import Testing

@testable import Scheduler

/// The instance heap is one for the whole process, so these tests take turns.
@Suite(.serialized) struct CoroutineTests {
    init() { startHeapOnce }

    @Test func `a coroutine goes on where it stopped`() throws {
        var trail: [Int] = []
        var inner: Coroutine?
        let coroutine = try Coroutine(stackByteCount: 64 << 10) {
            for step in 1...3 {
                trail.append(step)
                inner?.suspend()
            }
        }
        inner = coroutine
        for step in 1...3 {
            coroutine.resume()
            #expect(trail.last == step && !coroutine.isFinished)
            trail.append(-step)
        }
        coroutine.resume()
        #expect(coroutine.isFinished)
        #expect(trail == [1, -1, 2, -2, 3, -3])
    }

    @Test func `floating-point modes and saved registers survive a switch`() throws {
        var inner: Coroutine?
        let coroutine = try Coroutine(stackByteCount: 64 << 10) {
            fesetround(FE_UPWARD)
            inner?.suspend()
            #expect(fegetround() == FE_UPWARD)
        }
        inner = coroutine
        coroutine.resume()
        #expect(fegetround() == FE_TONEAREST)
        coroutine.resume()
        #expect(coroutine.isFinished && fegetround() == FE_TONEAREST)
    }

    @Test func `a stack goes back when its coroutine ends`() throws {
        let before = Memory.statistics.live
        for _ in 0..<100 {
            let coroutine = try Coroutine(stackByteCount: 1 << 20) {}
            #expect(Memory.statistics.live > before)
            coroutine.resume()
        }
        #expect(Memory.statistics.live == before)
    }

    @Test func `a stack of the usual size is used again, the others go back`() throws {
        var tops: Set<UInt> = []
        do {
            let stack = try GuardedStack(byteCount: 64 << 10)
            tops.insert(stack.top)
        }
        let live = Memory.statistics.live
        for _ in 0..<3 { tops.insert(try GuardedStack(byteCount: 64 << 10).top) }
        #expect(tops.count == 1 && Memory.statistics.live == live)
    }

    @Test func `a stack that does not fit is an error`() {
        #expect(throws: OutOfMemory.self) { try Coroutine(stackByteCount: 1 << 40) {} }
        #expect(throws: OutOfMemory.self) { try Coroutine(stackByteCount: Int.max) {} }
    }

    @Test func `the page below a stack cannot be touched`() throws {
        let stack = try GuardedStack(byteCount: 64 << 10)
        let guardPage = stack.top - UInt(stack.byteCount) - 4_096
        // write(2) reads its buffer: EFAULT tells without a signal that nobody may read there.
        var ends: [Int32] = [0, 0]
        // SAFETY: the kernel checks the address that it is given.
        unsafe pipe(&ends)
        let refused = unsafe write(ends[1], UnsafeRawPointer(bitPattern: guardPage)!, 1) == -1 && errno == EFAULT
        let lowest = unsafe write(ends[1], UnsafeRawPointer(bitPattern: guardPage + 4_096)!, 1) == 1
        #expect(refused && lowest)
        close(ends[0])
        close(ends[1])
    }
}

private let startHeapOnce: Void = {
    let byteCount = 16 << 20
    // SAFETY: these pages are the heap's for the life of the process.
    let memory = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    let base = UInt(bitPattern: memory)
    unsafe Memory.start(at: base, end: base + UInt(byteCount))
}()
