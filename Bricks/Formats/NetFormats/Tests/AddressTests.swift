import NetFormats
import Random
import Testing

struct AddressTests {
    @Test(
        arguments: [
            ("::", 0, 0), ("::1", 0, 1), ("2001:db8::", 0x2001_0db8_0000_0000, 0),
            ("2001:db8::1:0:0:1", 0x2001_0db8_0000_0000, 0x1_0000_0000_0001),
            ("1:2:3:4:5:6:7:8", 0x1_0002_0003_0004, 0x5_0006_0007_0008), ("fe80::ff:fe00:1", 0xfe80_0000_0000_0000, 0xff_fe00_0001),
            ("1:0:3::", 0x1_0000_0003_0000, 0), ("2001:0:0:1::1", 0x2001_0000_0000_0001, 1), ("::ffff:192.0.2.1", 0, 0xffff_c000_0201),
            ("2001:db8:0:1:1:1:1:1", 0x2001_0db8_0000_0001, 0x1_0001_0001_0001), ("::2:3:4:5:6:7:8", 0x2_0003_0004, 0x5_0006_0007_0008),
        ] as [(String, UInt64, UInt64)])
    func `an IPv6 address in canonical form is read and written the same`(text: String, high: UInt64, low: UInt64) throws {
        let address = IPv6Address(high: high, low: low)
        #expect(IPv6Address(text) == address)
        // RFC 5952 §4.2.2: one zero group alone is not shortened.
        #expect(address.description == (text == "::2:3:4:5:6:7:8" ? "0:2:3:4:5:6:7:8" : text))
    }

    @Test(arguments: ["::1.2.3.4", "64:ff9b::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "ABCD:EF01::", "0:0:0:0:0:0:0:1", "0001::0000:1"])
    func `other forms of RFC 4291 are read`(text: String) throws {
        let address = try #require(IPv6Address(text))
        #expect(IPv6Address(address.description) == address)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::8", "12345::", "g::", "::1 ",
        "::1%2",
        "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "1.2.3.4::", "::1:", "1:::2", "::1.2.3.4:5",
    ])
    func `what is not an IPv6 address is refused`(text: String) { #expect(IPv6Address(text) == nil) }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "1..3.4", "1.2.3.", "a.b.c.d", "0x1.2.3.4",
    ])
    func `what is not an IPv4 address is refused`(text: String) { #expect(IPv4Address(text) == nil) }

    @Test func `any address survives its text`() {
        var random = SplitMix(state: 41)
        for _ in 0..<2000 {
            let v4 = random.ipv4()
            #expect(IPv4Address(v4.description) == v4)
            // Zero groups are likely.
            let v6 = IPv6Address(high: random.next() & zeroGroups(&random), low: random.next() & zeroGroups(&random))
            #expect(IPv6Address(v6.description) == v6, "\(v6.high) \(v6.low)")
            #expect(IPAddress(v6.description) == .v6(v6) && IPAddress(v4.description) == .v4(v4))
            let mac = random.mac()
            #expect(MACAddress(mac.description) == mac)
            let end = SocketAddress(address: random.chance() ? .v4(v4) : .v6(v6), port: random.integer())
            #expect(SocketAddress(end.description) == end)
        }
        let zoned = SocketAddress(IPv6Address.allNodes, port: 53, zone: 7)
        #expect(zoned.description == "[ff02::1%7]:53")
        #expect(SocketAddress("[ff02::1%7]:53") == zoned)
    }

    private func zeroGroups(_ random: inout SplitMix) -> UInt64 {
        (0..<4).reduce(0) { $0 << 16 | ($1 >= 0 && random.chance() ? 0xffff : 0) }
    }

    @Test func `kinds of addresses are told apart`() {
        #expect(IPv4Address(127, 0, 0, 1).rawValue == 0x7f00_0001 && IPv4Address(127, 9, 9, 9).isLoopback)
        #expect(IPv4Address(224, 0, 0, 1).isMulticast && !IPv4Address(223, 0, 0, 1).isMulticast && !IPv4Address(240, 0, 0, 1).isMulticast)
        #expect(IPv4Address(169, 254, 1, 1).isLinkLocal && IPv4Address(172, 31, 0, 1).isPrivate && !IPv4Address(172, 32, 0, 1).isPrivate)
        #expect(IPv6Address("febf::1")!.isLinkLocal && !IPv6Address("fec0::1")!.isLinkLocal && IPv6Address("fd00::1")!.isUniqueLocal)
        #expect(IPv6Address("::1")!.isLoopback && IPv6Address("ff02::fb")!.isMulticast && IPv6Address("::")!.isUnspecified)
        #expect(IPAddress("::ffff:10.0.0.1") == .v6(IPv6Address(mapped: IPv4Address(10, 0, 0, 1))))
    }

    @Test func `addresses are derived as the RFCs say`() throws {
        let mac = try #require(MACAddress("34:56:78:9a:bc:de"))
        // RFC 2464 §4.
        #expect(IPv6Address(linkLocal: mac).description == "fe80::3656:78ff:fe9a:bcde")
        #expect(IPv6Address("2001:db8::aa:1234")!.solicitedNodeMulticast.description == "ff02::1:ffaa:1234")
        #expect(MACAddress(multicast: IPv6Address("ff02::1:ffaa:1234")!).description == "33:33:ff:aa:12:34")
        #expect(MACAddress(multicast: IPv4Address(224, 128, 0, 251)).description == "01:00:5e:00:00:fb")
        #expect(mac.octet(0) == 0x34 && mac.octet(5) == 0xde && !mac.isMulticast && MACAddress.broadcast.isMulticast)
    }

    @Test func `a prefix holds its network and no other`() throws {
        let v4 = try #require(IPv4Prefix("10.0.2.15/24"))
        #expect(v4.contains(IPv4Address(10, 0, 2, 255)) && !v4.contains(IPv4Address(10, 0, 3, 0)))
        #expect(
            v4.mask == IPv4Address(255, 255, 255, 0) && v4.network == IPv4Address(10, 0, 2, 0) && v4.broadcast == IPv4Address(10, 0, 2, 255)
        )
        #expect(v4.description == "10.0.2.15/24")
        let all = IPv4Prefix(address: .unspecified, length: 0)
        #expect(all.contains(.broadcast) && all.mask == .unspecified)
        #expect(IPv4Prefix("10.0.0.0/33") == nil && IPv4Prefix("10.0.0.0") == nil && IPv4Prefix("10.0.0.0/31")?.broadcast == nil)
        #expect(IPv4Prefix(address: .loopback, mask: IPv4Address(255, 0, 255, 0)) == nil)
        #expect(IPv4Prefix(address: .loopback, mask: IPv4Address(255, 255, 255, 255))?.length == 32)
        for length in 0...128 {
            let v6 = IPv6Prefix(address: IPv6Address(high: .max, low: .max), length: length)
            #expect(v6.contains(v6.network) && v6.contains(v6.address))
            #expect(v6.contains(.unspecified) == (length == 0))
            #expect(IPv6Prefix(v6.description) == v6)
        }
        #expect(
            IPv6Prefix("2001:db8::/32")!.contains(IPv6Address("2001:db8:ffff::1")!)
                && !IPv6Prefix("2001:db8::/64")!.contains(IPv6Address("2001:db8:0:1::")!))
    }
}

struct SequenceNumberTests {
    @Test func `order and distance go around`() {
        let before = SequenceNumber(rawValue: 0xffff_fff0)
        let after = before + 0x20
        #expect(after.rawValue == 0x10 && after - before == 0x20 && before - after == -0x20 && after - 0x20 == before)
        #expect(before < after && before <= after && after > before && after >= before && before <= before && !(before < before))
    }

    @Test func `order agrees with distance below half the space`() {
        var random = SplitMix(state: 9)
        for _ in 0..<1000 {
            let a = SequenceNumber(rawValue: random.integer())
            let distance = Int.random(in: 1..<1 << 31, using: &random)
            #expect(a < a + distance && a + distance > a && (a + distance) - a == distance && (a - distance) - a == -distance)
        }
    }
}
