import NetFormats
import Testing

@testable import InstanceNetwork

struct NetworkSettingsTests {
    func set(_ name: NetworkSettings.StaticName, _ value: String) throws -> NetworkSettings {
        var settings = NetworkSettings()
        try settings.set(name, to: Array(value.utf8))
        return settings
    }

    @Test func `lists are read in order, and an empty variable says nothing`() throws {
        let addresses = try set(.addresses, "10.0.0.2/24,fd00::2/64")
        #expect(addresses.addresses.count == 2 && addresses.hasIPv4)
        #expect(try set(.gateways, "10.0.0.1").gateways == [.v4(IPv4Address(10, 0, 0, 1))])
        #expect(try set(.searchDomains, "example.org,lan").searchDomains.count == 2)
        #expect(try set(.hostName, "box").hostName == Array("box".utf8))
        #expect(try set(.nameServers, "") == NetworkSettings())
    }

    @Test(arguments: [
        (NetworkSettings.StaticName.addresses, "10.0.0.2"), (.addresses, "10.0.0.2/33"), (.gateways, "10.0.0.2/24"), (.nameServers, "dns"),
        (.searchDomains, "a..b"), (.hostName, "a b."), (.nameServers, "1.1.1.1,"), (.addresses, "::/129"),
        (.nameServers, "1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9"),
    ])
    func `what cannot be understood or kept is refused`(name: NetworkSettings.StaticName, value: String) {
        #expect(throws: NetworkSettings.Problem.self) { try set(name, value) }
    }
}
