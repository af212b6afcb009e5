import Bytes
import Testing

@testable import CallRewriting

struct SitePlanTests {
    private func plan(_ before: [UInt8], _ after: [UInt8], number: UInt64 = 39) -> SitePlan? {
        let padding = [UInt8](repeating: 0x90, count: 16)
        let code = padding + before + [0x0f, 0x05] + after + [UInt8](repeating: 0xcc, count: 16)
        return SitePlan(code.span.raw, site: 16 + before.count, number: number)
    }

    @Test func `a move of the number right before becomes the jump`() {
        #expect(plan([0xb8, 39, 0, 0, 0], [0xc3]) == .move)
    }

    @Test func `a move of another number, or to another register, does not`() {
        #expect(plan([0xb8, 40, 0, 0, 0], [0xe8, 0, 0, 0, 0]) == nil)
        #expect(plan([0x41, 0xb8, 39, 0, 0, 0], [0xe8, 0, 0, 0, 0]) == nil)
    }

    @Test func `a comparison behind it moves along`() {
        #expect(plan([0x90], [0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0x76, 0x20]) == .displace(byteCount: 6, endsFunction: false))
        #expect(plan([0x90], [0x48, 0x3d, 0x00, 0xf0, 0xff, 0xff]) == .displace(byteCount: 6, endsFunction: false))
    }

    @Test func `a return behind it needs padding for the rest of the jump`() {
        #expect(plan([0x90], [0xc3, 0xcc, 0xcc]) == .displace(byteCount: 1, endsFunction: true))
        #expect(plan([0x90], [0xc3, 0x55, 0x48, 0x89, 0xe5]) == nil)
    }

    @Test func `what depends on its place stays, and the site traps`() {
        #expect(plan([0x90], [0x48, 0x8b, 0x05, 1, 2, 3, 4]) == nil)
        #expect(plan([0x90], [0xe8, 1, 2, 3, 4]) == nil)
        #expect(plan([0x90], [0x74, 0x10, 0x90, 0x90]) == nil)
    }

    @Test func `a jump to behind the instruction forbids it`() {
        // jmp -8 behind it leads to the comparison.
        let after: [UInt8] = [0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff, 0xeb, 0xf8]
        #expect(plan([0x90], after) == nil)
    }

    @Test func `a far jump to behind the instruction forbids it`() {
        for opcode: [UInt8] in [[0xe9], [0xe8], [0x0f, 0x84]] {
            let comparison: [UInt8] = [0x48, 0x3d, 0x01, 0xf0, 0xff, 0xff], gap = [UInt8](repeating: 0x90, count: 300)
            for distance in [0, 1] {
                let back = UInt32(truncatingIfNeeded: -(gap.count + comparison.count + opcode.count + 4) + distance)
                let jump = opcode + (0..<4).map { UInt8(truncatingIfNeeded: back >> UInt32(8 * $0)) }
                // One byte further is no boundary that moves.
                #expect((plan([0x90], comparison + gap + jump) == nil) == (distance == 0))
            }
        }
    }

    @Test func `random bytes are decided without a trap`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var code = (0..<64).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let site = Int.random(in: 0..<62, using: &generator)
            code[site] = 0x0f
            code[site + 1] = 0x05
            if case .displace(let byteCount, let ends) = SitePlan(code.span.raw, site: site, number: 1) {
                #expect(ends || byteCount >= 3)
                #expect(byteCount <= 12)
            }
        }
    }
}
