import Errno
import LinuxFormat

/// The rows of the catalogue for memory, signals, threads and the process itself.
public enum ProcessRows {
    public static func add(to catalogue: Catalogue) {
        addMemory(to: catalogue)
        addSignals(to: catalogue)
        addThreads(to: catalogue)
        addIdentity(to: catalogue)
        addMachine(to: catalogue)
        addMemoryPolicy(to: catalogue)
        addUsers(to: catalogue)
        addScheduler(to: catalogue)
        RefusedRows.add(to: catalogue)
    }

    private static func addMemory(to catalogue: Catalogue) {
        catalogue.add(Syscall(.mmap, .partial("no huge pages of hugetlbfs"), LinuxThread.sysMmap))
        catalogue.add(Syscall(.munmap, .full, LinuxThread.sysMunmap))
        catalogue.add(Syscall(.mprotect, .full, LinuxThread.sysMprotect))
        catalogue.add(Syscall(.brk, .full, LinuxThread.sysBrk))
        catalogue.add(Syscall(.mremap, .full, LinuxThread.sysMremap))
        catalogue.add(Syscall(.madvise, .full, LinuxThread.sysMadvise))
        catalogue.add(Syscall(.mincore, .full, LinuxThread.sysMincore))
        catalogue.add(Syscall(.msync, .full, LinuxThread.sysMsync))
        catalogue.add(Syscall(.mlock, .full, LinuxThread.sysMlock))
        catalogue.add(Syscall(.mlock2, .full, LinuxThread.sysMlock2))
        catalogue.add(Syscall(.munlock, .full, LinuxThread.sysMunlock))
        catalogue.add(Syscall(.mlockall, .full, LinuxThread.sysMlockall))
        catalogue.add(Syscall(.munlockall, .full, LinuxThread.sysMunlockall))
    }

    private static func addMemoryPolicy(to catalogue: Catalogue) {
        catalogue.add(Syscall(.pkeyMprotect, .partial("no keys: as on a processor without them"), LinuxThread.sysPkeyMprotect))
        catalogue.add(Syscall(.pkeyAlloc, .partial("no keys: as on a processor without them"), LinuxThread.sysPkeyAlloc))
        catalogue.add(Syscall(.pkeyFree, .partial("no keys: as on a processor without them"), LinuxThread.sysPkeyFree))
        catalogue.add(Syscall(.membarrier, .full, LinuxThread.sysMembarrier))
        catalogue.add(Syscall(.getMempolicy, .partial("one node"), LinuxThread.sysGetMempolicy))
        catalogue.add(Syscall(.setMempolicy, .partial("one node"), LinuxThread.sysSetMempolicy))
        catalogue.add(Syscall(.mbind, .partial("one node"), LinuxThread.sysMbind))
        catalogue.add(Syscall(.processVmReadv, .partial("of itself"), LinuxThread.sysProcessVMReadv))
        catalogue.add(Syscall(.processVmWritev, .partial("of itself"), LinuxThread.sysProcessVMWritev))
    }

    private static func addSignals(to catalogue: Catalogue) {
        catalogue.add(Syscall(.rtSigaction, .full, LinuxThread.sysRtSigaction))
        catalogue.add(Syscall(.rtSigprocmask, .full, LinuxThread.sysRtSigprocmask))
        catalogue.add(Syscall(.rtSigreturn, .full, LinuxThread.sysRtSigreturn))
        catalogue.add(Syscall(.rtSigpending, .full, LinuxThread.sysRtSigpending))
        catalogue.add(Syscall(.rtSigsuspend, .full, LinuxThread.sysRtSigsuspend))
        catalogue.add(Syscall(.rtSigtimedwait, .full, LinuxThread.sysRtSigtimedwait))
        catalogue.add(Syscall(.rtSigqueueinfo, .full, LinuxThread.sysRtSigqueueinfo))
        catalogue.add(Syscall(.rtTgsigqueueinfo, .full, LinuxThread.sysRtTgsigqueueinfo))
        catalogue.add(Syscall(.sigaltstack, .full, LinuxThread.sysSigaltstack))
        catalogue.add(Syscall(.kill, .full, LinuxThread.sysKill))
        catalogue.add(Syscall(.tkill, .full, LinuxThread.sysTkill))
        catalogue.add(Syscall(.tgkill, .full, LinuxThread.sysTgkill))
        catalogue.add(Syscall(.pause, .full, LinuxThread.sysPause))
    }

    private static func addThreads(to catalogue: Catalogue) {
        catalogue.add(Syscall(.futex, .full, sysFutex))
        catalogue.add(Syscall(.clone, .partial("threads only: fork is not available"), LinuxThread.sysClone))
        catalogue.add(Syscall(.clone3, .partial("threads only: fork is not available"), LinuxThread.sysClone3))
        catalogue.add(Syscall(.exit, .full, LinuxThread.sysExit))
        catalogue.add(Syscall(.exitGroup, .full, LinuxThread.sysExitGroup))
        catalogue.add(Syscall(.archPrctl, .full, LinuxThread.sysArchPrctl))
        catalogue.add(Syscall(.setTidAddress, .full, LinuxThread.sysSetTidAddress))
        catalogue.add(Syscall(.setRobustList, .full, LinuxThread.sysSetRobustList))
        catalogue.add(Syscall(.rseq, .full, LinuxThread.sysRseq))
        catalogue.add(Syscall(.gettid, .full, LinuxThread.sysGettid))
        catalogue.add(Syscall(.futexWaitv, .full, LinuxThread.sysFutexWaitv))
        catalogue.add(Syscall(.getRobustList, .full, LinuxThread.sysGetRobustList))
    }

    private static func addIdentity(to catalogue: Catalogue) {
        catalogue.add(Syscall(.getpid, .full, LinuxThread.sysGetpid))
        catalogue.add(Syscall(.getppid, .full, LinuxThread.sysGetppid))
        catalogue.add(Syscall(.getpgrp, .full, LinuxThread.sysGetpgrp))
        catalogue.add(Syscall(.getpgid, .full, LinuxThread.sysGetpgid))
        catalogue.add(Syscall(.getsid, .full, LinuxThread.sysGetpgid))
        catalogue.add(Syscall(.setsid, .partial("the process leads its session already"), LinuxThread.sysSetsid))
        catalogue.add(Syscall(.setpgid, .partial("the process leads its session already"), LinuxThread.sysSetpgid))
        catalogue.add(Syscall(.wait4, .partial("there are no children"), LinuxThread.sysWait4))
        catalogue.add(Syscall(.waitid, .partial("there are no children"), LinuxThread.sysWaitid))
        for number in [.fork, .vfork] as [SyscallNumber] {
            catalogue.add(Syscall(number, .refused(.enosys, "one process in an instance"), LinuxThread.sysFork))
        }
    }

    private static func addUsers(to catalogue: Catalogue) {
        catalogue.add(Syscall(.getuid, .full, LinuxThread.sysGetuid))
        catalogue.add(Syscall(.geteuid, .full, LinuxThread.sysGeteuid))
        catalogue.add(Syscall(.getgid, .full, LinuxThread.sysGetgid))
        catalogue.add(Syscall(.getegid, .full, LinuxThread.sysGetegid))
        catalogue.add(Syscall(.getresuid, .full, LinuxThread.sysGetresuid))
        catalogue.add(Syscall(.getresgid, .full, LinuxThread.sysGetresgid))
        catalogue.add(Syscall(.setuid, .full, LinuxThread.sysSetuid))
        catalogue.add(Syscall(.setgid, .full, LinuxThread.sysSetgid))
        catalogue.add(Syscall(.setreuid, .full, LinuxThread.sysSetreuid))
        catalogue.add(Syscall(.setregid, .full, LinuxThread.sysSetregid))
        catalogue.add(Syscall(.setresuid, .full, LinuxThread.sysSetresuid))
        catalogue.add(Syscall(.setresgid, .full, LinuxThread.sysSetresgid))
        catalogue.add(Syscall(.setfsuid, .full, LinuxThread.sysSetfsuid))
        catalogue.add(Syscall(.setfsgid, .full, LinuxThread.sysSetfsgid))
        catalogue.add(Syscall(.getgroups, .full, LinuxThread.sysGetgroups))
        catalogue.add(Syscall(.setgroups, .full, LinuxThread.sysSetgroups))
        catalogue.add(Syscall(.capget, .full, LinuxThread.sysCapget))
        catalogue.add(Syscall(.capset, .full, LinuxThread.sysCapset))
        catalogue.add(Syscall(.prctl, .partial("no seccomp, no PR_SET_MM"), LinuxThread.sysPrctl))
        catalogue.add(Syscall(.personality, .partial("kept, changes nothing"), LinuxThread.sysPersonality))
    }

    private static func addMachine(to catalogue: Catalogue) {
        catalogue.add(Syscall(.uname, .full, LinuxThread.sysUname))
        catalogue.add(Syscall(.prlimit64, .full, LinuxThread.sysPrlimit64))
        catalogue.add(Syscall(.getrandom, .full, LinuxThread.sysGetrandom))
        catalogue.add(Syscall(.getrlimit, .full, LinuxThread.sysGetrlimit))
        catalogue.add(Syscall(.setrlimit, .full, LinuxThread.sysSetrlimit))
        catalogue.add(Syscall(.sysinfo, .partial("no load"), LinuxThread.sysSysinfo))
        catalogue.add(Syscall(.getrusage, .partial("processor time is the instance's"), LinuxThread.sysGetrusage))
    }

    private static func addScheduler(to catalogue: Catalogue) {
        catalogue.add(Syscall(.schedYield, .full, LinuxThread.sysSchedYield))
        catalogue.add(Syscall(.schedGetaffinity, .full, LinuxThread.sysSchedGetaffinity))
        catalogue.add(Syscall(.schedSetaffinity, .full, LinuxThread.sysSchedSetaffinity))
        catalogue.add(Syscall(.getcpu, .full, LinuxThread.sysGetcpu))
        catalogue.add(Syscall(.schedGetPriorityMax, .full, LinuxThread.sysSchedGetPriorityMax))
        catalogue.add(Syscall(.schedGetPriorityMin, .full, LinuxThread.sysSchedGetPriorityMin))
        catalogue.add(Syscall(.schedGetscheduler, .full, LinuxThread.sysSchedGetscheduler))
        catalogue.add(Syscall(.schedGetparam, .full, LinuxThread.sysSchedGetparam))
        catalogue.add(
            Syscall(
                .schedSetscheduler, .partial("no real-time policies; the others are kept and change nothing"),
                LinuxThread.sysSchedSetscheduler))
        catalogue.add(Syscall(.schedSetparam, .full, LinuxThread.sysSchedSetparam))
        catalogue.add(Syscall(.schedRrGetInterval, .full, LinuxThread.sysSchedRRGetInterval))
        catalogue.add(Syscall(.schedGetattr, .full, LinuxThread.sysSchedGetattr))
        catalogue.add(
            Syscall(.schedSetattr, .partial("no real-time policies; the others are kept and change nothing"), LinuxThread.sysSchedSetattr))
        catalogue.add(Syscall(.getpriority, .full, LinuxThread.sysGetpriority))
        catalogue.add(Syscall(.setpriority, .partial("kept, changes nothing"), LinuxThread.sysSetpriority))
        catalogue.add(Syscall(.ioprioGet, .full, LinuxThread.sysIoprioGet))
        catalogue.add(Syscall(.ioprioSet, .partial("changes nothing"), LinuxThread.sysIoprioSet))
    }
}
