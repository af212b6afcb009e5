import Foundation
import NetSimulator

/// brique-simulate [--seeds COUNT] [--first SEED] [--seed SEED] [--goodput]: runs simulated connections. The first that goes wrong
/// is told with its seed, which alone repeats it.
func usage() -> Never {
    FileHandle.standardError.write(Data("usage: brique-simulate [--seeds COUNT] [--first SEED] [--seed SEED] [--goodput]\n".utf8))
    exit(64)
}

var count: UInt64 = 100
var first: UInt64 = 1
var single: UInt64?
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
    guard !words.isEmpty, let number = UInt64(words.removeFirst()) else { usage() }
    switch word {
    case "--seeds": count = number
    case "--first": first = number
    case "--seed": single = number
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
