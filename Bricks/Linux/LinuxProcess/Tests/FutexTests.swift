import Testing
import Time

@testable import LinuxProcess

@Suite(.serialized) struct ProcessTests {
    @Suite(.serialized) struct FutexTests {
        let program: Program
        init() throws { program = try Program() }

        static let wait: UInt64 = 0x80, wake: UInt64 = 0x81, requeue: UInt64 = 0x83, compareRequeue: UInt64 = 0x84
        static let waitBits: UInt64 = 0x89, wakeBits: UInt64 = 0x8a

        @Test func `a word that is another one is not waited for`() {
            let word = program.store([7], at: 0)
            #expect(program.call(.futex, word, Self.wait, 8) == -11)
        }

        @Test func `a wake ends a wait, and tells how many there were`() {
            let word = program.store([7], at: 0)
            var woken = -1
            program.world.events = [{ woken = program.call(.futex, word, Self.wake, 5, by: program.other) }]
            #expect(program.call(.futex, word, Self.wait, 7) == 0)
            #expect(woken == 1)
            #expect(program.call(.futex, word, Self.wake, 5) == 0)
        }

        @Test func `a wait ends at its time, and leaves nothing behind`() {
            let word = program.store([7], at: 0), time = program.store([0, 500], at: 16)
            #expect(program.call(.futex, word, Self.wait, 7, time) == -110)
            #expect(program.world.time == Instant(nanoseconds: 1_500))
            #expect(!program.process.futexes.hasWaiters(word))
            program.store([0, 1_000_000_000], at: 16)
            #expect(program.call(.futex, word, Self.wait, 7, time) == -22)
        }

        @Test func `only bits in common wake`() {
            let word = program.store([7], at: 0)
            var woken: [Int] = []
            program.world.events = [
                {
                    woken.append(program.call(.futex, word, Self.wakeBits, 1, 0, 0, 2, by: program.other))
                    woken.append(program.call(.futex, word, Self.wakeBits, 1, 0, 0, 4, by: program.other))
                }
            ]
            #expect(program.call(.futex, word, Self.waitBits, 7, 0, 0, 4) == 0)
            #expect(woken == [0, 1])
            #expect(program.call(.futex, word, Self.waitBits, 7, 0, 0, 0) == -22)
        }

        @Test func `a requeue moves who waits to the other word`() {
            let word = program.store([7], at: 0), second = program.store([9], at: 8)
            var results: [Int] = []
            program.world.events = [
                {
                    results.append(program.call(.futex, word, Self.compareRequeue, 0, 1, second, 8, by: program.other))
                    results.append(program.call(.futex, word, Self.compareRequeue, 0, 1, second, 7, by: program.other))
                    results.append(program.call(.futex, word, Self.wake, 1, by: program.other))
                    results.append(program.call(.futex, second, Self.wake, 1, by: program.other))
                }
            ]
            #expect(program.call(.futex, word, Self.wait, 7) == 0)
            #expect(results == [-11, 1, 0, 1])
        }

        @Test func `a signal ends a wait, which is restarted or not as the handler says`() {
            let word = program.store([7], at: 0)
            program.world.events = [{ _ = program.call(.tgkill, 1, 1, 10, by: program.other) }]
            #expect(program.handle(10) == 0)
            #expect(program.call(.futex, word, Self.wait, 7) == -512)
            #expect(!program.process.futexes.hasWaiters(word))
        }

        @Test func `addresses are checked first`() {
            #expect(program.call(.futex, program.data + 2, Self.wait, 0) == -22)
            #expect(program.call(.futex, 0x1000, Self.wait, 0) == -14)
            #expect(program.call(.futex, .max - 3, Self.wait, 0) == -14)
        }
    }
}
