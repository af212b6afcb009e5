// Real-time signals in order, sigwaitinfo, sigtimedwait, signalfd, sigsuspend, pause, signals to threads.
#include <poll.h>
#include <sys/signalfd.h>
#include "check.h"
CHECK_STATE

static char trail[512];
static void note(int signal, siginfo_t *information, void *context) {
    (void)context;
    size_t used = strlen(trail);
    int named = signal >= SIGRTMIN ? signal - SIGRTMIN : -signal;
    snprintf(trail + used, sizeof trail - used, "%d:%d ", named, information->si_value.sival_int);
}
static void show_trail(const char *what) {
    shown(what, "%s", trail[0] ? trail : "nothing");
    trail[0] = 0;
}

static void send(int signal, int value) { sigqueue(getpid(), signal, (union sigval){.sival_int = value}); }

static sigset_t real_time(void) {
    sigset_t set;
    sigemptyset(&set);
    for (int index = 0; index < 4; index++) sigaddset(&set, SIGRTMIN + index);
    sigaddset(&set, SIGUSR1);
    return set;
}

static void order(void) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigset_t set = real_time();
    action.sa_mask = set;
    for (int index = 0; index < 4; index++) sigaction(SIGRTMIN + index, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    send(SIGRTMIN + 2, 1), send(SIGRTMIN + 1, 2), send(SIGRTMIN + 2, 3), send(SIGUSR1, 4), send(SIGRTMIN + 1, 5), send(SIGUSR1, 6);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    show_trail("all queued, the lowest first, SIGUSR1 once");
    action.sa_mask = (sigset_t){0};
    for (int index = 0; index < 4; index++) sigaction(SIGRTMIN + index, &action, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
    send(SIGRTMIN, 1), send(SIGRTMIN + 1, 2);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    show_trail("without a mask the later one interrupts the first");
}

static void waiting(void) {
    sigset_t set = real_time();
    sigprocmask(SIG_BLOCK, &set, NULL);
    siginfo_t information;
    struct timespec time = {0, 20000000}, zero = {0, 0}, bad = {0, -1};
    returned("sigtimedwait without any", sigtimedwait(&set, &information, &zero));
    int64_t begin = now_ns();
    returned("sigtimedwait of 20 ms", sigtimedwait(&set, &information, &time));
    holds("took as long", now_ns() - begin >= 20000000);
    send(SIGRTMIN + 3, 7), send(SIGRTMIN + 3, 8), send(SIGRTMIN, 9);
    for (int index = 0; index < 3; index++) {
        int signal = sigwaitinfo(&set, &information);
        shown("sigwaitinfo", "%d value %d code %d", signal - SIGRTMIN, information.si_value.sival_int, information.si_code);
    }
    raise(SIGUSR1);
    int signal = 0;
    status("sigwait", sigwait(&set, &signal));
    number("its signal", signal);
    show_trail("no handler ran");
    returned("a bad time", sigtimedwait(&set, &information, &bad));
    returned("a set of another size", syscall(SYS_rt_sigtimedwait, &set, &information, &zero, 4));
    returned("a bad pointer", syscall(SYS_rt_sigtimedwait, 8L, &information, &zero, 8));
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    ualarm(20000, 0);
    time.tv_sec = 5;
    returned("sigtimedwait that another signal ends", sigtimedwait(&set, &information, &time));
    show_trail("whose handler ran");
}

static void descriptors(void) {
    sigset_t set = real_time();
    int file = (int)must("signalfd", signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    struct signalfd_siginfo entries[4];
    struct pollfd poller = {.fd = file, .events = POLLIN};
    number("ready without a signal", poll(&poller, 1, 0));
    returned("reading without a signal", read(file, entries, sizeof entries));
    send(SIGRTMIN + 1, 21), send(SIGRTMIN + 1, 22), send(SIGUSR1, 23);
    number("ready with some", poll(&poller, 1, 0));
    long count = read(file, entries, sizeof entries);
    number("signals read at once", count / (long)sizeof entries[0]);
    for (int index = 0; index < count / (long)sizeof entries[0]; index++) {
        int signal = (int)entries[index].ssi_signo;
        shown("a signal read", "%d value %d code %d ours %d", signal >= SIGRTMIN ? signal - SIGRTMIN : -signal, entries[index].ssi_int,
              entries[index].ssi_code, entries[index].ssi_pid == (uint32_t)getpid());
    }
    show_trail("no handler ran");
    returned("too small a buffer", read(file, entries, 100));
    returned("writing", write(file, entries, sizeof entries));
    sigset_t other;
    sigemptyset(&other);
    sigaddset(&other, SIGUSR2);
    sigprocmask(SIG_BLOCK, &other, NULL);
    holds("another set for the same descriptor", signalfd(file, &other, 0) == file);
    send(SIGRTMIN, 24);
    returned("the old set's signal is not read", read(file, entries, sizeof entries));
    raise(SIGUSR2);
    returned("the new set's is", read(file, entries, sizeof entries[0]) / (long)sizeof entries[0]);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    show_trail("unblocked, it goes to its handler");
    returned("a set for a descriptor that is none", signalfd(0, &set, 0));
    returned("for a closed one", signalfd(999, &set, 0));
    returned("unknown flags", signalfd(-1, &set, 0x40));
    sigprocmask(SIG_UNBLOCK, &other, NULL);
    close(file);
}

static void suspended(void) {
    sigset_t set, empty, now;
    sigemptyset(&empty);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    send(SIGUSR1, 31);
    returned("sigsuspend with one that waits", sigsuspend(&empty));
    show_trail("its handler ran");
    sigprocmask(SIG_SETMASK, NULL, &now);
    number("and is blocked again", sigismember(&now, SIGUSR1));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    alarm(1);
    number("alarm again gives what was left", alarm(0));
    ualarm(20000, 0);
    returned("pause", pause());
    show_trail("the alarm's handler");
    returned("sigsuspend with a set of another size", syscall(SYS_rt_sigsuspend, &empty, 7));
    returned("sigsuspend of a bad pointer", syscall(SYS_rt_sigsuspend, 8L, 8));
}

static volatile long handled_by;
static volatile int ready, stop;
static void who(int signal) {
    (void)signal;
    handled_by = syscall(SYS_gettid);
}
static void *waits(void *argument) {
    *(volatile long *)argument = syscall(SYS_gettid);
    ready = 1;
    while (!stop) sleep_ms(1);
    return NULL;
}
static void *takes(void *argument) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    ready = 1;
    int signal = 0;
    sigwait(&set, &signal);
    *(int *)argument = signal;
    return NULL;
}

static void threads(void) {
    signal(SIGUSR1, who);
    pthread_t thread;
    volatile long id = 0;
    pthread_create(&thread, NULL, waits, (void *)&id);
    while (!ready) sched_yield();
    handled_by = 0;
    status("pthread_kill", pthread_kill(thread, SIGUSR1));
    for (int round = 0; round < 1000 && !handled_by; round++) sleep_ms(1);
    holds("the thread's own handler ran", handled_by == id);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    handled_by = 0;
    kill(getpid(), SIGUSR1);
    for (int round = 0; round < 1000 && !handled_by; round++) sleep_ms(1);
    holds("a signal to the process goes to who has it unblocked", handled_by == id);
    stop = 1;
    pthread_join(thread, NULL);
    ready = 0;
    int taken = 0;
    pthread_create(&thread, NULL, takes, &taken);
    while (!ready) sched_yield();
    sleep_ms(20);
    kill(getpid(), SIGUSR1);
    pthread_join(thread, NULL);
    number("a thread in sigwait takes it", taken);
    sigset_t pending;
    raise(SIGUSR1);
    sigpending(&pending);
    number("raise is for the thread itself", sigismember(&pending, SIGUSR1));
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    holds("and handled by it", handled_by == syscall(SYS_gettid));
}

int main(void) {
    topic = "signal-queue";
    order();
    waiting();
    descriptors();
    suspended();
    threads();
    return 0;
}
