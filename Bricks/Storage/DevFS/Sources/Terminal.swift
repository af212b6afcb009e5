import Bytes
import Errno
import VFS

/// What is at the other side of a terminal: a console, or the master of a pseudo-terminal.
open class TerminalPort {
    public init() {}
    /// How many bytes it takes now; `.eagain`: none.
    open func write(_ bytes: RawSpan) throws(Errno) -> Int { bytes.byteCount }
    /// What has come in since, given to `terminal.receive`. Asked before every look at the input.
    open func poll(_ terminal: Terminal) {}
    /// Room for output.
    open var canWrite: Bool { true }
    /// Nobody is there any more.
    open var isGone: Bool { false }
}

/// A terminal and its line discipline (termios(3), N_TTY).
public final class Terminal {
    public var settings = TerminalSettings()
    public var rows: UInt16 = 24
    public var columns: UInt16 = 80
    private var pixels: (width: UInt16, height: UInt16) = (0, 0)
    /// The process group that signals go to, and the session.
    public var foregroundGroup: Int32 = 0
    public var session: Int32 = 0
    /// Sends a signal to the foreground process group.
    public var signal: (Int32) -> Void = { _ in }
    public let observers = ObserverList()
    public let port: TerminalPort
    let device: UInt64
    let name: [UInt8]
    private(set) var openCount = 0
    private(set) var wasOpened = false
    /// Whoever wants to know that no file is open any more.
    var closed: () -> Void = {}

    /// Input that a reader may take: in canonical mode whole lines, whose lengths are in `lines`.
    private var ready = ByteQueue(limit: 4096)
    private var lines: [Line] = []
    /// The line that is being edited.
    private var editing: [UInt8] = []
    private var isLiteral = false
    private var isStopped = false
    /// Echo that found no room.
    private var column = 0

    private struct Line {
        var byteCount: Int
        /// Ended by EOF alone: a read that returns nothing.
    }

    static var editLimit: Int { 4095 }

    public init(_ port: TerminalPort, device: UInt64, name: [UInt8]) {
        self.port = port
        self.device = device
        self.name = name
    }

    public func open(_ vnode: Vnode?, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        guard !port.isGone else { throw .eio }
        openCount += 1
        wasOpened = true
        return TerminalFile(self, vnode, flags)
    }

    func fileClosed() {
        openCount -= 1
        if openCount == 0 { closed() }
    }

    private func has(_ flag: UInt32) -> Bool { settings.local & flag != 0 }

    // MARK: Input

    /// Bytes from the port, each as if typed.
    public func receive(_ bytes: RawSpan) {
        for offset in 0..<bytes.byteCount { receive(bytes.byte(at: offset)) }
        if hasInput { observers.notify(.input) }
    }

    /// How many more bytes may be typed.
    public var room: Int { has(TerminalSettings.icanon) ? Self.editLimit - editing.count : ready.room }

    private func receive(_ typed: UInt8) {
        var byte = settings.input & TerminalSettings.istrip != 0 ? typed & 0x7f : typed
        if isLiteral {
            isLiteral = false
            return take(byte)
        }
        if has(TerminalSettings.isig), let number = signalNumber(of: byte) {
            if !has(TerminalSettings.noflsh) { discardInput() }
            echo(byte)
            return signal(number)
        }
        if settings.input & TerminalSettings.ixon != 0 {
            if byte == settings.characters[8], byte != 0 {
                isStopped = false
                return observers.notify(.output)
            }
            if byte == settings.characters[9], byte != 0 {
                isStopped = true
                return
            }
        }
        if byte == 0x0d {
            if settings.input & TerminalSettings.igncr != 0 { return }
            if settings.input & TerminalSettings.icrnl != 0 { byte = 0x0a }
        } else if byte == 0x0a, settings.input & TerminalSettings.inlcr != 0 {
            byte = 0x0d
        }
        if has(TerminalSettings.icanon) { edit(byte) } else { take(byte) }
    }

    private func signalNumber(of byte: UInt8) -> Int32? {
        guard byte != 0 else { return nil }
        if byte == settings.characters[0] { return 2 }
        if byte == settings.characters[1] { return 3 }
        if byte == settings.characters[10] { return 20 }
        return nil
    }

    /// A byte of the input as it is.
    private func take(_ byte: UInt8) {
        echo(byte)
        if has(TerminalSettings.icanon) {
            if editing.count < Self.editLimit { editing.append(byte) }
        } else {
            ready.append(byte)
        }
    }

    private func edit(_ byte: UInt8) {
        let characters = settings.characters
        if byte == 0x0a || byte != 0 && (byte == characters[11] || byte == characters[16]) {
            if has(TerminalSettings.echo) || has(TerminalSettings.echonl) && byte == 0x0a { put(byte) }
            editing.append(byte)
            return finishLine()
        }
        guard byte != 0 else { return take(byte) }
        switch byte {
        case characters[4]: finishLine()
        case characters[2]: erase()
        case characters[3]: while !editing.isEmpty { erase() }
        case characters[14] where has(TerminalSettings.iexten):
            while editing.last == 0x20 { erase() }
            while let last = editing.last, last != 0x20 { erase() }
        case characters[15] where has(TerminalSettings.iexten): isLiteral = true
        default: take(byte)
        }
    }

    private func erase() {
        guard let last = editing.popLast() else { return }
        // A character of several bytes goes as a whole.
        var byte = last
        while byte & 0xc0 == 0x80, let before = editing.popLast() { byte = before }
        guard has(TerminalSettings.echo), has(TerminalSettings.echoe) else { return }
        let width = byte < 0x20 && has(TerminalSettings.echoctl) ? 2 : 1
        for _ in 0..<width { for part: UInt8 in [8, 0x20, 8] { put(part) } }
    }

    private func finishLine() {
        guard editing.count <= ready.room else {
            editing = []
            return
        }
        for byte in editing { ready.append(byte) }
        lines.append(Line(byteCount: editing.count))
        editing = []
    }

    private func discardInput() {
        ready.removeAll()
        lines = []
        editing = []
    }

    private func echo(_ byte: UInt8) {
        guard has(TerminalSettings.echo) else { return }
        if byte < 0x20, byte != 0x0a, byte != 9, has(TerminalSettings.echoctl) {
            put(0x5e)
            put(byte + 0x40)
        } else {
            put(byte)
        }
    }

    var hasInput: Bool {
        if has(TerminalSettings.icanon) { return !lines.isEmpty }
        return ready.count >= max(1, Int(settings.characters[6])) || ready.count > 0 && settings.characters[5] > 0
    }

    func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        port.poll(self)
        if bytes.byteCount == 0 { return 0 }
        if has(TerminalSettings.icanon) {
            guard let line = lines.first else {
                if port.isGone { return 0 }
                throw .eagain
            }
            let count = ready.read(into: &bytes, at: line.byteCount)
            if count == line.byteCount { lines.removeFirst() } else { lines[0].byteCount -= count }
            return count
        }
        if ready.count == 0 || ready.count < min(Int(settings.characters[6]), bytes.byteCount) && settings.characters[5] == 0 {
            if port.isGone { return ready.read(into: &bytes, at: .max) }
            // MIN 0: what there is, and be it nothing.
            if settings.characters[6] == 0 { return 0 }
            throw .eagain
        }
        return ready.read(into: &bytes, at: .max)
    }

    // MARK: Output

    /// Whether it went out; echo that finds no room is lost.
    @discardableResult
    private func put(_ byte: UInt8) -> Bool {
        let bytes: InlineArray<2, UInt8>
        var count = 1
        if settings.output & TerminalSettings.opost != 0, byte == 0x0a, settings.output & TerminalSettings.onlcr != 0 {
            bytes = [0x0d, 0x0a]
            count = 2
        } else if settings.output & TerminalSettings.opost != 0, byte == 0x0d, settings.output & TerminalSettings.ocrnl != 0 {
            bytes = [0x0a, 0]
        } else {
            bytes = [byte, 0]
        }
        return (try? port.write(bytes.span.raw.extracting(first: count))) ?? 0 == count
    }

    func write(_ bytes: RawSpan) throws(Errno) -> Int {
        guard !port.isGone else { throw .eio }
        guard !isStopped else { throw .eagain }
        guard bytes.byteCount > 0 else { return 0 }
        guard settings.output & TerminalSettings.opost != 0 else { return try port.write(bytes) }
        var written = 0
        while written < bytes.byteCount {
            // Runs without a line end go out whole.
            var end = written
            while end < bytes.byteCount, bytes.byte(at: end) != 0x0a, bytes.byte(at: end) != 0x0d { end += 1 }
            if end > written {
                let sent: Int
                do { sent = try port.write(bytes.extracting(written..<end)) } catch {
                    guard written > 0 else { throw error }
                    return written
                }
                written += sent
                if written < end { return written }
            } else {
                guard port.canWrite, put(bytes.byte(at: written)) else {
                    guard written > 0 else { throw .eagain }
                    return written
                }
                written += 1
            }
        }
        return written
    }

    var readiness: PollEvents {
        port.poll(self)
        var events: PollEvents = []
        if hasInput { events.insert(.input) }
        if port.isGone { return events.union([.input, .output, .hangUp, .error]) }
        if port.canWrite, !isStopped { events.insert(.output) }
        return events
    }

    // MARK: Control

    /// ioctl_tty(2).
    func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        switch request {
        case 0x5401: try user.copyOut(settings.bytes(isLong: false).raw, to: argument)
        case 0x802c_542a: try user.copyOut(settings.bytes(isLong: true).raw, to: argument)
        case 0x5402, 0x5403, 0x5404: try set(argument, TerminalSettings.byteCount, discards: request == 0x5404, user)
        case 0x402c_542b, 0x402c_542c, 0x402c_542d:
            try set(argument, TerminalSettings.longByteCount, discards: request == 0x402c_542d, user)
        case 0x5413:
            var size: [UInt8] = []
            for word in [rows, columns, pixels.width, pixels.height] {
                size.append(UInt8(truncatingIfNeeded: word))
                size.append(UInt8(word >> 8))
            }
            try user.copyOut(size.raw, to: argument)
        case 0x5414:
            let size = try user.copyIn(UInt64.self, at: argument)
            let changes = rows != UInt16(truncatingIfNeeded: size) || columns != UInt16(truncatingIfNeeded: size >> 16)
            rows = UInt16(truncatingIfNeeded: size)
            columns = UInt16(truncatingIfNeeded: size >> 16)
            pixels = (UInt16(truncatingIfNeeded: size >> 32), UInt16(truncatingIfNeeded: size >> 48))
            if changes { signal(28) }
        case 0x540f: try user.copyOut(foregroundGroup, to: argument)
        case 0x5410: foregroundGroup = try user.copyIn(Int32.self, at: argument)
        case 0x5429: try user.copyOut(session, to: argument)
        case 0x541b: try user.copyOut(Int32(lines.first?.byteCount ?? (has(TerminalSettings.icanon) ? 0 : ready.count)), to: argument)
        case 0x5411: try user.copyOut(Int32(0), to: argument)
        case 0x540b: if argument != 1 { discardInput() }
        case 0x540a:
            guard argument <= 3 else { throw .einval }
            if argument <= 1 { isStopped = argument == 0 }
            if argument == 1 { observers.notify(.output) }
        // Draining and breaks take no time; exclusive use, and the controlling terminal, are the session's own affair.
        case 0x5409, 0x5425, 0x540c, 0x540d, 0x540e, 0x5422, 0x5427, 0x5428: break
        default: throw .enotty
        }
        return 0
    }

    private func set(_ argument: UInt64, _ count: Int, discards: Bool, _ user: any UserBytes) throws(Errno) {
        var bytes = [UInt8](repeating: 0, count: count)
        var span = bytes.mutableSpan
        var raw = span.raw
        try user.copyIn(argument, into: &raw)
        let wasCanonical = has(TerminalSettings.icanon)
        settings.set(bytes)
        if discards { discardInput() }
        if wasCanonical, !has(TerminalSettings.icanon) {
            // What was being edited can be read as it is.
            for byte in editing { ready.append(byte) }
            editing = []
            lines = []
        } else if !wasCanonical, has(TerminalSettings.icanon), ready.count > 0 {
            lines = [Line(byteCount: ready.count)]
        }
        observers.notify(.input)
    }
}

/// A terminal, opened.
final class TerminalFile: OpenFile {
    private let terminal: Terminal
    private let node: Vnode?
    private let relay: Relay

    init(_ terminal: Terminal, _ vnode: Vnode?, _ flags: OpenFlags) {
        self.terminal = terminal
        node = vnode
        relay = Relay()
        super.init(flags)
        relay.target = observers
        terminal.observers.add(relay)
    }

    override var kind: FileKind { .characterDevice }
    override var vnode: Vnode? { node }
    override var displayName: [UInt8] { terminal.name }
    override var readiness: PollEvents { terminal.readiness }
    override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int { try terminal.read(into: &bytes) }
    override func write(_ bytes: RawSpan) throws(Errno) -> Int { try terminal.write(bytes) }
    override func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        try terminal.control(request, argument, user)
    }
    override func attributes() -> Attributes {
        var attributes = node?.attributes ?? Attributes(kind: .characterDevice, permissions: Permissions(mode: 0o620))
        if node == nil { attributes.representedDevice = terminal.device }
        return attributes
    }
    override func lastClose() {
        terminal.observers.remove(relay)
        terminal.fileClosed()
    }
}

/// Hands what happens in one list on to another.
final class Relay: Observer {
    var target: ObserverList?
    override func notify(_ events: PollEvents) { target?.notify(events) }
}
