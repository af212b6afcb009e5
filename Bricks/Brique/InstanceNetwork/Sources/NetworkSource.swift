#if hasFeature(Embedded)
    import NetStack
    import Hypercalls
    import Scheduler
    import Sockets
    import Time

    /// Ties the stack to the run loop: output after each round, and one hypercall that sends, receives and waits.
    final class NetworkSource: EventSource {
        /// Frames of one look at the links, so that the tasks they wake are not kept waiting.
        static let framesPerTurn = 256

        let network: Network
        let links: PlatformLinks

        init(_ network: Network, _ links: PlatformLinks) {
            self.network = network
            self.links = links
            super.init()
        }

        override func turn() {
            network.advance(to: Instant.now)
            network.stack.transmit()
            // What was sent to ourselves arrives, and may be answered, in the same round.
            if network.stack.isBusy {
                network.stack.receive(limit: Self.framesPerTurn)
                network.stack.transmit()
            }
        }

        override var nextDeadline: Instant { network.nextDeadline }

        override func wait(for events: Events, timeoutNanoseconds: UInt64) -> Events {
            let timeout = network.stack.isBusy ? 0 : timeoutNanoseconds
            let ready = links.wait(for: events, timeoutNanoseconds: timeout)
            network.advance(to: Instant.now)
            network.stack.receive(limit: Self.framesPerTurn)
            return ready
        }
    }
#endif
