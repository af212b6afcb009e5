import TCP
import Time

/// How fast one stream is on a link of 100 Mbit/s, by loss, delay and reordering: the same numbers on every machine.
public enum GoodputTable {
    public static let byteCount = 4 << 20
    public static let rate = 100_000_000
    static let seeds: [UInt64] = [1, 2]
    /// Of a thousand packets.
    static let losses = [0, 1, 10, 50]
    static let roundTrips = [1, 20, 200]
    static let reorderings = [0, 20]

    public static func text() throws(SimulationFailure) -> String {
        var text = "loss   round trip  reordered  Mbit/s  seconds  time-outs  recoveries  probes  sent again\n"
        for loss in losses {
            for roundTrip in roundTrips {
                for reordering in reorderings { text += try row(loss: loss, roundTrip: roundTrip, reordering: reordering) + "\n" }
            }
        }
        return text
    }

    /// Losses and reorderings of a thousand packets, the round trip in milliseconds.
    public static func row(loss: Int, roundTrip: Int, reordering: Int) throws(SimulationFailure) -> String {
        var milliseconds = 0
        var statistics = TCPStatistics()
        for seed in seeds {
            let outcome = try run(seed: seed, loss: loss, roundTrip: roundTrip, reordering: reordering)
            milliseconds += Int(outcome.transferDuration.nanosecondsRoundedUp / 1_000_000)
            statistics.timeouts += outcome.clientStatistics.timeouts
            statistics.recoveries += outcome.clientStatistics.recoveries
            statistics.tailProbes += outcome.clientStatistics.tailProbes
            statistics.retransmittedSegments += outcome.clientStatistics.retransmittedSegments
        }
        let tenths = byteCount * 8 * seeds.count / 100 / max(milliseconds, 1)
        return [
            tenth(loss, 4) + "%", pad("\(roundTrip) ms", 11), pad(tenth(reordering, 0) + "%", 10), pad(tenth(tenths, 0), 7),
            pad(tenth(milliseconds / seeds.count / 100, 0), 8), pad("\(statistics.timeouts)", 10), pad("\(statistics.recoveries)", 11),
            pad("\(statistics.tailProbes)", 7), pad("\(statistics.retransmittedSegments)", 11),
        ].joined(separator: " ")
    }

    /// A stream from the client to the server.
    public static func run(
        seed: UInt64, loss: Int, roundTrip: Int, reordering: Int, byteCount: Int = byteCount, rate: Int = rate, isTraced: Bool = false
    ) throws(SimulationFailure) -> SimulationOutcome {
        var forward = LinkConditions()
        forward.delay = .microseconds(roundTrip * 500)
        forward.rate = rate
        // A round trip's worth, and 100 packets at least.
        forward.queueByteCount = max(150_000, rate / 8_000 * roundTrip)
        var backward = forward
        forward.loss = loss * 1_000
        forward.reordering = reordering * 1_000
        forward.reorderingDelay = .microseconds(max(roundTrip * 100, 200))
        backward.rate = 0
        var simulation = ConnectionSimulation(seed: seed, configuration: .init(), server: .init(), conditions: (forward, backward))
        simulation.client.application.behaviour.byteCount = byteCount
        simulation.client.maximumByteCount = 65_160
        simulation.isTracing = isTraced
        return try simulation.run()
    }

    private static func tenth(_ value: Int, _ width: Int) -> String { pad("\(value / 10).\(value % 10)", width) }

    private static func pad(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
}
