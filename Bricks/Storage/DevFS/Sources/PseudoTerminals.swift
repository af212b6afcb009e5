import Bytes
import Errno
import RamFS
import VFS

/// pty(7), pts(4): masters by number.
final class PseudoTerminals {
    private let directory: RamDirectory?
    private var pairs: [PseudoTerminal?] = []

    static var limit: Int { 64 }

    init(_ directory: RamDirectory?) { self.directory = directory }

    func openMaster(_ vnode: Vnode, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        let index = pairs.firstIndex { $0 == nil } ?? pairs.count
        guard index < Self.limit else { throw .enospc }
        let pair = PseudoTerminal(index)
        if let directory {
            let device = deviceNumber(major: 136, minor: UInt32(index))
            _ = try directory.create(
                Self.digits(index).raw, NewFile(kind: .characterDevice, permissions: Permissions(mode: 0o620, group: 5), device: device))
        }
        if index == pairs.count { pairs.append(pair) } else { pairs[index] = pair }
        return MasterFile(pair, self, vnode, flags)
    }

    func openSlave(_ index: Int, _ vnode: Vnode?, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        guard index < pairs.count, let pair = pairs[index] else { throw .enxio }
        guard !pair.isLocked else { throw .eio }
        return try pair.terminal.open(vnode, flags)
    }

    func remove(_ pair: PseudoTerminal) {
        pairs[pair.index] = nil
        let name = Self.digits(pair.index)
        if let directory, let vnode = try? directory.lookup(name.raw) { try? directory.unlink(name.raw, vnode) }
    }

    static func digits(_ number: Int) -> [UInt8] {
        number < 10 ? [UInt8(0x30 + number)] : digits(number / 10) + [UInt8(0x30 + number % 10)]
    }
}

/// A pair of master and slave.
final class PseudoTerminal: TerminalPort {
    let index: Int
    var isLocked = true
    private var isMasterOpen = true
    /// What the slave wrote.
    var output = ByteQueue(limit: 1 << 16)
    let masterObservers = ObserverList()
    private var made: Terminal?

    init(_ index: Int) { self.index = index }

    var terminal: Terminal {
        if let made { return made }
        let terminal = Terminal(
            self, device: deviceNumber(major: 136, minor: UInt32(index)), name: Array("/dev/pts/".utf8) + PseudoTerminals.digits(index))
        terminal.rows = 0
        terminal.columns = 0
        made = terminal
        let observers = masterObservers
        terminal.closed = { observers.notify([.hangUp, .input]) }
        return terminal
    }

    override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        let count = min(bytes.byteCount, output.room)
        guard count > 0 || bytes.byteCount == 0 else { throw .eagain }
        for offset in 0..<count { output.append(bytes.byte(at: offset)) }
        masterObservers.notify(.input)
        return count
    }
    override var canWrite: Bool { output.room >= 2 }
    override var isGone: Bool { !isMasterOpen }

    /// Hangs up: the slave reads its end, and the session is told (SIGHUP).
    func closeMaster() {
        isMasterOpen = false
        terminal.signal(1)
        terminal.observers.notify([.input, .hangUp])
        made = nil
    }
}

/// The master of a pair: what a terminal emulator has.
final class MasterFile: OpenFile {
    private let pair: PseudoTerminal
    private let terminal: Terminal
    private let owner: PseudoTerminals
    private let node: Vnode
    private let relay = Relay()

    init(_ pair: PseudoTerminal, _ owner: PseudoTerminals, _ vnode: Vnode, _ flags: OpenFlags) {
        self.pair = pair
        terminal = pair.terminal
        self.owner = owner
        node = vnode
        super.init(flags)
        relay.target = observers
        pair.masterObservers.add(relay)
    }

    private var isHungUp: Bool { terminal.wasOpened && terminal.openCount == 0 }

    override var vnode: Vnode? { node }
    override var readiness: PollEvents {
        var events: PollEvents = terminal.room > 0 ? .output : []
        if pair.output.count > 0 { events.insert(.input) }
        if isHungUp { events.insert(.hangUp) }
        return events
    }
    override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard pair.output.count > 0 else { throw isHungUp ? .eio : .eagain }
        let count = pair.output.read(into: &bytes, at: .max)
        terminal.observers.notify(.output)
        return count
    }
    override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        let count = min(bytes.byteCount, terminal.room)
        guard count > 0 || bytes.byteCount == 0 else { throw .eagain }
        terminal.receive(bytes.extracting(first: count))
        return count
    }
    override func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        switch request {
        case 0x8004_5430: try user.copyOut(UInt32(pair.index), to: argument)
        case 0x4004_5431: pair.isLocked = try user.copyIn(Int32.self, at: argument) != 0
        case 0x8004_5439: try user.copyOut(Int32(pair.isLocked ? 1 : 0), to: argument)
        case 0x541b: try user.copyOut(Int32(pair.output.count), to: argument)
        default: return try terminal.control(request, argument, user)
        }
        return 0
    }
    override func lastClose() {
        pair.masterObservers.remove(relay)
        owner.remove(pair)
        pair.closeMaster()
    }
}
