import Bytes
import Errno
import VFS

/// sysfs(5), as far as runtimes look: processors, large pages, and the limits that a control group would set.
public final class SysFS: GeneratedFS {
    private var top: GeneratedDirectory?

    public init(_ source: ProcSource, device: UInt64, clock: @escaping () -> FileTime) {
        super.init(device: device, typeName: "sysfs", magic: 0x6265_6572, clock: clock)
        let root = GeneratedDirectory(self, parent: nil, name: nil)
        top = root
        addProcessors(source, to: root.directory("devices").directory("system").directory("cpu"))
        addMemory(source, to: root)
        addControlGroup(source, to: root.directory("fs").directory("cgroup"))
        addNetwork(source, to: root.directory("class").directory("net"))
        _ = root.directory("block")
    }

    public var root: Vnode {
        guard let top else { fatalError("made with the file system") }
        return top
    }

    private func addProcessors(_ source: ProcSource, to processors: GeneratedDirectory) {
        for name in ["online", "possible", "present"] as [StaticString] {
            processors.add(name) { () throws(Errno) in ProcFS.range(source.system.processorCount) + [0x0a] }
        }
        processors.add(lines: "offline \nisolated \nkernel_max 63")
        let count = source.system.processorCount
        for index in 0..<count {
            var name = Text()
            name.add("cpu")
            name.add(index)
            let processor = processors.directory(name.bytes)
            processor.add("online", text: "1")
            let topology = processor.directory("topology")
            topology.add("core_id") { () throws(Errno) in Text.line(index) }
            topology.add("physical_package_id", text: "0")
            for name in ["thread_siblings_list", "core_cpus_list"] as [StaticString] {
                topology.add(name) { () throws(Errno) in Text.line(index) }
            }
            for name in ["core_siblings_list", "package_cpus_list"] as [StaticString] {
                topology.add(name) { () throws(Errno) in ProcFS.range(count) + [0x0a] }
            }
            let caches: [StaticString] = [
                "level 1\ntype Data\nsize 32K", "level 1\ntype Instruction\nsize 32K", "level 2\ntype Unified\nsize 1024K",
            ]
            for (place, cacheLines) in caches.enumerated() {
                var name = Text()
                name.add("index")
                name.add(place)
                let cache = processor.directory("cache").directory(name.bytes)
                cache.add(lines: cacheLines)
                cache.add("coherency_line_size", text: "64")
                cache.add("shared_cpu_list") { () throws(Errno) in Text.line(index) }
            }
        }
    }

    private func addMemory(_ source: ProcSource, to root: GeneratedDirectory) {
        let node = root.directory("devices").directory("system").directory("node")
        node.add(lines: "online 0\npossible 0\nhas_cpu 0\nhas_memory 0\nhas_normal_memory 0")
        node.directory("node0").add("cpulist") { () throws(Errno) in ProcFS.range(source.system.processorCount) + [0x0a] }
        node.directory("node0").add("cpumap", text: "1")
        node.directory("node0").add("distance", text: "10")
        let pages = root.directory("kernel").directory("mm").directory("transparent_hugepage")
        pages.add(
            lines: """
                enabled always madvise [never]
                defrag always defer defer+madvise madvise [never]
                shmem_enabled always within_size advise [never] deny force
                hpage_pmd_size 2097152
                """)
        _ = root.directory("kernel").directory("mm").directory("hugepages")
        let clocks = root.directory("devices").directory("system").directory("clocksource").directory("clocksource0")
        clocks.add(lines: "current_clocksource tsc\navailable_clocksource tsc")
    }

    /// Version 2: the instance is the root group and shows what it was given.
    private func addControlGroup(_ source: ProcSource, to group: GeneratedDirectory) {
        group.add(
            lines: """
                cgroup.controllers cpu memory pids
                cgroup.subtree_control 
                cgroup.type domain
                cpu.weight 100
                memory.high max
                memory.low 0
                memory.min 0
                memory.swap.max 0
                memory.swap.current 0
                pids.max max
                """)
        group.add("memory.events", text: "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0")
        group.add("cgroup.procs") { () throws(Errno) in Text.line(source.currentProcess) }
        group.add("cpu.max") { () throws(Errno) in
            var text = Text()
            text.add(source.system.processorCount * 100_000)
            text.add(" 100000\n")
            return text.bytes
        }
        group.add("cpuset.cpus.effective") { () throws(Errno) in ProcFS.range(source.system.processorCount) + [0x0a] }
        group.add("memory.max") { () throws(Errno) in Text.line(source.system.totalByteCount) }
        group.add("memory.current") { () throws(Errno) in
            let system = source.system
            return Text.line(system.totalByteCount - min(system.freeByteCount, system.totalByteCount))
        }
        group.add("memory.stat") { () throws(Errno) in
            var text = Text()
            text.add("anon 0\nfile ")
            text.add(source.system.fileByteCount)
            text.add("\nshmem 0\ninactive_file 0\nactive_file 0\n")
            return text.bytes
        }
        group.add("pids.current") { () throws(Errno) in Text.line(source.system.threads) }
        group.add("cpu.stat") { () throws(Errno) in
            let system = source.system
            var text = Text()
            text.add("usage_usec ")
            text.add((system.userTicks + system.systemTicks) * 10_000)
            text.add("\nuser_usec ")
            text.add(system.userTicks * 10_000)
            text.add("\nsystem_usec ")
            text.add(system.systemTicks * 10_000)
            text.add("\n")
            return text.bytes
        }
    }

    private func addNetwork(_ source: ProcSource, to network: GeneratedDirectory) {
        for interface in source.interfaces {
            let directory = network.directory(interface.name)
            directory.add("ifindex") { () throws(Errno) in Text.line(interface.index) }
            directory.add("operstate", text: "up")
            directory.add("carrier", text: "1")
        }
    }
}
