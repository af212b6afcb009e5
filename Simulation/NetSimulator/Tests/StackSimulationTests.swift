import NetSimulator
import Testing

struct StackSimulationTests {
    @Test(arguments: 1..<7 as Range<UInt64>)
    func `stacks on a switch carry every connection to its end`(seed: UInt64) throws {
        var simulation = try StackSimulation(seed: seed)
        _ = try simulation.run()
        #expect(simulation.frameCount > 0)
    }
}
