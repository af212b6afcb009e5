import Bytes
import Errno
import VFS

// /proc/sys (proc(5), Linux Documentation/admin-guide/sysctl). Settings are read; what is written to them is refused.
extension ProcFS {
    func addSettings(to settings: GeneratedDirectory) {
        addKernelSettings(to: settings.directory("kernel"))
        let memory = settings.directory("vm"), source = source
        memory.add("overcommit_memory") { () throws(Errno) in Text.line(source.system.overcommit) }
        memory.add(
            lines: """
                overcommit_ratio 50
                max_map_count 65530
                mmap_min_addr 65536
                swappiness 0
                nr_hugepages 0
                min_free_kbytes 1024
                dirty_ratio 20
                zone_reclaim_mode 0
                """)
        let files = settings.directory("fs")
        files.add(
            lines: """
                file-max 1048576
                nr_open 1048576
                file-nr 0\t0\t1048576
                pipe-max-size 1048576
                aio-max-nr 65536
                aio-nr 0
                protected_hardlinks 0
                protected_symlinks 0
                suid_dumpable 0
                """)
        files.directory("inotify").add(
            lines: """
                max_user_watches 65536
                max_user_instances 128
                max_queued_events 16384
                """)
        files.directory("epoll").add("max_user_watches", text: "1048576")
        let mqueue = files.directory("mqueue")
        mqueue.add("msg_max", text: "10")
        addNetworkSettings(to: settings.directory("net"))
    }

    private func addKernelSettings(to kernel: GeneratedDirectory) {
        let source = source
        kernel.add("ostype", text: "Linux")
        kernel.add("osrelease") { () throws(Errno) in source.system.release + [0x0a] }
        kernel.add("version") { () throws(Errno) in source.system.version + [0x0a] }
        kernel.add(
            "hostname",
            GeneratedFile(
                self, mode: 0o644,
                accept: { (bytes) throws(Errno) in try source.setHostName(bytes.last == 0x0a ? Array(bytes.dropLast()) : bytes) }
            ) { () throws(Errno) in source.hostName + [0x0a] })
        kernel.add(
            lines: """
                domainname (none)
                pid_max 4194304
                threads-max 65536
                ngroups_max 65536
                cap_last_cap 40
                shmmax 18446744073692774399
                shmall 18446744073692774399
                shmmni 4096
                msgmax 8192
                msgmnb 16384
                msgmni 32000
                sem 32000\t1024000000\t500\t32000
                randomize_va_space 2
                core_pattern core
                core_uses_pid 0
                perf_event_paranoid 4
                kptr_restrict 2
                numa_balancing 0
                tainted 0
                panic 0
                sched_child_runs_first 0
                """)
        let random = kernel.directory("random")
        random.add("boot_id") { () throws(Errno) in Self.identifierText(source.bootIdentifier) }
        random.add("uuid") { () throws(Errno) in Self.identifierText(source.randomIdentifier()) }
        random.add("entropy_avail", text: "256")
        random.add("poolsize", text: "256")
        kernel.directory("seccomp").add("actions_avail", text: "")
    }

    /// RFC 9562: version 4.
    private static func identifierText(_ bits: (UInt64, UInt64)) -> [UInt8] {
        let high = bits.0 & ~0xf000 | 0x4000, low = bits.1 & ~(3 << 62) | 1 << 63
        var text = Text()
        text.add(hex: high >> 32, width: 8)
        for part in [high >> 16 & 0xffff, high & 0xffff, low >> 48] {
            text.add("-")
            text.add(hex: part, width: 4)
        }
        text.add("-")
        text.add(hex: low & 0xffff_ffff_ffff, width: 12)
        text.add("\n")
        return text.bytes
    }

    private func addNetworkSettings(to network: GeneratedDirectory) {
        let source = source
        let core = network.directory("core")
        core.add("somaxconn") { () throws(Errno) in Text.line(source.system.socketBacklog) }
        core.add(
            lines: """
                rmem_max 4194304
                wmem_max 4194304
                rmem_default 212992
                wmem_default 212992
                netdev_max_backlog 1000
                optmem_max 131072
                """)
        let version4 = network.directory("ipv4")
        version4.add(
            lines: """
                ip_local_port_range 32768\t60999
                ip_unprivileged_port_start 1024
                ip_forward 0
                tcp_max_syn_backlog 1024
                tcp_rmem 4096\t131072\t6291456
                tcp_wmem 4096\t16384\t4194304
                tcp_keepalive_time 7200
                tcp_keepalive_intvl 75
                tcp_keepalive_probes 9
                tcp_fin_timeout 60
                tcp_fastopen 0
                tcp_congestion_control reno
                tcp_syncookies 0
                tcp_timestamps 1
                tcp_sack 1
                tcp_window_scaling 1
                """)
        for scope in ["all", "default"] as [StaticString] {
            network.directory("ipv6").directory("conf").directory(scope).add("disable_ipv6", text: "0")
        }
        network.directory("unix").add("max_dgram_qlen", text: "512")
    }
}
