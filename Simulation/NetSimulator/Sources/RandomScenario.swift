import NetFormats
import Random
import TCP
import Time

extension ConnectionSimulation {
    /// The connection, the applications and the link that `seed` stands for.
    public init(seed: UInt64) {
        var random = SplitMix(state: seed &* 0x2545_f491_4f6c_dd1d)
        let forward = Self.conditions(&random)
        // Half of all paths are alike both ways.
        let backward = random.happens(million / 2) ? forward : Self.conditions(&random)
        var client = Self.configuration(&random), server = Self.configuration(&random)
        let behaviours = (Self.behaviour(&random), Self.behaviour(&random))
        let mayFail = behaviours.0.abortsAfter != nil || behaviours.1.abortsAfter != nil
        if mayFail {
            // Whoever waits for a peer that is gone finds out by asking alone.
            client.keepAlive = .init(idle: .seconds(60), interval: .seconds(5), probeCount: 5)
            server.keepAlive = client.keepAlive
        }
        self.init(seed: seed, configuration: client, server: server, conditions: (forward, backward))
        self.client.maximumByteCount = random.pick([0, 0, 16_000, 65_000])
        self.client.coalesces = random.happens(million / 2)
        self.client.application.behaviour = behaviours.0
        serverBehaviour = behaviours.1
        // Somebody has to end first.
        if !serverBehaviour.finishesFirst { self.client.application.behaviour.finishesFirst = true }
        self.mayFail = mayFail
        if random.happens(million / 8) {
            sizeChange = (now.advanced(by: .milliseconds(random.number(in: 1...3_000))), random.pick([576, 1_000, 1_280, 1_400]))
        }
        if random.happens(million / 8) { saving = random.pick([1_000, 20_000]) }
        if random.happens(million / 16) {
            let begin = now.advanced(by: .milliseconds(random.number(in: 0...2_000)))
            blackout = (begin, begin.advanced(by: .milliseconds(random.magnitude(in: 100...60_000))))
        }
    }

    private static func conditions(_ random: inout SplitMix) -> LinkConditions {
        var conditions = LinkConditions()
        conditions.delay = .microseconds(random.magnitude(in: 20...200_000))
        conditions.rate = random.happens(million / 4) ? 0 : random.magnitude(in: 1_000_000...1_000_000_000)
        conditions.queueByteCount = random.magnitude(in: 8_000...1_000_000)
        if random.happens(million / 2) { conditions.loss = random.pick([1_000, 10_000, 30_000, 50_000, 100_000]) }
        if random.happens(million / 3) { conditions.reordering = random.pick([1_000, 10_000, 100_000, 300_000]) }
        conditions.reorderingDelay = .microseconds(random.magnitude(in: 50...50_000))
        if random.happens(million / 4) { conditions.duplication = random.pick([1_000, 10_000, 100_000]) }
        if random.happens(million / 4) { conditions.corruption = random.pick([1_000, 10_000, 50_000]) }
        if random.happens(million / 8) { conditions.burstStart = random.pick([500, 2_000, 5_000]) }
        return conditions
    }

    private static func configuration(_ random: inout SplitMix) -> TCPControlBlock.Configuration {
        var configuration = TCPControlBlock.Configuration()
        configuration.maximumSegmentSize = random.pick([1_460, 1_460, 1_460, 1_440, 536])
        configuration.receiveBufferLimit = random.magnitude(in: 2_000...4 << 20)
        configuration.sendBufferLimit = random.magnitude(in: 2_000...4 << 20)
        configuration.isNoDelay = random.happens(million / 2)
        configuration.offersSACK = !random.happens(million / 8)
        configuration.offersTimestamps = !random.happens(million / 8)
        configuration.offersWindowScale = !random.happens(million / 8)
        if random.happens(million / 4) { configuration.keepAlive = .init(idle: .seconds(2), interval: .seconds(1), probeCount: 60) }
        return configuration
    }

    static func behaviour(_ random: inout SplitMix) -> Behaviour {
        var behaviour = Behaviour()
        behaviour.byteCount =
            random.happens(million / 5)
            ? 0 : random.happens(million / 2) ? random.number(in: 1...1_000_000) : random.magnitude(in: 1...100_000)
        behaviour.writeChunk = random.magnitude(in: max(1, behaviour.byteCount / 2_000)...200_000)
        behaviour.readChunk = random.magnitude(in: max(1, 100)...200_000)
        if random.happens(million / 3) { behaviour.pauses = random.pick([10_000, 100_000, 500_000]) }
        behaviour.pause = .milliseconds(random.magnitude(in: 1...2_000))
        behaviour.finishesFirst = random.happens(million / 2)
        if random.happens(million / 16) { behaviour.abortsAfter = random.magnitude(in: 1...1_000_000) }
        return behaviour
    }
}
