// setitimer, timer_create, alarm and timerfd: what they send, when, and how often.
#include <poll.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include "check.h"
CHECK_STATE

#define MS 1000000L

static volatile int ticks, last_value, last_code, last_overrun;
static volatile long last_thread;
static void on_tick(int signal, siginfo_t *information, void *context) {
    (void)signal, (void)context;
    ticks++;
    last_value = information->si_value.sival_int;
    last_code = information->si_code;
    last_overrun = information->si_overrun;
    last_thread = syscall(SYS_gettid);
}

static void until(int wanted) {
    int64_t begin = now_ns();
    while (ticks < wanted && now_ns() - begin < 2000 * MS) sleep_ms(1);
}

static void interval_timers(void) {
    struct itimerval value = {{0, 5000}, {0, 5000}}, old;
    ticks = 0;
    returned("setitimer", setitimer(ITIMER_REAL, &value, NULL));
    until(5);
    holds("it ticks", ticks >= 5);
    returned("getitimer", getitimer(ITIMER_REAL, &old));
    shown("its interval", "%ld %ld", old.it_interval.tv_sec, (long)old.it_interval.tv_usec);
    holds("what is left is less", old.it_value.tv_sec == 0 && old.it_value.tv_usec <= 5000);
    value = (struct itimerval){0};
    returned("stopped", setitimer(ITIMER_REAL, &value, &old));
    int before = ticks;
    sleep_ms(20);
    number("ticks afterwards", ticks - before);
    value.it_value.tv_usec = 1000000;
    returned("a million microseconds", setitimer(ITIMER_REAL, &value, NULL));
    returned("a timer that is none", setitimer(9, &value, NULL));
    returned("a bad pointer", syscall(SYS_setitimer, ITIMER_REAL, 8L, NULL));
    ticks = 0;
    value.it_value.tv_usec = 10000;
    setitimer(ITIMER_VIRTUAL, &value, NULL);
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO};
    sigaction(SIGVTALRM, &action, NULL);
    int64_t begin = now_ns();
    while (!ticks && now_ns() - begin < 2000 * MS) {}
    number("ITIMER_VIRTUAL of a spinning program", ticks);
    number("alarm: what was left", alarm(100));
    number("alarm again", alarm(50));
    number("and none", alarm(0));
    number("then nothing is left", alarm(0));
}

static void posix_timers(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 11};
    timer_t timer;
    returned("timer_create", timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec value = {{0, 3 * MS}, {0, 3 * MS}}, now;
    ticks = 0;
    returned("timer_settime", timer_settime(timer, 0, &value, NULL));
    until(4);
    shown("it ticks", "%d, value %d code %d", ticks >= 4, last_value, last_code);
    returned("timer_gettime", timer_gettime(timer, &now));
    shown("its interval", "%ld", now.it_interval.tv_nsec);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    ticks = 0;
    sleep_ms(40);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    holds("what was missed is counted", ticks >= 1 && last_overrun >= 5);
    holds("timer_getoverrun", timer_getoverrun(timer) >= 0);
    returned("timer_delete", timer_delete(timer));
    returned("once more", timer_delete(timer));
    returned("timer_settime of it", timer_settime(timer, 0, &value, NULL));
    event.sigev_notify = SIGEV_NONE;
    returned("one that tells nobody", timer_create(CLOCK_REALTIME, &event, &timer));
    value = (struct itimerspec){{0, 0}, {0, 2 * MS}};
    timer_settime(timer, 0, &value, NULL);
    sleep_ms(10);
    timer_gettime(timer, &now);
    shown("it has run out", "%ld %ld", now.it_value.tv_sec, now.it_value.tv_nsec);
    timer_delete(timer);
    event.sigev_notify = SIGEV_THREAD_ID;
    event._sigev_un._tid = (int)syscall(SYS_gettid);
    returned("one for a thread", timer_create(CLOCK_MONOTONIC, &event, &timer));
    ticks = 0;
    clock_gettime(CLOCK_MONOTONIC, &value.it_value);
    value.it_value.tv_nsec += 5 * MS;
    if (value.it_value.tv_nsec >= 1000 * MS) value.it_value.tv_sec++, value.it_value.tv_nsec -= 1000 * MS;
    returned("at a time", timer_settime(timer, TIMER_ABSTIME, &value, NULL));
    until(1);
    shown("it has come once, here", "%d %d", ticks, last_thread == syscall(SYS_gettid));
    timer_delete(timer);
    event._sigev_un._tid = 0x3ffffff;
    returned("one for no thread", timer_create(CLOCK_MONOTONIC, &event, &timer));
    event.sigev_notify = 77;
    returned("a way that is none", timer_create(CLOCK_MONOTONIC, &event, &timer));
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = 99;
    returned("a signal that is none", timer_create(CLOCK_MONOTONIC, &event, &timer));
    returned("a clock that is none", timer_create(99, NULL, &timer));
    returned("without an event: SIGALRM", timer_create(CLOCK_MONOTONIC, NULL, &timer));
    value.it_value.tv_nsec = 1000 * MS;
    returned("a billion nanoseconds", timer_settime(timer, 0, &value, NULL));
    timer_delete(timer);
}

static void *receives(void *argument) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    *(int *)argument = sigwaitinfo(&set, NULL) - SIGRTMIN;
    return NULL;
}

static void notify(union sigval value) { last_value = value.sival_int, ticks++; }

static void by_thread(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    int got = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, receives, &got);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1};
    timer_t timer;
    timer_create(CLOCK_REALTIME, &event, &timer);
    struct itimerspec value = {{0, 0}, {0, 5 * MS}};
    timer_settime(timer, 0, &value, NULL);
    pthread_join(thread, NULL);
    number("a thread in sigwaitinfo gets the timer's signal", got);
    timer_delete(timer);
    event = (struct sigevent){.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value.sival_int = 33};
    returned("a timer of the library with a thread", timer_create(CLOCK_MONOTONIC, &event, &timer));
    ticks = 0;
    timer_settime(timer, 0, &value, NULL);
    until(1);
    shown("its function ran", "%d value %d", ticks, last_value);
    timer_delete(timer);
}

static void descriptors(void) {
    int file = (int)must("timerfd_create", timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
    uint64_t count = 0;
    returned("reading one that is not armed", read(file, &count, 8));
    struct itimerspec value = {{0, 5 * MS}, {0, 5 * MS}}, now;
    returned("timerfd_settime", timerfd_settime(file, 0, &value, NULL));
    struct pollfd poller = {.fd = file, .events = POLLIN};
    returned("poll", poll(&poller, 1, 2000));
    sleep_ms(30);
    returned("read", read(file, &count, 8));
    holds("it counts what was missed", count >= 4 && count < 100);
    returned("too small a buffer", read(file, &count, 4));
    returned("timerfd_gettime", timerfd_gettime(file, &now));
    shown("its interval", "%ld", now.it_interval.tv_nsec);
    value = (struct itimerspec){{0, 0}, {0, 5 * MS}};
    timerfd_settime(file, 0, &value, NULL);
    fcntl(file, F_SETFL, 0);
    returned("a read that waits", read(file, &count, 8));
    number("one expiration", (long)count);
    value.it_value = (struct timespec){1, 0};
    returned("a time long ago", timerfd_settime(file, TFD_TIMER_ABSTIME, &value, NULL));
    returned("is over at once", read(file, &count, 8));
    value.it_value = (struct timespec){0, 0};
    timerfd_settime(file, 0, &value, &now);
    returned("disarmed: poll", poll(&poller, 1, 10));
    returned("writing", write(file, &count, 8));
    returned("unknown flags", timerfd_settime(file, 0x80, &value, NULL));
    value.it_value.tv_nsec = -1;
    returned("a negative time", timerfd_settime(file, 0, &value, NULL));
    returned("a bad pointer", syscall(SYS_timerfd_settime, file, 0, 8L, NULL));
    returned("a clock that is none", timerfd_create(77, 0));
    returned("unknown flags of timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0x10));
    returned("settime of what is no timer", timerfd_settime(0, 0, &now, NULL));
    returned("settime of a closed descriptor", timerfd_settime(999, 0, &now, NULL));
}

int main(void) {
    topic = "timers";
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
    interval_timers();
    posix_timers();
    by_thread();
    descriptors();
    return 0;
}
