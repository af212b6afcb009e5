import Errno
import LinuxFormat
import LinuxProcess

/// The rows of the catalogue for pipes, counters, and waiting for many files.
public enum PipeRows {
    public static func add(to catalogue: Catalogue) {
        catalogue.add(Syscall(.pipe, .full, LinuxThread.sysPipe))
        catalogue.add(Syscall(.pipe2, .full, LinuxThread.sysPipe2))
        catalogue.add(Syscall(.tee, .full, LinuxThread.sysTee))
        catalogue.add(Syscall(.eventfd, .full, LinuxThread.sysEventfd))
        catalogue.add(Syscall(.eventfd2, .full, LinuxThread.sysEventfd2))
        catalogue.add(Syscall(.signalfd, .full, LinuxThread.sysSignalfd))
        catalogue.add(Syscall(.signalfd4, .full, LinuxThread.sysSignalfd4))
        catalogue.add(Syscall(.epollCreate, .full, LinuxThread.sysEpollCreate))
        catalogue.add(Syscall(.epollCreate1, .full, LinuxThread.sysEpollCreate1))
        catalogue.add(Syscall(.epollCtl, .partial("EPOLLEXCLUSIVE wakes all, EPOLLWAKEUP does nothing"), LinuxThread.sysEpollCtl))
        catalogue.add(Syscall(.epollWait, .full, LinuxThread.sysEpollWait))
        catalogue.add(Syscall(.epollPwait, .full, LinuxThread.sysEpollPwait))
        catalogue.add(Syscall(.epollPwait2, .full, LinuxThread.sysEpollPwait2))
        catalogue.add(Syscall(.poll, .full, LinuxThread.sysPoll))
        catalogue.add(Syscall(.ppoll, .full, LinuxThread.sysPpoll))
        catalogue.add(Syscall(.select, .full, LinuxThread.sysSelect))
        catalogue.add(Syscall(.pselect6, .full, LinuxThread.sysPselect6))
    }
}
