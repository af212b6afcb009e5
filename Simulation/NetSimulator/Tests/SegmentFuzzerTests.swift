import NetSimulator
import Testing

struct SegmentFuzzerTests {
    @Test(arguments: [1, 2] as [UInt64])
    func `hostile segments never trap a control block, in any state`(seed: UInt64) {
        var fuzzer = SegmentFuzzer(seed: seed)
        let end = ContinuousClock.now + .milliseconds(500)
        while ContinuousClock.now < end {
            if let wrong = fuzzer.run() {
                Issue.record("seed \(seed), step \(fuzzer.stepCount): \(wrong)")
                return
            }
        }
        #expect(fuzzer.established > 0)
    }
}
