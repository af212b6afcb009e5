import ArgumentParser
import NetFormats
import UserNetwork

/// The options of `brique run` for its network.
struct NetworkOptions: ParsableArguments {
    @Option(
        name: .customLong("network"), parsing: .singleValue,
        help: ArgumentHelp(
            "What to connect the instance to: user (needs no rights), tap:NAME, bridge:NAME or none; several make several links. "
                + "Without it none, or user if -p is given.", valueName: "network"))
    var networks: [String] = []

    @Option(
        name: [.customShort("p"), .customLong("publish")], parsing: .singleValue,
        help: ArgumentHelp("A port of this machine that leads to one of the instance.", valueName: "[host-ip:]host:guest[/udp]"))
    var publish: [String] = []

    @Option(
        name: .customLong("ip"), parsing: .singleValue,
        help: ArgumentHelp(
            "An IPv4 or IPv6 address of the instance with its prefix length, such as 10.0.0.2/24.", valueName: "address/length"))
    var addresses: [String] = []

    @Option(
        name: .customLong("gateway"), parsing: .singleValue,
        help: ArgumentHelp("Its router, one for IPv4, one for IPv6.", valueName: "address"))
    var gateways: [String] = []

    @Option(name: .customLong("dns"), parsing: .singleValue, help: ArgumentHelp("A name server.", valueName: "address"))
    var nameServers: [String] = []

    @Option(
        name: .customLong("search"), parsing: .singleValue, help: ArgumentHelp("A domain to look for short names in.", valueName: "domain"))
    var searchDomains: [String] = []

    @Option(
        name: .customLong("mac"), parsing: .singleValue,
        help: ArgumentHelp("The MAC address of a link, in the order of the networks; by default a random one.", valueName: "address"))
    var macAddresses: [String] = []

    @Option(help: ArgumentHelp("The instance's own name.", valueName: "name"))
    var hostname: String?

    @Option(name: .customLong("pcap"), help: ArgumentHelp("Record every frame in a file for wireshark.", valueName: "file"))
    var capturePath: String?

    /// The options, checked; every refusal is one line.
    func plan() throws(ToolFailure) -> NetworkPlan {
        var plan = NetworkPlan()
        plan.links = try links()
        plan.publishedPorts = try ports()
        plan.capturePath = capturePath
        plan.hostname = try name()
        if plan.links.isEmpty {
            for (option, isGiven) in [
                ("--ip", !addresses.isEmpty), ("--gateway", !gateways.isEmpty), ("--dns", !nameServers.isEmpty),
                ("--search", !searchDomains.isEmpty), ("--mac", !macAddresses.isEmpty), ("-p", !publish.isEmpty),
                ("--pcap", capturePath != nil),
            ] where isGiven {
                throw ToolFailure(.usage, "\(option) needs a network: add --network user, tap:NAME or bridge:NAME")
            }
        }
        if !publish.isEmpty, !plan.links.contains(where: { $0.attachment == .user }) {
            throw ToolFailure(.usage, "-p is for --network user: on a TAP or a bridge the instance has an address of its own")
        }
        plan.variables = try variables(hostname: plan.hostname)
        return plan
    }

    private func links() throws(ToolFailure) -> [NetworkPlan.Link] {
        let words = networks.isEmpty && !publish.isEmpty ? ["user"] : networks
        if words.contains("none") {
            guard words.count == 1 else { throw ToolFailure(.usage, "--network none excludes every other network") }
            return []
        }
        guard words.count <= NetworkPlan.linkLimit else {
            throw ToolFailure(.usage, "an instance has at most \(NetworkPlan.linkLimit) networks")
        }
        guard words.isEmpty || macAddresses.count <= words.count else { throw ToolFailure(.usage, "more --mac than networks") }
        var links: [NetworkPlan.Link] = []
        for (index, word) in words.enumerated() {
            let macAddress = index < macAddresses.count ? try Self.macAddress(macAddresses[index]) : Self.randomAddress()
            guard !links.contains(where: { $0.macAddress == macAddress }) else {
                throw ToolFailure(.usage, "--mac \(macAddress.description) is given twice")
            }
            links.append(NetworkPlan.Link(attachment: try Self.attachment(word), macAddress: macAddress))
        }
        guard links.count(where: { $0.attachment == .user }) <= 1 else { throw ToolFailure(.usage, "--network user is given twice") }
        return links
    }

    private static func attachment(_ word: String) throws(ToolFailure) -> NetworkPlan.Attachment {
        if word == "user" { return .user }
        for (prefix, isBridge) in [("tap:", false), ("bridge:", true)] where word.hasPrefix(prefix) {
            let name = String(word.dropFirst(prefix.count))
            // IFNAMSIZ, with its terminating zero; "%" would be a pattern (netdevice(7)).
            let isName =
                (1...15).contains(name.utf8.count) && name != "." && name != ".."
                && name.utf8.allSatisfy {
                    $0 > 0x20 && $0 < 0x7f && ![UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: "%")].contains($0)
                }
            guard isName else { throw ToolFailure(.usage, "--network \(word): no interface has such a name") }
            return isBridge ? .bridge(name: name) : .tap(name: name)
        }
        throw ToolFailure(.usage, "--network \(word): it is user, tap:NAME, bridge:NAME or none")
    }

    private static func macAddress(_ text: String) throws(ToolFailure) -> MACAddress {
        guard let address = MACAddress(text) else { throw ToolFailure(.usage, "--mac \(text): it looks like 52:54:00:12:34:56") }
        guard !address.isMulticast, !address.isUnspecified else { throw ToolFailure(.usage, "--mac \(text) is no address of one station") }
        return address
    }

    /// Locally administered, of one station.
    private static func randomAddress() -> MACAddress {
        MACAddress(rawValue: UInt64.random(in: 0..<1 << 40) | 0x5200_0000_0000)
    }

    private func ports() throws(ToolFailure) -> [PublishedPort] {
        var ports: [PublishedPort] = []
        for text in publish {
            guard let port = PublishedPort(text) else {
                throw ToolFailure(.usage, "-p \(text): it is [HOST_IP:]HOST:GUEST[/udp], such as 8080:80 or [::1]:5353:53/udp")
            }
            let isTaken = ports.contains {
                $0.hostPort == port.hostPort && $0.transport == port.transport && $0.hostAddress == port.hostAddress
            }
            guard !isTaken else { throw ToolFailure(.usage, "-p \(text): the port is published twice") }
            ports.append(port)
        }
        return ports
    }

    private func name() throws(ToolFailure) -> String? {
        guard let hostname else { return nil }
        guard Self.isDomain(hostname), !hostname.utf8.contains(UInt8(ascii: ".")) else {
            throw ToolFailure(.usage, "--hostname \(hostname): a name has 1 to 63 letters, digits and -")
        }
        return hostname
    }

    /// RFC 1123 §2.1, and RFC 1035 §2.3.4 for the lengths.
    private static func isDomain(_ text: String) -> Bool {
        let labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return text.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.count) && label.first != UInt8(ascii: "-") && label.last != UInt8(ascii: "-")
                    && label.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20) || byte == UInt8(ascii: "-")
                    }
            }
    }

    // MARK: What the instance is told

    private func variables(hostname: String?) throws(ToolFailure) -> [String] {
        var variables: [(name: String, values: [String])] = []
        variables.append(("BRIQUE_IP", try Self.each(addresses, Self.prefix)))
        variables.append(
            ("BRIQUE_GATEWAY", try Self.each(gateways) { (text) throws(ToolFailure) in try Self.address(text, of: "--gateway") }))
        variables.append(("BRIQUE_DNS", try Self.each(nameServers) { (text) throws(ToolFailure) in try Self.address(text, of: "--dns") }))
        for domain in searchDomains where !Self.isDomain(domain) {
            throw ToolFailure(.usage, "--search \(domain) is no domain name")
        }
        variables.append(("BRIQUE_SEARCH", searchDomains))
        variables.append(("BRIQUE_HOSTNAME", hostname.map { [$0] } ?? []))
        return variables.filter { !$0.values.isEmpty }.map { "\($0.name)=\($0.values.joined(separator: ","))" }
    }

    private static func each(
        _ texts: [String], _ check: (String) throws(ToolFailure) -> String
    ) throws(ToolFailure) -> [String] {
        var values: [String] = []
        for text in texts { values.append(try check(text)) }
        return values
    }

    private static func prefix(_ text: String) throws(ToolFailure) -> String {
        let address: IPAddress
        let description: String
        if let prefix = IPv4Prefix(text) {
            (address, description) = (.v4(prefix.address), prefix.description)
        } else if let prefix = IPv6Prefix(text) {
            (address, description) = (.v6(prefix.address), prefix.description)
        } else {
            throw ToolFailure(.usage, "--ip \(text): it is an address with its prefix length, such as 10.0.0.2/24 or fd00::2/64")
        }
        guard !address.isMulticast, !address.isUnspecified, !address.isLoopback else {
            throw ToolFailure(.usage, "--ip \(text) is no address of one host")
        }
        return description
    }

    private static func address(_ text: String, of option: String) throws(ToolFailure) -> String {
        guard let address = IPAddress(text) else { throw ToolFailure(.usage, "\(option) \(text) is no IPv4 or IPv6 address") }
        guard !address.isMulticast, !address.isUnspecified else {
            throw ToolFailure(.usage, "\(option) \(text) is no address of one host")
        }
        return address.description
    }
}
