// The functions that a program is lent (vdso(7)): found as a C library finds them, called by themselves, beside the calls.
#include <elf.h>
#include <sys/auxv.h>
#include <sys/time.h>
#include "check.h"
CHECK_STATE

static const char *base;
static const Elf64_Dyn *dynamic;

static const void *entry(Elf64_Sxword tag) {
    for (const Elf64_Dyn *at = dynamic; at->d_tag != DT_NULL; at++)
        if (at->d_tag == tag) return base + at->d_un.d_ptr;
    return NULL;
}

// The address of a function whose version is LINUX_2.6.
static void *function(const char *name) {
    const uint32_t *hashes = entry(DT_HASH);
    const Elf64_Sym *symbols = entry(DT_SYMTAB);
    const char *strings = entry(DT_STRTAB);
    const uint16_t *versions = entry(DT_VERSYM);
    if (!hashes || !symbols || !strings || !versions) return NULL;
    for (uint32_t index = 1; index < hashes[1]; index++) {
        if (strcmp(strings + symbols[index].st_name, name) || symbols[index].st_shndx == SHN_UNDEF) continue;
        const char *at = entry(DT_VERDEF);
        for (;;) {
            const Elf64_Verdef *definition = (const Elf64_Verdef *)at;
            const Elf64_Verdaux *first = (const Elf64_Verdaux *)(at + definition->vd_aux);
            if (definition->vd_ndx == (versions[index] & 0x7fff) && definition->vd_hash == 0x3ae75f6 &&
                !strcmp(strings + first->vda_name, "LINUX_2.6"))
                return (void *)(base + symbols[index].st_value);
            if (definition->vd_next == 0) break;
            at += definition->vd_next;
        }
    }
    return NULL;
}

static int (*gettime)(clockid_t, struct timespec *), (*getres)(clockid_t, struct timespec *);
static int (*day)(struct timeval *, struct timezone *), (*processor)(unsigned *, unsigned *, void *);
static time_t (*seconds)(time_t *);

static void object(void) {
    base = (const char *)getauxval(AT_SYSINFO_EHDR);
    holds("there is one", base != NULL);
    if (!base) exit(70);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)base;
    holds("an ELF shared object", !memcmp(header, ELFMAG, SELFMAG) && header->e_type == ET_DYN && header->e_machine == EM_X86_64);
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(base + header->e_phoff);
    int loads = 0, frames = 0;
    for (int index = 0; index < header->e_phnum; index++) {
        if (segments[index].p_type == PT_LOAD) loads++;
        if (segments[index].p_type == PT_GNU_EH_FRAME) frames++;
        if (segments[index].p_type == PT_DYNAMIC) dynamic = (const Elf64_Dyn *)(base + segments[index].p_offset);
    }
    shown("segments, what unwinds, a dynamic section", "%d %d %d", loads, frames, dynamic != NULL);
    gettime = function("__vdso_clock_gettime");
    getres = function("__vdso_clock_getres");
    day = function("__vdso_gettimeofday");
    seconds = function("__vdso_time");
    processor = function("__vdso_getcpu");
    shown("its functions", "%d %d %d %d %d", !!gettime, !!getres, !!day, !!seconds, !!processor);
    holds("none by another name", function("__vdso_clock") == NULL);
    char line[512];
    int code = 0, data = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps)) {
        if (strstr(line, "[vdso]")) code = strstr(line, " r-xp ") && strtoul(line, NULL, 16) == (unsigned long)base;
        if (strstr(line, "[vvar]")) data = strstr(line, " r--p ") != NULL;
    }
    fclose(maps);
    shown("in /proc/self/maps", "%d %d", code, data);
    poke("writing to it", (char *)base + 100);
}

static int64_t ns(struct timespec time) { return time.tv_sec * 1000000000LL + time.tv_nsec; }

static void results(void) {
    struct timespec time, called;
    struct timeval now;
    struct timezone zone = {7, 7};
    for (int clock = 0; clock < 12; clock++) {
        char text[64];
        if (clock >= 8 && clock <= 10) continue;  // Alarms: they take a clock that goes on without power.
        int result = gettime(clock, &time);
        syscall(SYS_clock_gettime, clock, &called);
        int64_t apart = ns(called) - ns(time);
        snprintf(text, sizeof text, "clock %d", clock);
        shown(text, "%d, beside the call %d", result, apart > -10000000 && apart < 50000000);
        snprintf(text, sizeof text, "its resolution %d", clock);
        struct timespec told = {-1, -1};
        result = getres(clock, &told);
        syscall(SYS_clock_getres, clock, &called);
        shown(text, "%d, as the call's %d", result, ns(told) == ns(called));
    }
    number("a clock that is none", gettime(77, &time));
    number("a negative one", gettime(-1, &time));
    number("the resolution of one that is none", getres(12, &time));
    number("a resolution to nowhere", getres(CLOCK_MONOTONIC, NULL));
    number("the day", day(&now, &zone));
    shown("its zone", "%d %d", zone.tz_minuteswest, zone.tz_dsttime);
    number("the day to nowhere", day(NULL, NULL));
    time_t stored = 0, told = seconds(&stored);
    holds("the seconds", told == stored && told + 1 >= now.tv_sec && told - now.tv_sec <= 1);
    holds("and to nowhere", seconds(NULL) - told <= 1);
    unsigned cpu = 99999, node = 99999, called_cpu;
    int result = processor(&cpu, &node, NULL);
    syscall(SYS_getcpu, &called_cpu, NULL, NULL);
    shown("the processor", "%d, one that there is %d %d", result, cpu < 4096, node < 64);
    number("to nowhere", processor(NULL, NULL, NULL));
    char unaligned[40];
    number("an odd address", gettime(CLOCK_MONOTONIC, (struct timespec *)(unaligned + 1)));
    // Where the function makes the call, that answers EFAULT: it is made for the first milliseconds, and once after a pause.
    sleep_ms(30);
    gettime(CLOCK_MONOTONIC, &time);
    attempt(gettime(CLOCK_MONOTONIC, (struct timespec *)8));
    shown("a bad address", "%s", fault_name());
    day(&now, NULL);
    attempt(day((struct timeval *)8, NULL));
    shown("for the day", "%s", fault_name());
}

static int64_t read_clock(int clock, bool by_call) {
    struct timespec time;
    if (by_call) syscall(SYS_clock_gettime, clock, &time);
    else gettime(clock, &time);
    return ns(time);
}

static void order(void) {
    long backwards[2] = {0, 0};
    for (int which = 0; which < 2; which++) {
        int clock = which ? CLOCK_REALTIME : CLOCK_MONOTONIC;
        int64_t last = read_clock(clock, false), until = last + 300000000;
        for (long round = 0; last < until; round++) {
            int64_t now = read_clock(clock, round % 7 == 0);
            backwards[which] += now < last;
            last = now;
        }
    }
    shown("steps back between the function and the call", "%ld %ld", backwards[0], backwards[1]);
    int64_t before = read_clock(CLOCK_MONOTONIC, false), day_before = read_clock(CLOCK_REALTIME, false);
    sleep_ms(1300);
    int64_t passed = read_clock(CLOCK_MONOTONIC, false) - before, day_passed = read_clock(CLOCK_REALTIME, false) - day_before;
    shown("after a sleep", "%d %d", passed >= 1300000000 && passed < 3000000000, day_passed > 1290000000 && day_passed < 3000000000);
}

// Threads that read all the time: none sees a time before one that was seen.
static volatile int64_t latest;
static volatile long steps_back;
static void *reading(void *argument) {
    (void)argument;
    int64_t until = read_clock(CLOCK_MONOTONIC, false) + 300000000, now;
    do {
        int64_t seen = __atomic_load_n(&latest, __ATOMIC_SEQ_CST);
        now = read_clock(CLOCK_MONOTONIC, false);
        if (now < seen) __atomic_fetch_add(&steps_back, 1, __ATOMIC_SEQ_CST);
        while (now > seen && !__atomic_compare_exchange_n(&latest, &seen, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
    } while (now < until);
    return NULL;
}

int main(void) {
    topic = "vdso";
    catch_faults();
    object();
    results();
    order();
    pthread_t threads[4];
    for (int index = 0; index < 4; index++) pthread_create(&threads[index], NULL, reading, NULL);
    for (int index = 0; index < 4; index++) pthread_join(threads[index], NULL);
    number("steps back between threads", steps_back);
    return 0;
}
