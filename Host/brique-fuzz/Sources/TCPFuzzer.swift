import Foundation
import NetSimulator

/// Hostile segments, reads, writes and times against a control block in every state.
func fuzzTCP(seed: UInt64, seconds: Double) -> String {
    var fuzzer = SegmentFuzzer(seed: seed)
    let end = Date.now.addingTimeInterval(seconds)
    var count = 0
    while count % 64 != 0 || Date.now < end {
        count += 1
        if let wrong = fuzzer.run() { fatalError("seed \(seed), step \(fuzzer.stepCount): \(wrong)") }
    }
    return "\(count) connections, \(fuzzer.stepCount) events, \(fuzzer.established) established at the end"
}
