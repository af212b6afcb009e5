import LinuxFormat
import LinuxProcess
import Testing
import VFS

@testable import LinuxFiles

extension FileCallsTests {
    /// Random calls to Linux and to the handlers, with the same arguments: the same results, and the same bytes in memory.
    @Test func `random calls are answered as by Linux`() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        for round in 0..<12 {
            let pair = try #require(try Comparison(seed: seed &+ UInt64(round)))
            defer { pair.host.remove() }
            for _ in 0..<1500 {
                if let difference = pair.step() {
                    Issue.record("seed \(seed), round \(round): \(difference)\n\(pair.trail.suffix(40).joined(separator: "\n"))")
                    return
                }
            }
        }
    }
}

private final class Comparison {
    let machine: Machine
    let host: HostCalls
    private var random: Numbers
    /// Descriptors here and there.
    private var files: [(ours: UInt64, theirs: UInt64)] = []
    var trail: [String] = []

    private static let names = ["a", "b", "d", "d/a", "d/e", "d/e/f", "a/", "d/", "d/..", ".", "", "l", "l/a", "none/x", "d//a", "l2"]
    private static let numbers: [SyscallNumber] = [
        .openat, .openat, .openat, .openat, .close, .read, .read, .write, .write, .pread64, .pwrite64, .lseek, .mkdirat, .unlinkat,
        .renameat, .linkat, .symlinkat, .readlinkat, .fchmod, .ftruncate, .fallocate, .dup, .flock, .fsync, .fadvise64, .newfstatat, .fcntl,
    ]
    /// Memory of ours, and of Linux's.
    private var here: UInt64 { machine.data }
    private var there: UInt64 { machine.data + 0x8_0000 }

    init?(seed: UInt64) throws {
        machine = try Machine(byteLimit: 16 << 20)
        guard let host = HostCalls() else { return nil }
        self.host = host
        random = Numbers(state: seed)
        machine.process.paths.creationMask = 0o022
        // All pages are there for Linux too.
        for page in 0..<UInt64(256) { machine.store([0], at: machine.data + page * 4096) }
        _ = machine.bytes(machine.readOnly, 1)
        machine.store((0..<16384).map { _ in UInt8(truncatingIfNeeded: random.next()) }, at: machine.data + 0x4_0000)
        let ours = machine.open("/", .directory)
        files.append((UInt64(ours), UInt64(host.root)))
    }

    func step() -> String? {
        let number = Self.numbers[Int(random.next() % UInt64(Self.numbers.count))]
        let file = random.next() % 40 == 0 ? (99, 999) : files[Int(random.next() % UInt64(files.count))]
        let other = files[random.next() % 4 == 0 ? Int(random.next() % UInt64(files.count)) : 0]
        var ours: [UInt64] = [], theirs: [UInt64] = []
        func both(_ value: UInt64) {
            ours.append(value)
            theirs.append(value)
        }
        func add(_ pair: (ours: UInt64, theirs: UInt64)) {
            ours.append(pair.ours)
            theirs.append(pair.theirs)
        }
        var line = "\(number.rawValue)"
        func path(_ slot: UInt64) {
            if random.next() % 50 == 0 {
                return both([machine.nothing, machine.nothing - 2, 0xfff_ffff_ffff_ffff][Int(random.next() % 3)])
            }
            let name = Self.names[Int(random.next() % UInt64(Self.names.count))]
            line += " \"\(name)\""
            both(machine.text(name, at: 0xf_0000 + slot * 4096))
        }
        func buffer() {
            // A write to a tmpfs that finds no bytes moves the end of the file nevertheless.
            let writes = number == .write || number == .pwrite64
            if random.next() % 16 == 0, !writes {
                return both([machine.nothing, machine.readOnly, 0xfff_ffff_ffff_ffff][Int(random.next() % 3)])
            }
            let offset = random.next() % 4096
            if writes { return both(machine.data + 0x4_0000 + offset) }
            add((here + offset, there + offset))
        }
        func offset() -> UInt64 {
            switch random.next() % 8 {
            case 0: UInt64(bitPattern: -1)
            case 1: random.next() % 3 << 40
            default: random.next() % 20_000
            }
        }
        arguments(of: number, (file, other), both, add, path, buffer, offset)
        let their = host.call(number, theirs), our = machine.call(number, with: ours)
        line += " \(ours) = \(our), \(their)"
        trail.append(line)
        return compare(number, our, their, ours, theirs) ?? comparePlace(file)
    }

    /// The offset, and the size.
    private func comparePlace(_ file: Pair) -> String? {
        for (offset, whence) in [(0, 1), (0, 2)] as [(UInt64, UInt64)] {
            guard (try? machine.process.descriptors[Int32(file.ours)])?.kind == .regular else { return nil }
            let now = machine.call(.lseek, file.ours, 0, 1)
            let our = machine.call(.lseek, file.ours, offset, whence), their = host.call(.lseek, [file.theirs, offset, whence])
            guard our == their else { return "whence \(whence): \(our), \(their)" }
            if now >= 0 { _ = (machine.call(.lseek, file.ours, UInt64(now), 0), host.call(.lseek, [file.theirs, UInt64(now), 0])) }
        }
        return nil
    }

    private typealias Pair = (ours: UInt64, theirs: UInt64)
    private func arguments(
        of number: SyscallNumber, _ files: (Pair, Pair), _ both: (UInt64) -> Void, _ add: (Pair) -> Void, _ path: (UInt64) -> Void,
        _ buffer: () -> Void, _ offset: () -> UInt64
    ) {
        let root = random.next() % 8 == 0 ? files.0 : self.files[0]
        switch number {
        case .openat:
            add(root)
            path(0)
            var flags: UInt64 = 0
            for bit in [1, 2, 0o100, 0o100, 0o200, 0o1000, 0o2000, 0o200000, 0o400000, 0o10000000] as [UInt64] where random.next() % 4 == 0
            {
                flags |= bit
            }
            both(flags)
            both(0o666)
        case .close where files.0.ours == self.files[0].ours: add((99, 999))
        case .close, .dup, .fsync: add(files.0)
        case .read, .write, .pread64, .pwrite64:
            add(files.0)
            buffer()
            both(random.next() % 9000)
            both(offset())
        case .lseek:
            add(files.0)
            both(offset())
            // Linux calls what is reserved and not written a hole.
            both([0, 1, 2, 5][Int(random.next() % 4)])
        case .mkdirat, .unlinkat:
            add(root)
            path(0)
            both(number == .mkdirat ? 0o777 : [0, 0, 0x200, 1][Int(random.next() % 4)])
        case .renameat, .linkat:
            add(root)
            path(0)
            add(files.1)
            path(1)
            both(random.next() % 4 == 0 ? 0x400 : 0)
        case .symlinkat:
            // Links lead nowhere else.
            both(machine.text(["a", "d", "d/e", "none", "l"][Int(random.next() % 5)], at: 0xf_0000))
            add(root)
            both(machine.text(["l", "l2", "d/a", "a"][Int(random.next() % 4)], at: 0xf_1000))
        case .readlinkat:
            add(root)
            path(0)
            buffer()
            both(random.next() % 10)
        case .newfstatat:
            add(root)
            path(0)
            buffer()
            both([0, 0x100, 0x1000, 0x1100, 1][Int(random.next() % 5)])
        default: arguments(of: number, files.0, both, add, offset)
        }
    }

    private func arguments(
        of number: SyscallNumber, _ file: Pair, _ both: (UInt64) -> Void, _ add: (Pair) -> Void, _ offset: () -> UInt64
    ) {
        add(file)
        switch number {
        case .fchmod:
            both([0o644, 0o600, 0o755, 0o1777][Int(random.next() % 4)])
        case .ftruncate:
            both(offset())
        case .fallocate:
            both(0)
            both(random.next() % 20_000)
            both(random.next() % 10 == 0 ? UInt64(bitPattern: -1) : random.next() % 20_000)
        case .flock:
            both([5, 6, 8, 4, 7][Int(random.next() % 5)])
        case .fadvise64:
            both(0)
            both(offset())
            both(random.next() % 7)
        default:
            // Not F_GETFD: whoever starts a process in another test may mark all descriptors of this one.
            both([2, 3, 4][Int(random.next() % 3)])
            both([0, 1, 0o2000][Int(random.next() % 3)])
        }
    }

    private func compare(_ number: SyscallNumber, _ our: Int, _ their: Int, _ ours: [UInt64], _ theirs: [UInt64]) -> String? {
        if number == .openat || number == .dup {
            guard (our < 0) == (their < 0), our >= 0 || our == their else { return "results differ" }
            if our >= 0 { files.append((UInt64(our), UInt64(their))) }
            if files.count > 30 {
                let last = files.remove(at: 1)
                _ = (machine.call(.close, last.ours), host.call(.close, [last.theirs]))
            }
            return nil
        }
        guard our == their else { return "results differ" }
        if number == .close, our == 0 {
            files.removeAll { $0.ours == ours[0] }
            if files.isEmpty || files[0].theirs != UInt64(host.root) { return "stop" }
        }
        guard our >= 0 else { return nil }
        if [.read, .pread64].contains(number), our > 0, machine.bytes(ours[1], our) != machine.bytes(theirs[1], our) {
            return "bytes differ"
        }
        if number == .readlinkat, machine.bytes(ours[2], our) != machine.bytes(theirs[2], our) { return "links differ" }
        if number == .newfstatat, ours[2] != theirs[2] {
            // st_nlink, st_mode, and the size and blocks of what is no directory
            let mode = machine.word(ours[2] + 24) & 0xffff_ffff
            guard mode == machine.word(theirs[2] + 24) & 0xffff_ffff, machine.word(ours[2] + 16) == machine.word(theirs[2] + 16) else {
                return
                    "modes or links differ"
            }
            if mode & 0o170000 == 0o040000 { return nil }
            // A write whose bytes are not there may leave an empty page with Linux.
            guard machine.word(ours[2] + 48) == machine.word(theirs[2] + 48), machine.word(ours[2] + 64) <= machine.word(theirs[2] + 64)
            else {
                return
                    "sizes differ"
            }
        }
        return nil
    }
}
