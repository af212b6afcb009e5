import Testing
import VFS

final class Probe: Observer {
    var count = 0
    var action: () -> Void = {}
    var closed = false
    override func notify(_ events: PollEvents) {
        count += 1
        action()
    }
    override func fileClosed() { closed = true }
}

struct ObserverTests {
    @Test func `adding twice and removing a stranger do no harm`() {
        let list = ObserverList(), other = ObserverList()
        let probe = Probe()
        list.add(probe)
        list.add(probe)
        other.remove(probe)
        list.notify(.input)
        #expect(probe.count == 1)
        other.add(probe)
        list.notify(.input)
        #expect(probe.count == 1)
        list.remove(probe)
        other.notify(.input)
        #expect(probe.count == 2)
        other.remove(probe)
        #expect(!probe.isObserving)
    }

    @Test func `observers may remove themselves and others while they are notified`() {
        let list = ObserverList()
        let probes = (0..<4).map { _ in Probe() }
        for probe in probes { list.add(probe) }
        probes[0].action = {
            list.remove(probes[0])
            list.remove(probes[1])
        }
        probes[2].action = {
            list.remove(probes[2]); list.add(probes[2])
        }
        list.notify(.output)
        #expect(probes.map(\.count) == [1, 0, 1, 1])
        list.notify(.output)
        #expect(probes.map(\.count) == [1, 0, 2, 2])
        list.close()
        #expect(probes.map(\.closed) == [false, false, true, true])
        #expect(list.isEmpty)
    }

    @Test func `lists that notify each other come to an end`() {
        let list = ObserverList()
        let probe = Probe()
        probe.action = { list.notify(.input) }
        list.add(probe)
        list.notify(.input)
        #expect(probe.count > 0 && probe.count < 10)
        list.close()
    }
}
