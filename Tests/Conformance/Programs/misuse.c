// What calls answer to arguments that are none: bad pointers, closed descriptors, huge and negative counts.
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include "check.h"
CHECK_STATE

#define BAD 8L            // an address where nothing is
#define HIGH (-4096L)     // the upper half
#define CLOSED 999L
#define HUGE (1L << 62)

static int file, pipes[2], pair[2], event, poller;
static char buffer[4096];
static char name[] = "file";

// Values that exist only when the program runs.
enum { FILE_ = 1 << 20, PIPE_IN, PIPE_OUT, SOCKET, EVENT, POLLER, BUFFER, NAME, LIMIT };
static long real(long value) {
    switch (value) {
    case FILE_: return file;
    case PIPE_IN: return pipes[0];
    case PIPE_OUT: return pipes[1];
    case SOCKET: return pair[0];
    case EVENT: return event;
    case POLLER: return poller;
    case BUFFER: return (long)buffer;
    case NAME: return (long)name;
    default: return value;
    }
}

#define ROW(call, ...) {#call, SYS_##call, {__VA_ARGS__}}
static const struct {
    const char *name;
    long number;
    long arguments[6];
} rows[] = {
    ROW(read, CLOSED, BUFFER, 1), ROW(read, FILE_, BAD, 10), ROW(read, FILE_, HIGH, 10), ROW(read, FILE_, BUFFER, -1),
    ROW(read, -1, BUFFER, 1), ROW(read, PIPE_OUT, BUFFER, 1), ROW(read, EVENT, BAD, 8), ROW(write, CLOSED, BUFFER, 1),
    ROW(write, FILE_, BAD, 10), ROW(write, FILE_, HIGH, 1), ROW(write, PIPE_IN, BUFFER, 1),
    ROW(write, PIPE_OUT, BAD, 10), ROW(write, FILE_, BUFFER, -1), ROW(write, SOCKET, BAD, 10), ROW(open, BAD, 0),
    ROW(open, HIGH, 0), ROW(close, CLOSED), ROW(close, -1), ROW(stat, BAD, BUFFER), ROW(stat, NAME, BAD),
    ROW(fstat, CLOSED, BUFFER), ROW(fstat, FILE_, HIGH), ROW(lstat, NAME, BAD),
    ROW(newfstatat, CLOSED, NAME, BUFFER, 0), ROW(newfstatat, -100, NAME, BUFFER, -1), ROW(poll, BAD, 1, 0),
    ROW(poll, BAD, -1, 0), ROW(lseek, CLOSED, 0, 0), ROW(lseek, FILE_, 0, 77), ROW(lseek, FILE_, -1, 0),
    ROW(lseek, PIPE_IN, 0, 0), ROW(mmap, 0, 0, 1, 2, FILE_, 0), ROW(mmap, 0, 4096, 1, 2, CLOSED, 0),
    ROW(mmap, 0, 4096, 1, 0, FILE_, 0), ROW(mmap, 0, 4096, 1, 2, FILE_, 5), ROW(mmap, 0, HUGE, 1, 0x22, -1, 0),
    ROW(mmap, 0, 4096, 1, 2, FILE_, -4096), ROW(mprotect, 1, 4096, 1), ROW(mprotect, 4096, 4096, 1),
    ROW(mprotect, 0x10000, -4096, 1), ROW(munmap, 1, 4096), ROW(munmap, 4096, 0), ROW(munmap, HIGH, 4096),
    ROW(munmap, 4096, HUGE), ROW(rt_sigaction, 99, 0, 0, 8), ROW(rt_sigaction, 10, BAD, 0, 8),
    ROW(rt_sigaction, 10, 0, 0, 3), ROW(rt_sigprocmask, 0, BAD, 0, 8), ROW(rt_sigprocmask, 77, BUFFER, 0, 8),
    ROW(ioctl, CLOSED, 0x5401, BUFFER), ROW(ioctl, FILE_, 0x5401, BUFFER), ROW(ioctl, FILE_, 0xdead, BUFFER),
    ROW(pread64, FILE_, BAD, 10, 0), ROW(pread64, FILE_, BUFFER, 10, -1), ROW(pread64, PIPE_IN, BUFFER, 1, 0),
    ROW(pwrite64, FILE_, BUFFER, 10, -1), ROW(pwrite64, CLOSED, BUFFER, 10, 0), ROW(readv, FILE_, BAD, 1),
    ROW(readv, FILE_, BUFFER, -1), ROW(readv, FILE_, BUFFER, 2000), ROW(readv, CLOSED, BUFFER, 1),
    ROW(writev, FILE_, BAD, 1), ROW(writev, FILE_, BUFFER, -1), ROW(access, BAD, 0), ROW(access, NAME, 99),
    ROW(pipe, BAD), ROW(pipe2, BUFFER, -1), ROW(select, -1, 0, 0, 0, 0), ROW(select, 10, BAD, 0, 0, 0),
    ROW(select, 1, 0, 0, 0, BAD), ROW(mremap, 1, 4096, 4096, 0), ROW(mremap, 0x10000, 4096, 8192, 1),
    ROW(mremap, 0x10000, 4096, 0, 1), ROW(msync, 1, 4096, 4), ROW(msync, 0x10000, 4096, 4),
    ROW(msync, 0x10000, 4096, 99), ROW(mincore, 1, 4096, BUFFER), ROW(mincore, 0x10000, 4096, BUFFER),
    ROW(madvise, 1, 4096, 4), ROW(madvise, 0x10000, 4096, 999), ROW(madvise, 0x10000, 4096, 4), ROW(dup, CLOSED),
    ROW(dup, -1), ROW(dup2, CLOSED, 5), ROW(dup2, FILE_, -1), ROW(dup3, FILE_, FILE_, 0), ROW(dup3, FILE_, 77, -1),
    ROW(nanosleep, BAD, 0), ROW(getitimer, 9, BUFFER), ROW(getitimer, 0, BAD), ROW(setitimer, 0, BAD, 0),
    ROW(sendfile, FILE_, CLOSED, 0, 10), ROW(sendfile, CLOSED, FILE_, 0, 10), ROW(sendfile, FILE_, FILE_, BAD, 10),
    ROW(sendfile, PIPE_OUT, PIPE_IN, 0, 10), ROW(socket, 2, 1, 999), ROW(socket, 99, 1, 0), ROW(socket, 2, 0xff, 0),
    ROW(socket, 1, 1, 99), ROW(connect, FILE_, BUFFER, 16), ROW(connect, CLOSED, BUFFER, 16),
    ROW(connect, SOCKET, BAD, 16), ROW(connect, SOCKET, BUFFER, -1), ROW(accept, FILE_, 0, 0),
    ROW(accept, CLOSED, 0, 0), ROW(accept, SOCKET, 0, 0), ROW(accept4, SOCKET, 0, 0, -1),
    ROW(sendto, FILE_, BUFFER, 1, 0, 0, 0), ROW(sendto, SOCKET, BAD, 10, 0, 0, 0),
    ROW(recvfrom, FILE_, BUFFER, 1, 0, 0, 0), ROW(recvfrom, CLOSED, BUFFER, 1, 0, 0, 0), ROW(sendmsg, SOCKET, BAD, 0),
    ROW(sendmsg, FILE_, BUFFER, 0), ROW(recvmsg, SOCKET, BAD, 0), ROW(recvmsg, CLOSED, BUFFER, 0),
    ROW(shutdown, FILE_, 0), ROW(shutdown, SOCKET, 99), ROW(bind, FILE_, BUFFER, 16), ROW(bind, SOCKET, BAD, 16),
    ROW(bind, SOCKET, BUFFER, -1), ROW(listen, FILE_, 5), ROW(listen, CLOSED, 5),
    ROW(getsockname, FILE_, BUFFER, BUFFER), ROW(getsockname, SOCKET, BUFFER, BAD),
    ROW(getpeername, SOCKET, BAD, BUFFER), ROW(socketpair, 1, 1, 0, BAD), ROW(socketpair, 2, 1, 0, BUFFER),
    ROW(setsockopt, FILE_, 1, 2, BUFFER, 4), ROW(setsockopt, SOCKET, 1, 2, BAD, 4),
    ROW(setsockopt, SOCKET, 1, 2, BUFFER, -1), ROW(getsockopt, SOCKET, 1, 3, BUFFER, BAD),
    ROW(getsockopt, SOCKET, 1, 9999, BUFFER, BUFFER), ROW(clone, 0x10000, 0, 0, 0, 0), ROW(wait4, -1, 0, -1, 0),
    ROW(kill, 0x3ffffff, 0), ROW(kill, 0x3ffffff, 99), ROW(uname, BAD), ROW(fcntl, CLOSED, 1, 0),
    ROW(fcntl, FILE_, 9999, 0), ROW(fcntl, FILE_, 0, -1), ROW(fcntl, FILE_, 5, BAD), ROW(flock, FILE_, 0),
    ROW(flock, CLOSED, 1), ROW(fsync, CLOSED), ROW(fsync, PIPE_IN), ROW(truncate, NAME, -1), ROW(truncate, BAD, 0),
    ROW(ftruncate, CLOSED, 0), ROW(ftruncate, FILE_, -1), ROW(getdents64, FILE_, BUFFER, 100), ROW(getcwd, BAD, 100),
    ROW(getcwd, BUFFER, 1), ROW(chdir, BAD), ROW(fchdir, FILE_), ROW(fchdir, CLOSED), ROW(rename, BAD, NAME),
    ROW(mkdir, BAD, 0), ROW(rmdir, BAD), ROW(link, BAD, BAD), ROW(unlink, BAD), ROW(symlink, BAD, NAME),
    ROW(readlink, NAME, BUFFER, 10), ROW(readlink, NAME, BUFFER, -1), ROW(chmod, BAD, 0), ROW(fchmod, CLOSED, 0),
    ROW(chown, BAD, 0, 0), ROW(fchown, CLOSED, 0, 0), ROW(gettimeofday, BAD, 0), ROW(getrlimit, 99, BUFFER),
    ROW(getrlimit, 0, BAD), ROW(getrusage, 99, BUFFER), ROW(sysinfo, BAD), ROW(times, BAD), ROW(getgroups, -1, BUFFER),
    ROW(sigaltstack, BAD, 0), ROW(statfs, BAD, BUFFER), ROW(fstatfs, CLOSED, BUFFER), ROW(prctl, 9999, 0),
    ROW(arch_prctl, 9999, 0), ROW(futex, BAD, 0, 0, 0), ROW(futex, 1, 0, 0, 0), ROW(futex, BUFFER, 99, 0, 0),
    ROW(sched_getaffinity, 0, 0, BUFFER), ROW(sched_setaffinity, 0, 8, BAD), ROW(timer_create, 99, 0, BUFFER),
    ROW(timer_create, 0, 0, BAD), ROW(timer_settime, 99, 0, BUFFER, 0), ROW(timer_delete, 99),
    ROW(clock_gettime, 99, BUFFER), ROW(clock_gettime, 0, BAD), ROW(clock_getres, 99, 0),
    ROW(clock_nanosleep, 0, 0, BAD, 0), ROW(clock_nanosleep, 99, 0, BUFFER, 0), ROW(epoll_wait, POLLER, BUFFER, 0, 0),
    ROW(epoll_wait, FILE_, BUFFER, 1, 0), ROW(epoll_wait, CLOSED, BUFFER, 1, 0),
    ROW(epoll_ctl, POLLER, 1, FILE_, BUFFER), ROW(epoll_ctl, POLLER, 1, POLLER, BUFFER),
    ROW(epoll_ctl, POLLER, 99, EVENT, BUFFER), ROW(epoll_ctl, POLLER, 1, EVENT, BAD), ROW(epoll_create, -1),
    ROW(epoll_create1, -1), ROW(tgkill, 0, 0, 0), ROW(tgkill, -1, 1, 0), ROW(openat, CLOSED, NAME, 0),
    ROW(openat, FILE_, NAME, 0), ROW(mkdirat, CLOSED, NAME, 0), ROW(unlinkat, CLOSED, NAME, 0),
    ROW(unlinkat, -100, NAME, -1), ROW(renameat2, -100, NAME, -100, NAME, -1), ROW(linkat, -100, NAME, -100, NAME, -1),
    ROW(readlinkat, CLOSED, NAME, BUFFER, 5), ROW(faccessat, -100, NAME, 99), ROW(faccessat2, -100, NAME, 0, -1),
    ROW(ppoll, BAD, 1, 0, 0, 0), ROW(ppoll, 0, 0, BAD, 0, 0), ROW(set_robust_list, BUFFER, 5),
    ROW(utimensat, -100, NAME, BAD, 0), ROW(utimensat, -100, NAME, 0, -1), ROW(signalfd4, -1, BAD, 8, 0),
    ROW(signalfd4, -1, BUFFER, 3, 0), ROW(timerfd_create, 99, 0), ROW(timerfd_create, 1, -1),
    ROW(timerfd_settime, FILE_, 0, BUFFER, 0), ROW(timerfd_gettime, CLOSED, BUFFER), ROW(eventfd2, 0, -1),
    ROW(inotify_init1, -1), ROW(inotify_add_watch, FILE_, NAME, 1), ROW(inotify_rm_watch, CLOSED, 1),
    ROW(fallocate, FILE_, -1, 0, 10), ROW(fallocate, FILE_, 0, -1, 10), ROW(fallocate, CLOSED, 0, 0, 10),
    ROW(preadv, FILE_, BAD, 1, 0, 0), ROW(pwritev, CLOSED, BUFFER, 1, 0, 0), ROW(prlimit64, 0, 99, 0, 0),
    ROW(prlimit64, 0, 7, BAD, 0), ROW(getrandom, BAD, 10, 0), ROW(getrandom, BUFFER, 10, -1), ROW(memfd_create, BAD, 0),
    ROW(splice, FILE_, 0, FILE_, 0, 10, 0), ROW(splice, CLOSED, 0, PIPE_OUT, 0, 10, 0),
    ROW(splice, FILE_, 0, PIPE_OUT, 0, 10, -1), ROW(tee, FILE_, FILE_, 10, 0), ROW(vmsplice, PIPE_OUT, BAD, 1, 0),
    ROW(copy_file_range, FILE_, 0, CLOSED, 0, 10, 0), ROW(copy_file_range, FILE_, 0, FILE_, 0, 10, -1),
    ROW(statx, -100, NAME, 0, 0x7ff, BAD), ROW(statx, -100, NAME, -1, 0x7ff, BUFFER), ROW(close_range, 10, 5, 0),
    ROW(close_range, 5000, 6000, -1), ROW(openat2, -100, NAME, BAD, 24), ROW(openat2, -100, NAME, BUFFER, 5),
    ROW(clone3, BAD, 88), ROW(clone3, BUFFER, 5), ROW(membarrier, -1, 0, 0), ROW(rseq, 1, 32, 0, 0),
    ROW(mlock2, 0x10000, 4096, 99), ROW(mlock, 0x10000, 4096), ROW(sched_setscheduler, 0, 99, BUFFER),
    ROW(sched_getparam, 0, 0), ROW(sched_rr_get_interval, 0, BAD), ROW(getcpu, BAD, 0, 0), ROW(capget, BAD, 0),
    ROW(setpriority, 99, 0, 0), ROW(getpriority, 99, 0), ROW(rt_sigtimedwait, BAD, 0, 0, 8),
    ROW(rt_sigqueueinfo, 0x3ffffff, 10, BUFFER), ROW(rt_sigsuspend, BUFFER, 3), ROW(rt_sigpending, BUFFER, 99),
    ROW(execve, BAD, 0, 0), ROW(execve, NAME, BAD, 0), ROW(sync_file_range, FILE_, -1, 0, 0),
    ROW(readahead, CLOSED, 0, 10),
    ROW(capset, BAD, 0), ROW(creat, BAD, 0), ROW(epoll_pwait, POLLER, BUFFER, 1, 0, BAD, 8),
    ROW(epoll_pwait, POLLER, BUFFER, 1, 0, BUFFER, 3), ROW(epoll_pwait2, POLLER, BUFFER, 1, BAD, 0, 8),
    ROW(execveat, CLOSED, NAME, 0, 0, 0), ROW(execveat, -100, NAME, 0, 0, -1), ROW(fadvise64, CLOSED, 0, 0, 0),
    ROW(fadvise64, FILE_, 0, 0, 99), ROW(fadvise64, PIPE_IN, 0, 0, 0), ROW(fchmodat, CLOSED, NAME, 0),
    ROW(fchmodat, -100, BAD, 0), ROW(fchownat, -100, NAME, 0, 0, -1), ROW(fchownat, CLOSED, NAME, 0, 0, 0),
    ROW(fdatasync, CLOSED), ROW(fdatasync, SOCKET), ROW(fgetxattr, CLOSED, NAME, BUFFER, 5),
    ROW(fgetxattr, FILE_, BAD, BUFFER, 5), ROW(getxattr, BAD, NAME, BUFFER, 5), ROW(lgetxattr, BAD, NAME, BUFFER, 5),
    ROW(flistxattr, CLOSED, BUFFER, 5), ROW(listxattr, BAD, BUFFER, 5), ROW(llistxattr, BAD, BUFFER, 5),
    ROW(fremovexattr, FILE_, BAD), ROW(removexattr, BAD, NAME), ROW(lremovexattr, BAD, NAME),
    ROW(fsetxattr, FILE_, NAME, BUFFER, 1, 99), ROW(setxattr, BAD, NAME, BUFFER, 1, 0),
    ROW(lsetxattr, BAD, NAME, BUFFER, 1, 0), ROW(futex_waitv, BAD, 1, 0, 0, 0), ROW(futex_waitv, BUFFER, 0, 0, 0, 0),
    ROW(futex_waitv, BUFFER, 1, -1, 0, 0), ROW(futimesat, CLOSED, NAME, 0), ROW(getdents, FILE_, BUFFER, 100),
    ROW(getdents, CLOSED, BUFFER, 100), ROW(getpgid, 0x3ffffff), ROW(getsid, 0x3ffffff),
    ROW(getresuid, BAD, BUFFER, BUFFER), ROW(getresgid, BAD, BUFFER, BUFFER), ROW(get_robust_list, 0, BAD, BAD),
    ROW(ioprio_get, 99, 0), ROW(lchown, BAD, 0, 0), ROW(mknod, NAME, 0100600, 0), ROW(mknod, BAD, 0100600, 0),
    ROW(mknodat, CLOSED, NAME, 0100600, 0), ROW(mlockall, 99), ROW(munlock, 0x10000, 4096), ROW(pkey_alloc, 99, 0),
    ROW(preadv2, FILE_, BAD, 1, 0, 0, 0), ROW(preadv2, FILE_, BUFFER, 1, 0, 0, 0x1000),
    ROW(preadv2, CLOSED, BUFFER, 1, 0, 0, 0), ROW(pwritev2, CLOSED, BUFFER, 1, 0, 0, 0),
    ROW(pwritev2, FILE_, BAD, 1, 0, 0, 0), ROW(process_vm_readv, 0, BUFFER, 0, BUFFER, 0, -1),
    ROW(process_vm_writev, 0, BUFFER, 0, BUFFER, 0, -1), ROW(pselect6, -1, 0, 0, 0, 0, 0),
    ROW(pselect6, 1, 0, 0, 0, BAD, 0), ROW(recvmmsg, CLOSED, BUFFER, 1, 0, 0), ROW(recvmmsg, FILE_, BUFFER, 1, 0, 0),
    ROW(recvmmsg, SOCKET, BAD, 1, 0x40, 0), ROW(sendmmsg, SOCKET, BAD, 1, 0), ROW(sendmmsg, FILE_, BUFFER, 1, 0),
    ROW(renameat, CLOSED, NAME, CLOSED, NAME), ROW(rt_tgsigqueueinfo, 1, 1, 10, BAD),
    ROW(rt_tgsigqueueinfo, -1, 1, 10, BUFFER), ROW(sched_get_priority_max, 99), ROW(sched_get_priority_min, 99),
    ROW(sched_getattr, 0, BAD, 48, 0), ROW(sched_getattr, 0, BUFFER, 5, 0), ROW(sched_setattr, 0, BAD, 0),
    ROW(sched_getscheduler, 0x3ffffff), ROW(sched_getscheduler, -1), ROW(sched_setparam, 0, BAD),
    ROW(setpgid, 0x3ffffff, 0), ROW(setpgid, 0, -1), ROW(setrlimit, 99, BUFFER), ROW(setrlimit, 0, BAD),
    ROW(signalfd, -1, BAD, 8), ROW(signalfd, -1, BUFFER, 3), ROW(symlinkat, NAME, CLOSED, NAME),
    ROW(symlinkat, BAD, -100, NAME), ROW(syncfs, CLOSED), ROW(time, BAD), ROW(timer_getoverrun, 99),
    ROW(timer_gettime, 99, BUFFER), ROW(tkill, 0, 0), ROW(tkill, -1, 0), ROW(tkill, 0x3ffffff, 0), ROW(utime, BAD, 0),
    ROW(utimes, BAD, 0), ROW(utimes, NAME, BAD), ROW(waitid, 99, 0, BUFFER, 4), ROW(waitid, 0, 0, BUFFER, 0),
    ROW(waitid, 0, 0, BUFFER, 4), ROW(chroot, BAD), ROW(tee, PIPE_IN, PIPE_IN, 1, 0),
    ROW(vmsplice, FILE_, BUFFER, 1, 0), ROW(statx, CLOSED, NAME, 0, 0x7ff, BUFFER), ROW(mprotect, 0x10000, 4096, 77),
    ROW(umask, 022),
};

int main(void) {
    topic = "misuse";
    enter_scratch();
    file = make_file(name, "some text");
    must("pipe", pipe(pipes));
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    event = syscall(SYS_eventfd2, 0, 04000);
    poller = epoll_create1(0);
    signal(SIGPIPE, SIG_IGN);
    for (unsigned index = 0; index < sizeof rows / sizeof rows[0]; index++) {
        const long *arguments = rows[index].arguments;
        char what[64];
        snprintf(what, sizeof what, "%s, %u", rows[index].name, index);
        memset(buffer, 0, sizeof buffer);
        lseek(file, 0, SEEK_SET);
        returned(what, syscall(rows[index].number, real(arguments[0]), real(arguments[1]), real(arguments[2]), real(arguments[3]),
                               real(arguments[4]), real(arguments[5])));
    }
    struct iovec part = {buffer, 10};
    struct msghdr message = {.msg_name = buffer, .msg_namelen = (socklen_t)-1, .msg_iov = &part, .msg_iovlen = 1};
    write(pair[1], "x", 1);
    returned("recvmsg with a name of negative length", recvmsg(pair[0], &message, MSG_DONTWAIT));
    returned("sendmsg with one", sendmsg(pair[0], &message, MSG_DONTWAIT));
    message.msg_name = NULL;
    returned("recvmsg of no name with one", recvmsg(pair[0], &message, MSG_DONTWAIT));
    returned("pwrite where no file ends", pwrite(file, buffer, 10, INT64_MAX - 4));
    returned("pread there", pread(file, buffer, 10, INT64_MAX - 4));
    unlink(name);
    leave_scratch();
    return 0;
}
