import LinuxMemory
import Testing

@testable import Backtrace

@Suite(.serialized) final class FrameRulesTests {
    static let base: UInt64 = 0x1200_0000_0000
    let frames = HostFrames(chunkLimit: 8)
    let memory: AddressSpace

    init() throws {
        memory = AddressSpace(frames: frames, mapper: HostMapper(frames))
        try memory.map(Self.base, 0x1000, [.read, .write])
    }

    deinit { memory.removeAll() }

    func store(_ bytes: [UInt8], at offset: UInt64) throws {
        for (index, byte) in bytes.enumerated() { try memory.write(byte, at: Self.base + offset + UInt64(index)) }
    }

    /// "zR", factors 1 and -8, addresses of eight bytes; a caller's frame is at rsp+8 and its address below it.
    static let common: [UInt8] = [20, 0, 0, 0, 0, 0, 0, 0, 1, 0x7a, 0x52, 0, 1, 0x78, 16, 1, 0, 0x0c, 7, 8, 0x90, 1, 0, 0]

    /// What is known at `pc` of a function at 0x1000 that is 0x40 long.
    func rules(_ instructions: [UInt8], _ pc: UInt64) throws -> FrameRules? {
        try store(Self.common, at: 0)
        let body = [28, 0, 0, 0] + [0, 0x10, 0, 0, 0, 0, 0, 0] + [0x40, 0, 0, 0, 0, 0, 0, 0] + [0] + instructions
        try store([UInt8(body.count), 0, 0, 0] + body, at: 24)
        return FrameRules(memory, entry: Self.base + 24, pc: pc)
    }

    // push %rbp; mov %rsp,%rbp; …; pop %rbp
    static let pushed: [UInt8] = [0x41, 0x0e, 16, 0x86, 2, 0x43, 0x0d, 6, 0x50, 0x0c, 7, 8]

    @Test func `each place has its own rules`() throws {
        let entry = try #require(try rules(Self.pushed, 0x1000)).state
        #expect(entry.frameRegister == 7 && entry.frameOffset == 8)
        guard case .atOffset(-8) = entry.rules[16] else { return #expect(Bool(false), "the return address is below the frame") }
    }
    @Test func `a push moves the frame`() throws {
        let state = try #require(try rules(Self.pushed, 0x1001)).state
        #expect(state.frameRegister == 7 && state.frameOffset == 16)
        guard case .atOffset(-16) = state.rules[6] else { return #expect(Bool(false), "rbp was pushed") }
    }
    @Test func `a frame pointer takes over, and gives back`() throws {
        #expect(try rules(Self.pushed, 0x1004)?.state.frameRegister == 6)
        #expect(try rules(Self.pushed, 0x1014)?.state.frameRegister == 7)
    }
    @Test func `another function's place is refused`() throws {
        #expect(try rules(Self.pushed, 0x1040) == nil)
        #expect(try rules(Self.pushed, 0xfff) == nil)
    }
    @Test func `remembered rules come back, and never more than were remembered`() throws {
        #expect(try rules([0x0a, 0x0e, 32, 0x41, 0x0b], 0x1002)?.state.frameOffset == 8)
        #expect(try rules([0x0b], 0x1002) == nil)
        #expect(try rules([UInt8](repeating: 0x0a, count: 40), 0x1002) == nil)
    }
    @Test func `what is not known is refused`() throws {
        for code in [0x0f, 0x10, 0x16, 0x3f] as [UInt8] { #expect(try rules([code], 0x1002) == nil) }
    }
    @Test func `an entry that is not there is refused`() throws {
        #expect(FrameRules(memory, entry: Self.base + 0x2000, pc: 0x1000) == nil)
        #expect(FrameRules(memory, entry: Self.base + 0xffe, pc: 0x1000) == nil)
    }
}
