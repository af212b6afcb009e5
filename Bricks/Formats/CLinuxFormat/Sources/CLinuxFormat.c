#include "CLinuxFormat.h"

// The sizes of the manual pages and of the kernel's own headers for x86-64.
_Static_assert(sizeof(struct linux_stat) == 144, "stat(2)");
_Static_assert(sizeof(struct linux_statx) == 256, "statx(2)");
_Static_assert(sizeof(struct linux_statfs) == 120, "statfs(2)");
_Static_assert(sizeof(struct linux_signal_information) == 128, "sigaction(2)");
_Static_assert(sizeof(struct linux_epoll_event) == 12, "epoll_ctl(2)");
_Static_assert(sizeof(struct linux_rusage) == 144, "getrusage(2)");
_Static_assert(sizeof(struct linux_sysinfo) == 112, "sysinfo(2)");
_Static_assert(sizeof(struct linux_utsname) == 390, "uname(2)");
_Static_assert(sizeof(struct linux_clone_arguments) == 88, "clone3(2)");
_Static_assert(sizeof(struct linux_machine_context) == 256, "sigreturn(2)");
_Static_assert(sizeof(struct linux_message_header) == 56, "recvmsg(2)");
_Static_assert(sizeof(struct linux_termios) == 36, "ioctl_tty(2)");
_Static_assert(sizeof(struct linux_signal_event) == 64, "sigevent(7)");
_Static_assert(sizeof(struct linux_signalfd_information) == 128, "signalfd(2)");
