import Bytes
import Errno
import VFS

/// proc(5): processes and the kernel's settings, made from what a `ProcSource` tells.
public final class ProcFS: GeneratedFS {
    let source: ProcSource
    private var top: ProcDirectory?
    private(set) var network: GeneratedDirectory?

    public init(_ source: ProcSource, device: UInt64, clock: @escaping () -> FileTime) {
        self.source = source
        super.init(device: device, typeName: "proc", magic: 0x9fa0, clock: clock)
        let root = ProcDirectory(self, source)
        top = root
        network = root.directory("net")
        addTexts(to: root)
        addNetwork(to: root.directory("net"))
        addSettings(to: root.directory("sys"))
    }

    public var root: Vnode {
        guard let top else { fatalError("made with the file system") }
        return top
    }

    /// "0-3", or "0".
    static func range(_ count: Int) -> [UInt8] {
        var text = Text()
        text.add(0)
        if count > 1 {
            text.add("-")
            text.add(count - 1)
        }
        return text.bytes
    }

    /// /proc/mounts and mountinfo.
    static func mountsText(_ context: PathContext, isInfo: Bool) -> [UInt8] {
        var text = Text()
        for mount in context.mounts.mounts {
            var path: [UInt8] = [0x2f]
            var parent = 1
            if let point = mount.point {
                parent = point.mount.identifier
                guard let found = try? context.path(of: point) else { continue }
                path = found
            }
            let type = mount.fileSystem.typeName
            let options: StaticString = mount.isReadOnly ? "ro,relatime" : "rw,relatime"
            if isInfo {
                text.add(mount.identifier)
                text.add(" ")
                text.add(mount.point == nil ? 0 : parent)
                text.add(" 0:")
                text.add(mount.fileSystem.device & 0xff)
                text.add(" / ")
                text.add(path)
                text.add(" ")
                text.add(options)
                text.add(" - ")
                text.add(type)
                text.add(" ")
                text.add(type)
                text.add(mount.isReadOnly ? " ro\n" : " rw\n")
            } else {
                text.add(type)
                text.add(" ")
                text.add(path)
                text.add(" ")
                text.add(type)
                text.add(" ")
                text.add(options)
                text.add(" 0 0\n")
            }
        }
        return text.bytes
    }

    private func addTexts(to root: GeneratedDirectory) {
        let source = source
        root.add("cpuinfo") { () throws(Errno) in source.system.processorText() }
        root.add("meminfo") { () throws(Errno) in source.system.memoryText() }
        root.add("stat") { () throws(Errno) in source.system.statText() }
        root.add("uptime") { () throws(Errno) in
            var text = Text()
            text.add(seconds: source.system.uptimeNanoseconds)
            text.add(" ")
            text.add(seconds: source.system.idleNanoseconds)
            text.add("\n")
            return text.bytes
        }
        root.add("loadavg") { () throws(Errno) in
            let system = source.system
            var text = Text()
            text.add("0.00 0.00 0.00 ")
            text.add(system.runnableThreads)
            text.add("/")
            text.add(system.threads)
            text.add(" ")
            text.add(system.lastProcess)
            text.add("\n")
            return text.bytes
        }
        root.add("version") { () throws(Errno) in
            StaticString("Linux version ").bytes + source.system.release + StaticString(" (brique) ").bytes + source.system.version + [0x0a]
        }
        root.add("filesystems") { () throws(Errno) in
            StaticString("nodev\tproc\nnodev\tsysfs\nnodev\ttmpfs\nnodev\toverlay\nnodev\tcgroup2\n\terofs\n").bytes
        }
        root.add("cgroups") { () throws(Errno) in
            StaticString("#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t0\t1\t1\nmemory\t0\t1\t1\npids\t0\t1\t1\n").bytes
        }
        root.add("devices") { () throws(Errno) in
            StaticString("Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n").bytes
        }
        root.add("cmdline") { () throws(Errno) in [0x0a] }
        root.add("swaps") { () throws(Errno) in StaticString("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n").bytes }
        root.add("diskstats") { () throws(Errno) in [] }
        root.add("partitions") { () throws(Errno) in StaticString("major minor  #blocks  name\n\n").bytes }
        root.add("modules") { () throws(Errno) in [] }
        root.add("interrupts") { () throws(Errno) in StaticString("           CPU0       \n").bytes }
        root.add("mounts", GeneratedLink(self) { () throws(Errno) in StaticString("self/mounts").bytes })
        root.add("self", GeneratedLink(self) { () throws(Errno) in Text.digits(source.currentProcess) })
        root.add(
            "thread-self",
            GeneratedLink(self) { () throws(Errno) in
                Text.digits(source.currentProcess) + StaticString("/task/").bytes + Text.digits(source.currentThread)
            })
    }

    private func addNetwork(to network: GeneratedDirectory) {
        let source = source
        network.add("dev") { () throws(Errno) in
            var text = Text()
            text.add("Inter-|   Receive                                                |  Transmit\n")
            text.add(" face |bytes    packets errs drop fifo frame compressed multicast|")
            text.add("bytes    packets errs drop fifo colls carrier compressed\n")
            for interface in source.interfaces {
                let start = text.bytes.count
                text.pad(from: start, to: 6 - interface.name.count)
                text.add(interface.name)
                text.add(":")
                for (value, width) in [(interface.receivedByteCount, 8), (interface.receivedPacketCount, 8)] {
                    text.add(value, width: width)
                }
                text.add("    0    0    0     0          0         0 ")
                text.add(interface.sentByteCount, width: 8)
                text.add(interface.sentPacketCount, width: 8)
                text.add("    0    0    0     0       0          0\n")
            }
            return text.bytes
        }
        network.add("if_inet6") { () throws(Errno) in
            var text = Text()
            for interface in source.interfaces {
                for address in interface.addresses {
                    for index in 0..<16 { text.add(hex: UInt64(address.bytes[index]), width: 2) }
                    for value in [UInt64(interface.index), UInt64(address.prefixLength), UInt64(address.scope), 0x80] {
                        text.add(" ")
                        text.add(hex: value, width: 2)
                    }
                    text.add(" ")
                    text.pad(from: text.bytes.count, to: 8 - interface.name.count)
                    text.add(interface.name)
                    text.add("\n")
                }
            }
            return text.bytes
        }
        let head: StaticString = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        let headV6: StaticString =
            """
              sl  local_address                         remote_address                        \
            st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode

            """
        network.add("tcp") { () throws(Errno) in head.bytes + source.sockets(.tcp) }
        network.add("tcp6") { () throws(Errno) in headV6.bytes + source.sockets(.tcp6) }
        network.add("udp") { () throws(Errno) in head.bytes + source.sockets(.udp) }
        network.add("udp6") { () throws(Errno) in headV6.bytes + source.sockets(.udp6) }
        network.add("unix") { () throws(Errno) in
            StaticString("Num       RefCount Protocol Flags    Type St Inode Path\n").bytes + source.sockets(.unix)
        }
        network.add("route") { () throws(Errno) in
            StaticString("Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n").bytes
        }
    }
}

/// The root: processes by number, beside what stays.
final class ProcDirectory: GeneratedDirectory {
    private let source: ProcSource

    init(_ proc: GeneratedFS, _ source: ProcSource) {
        self.source = source
        super.init(proc, parent: nil, name: nil)
    }

    override func list() -> [(name: [UInt8], kind: FileKind)] { source.processes.map { (Text.digits($0), .directory) } }
    override func find(_ name: RawSpan) throws(Errno) -> GeneratedNode? {
        guard let number = Text.number(name), let proc = generated as? ProcFS else { return nil }
        let processes = source.processes
        if processes.contains(number) { return ProcessDirectory(proc, source, number, thread: nil, parent: self) }
        // Threads are not listed here, but found.
        for process in processes where source.threads(of: process).contains(number) {
            return ProcessDirectory(proc, source, process, thread: number, parent: self)
        }
        return nil
    }
}
