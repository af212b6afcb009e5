import BootFormat
import Bytes
import ELFFormat

/// How a hypercall ends.
public enum HypercallOutcome {
    case result(Int64)
    case exit(UInt8)
    case crash(CrashReport)
}

/// Answers hypercalls: every number, address and count is the guest's and may be anything.
public struct HypercallServer<Host: HypercallHost> {
    public var host: Host
    /// Readable everywhere, whatever the guest has protected.
    public let memory: GuestMemory
    /// What the host's reads and writes go through: may refuse with EFAULT, never trap.
    let view: GuestMemory
    public let map: InstanceMap
    /// The guest's `struct brique_program`, once it named one.
    public private(set) var program: GuestRange?

    public init(host: Host, memory: GuestMemory, view: GuestMemory, map: InstanceMap) {
        self.host = host
        self.memory = memory
        self.view = view
        self.map = map
    }

    /// Answers the `struct brique_hypercall` at a physical address: copies the call in once, acts, and writes the result. nil if there is
    /// no block that the guest could have written.
    public mutating func answer(blockAt physical: UInt64) -> HypercallOutcome? {
        let byteCount = UInt64(MemoryLayout<brique_hypercall>.size)
        guard physical % 8 == 0, let range = memory.range(physical: physical, byteCount: byteCount), map.allows(range, write: true),
            let call = Hypercall(memory.bytes(range))
        else { return nil }
        let outcome = answer(number: call.number, call.a, call.b, call.c)
        if case .result(let value) = outcome { memory.store(UInt64(bitPattern: value), physical: physical + byteCount - 8) }
        return outcome
    }

    public mutating func answer(number: UInt64, _ a: UInt64, _ b: UInt64, _ c: UInt64) -> HypercallOutcome {
        guard let call = Int32(exactly: number) else { return .result(ErrorNumber.noCall) }
        switch call {
        case BRIQUE_CALL_EXIT: return .exit(UInt8(truncatingIfNeeded: a))
        case BRIQUE_CALL_CRASH: return .crash(report(at: a))
        case BRIQUE_CALL_CONSOLE_WRITE: return .result(writeConsole(a, b))
        case BRIQUE_CALL_CONSOLE_READ: return .result(readConsole(a, b))
        case BRIQUE_CALL_WAIT: return .result(wait(a, events: b))
        case BRIQUE_CALL_MONOTONIC_TIME: return .result(host.monotonicTime())
        case BRIQUE_CALL_WALL_TIME: return .result(host.wallTime())
        case BRIQUE_CALL_ENTROPY: return .result(fillRandom(a, b))
        case BRIQUE_CALL_PROTECT: return .result(protect(a, b, c))
        case BRIQUE_CALL_MAP: return .result(mapProgram(a, b, c))
        case BRIQUE_CALL_PROGRAM: return .result(setProgram(a))
        case BRIQUE_CALL_TICK: return .result(program == nil ? ErrorNumber.invalid : host.tick(nanoseconds: a))
        case BRIQUE_CALL_NETWORK_INFORMATION: return .result(describeLink(a, at: b))
        case BRIQUE_CALL_NETWORK_EXCHANGE: return .result(exchange(at: a))
        default: return .result(ErrorNumber.noCall)
        }
    }

    func range(_ address: UInt64, _ byteCount: UInt64, write: Bool) -> GuestRange? {
        guard let range = memory.range(virtual: address, byteCount: byteCount), map.allows(range, write: write) else { return nil }
        return range
    }

    private mutating func writeConsole(_ address: UInt64, _ byteCount: UInt64) -> Int64 {
        guard let range = range(address, byteCount, write: false) else { return ErrorNumber.fault }
        return range.byteCount == 0 ? 0 : host.writeConsole(view.bytes(range))
    }

    private mutating func readConsole(_ address: UInt64, _ byteCount: UInt64) -> Int64 {
        guard let range = range(address, byteCount, write: true) else { return ErrorNumber.fault }
        // A read of nothing would look like the end of the input.
        guard range.byteCount > 0 else { return ErrorNumber.invalid }
        return view.withMutableBytes(range) { host.readConsole(&$0) }
    }

    private mutating func fillRandom(_ address: UInt64, _ byteCount: UInt64) -> Int64 {
        guard let range = range(address, byteCount, write: true) else { return ErrorNumber.fault }
        return range.byteCount == 0 ? 0 : view.withMutableBytes(range) { host.fillRandom(&$0) }
    }

    private mutating func wait(_ nanoseconds: UInt64, events: UInt64) -> Int64 {
        guard events & ~host.links.events == 0 else { return ErrorNumber.invalid }
        return host.wait(nanoseconds: nanoseconds, events: events)
    }

    private mutating func protect(_ address: UInt64, _ byteCount: UInt64, _ access: UInt64) -> Int64 {
        guard let access = HeapAccess(rawValue: access), address % InstanceMap.pageByteCount == 0,
            byteCount % InstanceMap.pageByteCount == 0, byteCount > 0,
            let range = memory.range(virtual: address, byteCount: byteCount),
            range.physical >= map.heapStart, range.physical + byteCount <= map.heapEnd
        else { return ErrorNumber.invalid }
        return host.protect(range, access)
    }

    private mutating func setProgram(_ address: UInt64) -> Int64 {
        guard address % 8 == 0, let range = range(address, UInt64(MemoryLayout<brique_program>.size), write: true) else {
            return ErrorNumber.fault
        }
        program = range
        return 0
    }

    /// The crash that the guest describes at `address`, copied once.
    private func report(at address: UInt64) -> CrashReport {
        if let range = range(address, UInt64(MemoryLayout<brique_crash>.size), write: false) {
            var reader = ByteReader(memory.bytes(range))
            if let report = try? CrashReport(parsing: &reader) { return report }
        }
        var report = CrashReport()
        report.kind = .panic
        report.setMessage("the instance crashed without a readable report")
        return report
    }
}

/// A copy of `struct brique_hypercall`, without its result.
private struct Hypercall {
    let number, a, b, c: UInt64

    init?(_ bytes: RawSpan) {
        var reader = ByteReader(bytes)
        do throws(FormatError) {
            number = try reader.read(UInt64.self, .little)
            a = try reader.read(UInt64.self, .little)
            b = try reader.read(UInt64.self, .little)
            c = try reader.read(UInt64.self, .little)
        } catch {
            return nil
        }
    }
}
