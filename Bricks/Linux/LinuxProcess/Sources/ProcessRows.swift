import LinuxFormat

/// The rows of the catalogue for memory, signals, threads and the process itself.
public enum ProcessRows {
    public static func add(to catalogue: Catalogue) {
        addMemory(to: catalogue)
        addSignals(to: catalogue)
        addThreads(to: catalogue)
        addIdentity(to: catalogue)
        addMachine(to: catalogue)
    }

    private static func addMemory(to catalogue: Catalogue) {
        catalogue.add(Syscall(.mmap, .partial("no huge pages of hugetlbfs"), LinuxThread.sysMmap))
        catalogue.add(Syscall(.munmap, .full, LinuxThread.sysMunmap))
        catalogue.add(Syscall(.mprotect, .full, LinuxThread.sysMprotect))
        catalogue.add(Syscall(.brk, .full, LinuxThread.sysBrk))
    }

    private static func addSignals(to catalogue: Catalogue) {
        catalogue.add(Syscall(.rtSigaction, .full, LinuxThread.sysRtSigaction))
        catalogue.add(Syscall(.rtSigprocmask, .full, LinuxThread.sysRtSigprocmask))
        catalogue.add(Syscall(.rtSigreturn, .full, LinuxThread.sysRtSigreturn))
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
    }

    private static func addIdentity(to catalogue: Catalogue) {
        catalogue.add(Syscall(.getpid, .full, LinuxThread.sysGetpid))
    }

    private static func addMachine(to catalogue: Catalogue) {
        catalogue.add(Syscall(.uname, .full, LinuxThread.sysUname))
        catalogue.add(Syscall(.prlimit64, .full, LinuxThread.sysPrlimit64))
        catalogue.add(Syscall(.getrandom, .full, LinuxThread.sysGetrandom))
    }
}
