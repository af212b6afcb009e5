// Structures of Linux's system calls on x86-64, as the manual pages name their fields. Little-endian, natural alignment.
#ifndef BRIQUE_CLINUXFORMAT_H
#define BRIQUE_CLINUXFORMAT_H
#include <stdint.h>

struct linux_timespec { int64_t tv_sec; int64_t tv_nsec; };
struct linux_timeval { int64_t tv_sec; int64_t tv_usec; };
struct linux_itimerspec { struct linux_timespec it_interval; struct linux_timespec it_value; };
struct linux_itimerval { struct linux_timeval it_interval; struct linux_timeval it_value; };
struct linux_timezone { int32_t tz_minuteswest; int32_t tz_dsttime; };
struct linux_tms { int64_t tms_utime, tms_stime, tms_cutime, tms_cstime; };

struct linux_stat {
    uint64_t st_dev, st_ino, st_nlink;
    uint32_t st_mode, st_uid, st_gid, unused0;
    uint64_t st_rdev;
    int64_t st_size, st_blksize, st_blocks;
    struct linux_timespec st_atim, st_mtim, st_ctim;
    int64_t unused1, unused2, unused3;
};
struct linux_statx_timestamp { int64_t tv_sec; uint32_t tv_nsec; int32_t unused; };
struct linux_statx {
    uint32_t stx_mask, stx_blksize;
    uint64_t stx_attributes;
    uint32_t stx_nlink, stx_uid, stx_gid;
    uint16_t stx_mode, unused0;
    uint64_t stx_ino, stx_size, stx_blocks, stx_attributes_mask;
    struct linux_statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
    uint32_t stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
    uint64_t stx_mnt_id;
    uint32_t stx_dio_mem_align, stx_dio_offset_align;
    uint64_t unused1[12];
};
struct linux_statfs {
    int64_t f_type, f_bsize;
    uint64_t f_blocks, f_bfree, f_bavail, f_files, f_ffree;
    int32_t f_fsid0, f_fsid1;
    int64_t f_namelen, f_frsize, f_flags, unused0, unused1, unused2, unused3;
};
// linux_dirent64: this, then the name and a zero, padded to eight bytes.
struct linux_dirent64_header { uint64_t d_ino; int64_t d_off; uint16_t d_reclen; uint8_t d_type; } __attribute__((packed));
struct linux_iovec { uint64_t iov_base; uint64_t iov_len; };
struct linux_flock { int16_t l_type, l_whence; int32_t padding; int64_t l_start, l_len; int32_t l_pid, padding1; };
struct linux_open_how { uint64_t flags, mode, resolve; };
struct linux_pollfd { int32_t fd; int16_t events, revents; };
struct linux_epoll_event { uint32_t events; uint64_t data; } __attribute__((packed));
struct linux_inotify_event { int32_t wd; uint32_t mask, cookie, len; };

union linux_signal_value { int32_t sival_int; uint64_t sival_ptr; };
struct linux_signal_action { uint64_t handler, flags, restorer, mask; };
struct linux_signal_stack { uint64_t ss_sp; int32_t ss_flags; int32_t padding; uint64_t ss_size; };
// siginfo_t: the fields after si_code are a union; words are what each kind puts there (sigaction(2)).
struct linux_signal_information { int32_t si_signo, si_errno, si_code, padding; uint64_t words[14]; };
struct linux_signal_event { uint64_t sigev_value; int32_t sigev_signo, sigev_notify; int32_t sigev_notify_thread_id; int32_t padding[11]; };
struct linux_signalfd_information {
    uint32_t ssi_signo; int32_t ssi_errno, ssi_code; uint32_t ssi_pid, ssi_uid; int32_t ssi_fd;
    uint32_t ssi_tid, ssi_band, ssi_overrun, ssi_trapno;
    int32_t ssi_status, ssi_int; uint64_t ssi_ptr, ssi_utime, ssi_stime, ssi_addr; uint16_t ssi_addr_lsb, padding2; int32_t ssi_syscall;
    uint64_t ssi_call_addr; uint32_t ssi_arch; uint8_t padding[28];
};
// struct sigcontext of 64-bit programs.
struct linux_machine_context {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2, fpstate, reserved[8];
};
struct linux_user_context {
    uint64_t uc_flags, uc_link;
    struct linux_signal_stack uc_stack;
    struct linux_machine_context uc_mcontext;
    uint64_t uc_sigmask;
};
// What lies on a program's stack when its handler begins, from the stack pointer on; the extended state is below it on the stack.
struct linux_signal_frame { uint64_t return_address; struct linux_user_context context; struct linux_signal_information information; };
struct linux_clone_arguments {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};
// The first version of it.
struct linux_clone_arguments_first { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; };
struct linux_robust_list_head { uint64_t list; int64_t futex_offset; uint64_t list_op_pending; };
struct linux_rlimit { uint64_t rlim_cur, rlim_max; };
struct linux_rusage {
    struct linux_timeval ru_utime, ru_stime;
    int64_t ru_maxrss, ru_ixrss, ru_idrss, ru_isrss, ru_minflt, ru_majflt, ru_nswap;
    int64_t ru_inblock, ru_oublock, ru_msgsnd, ru_msgrcv, ru_nsignals,
        ru_nvcsw, ru_nivcsw;
};
struct linux_sysinfo {
    int64_t uptime;
    uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, padding;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit, padding1;
};
struct linux_utsname { char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65]; };
struct linux_capability_header { uint32_t version; int32_t pid; };
struct linux_capability_data { uint32_t effective, permitted, inheritable; };
struct linux_sched_parameter { int32_t sched_priority; };

struct linux_sockaddr_in { uint16_t sin_family, sin_port; uint32_t sin_addr; uint8_t sin_zero[8]; };
struct linux_sockaddr_in6 { uint16_t sin6_family, sin6_port; uint32_t sin6_flowinfo; uint8_t sin6_addr[16]; uint32_t sin6_scope_id; };
struct linux_sockaddr_un { uint16_t sun_family; uint8_t sun_path[108]; };
struct linux_sockaddr_nl { uint16_t nl_family, nl_pad; uint32_t nl_pid, nl_groups; };
struct linux_message_header {
    uint64_t msg_name;
    uint32_t msg_namelen, padding;
    uint64_t msg_iov, msg_iovlen, msg_control, msg_controllen;
    int32_t msg_flags, padding1;
};
struct linux_multiple_message_header { struct linux_message_header msg_hdr; uint32_t msg_len, padding; };
struct linux_control_message_header { uint64_t cmsg_len; int32_t cmsg_level, cmsg_type; };
struct linux_linger { int32_t l_onoff, l_linger; };
struct linux_credentials { int32_t pid; uint32_t uid, gid; };
struct linux_netlink_header { uint32_t nlmsg_len; uint16_t nlmsg_type, nlmsg_flags; uint32_t nlmsg_seq, nlmsg_pid; };
struct linux_termios { uint32_t c_iflag, c_oflag, c_cflag, c_lflag; uint8_t c_line, c_cc[19]; };
struct linux_window_size { uint16_t ws_row, ws_col, ws_xpixel, ws_ypixel; };
#endif
