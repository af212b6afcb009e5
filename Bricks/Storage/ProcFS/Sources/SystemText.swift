import Bytes
// The texts of /proc about the machine (proc(5)).
extension SystemStatus {
    func processorText() -> [UInt8] {
        var text = Text()
        for index in 0..<processorCount {
            text.add("processor\t: ")
            text.add(index)
            text.add("\nvendor_id\t: ")
            text.add(vendor)
            text.add("\ncpu family\t: ")
            text.add(family)
            text.add("\nmodel\t\t: ")
            text.add(model)
            text.add("\nmodel name\t: ")
            text.add(modelName)
            text.add("\nstepping\t: ")
            text.add(stepping)
            text.add("\ncpu MHz\t\t: ")
            text.add(megahertz)
            text.add(".000\ncache size\t: ")
            text.add(cacheKilobytes)
            text.add(" KB\nphysical id\t: 0\nsiblings\t: ")
            text.add(processorCount)
            text.add("\ncore id\t\t: ")
            text.add(index)
            text.add("\ncpu cores\t: ")
            text.add(processorCount)
            text.add("\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\nflags\t\t: ")
            text.add(processorFlags)
            text.add("\nbugs\t\t:\nbogomips\t: ")
            text.add(2 * megahertz)
            text.add(".00\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 46 bits physical, 48 bits virtual\n\n")
        }
        return text.bytes
    }

    func memoryText() -> [UInt8] {
        var text = Text()
        let total = totalByteCount / 1024, free = freeByteCount / 1024, file = fileByteCount / 1024, shared = sharedByteCount / 1024
        let used = total > free + file ? total - free - file : 0
        text.addColumns(
            """
            MemTotal
            MemFree
            MemAvailable
            Buffers
            Cached
            SwapCached
            Active
            Inactive
            Active(anon)
            Inactive(anon)
            Active(file)
            Inactive(file)
            Unevictable
            Mlocked
            SwapTotal
            SwapFree
            Dirty
            Writeback
            AnonPages
            Mapped
            Shmem
            KReclaimable
            Slab
            SReclaimable
            SUnreclaim
            KernelStack
            PageTables
            CommitLimit
            Committed_AS
            VmallocTotal
            VmallocUsed
            AnonHugePages
            """,
            kilobytes: [
                total, free, free, 0, file, 0, used, file, used, 0, 0, file, 0, 0, 0, 0, 0, 0, used, file, shared, 0, 0, 0, 0, 0, 0, total,
                used,
            ])
        text.add("HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n")
        text.add("Hugepagesize:       2048 kB\n")
        return text.bytes
    }

    func statText() -> [UInt8] {
        var text = Text()
        func addTimes(_ name: StaticString, _ share: UInt64, _ index: Int?) {
            text.add(name)
            if let index { text.add(index) }
            for value in [userTicks / share, 0, systemTicks / share, idleNanoseconds / 10_000_000 / share, 0, 0, 0, 0, 0, 0] {
                text.add(" ")
                text.add(value)
            }
            text.add("\n")
        }
        addTimes("cpu ", 1, nil)
        for index in 0..<processorCount { addTimes("cpu", UInt64(max(1, processorCount)), index) }
        for (name, value) in [
            ("intr 0\nctxt ", contextSwitches), ("btime ", bootTime), ("processes ", startedProcesses),
            ("procs_running ", UInt64(runnableThreads)), ("procs_blocked ", 0),
        ] as [(StaticString, UInt64)] {
            text.add(name)
            text.add(value)
            text.add("\n")
        }
        text.add("softirq 0 0 0 0 0 0 0 0 0 0 0\n")
        return text.bytes
    }
}
