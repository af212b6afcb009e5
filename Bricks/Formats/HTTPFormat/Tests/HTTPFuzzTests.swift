import Random
import Testing

@testable import HTTPFormat

@Test func `damaged streams never trap and read the same however they are cut, seed: 42`() {
    var seeds = SplitMix(state: 42)
    let clock = ContinuousClock()
    let end = clock.now + .seconds(1)
    while clock.now < end {
        let seed = seeds.next()
        var random = SplitMix(state: seed)
        let sample = damaged(&random)
        let pieces = cut(sample, &random)
        #expect(Transcript.requests(pieces).text == Transcript.requests([sample]).text, "seed \(seed)")
        let closes = Bool.random(using: &random)
        #expect(Transcript.responses(pieces, closes: closes).text == Transcript.responses([sample], closes: closes).text, "seed \(seed)")
    }
}

private func damaged(_ random: inout SplitMix) -> [UInt8] {
    let samples = Samples.requests + Samples.responses
    var bytes = samples.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 0...4, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &random)
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(Array("\r\n :;,0a\t".utf8).randomElement(using: &random) ?? 0, at: index)
        case 3: bytes.insert(contentsOf: samples.randomElement(using: &random) ?? [], at: index)
        default: bytes.removeLast(bytes.count - index)
        }
    }
    return bytes
}

private func cut(_ bytes: [UInt8], _ random: inout SplitMix) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = Int.random(in: 0...min(rest.count, 40), using: &random)
        pieces.append(Array(rest.prefix(count)))
        rest = rest.dropFirst(count)
    }
    return pieces
}
