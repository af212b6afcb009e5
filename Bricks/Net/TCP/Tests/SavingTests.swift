import Bytes
import NetFormats
import Random
import Testing
import Time

@testable import TCP

struct SavingTests {
    static func saved(_ control: TCPControlBlock, now: Instant) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: control.savedByteCount(now: now))
        var span = bytes.mutableSpan
        var writer = ByteWriter(&span)
        try control.save(into: &writer, now: now)
        let written = writer.offset
        #expect(written == bytes.count)
        return bytes
    }

    static func restored(_ bytes: [UInt8], now: Instant) throws -> TCPControlBlock {
        var reader = ByteReader(bytes.rawBytes)
        return try TCPControlBlock(restoring: &reader, now: now)
    }

    @Test func `every state comes back as it was`() throws {
        for (name, script) in Scripted.everyState() {
            let bytes = try Self.saved(script.control, now: script.now)
            let again = try Self.restored(bytes, now: script.now)
            #expect(again.state == script.control.state, "\(name)")
            #expect(again.nextDeadline == script.control.nextDeadline, "\(name)")
            #expect(try Self.saved(again, now: script.now) == bytes, "\(name)")
        }
    }

    @Test func `a transfer goes on after both ends were saved, on other clocks`() throws {
        var pair = Pair()
        pair.run()
        let stream = TransferTests.pattern(300_000)
        var written = 0
        var received: [UInt8] = []
        var step = 0
        while received.count < stream.count, step < 2_000 {
            step += 1
            if written < stream.count { written += pair.client.write(Array(stream[written...].prefix(20_000))) }
            _ = pair.exchange()
            if step % 3 == 0 { received += pair.server?.readAll() ?? [] }
            if step % 5 == 0 {
                let client = try Self.saved(pair.client, now: pair.now)
                let server = try Self.saved(#require(pair.server), now: pair.now)
                // As an instance that was started anew: its clock is at its beginning.
                pair.now = Instant(nanoseconds: UInt64(step) * 1_000)
                pair.client = try Self.restored(client, now: pair.now)
                pair.server = try Self.restored(server, now: pair.now)
            }
        }
        #expect(received == stream)
        pair.client.finish()
        pair.server?.finish()
        pair.run(for: .seconds(100))
        #expect(pair.client.isClosed && pair.server?.isClosed == true)
        #expect(pair.client.failure == nil && pair.server?.failure == nil)
    }

    static func busy() throws -> (control: TCPControlBlock, now: Instant) {
        let script = RecoveryTests.flying(.init(timestamps: true))
        script.send(.ack, 1_001, 101, sack: [(3_101, 4_101), (6_101, 9_101)])
        script.send(.ack, 1_101, 101, [1, 2, 3])
        script.send(.ack, 1_001, 101, [4, 5, 6])
        #expect(!script.control.recovery.isOpen)
        return (script.control, script.now)
    }

    @Test func `every truncation is refused`() throws {
        let (control, now) = try Self.busy()
        let bytes = try Self.saved(control, now: now)
        for count in 0..<bytes.count where count < 2_000 || count % 97 == 0 {
            #expect(throws: FormatError.self) { try Self.restored(Array(bytes.prefix(count)), now: now) }
        }
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `a damaged state is refused or does no harm`(seed: UInt64) throws {
        var random = Seeded(state: seed)
        let (control, now) = try Self.busy()
        let bytes = try Self.saved(control, now: now)
        var accepted = 0
        for _ in 0..<2_000 {
            var damaged = bytes
            for _ in 0...random.next() % 3 {
                // The payload's bytes are of no interest.
                let place = Int(random.next() % 700)
                damaged[place < 350 ? place : damaged.count - 700 + place] = UInt8(truncatingIfNeeded: random.next())
            }
            guard var control = try? Self.restored(damaged, now: now) else { continue }
            accepted += 1
            var now = now
            for _ in 0..<20 {
                _ = control.transmissions(now: now, maximumByteCount: 3_000)
                guard let deadline = control.nextDeadline else { break }
                now = max(now, deadline)
                _ = control.tick(now: now)
                if control.inconsistency != nil { break }
            }
        }
        #expect(accepted > 0, "seed \(seed)")
    }
}
