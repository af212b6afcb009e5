import Bytes
import Errno
import VFS

/// /proc/PID, /proc/TID, and /proc/PID/task/TID.
final class ProcessDirectory: GeneratedDirectory {
    private let source: ProcSource
    private let process: Int32
    private let thread: Int32?
    private let isTask: Bool

    private static var names: [(name: StaticString, kind: FileKind)] {
        [
            ("auxv", .regular), ("cgroup", .regular), ("cmdline", .regular), ("comm", .regular), ("coredump_filter", .regular),
            ("cwd", .symbolicLink), ("environ", .regular), ("exe", .symbolicLink), ("fd", .directory), ("fdinfo", .directory),
            ("io", .regular), ("limits", .regular), ("loginuid", .regular), ("maps", .regular), ("mountinfo", .regular),
            ("mounts", .regular), ("net", .directory), ("oom_adj", .regular), ("oom_score", .regular), ("oom_score_adj", .regular),
            ("personality", .regular), ("root", .symbolicLink), ("setgroups", .regular), ("smaps", .regular), ("smaps_rollup", .regular),
            ("stat", .regular), ("statm", .regular), ("status", .regular), ("wchan", .regular), ("task", .directory),
        ]
    }

    init(_ proc: ProcFS, _ source: ProcSource, _ process: Int32, thread: Int32?, parent: GeneratedDirectory, isTask: Bool = false) {
        self.source = source
        self.process = process
        self.thread = thread
        self.isTask = isTask
        let number = thread ?? process
        super.init(
            proc, parent: parent, name: Text.digits(number),
            inode: 1 << 32 | UInt64(UInt32(bitPattern: number)) << 8 | (isTask ? 1 << 40 : 0))
    }

    override func list() -> [(name: [UInt8], kind: FileKind)] {
        // The last of them is the directory of threads.
        Self.names.prefix(isTask ? Self.names.count - 1 : .max).map { ($0.name.bytes, $0.kind) }
    }

    override func find(_ name: RawSpan) throws(Errno) -> GeneratedNode? {
        let names = Self.names
        guard
            let index = names.firstIndex(where: {
                let known = $0.name.bytes
                return known.count == name.byteCount && known.hasSameBytes(as: name, from: 0)
            })
        else { return nil }
        let number = inode + UInt64(index) + 1
        let process = process, source = source, thread = thread
        switch names[index].kind {
        case .symbolicLink: return link(names[index].name, number)
        case .directory:
            switch names[index].name.utf8CodeUnitCount {
            case 2, 6:
                return DescriptorDirectory(
                    generated, source, process, parent: self, name: Array(copying: name), inode: number, isInfo: name.byteCount == 6)
            case 3: return (generated as? ProcFS)?.network
            default: return isTask ? nil : TaskDirectory(generated, source, process, parent: self, inode: number)
            }
        default:
            let wanted = names[index].name.bytes
            var accept: (([UInt8]) throws(Errno) -> Void)?
            if StaticString("comm").hasSameBytes(as: wanted) {
                accept = { (bytes) throws(Errno) in
                    var bytes = bytes
                    if bytes.last == 0x0a { bytes.removeLast() }
                    try source.setName(Array(bytes.prefix(15)), of: process, thread: thread)
                }
            } else if StaticString("oom_score_adj").hasSameBytes(as: wanted) {
                accept = { (bytes) throws(Errno) in
                    guard let value = Self.signed(bytes), value >= -1000, value <= 1000 else { throw .einval }
                    try source.setOutOfMemoryAdjustment(value, of: process)
                }
            } else if StaticString("coredump_filter").hasSameBytes(as: wanted) {
                accept = { (_) throws(Errno) in }
            }
            let file = GeneratedFile(generated, mode: accept == nil ? 0o444 : 0o644, inode: number, accept: accept) {
                () throws(Errno) in try Self.text(wanted, source, process, thread)
            }
            return file
        }
    }

    private static func signed(_ bytes: [UInt8]) -> Int32? {
        var digits = bytes
        if digits.last == 0x0a { digits.removeLast() }
        let isNegative = digits.first == 0x2d
        if isNegative { digits.removeFirst() }
        guard let value = Text.number(digits.raw) else { return nil }
        return isNegative ? -value : value
    }

    private func link(_ name: StaticString, _ number: UInt64) -> GeneratedLink {
        let process = process, source = source
        let letter = name.bytes.first
        func place() throws(Errno) -> Place {
            switch letter {
            case 0x65: try source.executable(of: process).place
            case 0x63: try source.context(of: process).workingDirectory
            default: try source.context(of: process).root
            }
        }
        return GeneratedLink(generated, inode: number, magic: { () throws(Errno) in .place(try place()) }) { () throws(Errno) in
            let context = try source.context(of: process)
            guard letter == 0x65 else { return (try? context.path(of: try place())) ?? [0x2f] }
            let origin = try source.executable(of: process)
            guard let directory = origin.directory else { return origin.name }
            var path = try context.path(of: directory)
            if path.count > 1 { path.append(0x2f) }
            return path + origin.name
        }
    }

    private static func text(_ name: [UInt8], _ source: ProcSource, _ process: Int32, _ thread: Int32?) throws(Errno) -> [UInt8] {
        func named(_ other: StaticString) -> Bool { other.hasSameBytes(as: name) }
        if named("maps") || named("smaps") || named("smaps_rollup") { return try mapsText(name.count, source, process) }
        if named("auxv") { return try source.auxiliaryVector(of: process) }
        if named("cmdline") { return try source.commandLine(of: process) }
        if named("environ") { return try source.environment(of: process) }
        if named("cgroup") { return StaticString("0::/\n").bytes }
        if named("mounts") { return ProcFS.mountsText(try source.context(of: process), isInfo: false) }
        if named("mountinfo") { return ProcFS.mountsText(try source.context(of: process), isInfo: true) }
        if named("coredump_filter") { return StaticString("00000033\n").bytes }
        if named("loginuid") { return StaticString("4294967295").bytes }
        if named("personality") { return StaticString("00000000\n").bytes }
        if named("setgroups") { return StaticString("allow\n").bytes }
        if named("oom_score") || named("oom_adj") { return StaticString("0\n").bytes }
        if named("wchan") { return [0x30] }
        if named("io") {
            return StaticString("rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n").bytes
        }
        let status = try source.status(of: process, thread: thread)
        if named("comm") { return status.name + [0x0a] }
        if named("limits") { return status.limitsText() }
        if named("oom_score_adj") { return Text.line(status.outOfMemoryAdjustment) }
        if named("statm") { return status.statmLine() }
        if named("status") {
            let count = (try? source.descriptors(of: process).count) ?? 0
            return status.statusText(process: process, descriptorCount: count, processorCount: source.system.processorCount)
        }
        return status.statLine()
    }

    private static func mapsText(_ length: Int, _ source: ProcSource, _ process: Int32) throws(Errno) -> [UInt8] {
        var text = Text()
        let mappings = try source.mappings(of: process)
        guard length != 12 else {
            guard let first = mappings.first, let last = mappings.last else { return [] }
            var sum = MemoryMapping(start: first.start, end: last.end, protection: 0, name: StaticString("[rollup]").bytes)
            for mapping in mappings {
                sum.residentByteCount += mapping.residentByteCount
                sum.anonymousByteCount += mapping.anonymousByteCount
            }
            sum.addLine(to: &text)
            sum.addDetails(to: &text)
            return text.bytes
        }
        for mapping in mappings {
            mapping.addLine(to: &text)
            if length == 5 { mapping.addDetails(to: &text) }
        }
        return text.bytes
    }
}

/// /proc/PID/task.
final class TaskDirectory: GeneratedDirectory {
    private let source: ProcSource
    private let process: Int32

    init(_ proc: GeneratedFS, _ source: ProcSource, _ process: Int32, parent: GeneratedDirectory, inode: UInt64) {
        self.source = source
        self.process = process
        super.init(proc, parent: parent, name: StaticString("task").bytes, inode: inode)
    }

    override func list() -> [(name: [UInt8], kind: FileKind)] { source.threads(of: process).map { (Text.digits($0), .directory) } }
    override func find(_ name: RawSpan) throws(Errno) -> GeneratedNode? {
        guard let thread = Text.number(name), source.threads(of: process).contains(thread), let proc = generated as? ProcFS else {
            return nil
        }
        return ProcessDirectory(proc, source, process, thread: thread, parent: self, isTask: true)
    }
}

/// /proc/PID/fd and fdinfo.
final class DescriptorDirectory: GeneratedDirectory {
    private let source: ProcSource
    private let process: Int32
    private let isInfo: Bool

    init(
        _ proc: GeneratedFS, _ source: ProcSource, _ process: Int32, parent: GeneratedDirectory, name: [UInt8], inode: UInt64, isInfo: Bool
    ) {
        self.source = source
        self.process = process
        self.isInfo = isInfo
        super.init(proc, parent: parent, name: name, mode: 0o500, inode: inode)
    }

    override func list() -> [(name: [UInt8], kind: FileKind)] {
        guard let descriptors = try? source.descriptors(of: process) else { return [] }
        return (0..<Int32(descriptors.count)).filter { descriptors.isOpen($0) }.map { (Text.digits($0), isInfo ? .regular : .symbolicLink) }
    }

    override func find(_ name: RawSpan) throws(Errno) -> GeneratedNode? {
        let descriptors = try source.descriptors(of: process)
        guard let number = Text.number(name), descriptors.isOpen(number) else { return nil }
        let source = source, process = process
        let inode = self.inode << 24 | UInt64(UInt32(bitPattern: number))
        if isInfo {
            return GeneratedFile(generated, mode: 0o400, inode: inode) { () throws(Errno) in
                guard let file = try? descriptors[number] else { throw .enoent }
                var text = Text()
                text.add("pos:\t")
                text.add((try? file.seek(to: 0, from: 1)) ?? 0)
                text.add("\nflags:\t0")
                let closes = (try? descriptors.closesOnExec(number)) == true ? OpenFlags.closeOnExec.rawValue : 0
                text.add(octal: file.flags.rawValue | closes, width: 7)
                text.add("\nmnt_id:\t")
                text.add(file.origin?.place.mount.identifier ?? 15)
                text.add("\nino:\t")
                text.add(file.attributes().inode)
                text.add("\n")
                return text.bytes
            }
        }
        return GeneratedLink(
            generated, inode: inode,
            magic: { () throws(Errno) in
                guard let file = try? descriptors[number] else { throw .enoent }
                if let place = file.origin?.place { return .place(place) }
                return .file(file)
            }
        ) { () throws(Errno) in
            guard let file = try? descriptors[number] else { throw .enoent }
            return try source.context(of: process).path(of: file)
        }
    }
}
