import Bytes
import NetFormats
import Random
import Testing

struct IPv6Tests {
    /// A packet of `extensions` (each with its own next header inside), as bytes behind the IPv6 header.
    func walk(_ first: IPProtocol, _ extensions: String) -> Result<(IPv6UpperLayer, Int), IPv6HeaderProblem> {
        let bytes = hex(extensions)
        let header = IPv6Header(source: .loopback, destination: .loopback, nextHeader: first, payloadByteCount: bytes.count)
        var reader = ByteReader(bytes.span)
        do throws(IPv6HeaderProblem) { return .success((try IPv6UpperLayer(parsing: &reader, of: header), reader.offset)) } catch {
            return .failure(error)
        }
    }

    func problem(_ first: IPProtocol, _ extensions: String) -> IPv6HeaderProblem? {
        if case .failure(let problem) = walk(first, extensions) { problem } else { nil }
    }

    @Test func `a header read back is the one written, and no truncation is accepted`() throws {
        var random = SplitMix(state: 6)
        for _ in 0..<200 {
            var header = IPv6Header(
                source: random.ipv6(), destination: random.ipv6(), nextHeader: IPProtocol(rawValue: random.integer()), payloadByteCount: 0)
            header.trafficClass = random.integer()
            header.flowLabel = random.integer() & 0xf_ffff
            header.hopLimit = random.integer()
            let bytes = try wire { (writer) throws(FormatError) in try header.write(into: &writer) }
            #expect(bytes.count == IPv6Header.byteCount)
            #expect(parsed(bytes) { (reader) throws(FormatError) in try IPv6Header(parsing: &reader) } == .success(header))
            expectTruncationsRefused(bytes) { (reader) throws(FormatError) in try IPv6Header(parsing: &reader) }

            let fragment = IPv6FragmentHeader(
                nextHeader: .udp, offset: Int(random.integer(UInt16.self)) & ~7, hasMoreFragments: random.chance(),
                identification: random.integer())
            let piece = try wire { (writer) throws(FormatError) in try fragment.write(into: &writer) }
            #expect(parsed(piece) { (reader) throws(FormatError) in try IPv6FragmentHeader(parsing: &reader) } == .success(fragment))
            expectTruncationsRefused(piece) { (reader) throws(FormatError) in try IPv6FragmentHeader(parsing: &reader) }
        }
    }

    @Test func `the upper layer is found behind every header`() throws {
        let (plain, plainOffset) = try walk(.tcp, "").get()
        #expect(plain.protocol == .tcp && plainOffset == 0 && plain.nextHeaderOffset == 6)
        // Hop-by-hop with a router alert, destination options with PadN, routing with no segments left, an atomic fragment.
        let (upper, offset) = try walk(
            .hopByHop, "3c00 0502 0000 0100  2b00 0104 0000 0000  2c00 0400 0000 0000  1100 0000 0000 0001"
        ).get()
        #expect(upper.protocol == .udp && upper.fragment == nil && upper.hasRouterAlert && offset == 32)
        #expect(upper.headerByteCount == 32 && upper.nextHeaderOffset == 40 + 24)
    }

    @Test func `the walk ends at a fragment`() throws {
        let (upper, offset) = try walk(.fragment, "0600 0009 1234 5678  dead beef").get()
        #expect(upper.protocol == .tcp && offset == 8 && upper.headerByteCount == 8)
        #expect(upper.fragment == IPv6FragmentHeader(nextHeader: .tcp, offset: 8, hasMoreFragments: true, identification: 0x1234_5678))
    }

    @Test func `unknown options do what their two highest bits say`() {
        #expect(problem(.destinationOptions, "1100 1e04 0000 0000") == nil)
        #expect(problem(.destinationOptions, "1100 5e04 0000 0000") == .discard)
        #expect(problem(.destinationOptions, "1100 9e04 0000 0000") == .parameter(code: 2, pointer: 42, isGroupAnswered: true))
        #expect(problem(.destinationOptions, "1100 00de 0300 0000") == .parameter(code: 2, pointer: 43, isGroupAnswered: false))
    }

    @Test func `headers that lie or repeat are refused`() {
        #expect(problem(.hopByHop, "1101 0000 0000 0000") == .discard)
        #expect(problem(.hopByHop, "11") == .discard)
        #expect(problem(.destinationOptions, "1100 1e05 0000 0000") == .discard)
        #expect(problem(.fragment, "0600 0009 1234") == .discard)
        #expect(
            problem(.destinationOptions, "0000 0104 0000 0000 1100 0104 0000 0000")
                == .parameter(code: 1, pointer: 40, isGroupAnswered: false))
        #expect(problem(.routing, "1100 0401 0000 0000") == .parameter(code: 0, pointer: 42, isGroupAnswered: false))
        let chain = String(repeating: "3c00 0104 0000 0000", count: IPv6UpperLayer.headerLimit)
        #expect(problem(.destinationOptions, chain + "1100 0104 0000 0000") == .discard)
        #expect(
            problem(
                .destinationOptions, String(repeating: "3c00 0104 0000 0000", count: IPv6UpperLayer.headerLimit - 1) + "1100 0104 0000 0000"
            ) == nil)
        #expect(problem(.destinationOptions, "1102" + String(repeating: "1e00", count: 11)) == nil)
        #expect(problem(.destinationOptions, "1104" + String(repeating: "1e00", count: 19)) == .discard)
    }

    @Test func `a router alert is what MLD asks for`() throws {
        let bytes = try wire { (writer) throws(FormatError) in try IPv6RouterAlertHeader.write(nextHeader: .icmpv6, into: &writer) }
        #expect(bytes == hex("3a00 0502 0000 0100"))
    }

    @Test func `no bytes make the walk trap`() {
        let samples = [
            hex("3c00 0502 0000 0100  2b00 0104 0000 0000  2c00 0400 0000 0000  1100 0000 0000 0001 0102 0304"),
            hex("0001 0502 0000 0100  2b00 0104 0000 0000"), hex("2bff 0000 0000 0000"),
        ]
        fuzz(seed: 0x1b6, samples: samples) { (reader) throws(FormatError) in
            let first = IPProtocol(rawValue: [0, 43, 44, 60][reader.remainingByteCount % 4])
            let header = IPv6Header(source: .loopback, destination: .loopback, nextHeader: first, payloadByteCount: 0)
            let count = reader.remainingByteCount
            if let upper = try? IPv6UpperLayer(parsing: &reader, of: header) {
                precondition(upper.headerByteCount + reader.remainingByteCount == count)
            }
        }
    }
}
