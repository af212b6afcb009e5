// What every conformance program prints: one line per check, "topic: what = observable result".
// Results are the same in every run: no addresses, process numbers or times.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

extern const char *topic;

// The line goes out by one call, so that what a crash leaves is whole.
static inline __attribute__((format(printf, 2, 3))) void shown(const char *what, const char *format, ...) {
    char line[1024];
    int saved = errno;
    int count = snprintf(line, sizeof line, "%s: %s = ", topic, what);
    va_list arguments;
    va_start(arguments, format);
    count += vsnprintf(line + count, sizeof line - (size_t)count - 1, format, arguments);
    va_end(arguments);
    if (count > (int)sizeof line - 2) count = sizeof line - 2;
    line[count++] = '\n';
    if (write(1, line, (size_t)count) != count) _exit(74);
    errno = saved;
}

static inline const char *error_name(int number) {
#ifdef __GLIBC__
    const char *name = strerrorname_np(number);
    return name ? name : "no such error";
#else
    return strerror(number);
#endif
}

// A call whose value is the same everywhere: the value, or the error's name.
static inline void returned(const char *what, long result) {
    if (result == -1) shown(what, "%s", error_name(errno));
    else shown(what, "%ld", result);
}

// A call whose value differs from run to run (a descriptor, an address).
static inline bool outcome(const char *what, long result) {
    shown(what, "%s", result == -1 ? error_name(errno) : "ok");
    return result != -1;
}

// Calls that give the error itself, as those of pthreads do.
static inline void status(const char *what, int error) { shown(what, "%s", error == 0 ? "ok" : error_name(error)); }

static inline void holds(const char *what, bool value) { shown(what, "%s", value ? "yes" : "no"); }

static inline void number(const char *what, long value) { shown(what, "%ld", value); }

// A step without which the rest makes no sense.
static inline long must(const char *what, long result) {
    if (result != -1) return result;
    shown(what, "%s, cannot go on", error_name(errno));
    exit(70);
}

static inline int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static inline void sleep_ms(long count) {
    struct timespec time = {count / 1000, count % 1000 * 1000000};
    while (nanosleep(&time, &time) < 0 && errno == EINTR) {}
}

// A folder of its own, left empty behind.
static inline void enter_scratch(void) {
    static char path[256];
    const char *base = getenv("SCRATCH");
    snprintf(path, sizeof path, "%s/conformance-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(path) || chdir(path) < 0) {
        shown("a folder for files", "%s, cannot go on", error_name(errno));
        exit(70);
    }
    umask(022);
}

static inline void leave_scratch(void) {
    char path[256];
    if (getcwd(path, sizeof path) && chdir("/") == 0) rmdir(path);
}

static inline int make_file(const char *name, const char *text) {
    int file = (int)must(name, open(name, O_RDWR | O_CREAT | O_TRUNC, 0644));
    must(name, write(file, text, strlen(text)));
    return file;
}

// Faults: `attempt` gives the signal that the access raised (0: none), and its details in `fault`.
extern struct fault {
    int signal, code;
    void *address;
    sigjmp_buf back;
    volatile bool armed;
} fault;

#define CHECK_STATE                \
    const char *topic = "unnamed"; \
    struct fault fault;

static inline void on_fault(int signal, siginfo_t *information, void *context) {
    (void)context;
    if (!fault.armed) _exit(128 + signal);
    fault.signal = signal;
    fault.code = information->si_code;
    fault.address = information->si_addr;
    fault.armed = false;
    siglongjmp(fault.back, 1);
}

static inline void catch_faults(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int index = 0; index < 5; index++) sigaction(signals[index], &action, NULL);
}

#define attempt(statement)                          \
    do {                                            \
        fault.signal = 0;                           \
        if (sigsetjmp(fault.back, 1) == 0) {        \
            fault.armed = true;                     \
            statement;                              \
            fault.armed = false;                    \
        }                                           \
    } while (0)

static inline const char *fault_name(void) {
    static char text[32];
    if (fault.signal == 0) return "none";
    const char *name = sigabbrev_np(fault.signal);
    snprintf(text, sizeof text, "%s code %d", name ? name : "?", fault.code);
    return text;
}

static inline void peek(const char *what, const volatile void *address) {
    volatile char byte = 0;
    attempt(byte = *(const volatile char *)address);
    bool same = fault.signal == 0 || fault.address == (void *)address;
    shown(what, "%s%s", fault_name(), same ? "" : ", another address");
    (void)byte;
}

static inline void poke(const char *what, volatile void *address) {
    attempt(*(volatile char *)address = 1);
    bool same = fault.signal == 0 || fault.address == (void *)address;
    shown(what, "%s%s", fault_name(), same ? "" : ", another address");
}
