import Bytes
import Errno
import VFS

// The texts of /proc/PID (proc(5)).
extension ProcessStatus {
    /// The 52 fields of stat.
    func statLine() -> [UInt8] {
        var text = Text()
        text.add(identifier)
        text.add(" (")
        text.add(name)
        text.add(") ")
        text.add(byte: state)
        func add(_ value: some FixedWidthInteger) {
            text.add(byte: 0x20)
            text.add(value)
        }
        for value in [parent, group, session, terminal, terminalGroup] { add(value) }
        add(0x400000)
        for value in [minorFaults, 0, majorFaults, 0, userTicks, systemTicks, 0, 0] { add(value) }
        add(priority)
        add(nice)
        add(threadCount)
        for value in [0, startTicks, virtualByteCount, residentPageCount, .max, code.0, code.1, stackStart, 0, 0] { add(value) }
        // Signals are as many as fit in 31 bits.
        for value in [pendingSignals, blockedSignals, ignoredSignals, caughtSignals] { add(value & 0x7fff_ffff) }
        for value in [0, 0, 0, 17, 0, 0, UInt64(schedulingPolicy), 0, 0, 0] { add(value) }
        for value in [data.0, data.1, breakStart, arguments.0, arguments.1, environment.0, environment.1, 0] { add(value) }
        text.add("\n")
        return text.bytes
    }

    /// In pages: size, resident, shared, text, library, data, dirty.
    func statmLine() -> [UInt8] {
        var text = Text()
        let values = [virtualByteCount / 4096, residentPageCount, filePageCount, codeByteCount / 4096, 0, dataByteCount / 4096]
        for value in values {
            text.add(value)
            text.add(" ")
        }
        text.add("0\n")
        return text.bytes
    }

    func statusText(process: Int32, descriptorCount: Int, processorCount: Int) -> [UInt8] {
        var text = Text()
        text.add("Name:\t")
        text.add(name)
        text.add("\nUmask:\t")
        text.add(octal: creationMask, width: 4)
        text.add("\nState:\t")
        text.add(byte: state)
        switch state {
        case 0x52: text.add(" (running)\n")
        case 0x54: text.add(" (stopped)\n")
        case 0x5a: text.add(" (zombie)\n")
        default: text.add(" (sleeping)\n")
        }
        text.addLine("Tgid", process)
        text.addLine("Ngid", 0)
        text.addLine("Pid", identifier)
        text.addLine("PPid", parent)
        text.addLine("TracerPid", 0)
        for (name, ids) in [("Uid:", users), ("Gid:", groups)] as [(StaticString, InlineArray<4, UInt32>)] {
            text.add(name)
            for index in 0..<4 {
                text.add("\t")
                text.add(ids[index])
            }
            text.add("\n")
        }
        text.addLine("FDSize", max(64, descriptorCount))
        text.add("Groups:\t")
        for group in supplementaryGroups {
            text.add(group)
            text.add(" ")
        }
        text.add("\n")
        text.addLine("NStgid", process)
        text.addLine("NSpid", identifier)
        text.addLine("NSpgid", group)
        text.addLine("NSsid", session)
        addMemory(to: &text)
        text.addLine("CoreDumping", 0)
        text.addLine("THP_enabled", 0)
        text.addLine("Threads", threadCount)
        text.add("SigQ:\t0/4096\n")
        for (name, mask) in [
            ("SigPnd", pendingSignals), ("ShdPnd", sharedPendingSignals), ("SigBlk", blockedSignals), ("SigIgn", ignoredSignals),
            ("SigCgt", caughtSignals), ("CapInh", 0), ("CapPrm", capabilities), ("CapEff", capabilities), ("CapBnd", capabilities),
            ("CapAmb", 0),
        ] as [(StaticString, UInt64)] {
            text.addLine(name, hex: mask)
        }
        text.addLine("NoNewPrivs", hasNoNewPrivileges ? 1 : 0)
        text.addLine("Seccomp", 0)
        text.addLine("Seccomp_filters", 0)
        text.add("Cpus_allowed:\t")
        text.add(hex: (1 << UInt64(min(processorCount, 63))) - 1)
        text.add("\nCpus_allowed_list:\t")
        text.add(ProcFS.range(processorCount))
        text.add("\nMems_allowed:\t1\nMems_allowed_list:\t0\n")
        text.addLine("voluntary_ctxt_switches", voluntarySwitches)
        text.addLine("nonvoluntary_ctxt_switches", involuntarySwitches)
        return text.bytes
    }

    private func addMemory(to text: inout Text) {
        let resident = residentPageCount * 4, file = filePageCount * 4
        let values = [
            virtualByteCount / 1024, virtualByteCount / 1024, 0, 0, resident, resident, resident > file ? resident - file : 0, file, 0,
            dataByteCount / 1024, stackByteCount / 1024, codeByteCount / 1024, 0, 4, 0, 0,
        ]
        var index = 0
        let names: StaticString = """
            VmPeak
            VmSize
            VmLck
            VmPin
            VmHWM
            VmRSS
            RssAnon
            RssFile
            RssShmem
            VmData
            VmStk
            VmExe
            VmLib
            VmPTE
            VmSwap
            HugetlbPages
            """
        names.forEachLine { name in
            text.addLine(name, kilobytes: values[index])
            index += 1
        }
    }

    func limitsText() -> [UInt8] {
        let rows: StaticString = """
            Max cpu time,seconds
            Max file size,bytes
            Max data size,bytes
            Max stack size,bytes
            Max core file size,bytes
            Max resident set,bytes
            Max processes,processes
            Max open files,files
            Max locked memory,bytes
            Max address space,bytes
            Max file locks,locks
            Max pending signals,signals
            Max msgqueue size,bytes
            Max nice priority,
            Max realtime priority,
            Max realtime timeout,us
            """
        var text = Text()
        func add(_ cells: [[UInt8]]) {
            for (index, width) in [26, 21, 21, 10].enumerated() {
                let start = text.bytes.count
                text.add(cells[index])
                text.pad(from: start, to: width)
            }
            text.add("\n")
        }
        func cell(_ limit: UInt64) -> [UInt8] {
            if limit == .max { return StaticString("unlimited").bytes }
            var text = Text()
            text.add(limit)
            return text.bytes
        }
        text.add("Limit                     Soft Limit           Hard Limit           Units     \n")
        var index = 0
        rows.forEachLine { row in
            let name = row.prefix { $0 != 0x2c }
            guard index < limits.count else { return }
            add([Array(name), cell(limits[index].soft), cell(limits[index].hard), Array(row.dropFirst(name.count + 1))])
            index += 1
        }
        return text.bytes
    }
}

extension MemoryMapping {
    func addLine(to text: inout Text) {
        let begin = text.bytes.count
        text.add(hex: start, width: 8)
        text.add("-")
        text.add(hex: end, width: 8)
        text.add(" ")
        text.add(protection & 1 != 0 ? "r" : "-")
        text.add(protection & 2 != 0 ? "w" : "-")
        text.add(protection & 4 != 0 ? "x" : "-")
        text.add(isShared ? "s " : "p ")
        text.add(hex: offset, width: 8)
        text.add(" ")
        text.add(hex: device >> 8 & 0xfff, width: 2)
        text.add(":")
        text.add(hex: device & 0xff, width: 2)
        text.add(" ")
        text.add(inode)
        text.add(" ")
        if !name.isEmpty {
            text.pad(from: begin, to: 73)
            // A line end in a name would be one of the text.
            for byte in name { if byte == 0x0a { text.add("\\012") } else { text.add(byte: byte) } }
        }
        text.add("\n")
    }

    func addDetails(to text: inout Text) {
        let resident = residentByteCount / 1024, anonymous = anonymousByteCount / 1024
        text.addColumns(
            """
            Size
            KernelPageSize
            MMUPageSize
            Rss
            Pss
            Pss_Dirty
            Shared_Clean
            Shared_Dirty
            Private_Clean
            Private_Dirty
            Referenced
            Anonymous
            LazyFree
            AnonHugePages
            ShmemPmdMapped
            FilePmdMapped
            Shared_Hugetlb
            Private_Hugetlb
            Swap
            SwapPss
            Locked
            """,
            kilobytes: [
                (end - start) / 1024, 4, 4, resident, resident, anonymous, 0, 0, resident > anonymous ? resident - anonymous : 0, anonymous,
                resident, anonymous,
            ])
        text.add("THPeligible:    0\nVmFlags:")
        text.add(protection & 1 != 0 ? " rd" : "")
        text.add(protection & 2 != 0 ? " wr" : "")
        text.add(protection & 4 != 0 ? " ex" : "")
        text.add(isShared ? " sh\n" : "\n")
    }
}
