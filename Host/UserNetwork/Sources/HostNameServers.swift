import DNSFormat
import Foundation
import NetFormats

/// The servers that the host asks.
enum HostNameServers {
    static let limit = 3

    /// Those of /etc/resolv.conf, or the host itself, as resolv.conf(5) has it.
    static func read() -> [SocketAddress] {
        let text = (try? String(contentsOfFile: "/etc/resolv.conf", encoding: .utf8)) ?? ""
        let servers = parse(text)
        return servers.isEmpty ? [SocketAddress(IPv4Address.loopback, port: DNSMessage.port)] : servers
    }

    static func parse(_ text: String) -> [SocketAddress] {
        let lines = text.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
        let addresses = lines.compactMap { $0.count >= 2 && $0[0] == "nameserver" ? IPAddress(String($0[1])) : nil }
        return addresses.prefix(limit).map { SocketAddress(address: $0, port: DNSMessage.port) }
    }
}
