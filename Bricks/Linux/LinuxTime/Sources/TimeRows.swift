import Errno
import LinuxFormat
import LinuxProcess

/// The rows of the catalogue for clocks and timers.
public enum TimeRows {
    public static func add(to catalogue: Catalogue) {
        let processorTime: Syscall.Level = .partial("processor time is the instance's, for threads too")
        catalogue.add(Syscall(.clockGettime, processorTime, LinuxThread.sysClockGettime))
        catalogue.add(Syscall(.clockGetres, .full, LinuxThread.sysClockGetres))
        catalogue.add(Syscall(.clockNanosleep, .full, LinuxThread.sysClockNanosleep))
        catalogue.add(Syscall(.nanosleep, .full, LinuxThread.sysNanosleep))
        catalogue.add(Syscall(.gettimeofday, .full, LinuxThread.sysGettimeofday))
        catalogue.add(Syscall(.time, .full, LinuxThread.sysTime))
        catalogue.add(Syscall(.times, processorTime, LinuxThread.sysTimes))
        catalogue.add(Syscall(.clockSettime, .refused(.eperm, "the host's clock counts"), LinuxThread.sysClockSettime))
        catalogue.add(.refused(.settimeofday, .eperm, "the host's clock counts"))
        catalogue.add(.refused(.clockAdjtime, .eperm, "the host's clock counts"))
        catalogue.add(.refused(.adjtimex, .eperm, "the host's clock counts"))
        catalogue.add(Syscall(.alarm, .full, LinuxThread.sysAlarm))
        catalogue.add(Syscall(.getitimer, processorTime, LinuxThread.sysGetitimer))
        catalogue.add(Syscall(.setitimer, processorTime, LinuxThread.sysSetitimer))
        catalogue.add(Syscall(.timerCreate, processorTime, LinuxThread.sysTimerCreate))
        catalogue.add(Syscall(.timerSettime, .full, LinuxThread.sysTimerSettime))
        catalogue.add(Syscall(.timerGettime, .full, LinuxThread.sysTimerGettime))
        catalogue.add(Syscall(.timerGetoverrun, .full, LinuxThread.sysTimerGetoverrun))
        catalogue.add(Syscall(.timerDelete, .full, LinuxThread.sysTimerDelete))
        catalogue.add(Syscall(.timerfdCreate, .full, LinuxThread.sysTimerfdCreate))
        catalogue.add(Syscall(.timerfdSettime, .partial("TFD_TIMER_CANCEL_ON_SET is never met"), LinuxThread.sysTimerfdSettime))
        catalogue.add(Syscall(.timerfdGettime, .full, LinuxThread.sysTimerfdGettime))
    }
}
