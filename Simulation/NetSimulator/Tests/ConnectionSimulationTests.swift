import Foundation
import NetSimulator
import Testing

struct ConnectionSimulationTests {
    @Test(arguments: 0..<4 as Range<UInt64>)
    func `streams arrive whole whatever the link does, and all ends`(seed: UInt64) throws {
        for seed in seed * 6..<seed * 6 + 6 {
            var simulation = ConnectionSimulation(seed: seed)
            _ = try simulation.run()
        }
    }

    @Test func `a seed decides all`() throws {
        for seed in 1_000..<1_005 as Range<UInt64> {
            var first = ConnectionSimulation(seed: seed)
            var second = ConnectionSimulation(seed: seed)
            let outcomes = (try first.run(), try second.run())
            #expect(outcomes.0 == outcomes.1)
        }
    }

    /// Changes with every change of the algorithms: `./dev simulate --goodput` writes the new table, of which this is a part.
    @Test(arguments: [(10, 20), (50, 1)])
    func `goodput is what the table says`(loss: Int, roundTrip: Int) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../goodput.txt")
        let recorded = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        let row = try GoodputTable.row(loss: loss, roundTrip: roundTrip, reordering: 0)
        #expect(recorded.contains(row), "now \(row)")
    }
}
