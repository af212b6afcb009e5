import NetFormats
import Testing
import UserNetwork

@testable import BriqueTool

private func plan(_ words: [String]) throws -> NetworkPlan { try NetworkOptions.parse(words).plan() }

private func refusal(_ words: [String]) -> String {
    do {
        _ = try plan(words)
        return ""
    } catch let failure as ToolFailure {
        #expect(failure.status == .usage && !failure.message.contains("\n"))
        return failure.message
    } catch {
        return "\(error)"
    }
}

@Test func `without an option there is no network, and with -p there is the user's`() throws {
    #expect(try plan([]) == NetworkPlan.none)
    #expect(try plan(["--network", "none"]) == NetworkPlan.none)
    let published = try plan(["-p", "8080:80"])
    #expect(published.links.map(\.attachment) == [.user])
    #expect(published.publishedPorts == [PublishedPort("8080:80")])
    #expect(try plan(["--hostname", "a"]).variables == ["BRIQUE_HOSTNAME=a"])
}

@Test func `networks make links in their order, each with an address of its own`() throws {
    let plan = try plan([
        "--network", "tap:tap0", "--network", "bridge:br-lan", "--network", "user", "--mac", "52:54:00:00:00:01",
    ])
    #expect(plan.links.map(\.attachment) == [.tap(name: "tap0"), .bridge(name: "br-lan"), .user])
    #expect(plan.links[0].macAddress == MACAddress(rawValue: 0x5254_0000_0001))
    for link in plan.links { #expect(link.macAddress.isLocallyAdministered && !link.macAddress.isMulticast) }
    #expect(Set(plan.links.map(\.macAddress)).count == 3)
}

@Test func `what the instance is told is in its environment`() throws {
    let plan = try plan([
        "--network", "tap:t", "--ip", "10.0.0.2/24", "--ip", "FD00:0::2/64", "--gateway", "10.0.0.1", "--gateway", "fe80::1",
        "--dns", "9.9.9.9", "--dns", "2620:fe::fe", "--search", "example.org", "--search", "lan", "--hostname", "web-1", "--pcap", "x",
    ])
    #expect(
        plan.variables == [
            "BRIQUE_IP=10.0.0.2/24,fd00::2/64", "BRIQUE_GATEWAY=10.0.0.1,fe80::1", "BRIQUE_DNS=9.9.9.9,2620:fe::fe",
            "BRIQUE_SEARCH=example.org,lan", "BRIQUE_HOSTNAME=web-1",
        ])
    #expect(plan.capturePath == "x")
}

@Test(arguments: [
    ["--network", "tap"], ["--network", "tap:"], ["--network", "tap:a/b"], ["--network", "tap:0123456789abcdef"], ["--network", "tap:t%d"],
    ["--network", "bridge:.."], ["--network", "host"], ["--network", "none", "--network", "user"],
    ["--network", "user", "--network", "user"],
    ["--network", "user", "--mac", "52:54:00:00:00"], ["--network", "user", "--mac", "01:00:5e:00:00:01"],
    ["--network", "user", "--mac", "52:54:00:00:00:01", "--mac", "52:54:00:00:00:02"],
    ["--network", "tap:a", "--network", "tap:b", "--mac", "52:54:00:00:00:01", "--mac", "52:54:00:00:00:01"],
    ["--ip", "10.0.0.2/24"], ["--network", "none", "-p", "80:80"], ["--network", "tap:t", "-p", "80:80"], ["--pcap", "x"],
    ["--dns", "1.1.1.1"],
    ["--network", "user", "--ip", "10.0.0.2"], ["--network", "user", "--ip", "10.0.0.2/33"], ["--network", "user", "--ip", "224.0.0.1/4"],
    ["--network", "user", "--ip", "127.0.0.1/8"], ["--network", "user", "--gateway", "10.0.0"], ["--network", "user", "--dns", "::"],
    ["--network", "user", "--search", "a..b"], ["--hostname", "a.b"], ["--hostname", "-a"], ["--hostname", ""],
    ["-p", "80"], ["-p", "80:"], ["-p", ":80"], ["-p", ":80:80"], ["-p", "0:80"], ["-p", "80:65536"], ["-p", "80:80/sctp"],
    ["-p", "::1:80:80"],
    ["-p", "a:80:80"], ["-p", "[1.2.3.4]:80:80"], ["-p", "+80:80"], ["-p", "80:80", "-p", "80:81"],
    ["--network", "tap:1", "--network", "tap:2", "--network", "tap:3", "--network", "tap:4", "--network", "tap:5"],
])
func `a wrong network is refused in one line`(words: [String]) { #expect(!refusal(words).isEmpty) }

@Test func `a published port may name an address and a transport`() throws {
    let plain = try #require(PublishedPort("8080:80"))
    #expect(plain.hostAddress == nil && plain.hostPort == 8080 && plain.guestPort == 80 && plain.transport == .tcp)
    let local = try #require(PublishedPort("127.0.0.1:5353:53/udp"))
    #expect(local.hostAddress == IPAddress("127.0.0.1") && local.transport == .udp)
    let brackets = try #require(PublishedPort("[::1]:1:65535/tcp"))
    #expect(brackets.hostAddress == IPAddress("::1") && brackets.guestPort == 65535)
    #expect(try plan(["-p", "80:80", "-p", "80:80/udp", "-p", "127.0.0.1:80:80"]).publishedPorts.count == 3)
}

@Test func `links reach a monitor by number, and QEMU as its devices`() throws {
    let link = InstanceLinks.Link(
        attachment: .tap(name: "t"), macAddress: MACAddress(rawValue: 0x0054_0000_0001), maximumTransmissionUnit: 1400, descriptor: 33,
        isTAP: true)
    let links = InstanceLinks(links: [link, link])
    #expect(links.monitorWords == ",5:005400000001:1400:31,6:005400000001:1400:31")
    #expect(links.inherited == [.init(own: 33, child: 5), .init(own: 33, child: 6)])
    let instance = Instance(image: "/x/a.image", memory: .standard, environment: [], arguments: [], accelerator: .tcg)
    let words = try QEMU(machine: .q35, accelerator: .tcg).arguments(for: instance, links.links).joined(separator: " ")
    #expect(
        words.contains(
            "-netdev tap,id=link1,fd=6 -device virtio-net-pci,disable-legacy=on,romfile=,netdev=link1,mac=00:54:00:00:00:01"))
    var socket = link
    socket.isTAP = false
    let others = try QEMU(machine: .microvm, accelerator: .tcg).arguments(for: instance, [socket]).joined(separator: " ")
    #expect(others.contains("-netdev dgram,id=link0,local.type=fd,local.str=5 -device virtio-net-device,netdev=link0"))
}

@Test func `a published port that is taken is refused before anything starts`() throws {
    let plan = try plan(["-p", "127.0.0.1:18473:80"])
    var links = try InstanceLinks(plan, hasHeaders: true)
    defer { links.close() }
    do {
        _ = try InstanceLinks(plan, hasHeaders: true)
        Issue.record("it was made")
    } catch { #expect(error.status == .hostRefused) }
}

@Test func `a trace that cannot be written is refused before anything starts`() throws {
    var plan = try plan(["--network", "tap:none0"])
    plan.capturePath = "/proc/none/trace"
    do {
        _ = try InstanceLinks(plan, hasHeaders: true)
        Issue.record("it was made")
    } catch { #expect(error.status == .cannotWrite) }
}
