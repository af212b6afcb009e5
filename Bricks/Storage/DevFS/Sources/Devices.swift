import Bytes
import Errno
import PageFrames
import RamFS
import VFS

/// Opens device nodes by their numbers, wherever they stand (Linux Documentation/admin-guide/devices.txt).
public final class Devices: SpecialFiles {
    private let frames: PageFrames
    private let random: (inout MutableRawSpan) -> Void
    /// 5:1, /dev/console. nil: there is none.
    public var console: Terminal?
    /// 5:0, /dev/tty: the terminal of the session.
    public var controllingTerminal: Terminal?
    /// Opens FIFOs.
    public var fifos = SpecialFiles()
    let pseudoTerminals: PseudoTerminals

    /// `random` fills a span with unforeseeable bytes. `directory`: where the names of pseudo-terminals go.
    public init(frames: PageFrames, pseudoTerminals directory: RamDirectory?, random: @escaping (inout MutableRawSpan) -> Void) {
        self.frames = frames
        self.random = random
        pseudoTerminals = PseudoTerminals(directory)
        super.init()
    }

    public override func openFIFO(_ vnode: Vnode, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        try fifos.openFIFO(vnode, flags)
    }

    public override func openDevice(_ device: UInt64, _ vnode: Vnode, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        guard vnode.kind == .characterDevice else { throw .enxio }
        switch device {
        case deviceNumber(major: 1, minor: 3): return MemoryDevice(.null, vnode, flags, frames)
        case deviceNumber(major: 1, minor: 5): return MemoryDevice(.zero, vnode, flags, frames)
        case deviceNumber(major: 1, minor: 7): return MemoryDevice(.full, vnode, flags, frames)
        case deviceNumber(major: 1, minor: 8), deviceNumber(major: 1, minor: 9): return RandomDevice(vnode, flags, random)
        case deviceNumber(major: 5, minor: 0):
            guard let controllingTerminal else { throw .enxio }
            return try controllingTerminal.open(vnode, flags)
        case deviceNumber(major: 5, minor: 1):
            guard let console else { throw .enxio }
            return try console.open(vnode, flags)
        case deviceNumber(major: 5, minor: 2): return try pseudoTerminals.openMaster(vnode, flags)
        default:
            guard device >> 8 & 0xfff == 136 else { throw .enxio }
            return try pseudoTerminals.openSlave(Int(device & 0xff | device >> 12 & 0xfff00), vnode, flags)
        }
    }

    /// Fills an empty directory as /dev has it.
    public static func populate(_ root: RamDirectory) throws(Errno) -> RamDirectory {
        let nodes: [(name: String, major: UInt32, minor: UInt32, mode: UInt32)] = [
            ("null", 1, 3, 0o666), ("zero", 1, 5, 0o666), ("full", 1, 7, 0o666), ("random", 1, 8, 0o666), ("urandom", 1, 9, 0o666),
            ("tty", 5, 0, 0o666), ("console", 5, 1, 0o620), ("ptmx", 5, 2, 0o666),
        ]
        for node in nodes {
            let device = deviceNumber(major: node.major, minor: node.minor)
            let file = NewFile(kind: .characterDevice, permissions: Permissions(mode: node.mode), device: device)
            _ = try root.create(Array(node.name.utf8).raw, file)
        }
        let link = NewFile(kind: .symbolicLink, permissions: Permissions(mode: 0o777))
        for (name, target) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
        ] {
            _ = try root.makeSymbolicLink(Array(name.utf8).raw, to: Array(target.utf8).raw, link)
        }
        let shared = NewFile(kind: .directory, permissions: Permissions(mode: 0o1777))
        _ = try root.create(Array("shm".utf8).raw, shared)
        _ = try root.create(Array("mqueue".utf8).raw, shared)
        let terminals = try root.create(
            Array("pts".utf8).raw, NewFile(kind: .directory, permissions: Permissions(mode: 0o755)))
        guard let terminals = terminals as? RamDirectory else { throw .eio }
        return terminals
    }
}

/// null(4), zero(4), full(4).
final class MemoryDevice: OpenFile {
    enum Kind { case null, zero, full }
    private let device: Kind
    private let node: Vnode
    private let frames: PageFrames

    init(_ device: Kind, _ vnode: Vnode, _ flags: OpenFlags, _ frames: PageFrames) {
        self.device = device
        node = vnode
        self.frames = frames
        super.init(flags)
    }

    override var vnode: Vnode? { node }
    override var canBePolled: Bool { false }
    override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        guard device != .null else { return 0 }
        bytes.clear(from: 0, byteCount: bytes.byteCount)
        return bytes.byteCount
    }
    override func write(_ bytes: RawSpan) throws(Errno) -> Int {
        guard device != .full || bytes.byteCount == 0 else { throw .enospc }
        return bytes.byteCount
    }
    override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int { try read(into: &bytes) }
    override func write(at offset: Int64, _ bytes: RawSpan) throws(Errno) -> Int { try write(bytes) }
    override func seek(to offset: Int64, from whence: Int32) throws(Errno) -> Int64 { 0 }
    override func synchronize() throws(Errno) { throw .einval }
    /// Each page of /dev/zero is a fresh one.
    override func frame(at pageIndex: Int64, forWriting: Bool) throws(Errno) -> Frame {
        guard device == .zero else { throw .enodev }
        return try frames.allocate()
    }
}

/// random(4).
final class RandomDevice: OpenFile {
    private let node: Vnode
    private let fill: (inout MutableRawSpan) -> Void

    init(_ vnode: Vnode, _ flags: OpenFlags, _ fill: @escaping (inout MutableRawSpan) -> Void) {
        node = vnode
        self.fill = fill
        super.init(flags)
    }

    override var vnode: Vnode? { node }
    override func read(into bytes: inout MutableRawSpan) throws(Errno) -> Int {
        fill(&bytes)
        return bytes.byteCount
    }
    override func read(at offset: Int64, into bytes: inout MutableRawSpan) throws(Errno) -> Int { try read(into: &bytes) }
    /// What programs add is not needed.
    override func write(_ bytes: RawSpan) throws(Errno) -> Int { bytes.byteCount }
    override func write(at offset: Int64, _ bytes: RawSpan) throws(Errno) -> Int { bytes.byteCount }
    override func seek(to offset: Int64, from whence: Int32) throws(Errno) -> Int64 { 0 }
    override func control(_ request: UInt32, _ argument: UInt64, _ user: any UserBytes) throws(Errno) -> Int {
        // RNDGETENTCNT
        guard request == 0x8004_5200 else { throw .enotty }
        try user.copyOut(UInt32(256), to: argument)
        return 0
    }
}
