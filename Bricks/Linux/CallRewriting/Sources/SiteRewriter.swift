import CHypercalls
import Errno
import LinuxMemory
import LinuxProcess

/// Rewrites the sites of one process as they trap.
public final class SiteRewriter: CallRewriter {
    /// Bytes looked at on both sides of a site.
    private static var reach: UInt64 { 8 << 10 }
    static var slotByteCount: UInt64 { 64 }
    private static var regionByteCount: UInt64 { 16 << 10 }
    /// Sites that were looked at and must trap.
    private static var refusedLimit: Int { 4096 }

    /// Which lives as long as the instance, as this does.
    private let process: LinuxProcess
    /// Where a slot enters the library OS.
    private let entry: UInt64
    private var regions: [Region] = []
    private var refused: [UInt64] = []
    public private(set) var rewrittenCount = 0

    private struct Region {
        let start: UInt64
        var used: UInt64 = 0
    }

    public init(_ process: LinuxProcess, entry: UInt64) {
        self.process = process
        self.entry = entry
        super.init()
    }

    private var memory: AddressSpace { process.memory }

    public override func reset() {
        regions = []
        refused = []
    }

    public override func trapped(at site: UInt64, number: UInt64) -> UInt64? {
        guard !isRefused(site) else { return nil }
        do throws(Errno) {
            let next = try rewrite(site, number)
            rewrittenCount += 1
            return next
        } catch {
            refuse(site)
            return nil
        }
    }

    // Ascending.
    private func place(of site: UInt64) -> Int {
        var low = 0, high = refused.count
        while low < high {
            let middle = (low + high) / 2
            if refused[middle] < site { low = middle + 1 } else { high = middle }
        }
        return low
    }
    private func isRefused(_ site: UInt64) -> Bool {
        let place = place(of: site)
        return place < refused.count && refused[place] == site
    }
    private func refuse(_ site: UInt64) {
        guard refused.count < Self.refusedLimit else { return }
        refused.insert(site, at: place(of: site))
    }

    /// Where the call that trapped goes on.
    private func rewrite(_ site: UInt64, _ number: UInt64) throws(Errno) -> UInt64 {
        guard let area = memory.area(of: site), area.protection.contains(.execute), !area.isShared, area.name != .trampolines else {
            throw .eperm
        }
        // A call that starts again is met at its instruction, though the move before it became a jump already: what lies behind stays.
        guard try !followsJump(site, in: area) else { throw .eperm }
        let (plan, moved) = try plan(site, number, in: area)
        let slot = try takeSlot(near: site, in: area)
        let target: UInt64
        var next = site + UInt64(SitePlan.callByteCount)
        switch plan {
        case .move:
            target = site - UInt64(SitePlan.moveByteCount)
            try memory.patch(slot, with: moveSlot(at: slot, site: site, number: number))
        case .displace(_, let endsFunction):
            target = site
            next = slot + Self.enterByteCount + UInt64(SitePlan.callByteCount)
            try memory.patch(slot, with: displaceSlot(at: slot, site: site, moved: moved, endsFunction: endsFunction))
        }
        try memory.patch(target, with: [0xe9] + Self.displacement(from: target + 5, to: slot))
        return next
    }

    /// Whether a jump to a slot stands right before the site.
    private func followsJump(_ site: UInt64, in area: Area) throws(Errno) -> Bool {
        let begin = site - min(site, UInt64(SitePlan.jumpByteCount))
        guard begin >= area.start else { return false }
        let regions = regions
        return try memory.withReadable(begin, SitePlan.jumpByteCount) { (code) throws(Errno) -> Bool in
            guard code.byte(at: 0) == 0xe9 else { return false }
            let target = site &+ UInt64(bitPattern: Int64(Int32(bitPattern: code.word(at: 1))))
            return regions.contains { target >= $0.start && target < $0.start + Self.regionByteCount }
        }
    }

    /// How to rewrite the site, and the bytes that move.
    private func plan(_ site: UInt64, _ number: UInt64, in area: Area) throws(Errno) -> (SitePlan, moved: [UInt8]) {
        // Most sites tell by what is right before them.
        let begin = max(area.start, site - min(site, 8)), end = min(area.end, site + 2)
        let isMove = try memory.withReadable(begin, Int(end - begin)) { (code) throws(Errno) -> Bool in
            SitePlan.hasMove(code, Int(site - begin), number)
        }
        if isMove { return (.move, []) }
        let from = max(area.start, site - min(site, Self.reach)), to = min(area.end, site + Self.reach)
        return try memory.withReadable(from, Int(to - from)) { (code) throws(Errno) -> (SitePlan, moved: [UInt8]) in
            guard let plan = SitePlan(code, site: Int(site - from), number: number) else { throw .eperm }
            guard case .displace(let byteCount, _) = plan else { return (plan, []) }
            let start = Int(site - from) + SitePlan.callByteCount
            return (plan, (start..<start + byteCount).map { code.byte(at: $0) })
        }
    }

    // MARK: Slots

    private static func displacement(from: UInt64, to: UInt64) -> [UInt8] {
        let distance = UInt32(truncatingIfNeeded: to &- from)
        return [
            UInt8(truncatingIfNeeded: distance), UInt8(truncatingIfNeeded: distance >> 8), UInt8(truncatingIfNeeded: distance >> 16),
            UInt8(truncatingIfNeeded: distance >> 24),
        ]
    }

    /// lea back(%rip), %rcx; movabs $entry, %r11; jmp *%r11: from `at` on.
    private func enter(at: UInt64, back: UInt64) -> [UInt8] {
        var bytes: [UInt8] = [0x48, 0x8d, 0x0d] + Self.displacement(from: at + 7, to: back) + [0x49, 0xbb]
        for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: entry >> UInt64(index * 8))) }
        return bytes + [0x41, 0xff, 0xe3]
    }
    private static var enterByteCount: UInt64 { 20 }

    private func moveSlot(at slot: UInt64, site: UInt64, number: UInt64) -> [UInt8] {
        let value = UInt32(truncatingIfNeeded: number)
        let move: [UInt8] = [
            0xb8, UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value >> 16),
            UInt8(truncatingIfNeeded: value >> 24),
        ]
        return move + enter(at: slot + 5, back: site + UInt64(SitePlan.callByteCount))
    }

    /// The way back is behind a system-call instruction, so that a call can be started again from there.
    private func displaceSlot(at slot: UInt64, site: UInt64, moved: [UInt8], endsFunction: Bool) -> [UInt8] {
        let back = slot + Self.enterByteCount + UInt64(SitePlan.callByteCount)
        var bytes = enter(at: slot, back: back) + [0x0f, 0x05] + moved
        guard !endsFunction else { return bytes }
        let end = slot + UInt64(bytes.count) + 5
        bytes += [0xe9] + Self.displacement(from: end, to: site + UInt64(SitePlan.callByteCount + moved.count))
        return bytes
    }

    /// A slot that a jump at `site` reaches.
    private func takeSlot(near site: UInt64, in area: Area) throws(Errno) -> UInt64 {
        for index in regions.indices {
            let region = regions[index]
            guard region.used < Self.regionByteCount, Self.reaches(site, region.start),
                memory.area(of: region.start)?.name == .trampolines
            else { continue }
            regions[index].used += Self.slotByteCount
            return region.start + region.used
        }
        let start = try memory.findFree(Self.regionByteCount, below: area.start)
        guard Self.reaches(site, start) else { throw .enomem }
        try memory.map(start, Self.regionByteCount, [.read, .execute], name: .trampolines)
        regions.append(Region(start: start, used: Self.slotByteCount))
        return start
    }

    private static func reaches(_ site: UInt64, _ region: UInt64) -> Bool {
        let distance = site > region ? site - region : region - site
        return distance < 0x7fff_0000
    }
}
