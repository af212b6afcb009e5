import Foundation
import NetSimulator

/// brique-simulate [--seeds COUNT] [--stacks COUNT] [--first SEED] [--seed SEED] [--goodput] [--speed]: runs simulated
/// connections. The first that goes wrong
/// is told with its seed, which alone repeats it.
func usage() -> Never {
    FileHandle.standardError.write(
        Data("usage: brique-simulate [--seeds COUNT] [--stacks COUNT] [--first SEED] [--seed SEED] [--goodput] [--speed]\n".utf8))
    exit(64)
}

/// What a segment and a byte cost, from one control block into another.
func measureSpeed() {
    for (maximumByteCount, chunk) in [(0, 1_448), (0, 65_536), (65_160, 65_160), (65_160, 262_144)] {
        var transfer = BareTransfer(maximumByteCount: maximumByteCount, chunk: chunk)
        let begin = Date.now
        while transfer.byteCount < 4 << 30, Date.now.timeIntervalSince(begin) < 2 { for _ in 0..<1_000 { transfer.step() } }
        let seconds = Date.now.timeIntervalSince(begin)
        let segments = transfer.segmentCount
        let rate = Double(transfer.byteCount) / seconds / 1e9
        print("at most \(maximumByteCount), written \(chunk): \(Int(seconds / Double(segments) * 1e9)) ns a segment, \(rate) GB/s")
    }
}

var count: UInt64 = 100
var first: UInt64 = 1
var single: UInt64?
/// As many runs of whole stacks.
var stacks: UInt64?
var words = Array(CommandLine.arguments.dropFirst())
while !words.isEmpty {
    let word = words.removeFirst()
    if word == "--goodput" {
        do throws(SimulationFailure) {
            print(try GoodputTable.text(), terminator: "")
            exit(0)
        } catch {
            print(error)
            exit(1)
        }
    }
    if word == "--speed" {
        measureSpeed()
        exit(0)
    }
    guard !words.isEmpty, let number = UInt64(words.removeFirst()) else { usage() }
    switch word {
    case "--seeds": count = number
    case "--first": first = number
    case "--seed": single = number
    case "--stacks": stacks = number
    default: usage()
    }
}

if let single {
    var simulation = ConnectionSimulation(seed: single)
    simulation.isTracing = true
    print(simulation.summary)
    do throws(SimulationFailure) {
        print(try simulation.run())
        exit(0)
    } catch {
        print(error)
        exit(1)
    }
}

var failures = 0
if let stacks {
    var frames = 0, unreachable = 0
    for seed in first..<first + stacks {
        do throws(SimulationFailure) {
            var simulation = try StackSimulation(seed: seed)
            _ = try simulation.run()
            frames += simulation.frameCount
            unreachable += simulation.unreachableCount
        } catch {
            print(error)
            failures += 1
        }
    }
    print("\(stacks) networks from \(first), \(frames) frames, \(unreachable) peers not found: \(failures) failures")
    exit(failures == 0 ? 0 : 1)
}

var packets = 0
for seed in first..<first + count {
    var simulation = ConnectionSimulation(seed: seed)
    do throws(SimulationFailure) {
        let outcome = try simulation.run()
        packets += outcome.toServer.sent + outcome.toClient.sent
    } catch {
        print(error)
        failures += 1
    }
}
print("\(count) seeds from \(first), \(packets) packets: \(failures) failures")
exit(failures == 0 ? 0 : 1)
