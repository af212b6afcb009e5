import Errno
import LinuxFormat

/// Calls that are answered by an error alone, and why.
enum RefusedRows {
    private static var unprivileged: StaticString { "as to a program without privileges" }
    private static var oneProcess: StaticString { "there is one process" }
    private static var oneNode: StaticString { "there is one node" }
    private static var obsolete: StaticString { "no longer in Linux" }

    static func add(to catalogue: Catalogue) {
        for number in [
            .syslog, .reboot, .initModule, .finitModule, .deleteModule, .kexecLoad, .kexecFileLoad, .iopl, .ioperm, .unshare,
            .setns,
            .sethostname, .setdomainname, .acct, .swapon, .swapoff, .bpf, .perfEventOpen, .vhangup, .quotactl, .quotactlFd, .fanotifyInit,
            .fanotifyMark, .lookupDcookie,
        ] as [SyscallNumber] {
            catalogue.add(.refused(number, .eperm, unprivileged))
        }
        catalogue.add(
            Syscall(.ptrace, .refused(.eperm, unprivileged)) { (thread, arguments) throws(Errno) -> Int in
                // PTRACE_TRACEME alone names nobody.
                throw arguments[0] == 0 || thread.process.thread(arguments.int32(1)) != nil ? .eperm : .esrch
            })
        for number in [.kcmp, .pidfdOpen, .pidfdSendSignal, .pidfdGetfd, .processMadvise, .processMrelease] as [SyscallNumber] {
            catalogue.add(.refused(number, .enosys, oneProcess))
        }
        for number in [.migratePages, .movePages, .setMempolicyHomeNode] as [SyscallNumber] {
            catalogue.add(.refused(number, .enosys, oneNode))
        }
        addQueues(to: catalogue)
        addObsolete(to: catalogue)
        catalogue.add(.refused(.seccomp, .einval, "the program is alone in its instance"))
        catalogue.add(.refused(.remapFilePages, .einval, "mmap does it"))
        catalogue.add(.refused(.userfaultfd, .enosys, "pages are the library OS's"))
        catalogue.add(.refused(.modifyLdt, .enosys, "64-bit programs have no segments"))
        catalogue.add(.refused(.memfdSecret, .enosys, "memfd_create does it"))
        catalogue.add(.refused(.mapShadowStack, .enosys, "no shadow stacks"))
        catalogue.add(.refused(.restartSyscall, .eintr, "calls start again by themselves"))
    }

    private static func addQueues(to catalogue: Catalogue) {
        for number in [.shmget, .shmat, .shmctl, .shmdt, .semget, .semop, .semctl, .semtimedop, .msgget, .msgsnd, .msgrcv, .msgctl]
            as [SyscallNumber]
        {
            catalogue.add(.refused(number, .enosys, oneProcess))
        }
        for number in [.mqOpen, .mqUnlink, .mqTimedsend, .mqTimedreceive, .mqNotify, .mqGetsetattr] as [SyscallNumber] {
            catalogue.add(.refused(number, .enosys, oneProcess))
        }
        for number in [
            .ioSetup, .ioDestroy, .ioGetevents, .ioSubmit, .ioCancel, .ioPgetevents, .ioUringSetup, .ioUringEnter, .ioUringRegister,
        ]
            as [SyscallNumber]
        {
            catalogue.add(.refused(number, .enosys, "programs fall back to ordinary calls"))
        }
        for number in [.addKey, .requestKey, .keyctl] as [SyscallNumber] {
            catalogue.add(.refused(number, .enosys, "no key rings"))
        }
        for number in [.landlockCreateRuleset, .landlockAddRule, .landlockRestrictSelf] as [SyscallNumber] {
            catalogue.add(.refused(number, .enosys, "the program is alone in its instance"))
        }
        for number in [.futexWake, .futexWait, .futexRequeue, .mseal] as [SyscallNumber] {
            catalogue.add(.refused(number, .enosys, "newer than the Linux that is told"))
        }
    }

    private static func addObsolete(to catalogue: Catalogue) {
        for number in [
            .uselib, .createModule, .getKernelSyms, .queryModule, .nfsservctl, .getpmsg, .putpmsg, .afsSyscall, .tuxcall, .security,
            .setThreadArea, .getThreadArea, .epollCtlOld, .epollWaitOld, .vserver,
        ] as [SyscallNumber] {
            catalogue.add(.refused(number, .enosys, obsolete))
        }
    }
}
