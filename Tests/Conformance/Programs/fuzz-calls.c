// Misuses system calls: fuzz-calls SEED SECONDS [all]. Random and structured arguments, bad pointers, threads that race.
// Prints the seed at the start and the count at the end; that it comes to the end is the check. Calls that would harm a
// Linux that it runs on, or end the program itself, are left out by name.
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/ucontext.h>
#include "check.h"
CHECK_STATE

#define LAST_CALL 461
#define THREADS 4
#define OUTPUT 200  // this program's own output is kept here

// Never made: they end or stop this program, or take its own ground away.
static const short lethal[] = {
    SYS_exit, SYS_exit_group, SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal, SYS_fork, SYS_vfork, SYS_clone, SYS_clone3, SYS_rt_sigreturn, SYS_arch_prctl, SYS_set_tid_address,
    SYS_set_robust_list, SYS_rseq, SYS_brk, SYS_setrlimit, SYS_prlimit64, SYS_timer_create, SYS_close_range, SYS_pkey_mprotect,
};

// Made in an instance alone ("all"): they touch other processes, or change the machine.
static const short foreign[] = {
    SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_reboot, SYS_kexec_load,
    SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_mount, SYS_umount2, SYS_move_mount,
    SYS_open_tree, SYS_fsopen, SYS_fsmount, SYS_fsconfig, SYS_fspick, SYS_mount_setattr, SYS_pivot_root, SYS_chroot,
    SYS_swapon, SYS_swapoff, SYS_sethostname, SYS_setdomainname, SYS_iopl, SYS_ioperm, SYS_settimeofday, SYS_adjtimex,
    SYS_clock_settime, SYS_clock_adjtime, SYS_acct, SYS_quotactl, SYS_quotactl_fd, SYS_syslog, SYS_vhangup, SYS_unshare,
    SYS_setns, SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_seccomp, SYS_add_key, SYS_request_key, SYS_keyctl,
    SYS_personality, SYS_rt_sigsuspend, SYS_pause, SYS_modify_ldt, SYS_sync, SYS_syncfs, SYS_fanotify_init,
    SYS_fanotify_mark, SYS_lookup_dcookie, SYS_nfsservctl, SYS_uselib, SYS_io_uring_setup, SYS_io_uring_enter,
    SYS_io_uring_register, SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid,
    SYS_setfsgid, SYS_setgroups, SYS_capset, SYS_setsid, SYS_setpgid, SYS_setpriority, SYS_prctl, SYS_ioprio_set,
    SYS_sched_setscheduler, SYS_sched_setattr, SYS_sched_setparam, SYS_mlockall, SYS_alarm, SYS_setitimer,
    SYS_timer_settime, SYS_waitid, SYS_shmget, SYS_shmat, SYS_shmctl, SYS_semget, SYS_semctl, SYS_msgget, SYS_msgctl,
    SYS_mq_open, SYS_mq_unlink, SYS_kcmp, SYS_pidfd_getfd, SYS_process_madvise, SYS_process_mrelease, SYS_memfd_secret,
    SYS_landlock_restrict_self, SYS_chdir, SYS_fchdir, SYS_mbind, SYS_set_mempolicy, SYS_migrate_pages, SYS_move_pages,
    SYS_restart_syscall, SYS_open_by_handle_at, SYS_remap_file_pages, SYS_sched_setaffinity, 449, 455, 456,
};

#define FUTEX_PRIVATE 128
static char *arena;  // memory of its own: whatever is mapped, changed or written there harms nobody
#define ARENA (1L << 20)
static volatile bool ends;
static bool inside;
static volatile long made;
static int files[32];
static __thread uint64_t state;
static __thread sigjmp_buf back;
static __thread volatile bool armed;

static uint64_t next(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state * 0x2545f4914f6cdd1dULL;
}
static uint64_t below(uint64_t limit) { return next() % limit; }

// A fault or a signal in the midst of a call: the next call follows.
static void on_signal(int signal, siginfo_t *information, void *context) {
    (void)information, (void)context;
    bool is_fault = signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGTRAP;
    if (!is_fault && signal != SIGSYS) return;
    if (!armed) _exit(100 + signal);
    armed = false;
    siglongjmp(back, 1);
}

static bool is_refused(long number) {
    for (unsigned index = 0; index < sizeof lethal / sizeof lethal[0]; index++)
        if (lethal[index] == number) return true;
    for (unsigned index = 0; index < sizeof foreign / sizeof foreign[0] && !inside; index++)
        if (foreign[index] == number) return true;
    return false;
}

static long pointer(void) {
    switch (below(8)) {
    case 0: return 0;
    case 1: return (long)below(65536);
    case 2: return (long)(next() | 1UL << 63);
    case 3: return (long)(arena + ARENA - below(16));
    case 4: return 0x20000000000000L + (long)below(1 << 20);
    default: return (long)(arena + below(ARENA - 4096));
    }
}

static long argument(void) {
    static const long edges[] = {0,     1,         -1,        2,          3,         7,         8,       4095, 4096, 4097,
                                 65536, INT32_MAX, INT32_MIN, UINT32_MAX, INT64_MAX, INT64_MIN, 1L << 46};
    switch (below(6)) {
    case 0: return edges[below(sizeof edges / sizeof edges[0])];
    case 1: return files[below(32)];
    case 2:
    case 3: return pointer();
    case 4: return 1L << below(64);
    default: return (long)(next() >> below(64));
    }
}

// Text and structures that calls may find behind a pointer.
static void seed_arena(void) {
    static const char *const paths[] = {"a", "a/b", "./c", "../d", "/proc/self/maps", "/proc/self/fd/3", "", "a\377\1", "e",
                                        "/dev/null", "/dev/shm"};
    for (int count = 0; count < 16; count++) {
        char *place = arena + below(ARENA - 4096);
        switch (below(4)) {
        case 0: strcpy(place, paths[below(inside ? 11 : 9)]); break;
        case 1: memset(place, (int)below(256), below(512)); break;
        case 2:
            for (int index = 0; index < 16; index++) ((long *)((long)place & -8))[index] = argument();
            break;
        default:
            for (int index = 0; index < 4; index++) {
                ((long *)((long)place & -8))[2 * index] = pointer();
                ((long *)((long)place & -8))[2 * index + 1] = (long)below(5000);
            }
        }
    }
}

static bool is_safe(long number, const long *arguments) {
    for (int index = 0; index < 6; index++)
        if ((int)arguments[index] == OUTPUT) return false;
    // What frees, moves or protects memory has a function of its own.
    return number != SYS_munmap && number != SYS_mprotect && number != SYS_madvise && number != SYS_mremap && number != SYS_mmap;
}

// What a call that is dangerous as it comes is confined to.
static void confine(long number, long *arguments) {
    static const struct timespec soon = {0, 100};
    static const long operations[] = {0, 1, 3, 4, 5, 9, 10, 99};
    switch (number) {
    case SYS_poll: arguments[2] = 1; break;
    case SYS_epoll_wait:
    case SYS_epoll_pwait: arguments[3] = 1; break;
    case SYS_ppoll: arguments[2] = (long)&soon; break;
    case SYS_epoll_pwait2: arguments[3] = (long)&soon; break;
    case SYS_select:
    case SYS_pselect6: arguments[4] = (long)&soon; break;
    case SYS_futex: arguments[1] = operations[below(8)] | (below(2) ? FUTEX_PRIVATE : 0); break;
    // Bad pointers alone: what they would set is this program's own ground.
    case SYS_rt_sigaction:
    case SYS_rt_sigprocmask: arguments[1] = 8; break;
    case SYS_sigaltstack: arguments[0] = 16; break;
    default: break;
    }
}

static void memory_call(void) {
    char *area = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (area == MAP_FAILED) return;
    for (int count = 0; count < 8; count++) {
        long page = (long)below(16), place = (long)area + page * 4096 + (below(8) == 0), size = (long)below((uint64_t)(16 - page)) * 4096;
        switch (below(6)) {
        case 0: syscall(SYS_mprotect, place, size, below(8)); break;
        case 1: syscall(SYS_munmap, place, size); break;
        case 2: syscall(SYS_madvise, place, size, below(26)); break;
        case 3: {
            long moved = syscall(SYS_mremap, place, size, size, below(2) * MREMAP_MAYMOVE, 0);
            if (moved != -1 && moved != place) munmap((void *)moved, (size_t)size);
            break;
        }
        case 4: {
            int flags = MAP_FIXED | MAP_PRIVATE | (below(2) ? MAP_ANONYMOUS : 0);
            syscall(SYS_mmap, place, size, below(8), flags, files[below(32)], below(4) * 4096);
            break;
        }
        default:
            armed = true;
            if (sigsetjmp(back, 1) == 0) ((volatile char *)area)[below(16 * 4096)] = 1;
            armed = false;
        }
        made++;
    }
    munmap(area, 16 * 4096);
}

static void one_call(void) {
    long number = (long)below(LAST_CALL + 1), arguments[6];
    for (int index = 0; index < 6; index++) arguments[index] = argument();
    if (is_refused(number) || !is_safe(number, arguments)) return;
    // Calls that wait until a signal comes take their time.
    bool waits = number == SYS_futex || number == SYS_nanosleep || number == SYS_clock_nanosleep ||
                 number == SYS_rt_sigtimedwait || number == SYS_pause || number == SYS_rt_sigsuspend || number == 449 || number == 455;
    if ((waits || number == SYS_flock) && below(64)) return;
    confine(number, arguments);
    armed = true;
    if (sigsetjmp(back, 1) == 0) syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    armed = false;
    made++;
}

static void open_files(void) {
    static const char *const names[] = {"a", "b", "/dev/null", "/dev/zero", "/proc/self/status", "."};
    // The devices of a Linux that this runs on keep their owners and permissions: they are an instance's alone.
    static const char *const plain[] = {"a", "b", "c", "d", "/proc/self/status", "."};
    int pair[2];
    for (int index = 0; index < 32; index++) {
        if (files[index] > 2) close(files[index]);
        files[index] = -1;
    }
    // What calls left open besides.
    syscall(SYS_close_range, 80, OUTPUT - 1, 0), syscall(SYS_close_range, OUTPUT + 1, ~0u, 0);
    for (int index = 0; index < 16; index++)
        files[index] = open((inside ? names : plain)[index % 6], (index % 6 > 3 ? O_RDONLY : O_RDWR | O_CREAT) | O_NONBLOCK, 0600);
    for (int index = 16; index < 24; index += 2) {
        pair[0] = pair[1] = -1;
        if (index < 20 ? pipe2(pair, O_NONBLOCK) : socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair)) continue;
        files[index] = pair[0], files[index + 1] = pair[1];
    }
    files[24] = epoll_create1(0);
    files[25] = (int)syscall(SYS_eventfd2, 3, O_NONBLOCK);
    files[26] = (int)syscall(SYS_timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
    files[27] = (int)syscall(SYS_inotify_init1, O_NONBLOCK);
    files[28] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    files[29] = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
    files[30] = memfd_create("fuzz", MFD_ALLOW_SEALING);
    files[31] = 900;
}

// A call that waits for ever would end the test: a signal now and then ends the wait.
static void *racing(void *argument) {
    state = (uint64_t)argument | 1;
    for (int warm = 0; warm < 20; warm++) next();
    for (long round = 0; !ends; round++) {
        if (round % 64 == 0) seed_arena();
        if (round % 16 == 0) memory_call();
        one_call();
    }
    return NULL;
}

int main(int count, char **words) {
    topic = "fuzz-calls";
    uint64_t seed = count > 1 ? strtoull(words[1], NULL, 0) : (uint64_t)time(NULL);
    long seconds = count > 2 ? atol(words[2]) : 5;
    shown("seed", "%lu", seed);
    enter_scratch();
    inside = count > 3 && !strcmp(words[3], "all");
    struct rlimit size = {256 << 10, 256 << 10}, memory = {2L << 30, 2L << 30}, no = {0, 0}, few = {256, 256};
    setrlimit(RLIMIT_FSIZE, &size), setrlimit(RLIMIT_AS, &memory), setrlimit(RLIMIT_CORE, &no), setrlimit(RLIMIT_NOFILE, &few);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};
    for (int number = 1; number < 32; number++) sigaction(number, &action, NULL);
    int null = open(inside ? "/dev/null" : "null", O_RDWR | O_CREAT, 0600);
    dup2(1, OUTPUT);
    for (int file = 0; file < 3; file++) dup2(null, file);
    arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(arena + ARENA, 4096);
    state = seed | 1;
    open_files();
    pthread_t threads[THREADS];
    for (long index = 0; index < THREADS; index++) pthread_create(&threads[index], NULL, racing, (void *)(next() + (uint64_t)index));
    int64_t until = now_ns() + seconds * 1000000000L;
    while (now_ns() < until) {
        sleep_ms(20);
        for (int index = 0; index < THREADS; index++) pthread_kill(threads[index], SIGUSR1);
        if (below(10) == 0) open_files();
    }
    ends = true;
    for (int round = 0; round < 200; round++) {
        for (int index = 0; index < THREADS; index++)
            if (threads[index] && pthread_tryjoin_np(threads[index], NULL) == 0) threads[index] = 0;
        if (!threads[0] && !threads[1] && !threads[2] && !threads[3]) break;
        for (int index = 0; index < THREADS; index++)
            if (threads[index]) pthread_kill(threads[index], SIGUSR1);
        sleep_ms(20);
    }
    dup2(OUTPUT, 1);
    shown("calls", "%ld", made);
    _exit(0);
}
