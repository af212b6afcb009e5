import CHypercalls
import CLinuxFormat
import Testing

@testable import LinuxProcess

extension ProcessTests {
    @Suite(.serialized) struct SignalTests {
        let program: Program
        init() throws { program = try Program() }

        static let restart: UInt64 = 0x1000_0000, information: UInt64 = 4, onStack: UInt64 = 0x800_0000, noDefer: UInt64 = 0x4000_0000
        static let once: UInt64 = 0x8000_0000
        var registers: brique_user_context { program.thread.context.registers }

        /// A call gave `result`; what waits is acted on.
        func deliver(_ result: Int64?, number: UInt64 = 0) {
            program.thread.began(number)
            program.thread.context.registers.rip = 0x1002
            if let result { program.thread.context.registers.rax = UInt64(bitPattern: result) }
            program.thread.deliverSignals(afterCall: result)
        }

        @Test func `a handler begins on the program's stack, and gives back what was`() {
            #expect(program.handle(10, flags: Self.information) == 0)
            let stack = registers.rsp
            program.thread.context.registers.rbx = 77
            #expect(program.call(.tgkill, 1, 1, 10) == 0)
            deliver(0)
            #expect(registers.rip == 0x40_0000 && registers.rdi == 10)
            // The red zone is left alone, and a call's alignment kept (System V AMD64 ABI §3.2.2).
            #expect(registers.rsp < stack - 128 && registers.rsp % 16 == 8)
            #expect((try? program.process.memory.read(UInt64.self, at: registers.rsp)) == 0x50_0000)
            #expect((try? program.process.memory.read(Int32.self, at: registers.rsi)) == 10)
            #expect(program.thread.signals.mask == 1 << 9)
            program.thread.context.registers.rbx = 1
            program.thread.context.registers.rsp &+= 8
            program.thread.returnFromHandler()
            #expect(registers.rip == 0x1002 && registers.rbx == 77 && registers.rsp == stack)
            #expect(program.thread.signals.mask == 0)
        }

        @Test func `a call that a handler interrupted is made again only if the handler says so`() {
            #expect(program.handle(10, flags: Self.restart) == 0)
            _ = program.call(.tgkill, 1, 1, 10)
            deliver(-512, number: 202)
            program.thread.context.registers.rsp &+= 8
            program.thread.returnFromHandler()
            #expect(registers.rip == 0x1000 && registers.rax == 202)
            #expect(program.handle(12) == 0)
            _ = program.call(.tgkill, 1, 1, 12)
            deliver(-512, number: 202)
            program.thread.context.registers.rsp &+= 8
            program.thread.returnFromHandler()
            #expect(registers.rip == 0x1002 && Int64(bitPattern: registers.rax) == -4)
        }

        @Test func `a call is made again when nothing handles what interrupted it`() {
            #expect(program.handle(10, handler: 1) == 0)
            _ = program.call(.tgkill, 1, 1, 10)
            deliver(-514, number: 34)
            #expect(registers.rip == 0x1000 && registers.rax == 34)
        }

        @Test func `what is blocked waits, once, and real-time signals queue`() {
            let set = program.store([1 << 9 | 1 << 39], at: 0)
            #expect(program.call(.rtSigprocmask, 0, set, 0, 8) == 0)
            for _ in 0..<3 {
                #expect(program.call(.tgkill, 1, 1, 10) == 0)
                #expect(program.call(.tgkill, 1, 1, 40) == 0)
            }
            let pending = program.store([0], at: 8)
            #expect(program.call(.rtSigpending, pending, 8) == 0)
            #expect(program.word(8) == 1 << 9 | 1 << 39)
            var taken: [Int] = []
            let time = program.store([0, 0], at: 64)
            while taken.count < 9 {
                let signal = program.call(.rtSigtimedwait, set, 0, time, 8)
                guard signal > 0 else { break }
                taken.append(signal)
            }
            #expect(taken == [10, 40, 40, 40])
        }

        @Test func `a stack of its own is used where it is asked for`() {
            let stack = program.store([program.data + 0x2000, 0, 0x2000], at: 0)
            #expect(program.call(.sigaltstack, stack, 0) == 0)
            #expect(program.handle(10, flags: Self.onStack) == 0)
            _ = program.call(.tgkill, 1, 1, 10)
            deliver(0)
            #expect(registers.rsp > program.data + 0x2000 && registers.rsp < program.data + 0x4000)
            // Not while it is in use (sigaltstack(2)).
            #expect(program.call(.sigaltstack, stack, 0) == -1)
        }

        @Test func `a handler that serves once is forgotten, and one that may nest is not blocked`() {
            #expect(program.handle(10, flags: Self.once | Self.noDefer) == 0)
            _ = program.call(.tgkill, 1, 1, 10)
            deliver(0)
            #expect(program.thread.signals.mask == 0)
            #expect(!program.process.signals.isCaught(10))
        }

        @Test func `the default of a fault is the end, told with where it was`() {
            program.thread.forceSignal(linux_signal_information(signal: Signal.segment, code: 1))
            program.thread.deliverSignals(afterCall: nil)
            #expect(program.process.exitStatus == 139)
            #expect(program.process.endingSignal == 11)
            #expect(program.world.crashed?.si_signo == 11)
        }

        @Test func `abort is told as a fault is, an ordinary signal is not`() {
            _ = program.call(.tgkill, 1, 1, 6)
            deliver(0)
            #expect(program.world.crashed?.si_signo == 6 && program.process.exitStatus == 134)
        }

        @Test func `a signal from outside ends without a report`() {
            _ = program.call(.tgkill, 1, 1, 15)
            deliver(0)
            #expect(program.world.crashed == nil && program.process.exitStatus == 143)
        }

        @Test func `a stack that cannot take the frame ends the program`() {
            #expect(program.handle(10) == 0)
            program.thread.context.registers.rsp = 0x1000
            _ = program.call(.tgkill, 1, 1, 10)
            deliver(0)
            #expect(program.process.exitStatus == 139)
        }

        @Test func `what cannot be changed is refused`() {
            #expect(program.handle(9) == -22)
            #expect(program.handle(19) == -22)
            #expect(program.handle(65) == -22)
            #expect(program.call(.rtSigaction, 10, 0, 0, 7) == -22)
            #expect(program.call(.tgkill, 1, 99, 10) == -3)
            #expect(program.call(.tgkill, 1, 1, 65) == -22)
            #expect(program.call(.kill, 1, 0) == 0)
        }
    }
}
