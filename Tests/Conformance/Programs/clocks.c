// Clocks, their resolutions, sleeping, and that the vDSO and the call agree.
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>
#include "check.h"
CHECK_STATE

static int64_t ns(struct timespec time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }

static void reading(void) {
    clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
                          CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
    for (int index = 0; index < 9; index++) {
        struct timespec by_library, by_call, again, resolution;
        char text[64];
        int clock = clocks[index];
        snprintf(text, sizeof text, "clock %d", clock);
        int result = clock_gettime(clock, &by_library);
        syscall(SYS_clock_gettime, clock, &by_call);
        clock_gettime(clock, &again);
        bool ordered = ns(by_library) <= ns(by_call) + 10000000 && ns(by_call) <= ns(again) + 10000000;
        shown(text, "%d, in order %d, resolution %d", result, ordered, clock_getres(clock, &resolution));
        snprintf(text, sizeof text, "clock %d's nanoseconds", clock);
        holds(text, by_call.tv_nsec >= 0 && by_call.tv_nsec < 1000000000);
    }
    struct timespec resolution;
    clock_getres(CLOCK_MONOTONIC, &resolution);
    shown("resolution of the monotonic clock", "%ld %ld", resolution.tv_sec, resolution.tv_nsec);
    returned("resolution without a place", clock_getres(CLOCK_MONOTONIC, NULL));
    returned("a clock that is none", clock_gettime(77, &resolution));
    returned("resolution of one that is none", clock_getres(77, &resolution));
    returned("a bad pointer", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, 8L));
    returned("the vDSO's bad pointer is the program's fault, the call's is not", syscall(SYS_gettimeofday, 8L, NULL));
    returned("setting the monotonic clock", clock_settime(CLOCK_MONOTONIC, &(struct timespec){5, 0}));
    returned("setting a time that is none", clock_settime(CLOCK_REALTIME, &(struct timespec){5, -1}));
}

static void monotonic(void) {
    struct timespec last, now;
    struct timeval last_day, day;
    clock_gettime(CLOCK_MONOTONIC, &last);
    gettimeofday(&last_day, NULL);
    long backwards = 0, day_backwards = 0, changes = 0;
    for (int round = 0; round < 200000; round++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        backwards += ns(now) < ns(last);
        changes += ns(now) != ns(last);
        last = now;
        gettimeofday(&day, NULL);
        day_backwards += day.tv_sec < last_day.tv_sec || (day.tv_sec == last_day.tv_sec && day.tv_usec < last_day.tv_usec);
        last_day = day;
    }
    number("steps back of the monotonic clock", backwards);
    number("steps back of the day's", day_backwards);
    holds("it moves between calls", changes > 100000);
    time_t seconds = time(NULL);
    gettimeofday(&day, NULL);
    holds("time(2) and gettimeofday(2) agree", day.tv_sec - seconds <= 1 && day.tv_sec >= seconds);
    holds("it is after 2020", seconds > 1577836800);
}

static void sleeping(void) {
    int64_t begin = now_ns();
    returned("nanosleep of 5 ms", nanosleep(&(struct timespec){0, 5000000}, NULL));
    int64_t passed = now_ns() - begin;
    holds("took as long", passed >= 5000000 && passed < 1000000000);
    begin = now_ns();
    returned("nanosleep of nothing", nanosleep(&(struct timespec){0, 0}, NULL));
    returned("of a billion nanoseconds", nanosleep(&(struct timespec){0, 1000000000}, NULL));
    returned("of a negative time", nanosleep(&(struct timespec){-1, 0}, NULL));
    returned("of a bad pointer", syscall(SYS_nanosleep, 8L, NULL));
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 5000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    status("clock_nanosleep until a time", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
    holds("it is over then", now_ns() >= ns(until));
    status("until a time that was", clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &(struct timespec){1, 0}, NULL));
    status("of 2 ms by the real clock", clock_nanosleep(CLOCK_REALTIME, 0, &(struct timespec){0, 2000000}, NULL));
    status("by a clock that is none", clock_nanosleep(77, 0, &until, NULL));
    status("by the thread's own time", clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &until, NULL));
    returned("usleep", usleep(1000));
    number("sleep", sleep(0));
    // Many short sleeps: each is as long as asked at least.
    int early = 0;
    for (int round = 0; round < 100; round++) {
        begin = now_ns();
        nanosleep(&(struct timespec){0, 100000}, NULL);
        early += now_ns() - begin < 100000;
    }
    number("sleeps of 100 us that ended early", early);
}

static void used(void) {
    struct timespec begin, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    sleep_ms(30);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    holds("sleeping uses no processor time", ns(end) - ns(begin) < 15000000);
    // Others may have the processor for a while.
    int64_t until = now_ns() + 3000000000;
    do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    while (ns(begin) - ns(end) <= 5000000 && now_ns() < until);
    holds("computing does", ns(begin) - ns(end) > 5000000);
    struct rusage usage;
    returned("getrusage", getrusage(RUSAGE_SELF, &usage));
    holds("its times", usage.ru_utime.tv_sec + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec + usage.ru_stime.tv_usec > 0);
    returned("of a thread", getrusage(RUSAGE_THREAD, &usage));
    returned("of children", getrusage(RUSAGE_CHILDREN, &usage));
    shown("there are none", "%ld %ld", (long)usage.ru_utime.tv_sec, (long)usage.ru_utime.tv_usec);
    returned("of what is none", getrusage(9, &usage));
    returned("into a bad pointer", syscall(SYS_getrusage, RUSAGE_SELF, 8L));
    struct tms times_used;
    holds("times(2)", times(&times_used) != (clock_t)-1);
    clockid_t clock;
    status("the clock of a thread", pthread_getcpuclockid(pthread_self(), &clock));
    returned("can be read", clock_gettime(clock, &begin));
}

int main(void) {
    topic = "clocks";
    reading();
    monotonic();
    sleeping();
    used();
    return 0;
}
