#if hasFeature(Embedded)
    import DMAMemory
    import HypercallNet
    import Hypercalls
    import Instance
    import NetworkLink
    import PlatformPC
    import RegisterBank
    import VirtioFormat
    import VirtioNet
    import VirtioTransport

    /// The links of whatever is below the instance, and how to wait for them: a monitor's by hypercall, a PC's by its virtio devices.
    final class PlatformLinks {
        typealias Driver = VirtioNetDriver<PlatformPC.Bank>

        private var hypercallLinks: [HypercallLink] = []
        private var drivers: [Driver] = []

        init(memoryByteCount: Int) {
            if Instance.isPC {
                findDevices(.fitting(memoryByteCount: memoryByteCount))
                return
            }
            let configuration = HypercallLink.Configuration.fitting(
                memoryByteCount: memoryByteCount, isCallCheap: Instance.isProcess)
            while let link = HypercallLink(index: hypercallLinks.count, configuration: configuration) { hypercallLinks.append(link) }
        }

        private func findDevices(_ configuration: VirtioNetConfiguration) {
            PlatformPC.forEachDevice(ofType: VirtioDeviceType.network) { probed, registers in
                let memory = PlatformPC.takeDeviceMemory(byteCount: configuration.memoryByteCount)
                do throws(NegotiationError) {
                    drivers.append(try Driver(probed, registers: registers, memory: memory, configuration: configuration))
                } catch {
                    print("network: a virtio network device cannot be driven")
                }
            }
        }

        /// In the order of the user's options.
        var all: [any NetworkLink] {
            var links: [any NetworkLink] = []
            for link in hypercallLinks { links.append(link) }
            for driver in drivers { links.append(driver) }
            return links
        }

        /// Sends what the links have gathered, and waits for frames, `events`, or the end of the time.
        func wait(for events: Events, timeoutNanoseconds: UInt64) -> Events {
            if !drivers.isEmpty { return waitForDevices(events, timeoutNanoseconds) }
            guard let first = hypercallLinks.first else { return Hypercalls.wait(for: events, timeoutNanoseconds: timeoutNanoseconds) }
            var wanted = events
            for link in hypercallLinks.dropFirst() { wanted.formUnion(.link(link.index)) }
            let ready = first.wait(for: wanted, timeoutNanoseconds: timeoutNanoseconds)
            for link in hypercallLinks.dropFirst() where ready.contains(.link(link.index)) { link.noteReadable() }
            return ready.intersection(events)
        }

        private func waitForDevices(_ events: Events, _ timeoutNanoseconds: UInt64) -> Events {
            let ready = PlatformPC.wait(for: events.rawValue, timeoutNanoseconds: timeoutNanoseconds) {
                var isReady = false
                for driver in drivers { if driver.prepareWait() { isReady = true } }
                return isReady
            }
            for driver in drivers { driver.endWait() }
            return Events(rawValue: ready)
        }
    }
#endif
