// Limits, prctl, names, random bytes, identities, the auxiliary vector and the vDSO.
#include <asm/prctl.h>
#include <elf.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include "check.h"
CHECK_STATE

static void limits(void) {
    struct rlimit value, old;
    int kinds[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_AS};
    for (int index = 0; index < 7; index++) {
        char text[32];
        snprintf(text, sizeof text, "getrlimit %d", kinds[index]);
        returned(text, getrlimit(kinds[index], &value));
    }
    getrlimit(RLIMIT_STACK, &value);
    holds("the stack's is usual", value.rlim_cur >= 1 << 20);
    returned("one that is none", getrlimit(99, &value));
    value = (struct rlimit){100, 200};
    returned("prlimit sets and tells", prlimit(0, RLIMIT_CORE, &value, &old));
    prlimit(0, RLIMIT_CORE, NULL, &value);
    shown("it is", "%ld %ld", (long)value.rlim_cur, (long)value.rlim_max);
    value = (struct rlimit){300, 200};
    returned("the soft above the hard", setrlimit(RLIMIT_CORE, &value));
    returned("of nobody", prlimit(0x3ffffff, RLIMIT_CORE, NULL, &value));
    returned("a bad pointer", syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8L, NULL));
    returned("a bad old pointer", syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, 8L));
    enter_scratch();
    value = (struct rlimit){1000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &value);
    int file = make_file("file", "x");
    returned("a file beyond RLIMIT_FSIZE", pwrite(file, "x", 1, 1000));
    returned("a write across it", pwrite(file, "123456", 6, 997));
    returned("ftruncate beyond it", ftruncate(file, 2000));
    value.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &value);
    unlink("file");
    leave_scratch();
}

static void names(void) {
    char name[32] = "";
    returned("PR_SET_NAME", prctl(PR_SET_NAME, "a name that is too long", 0, 0, 0));
    prctl(PR_GET_NAME, name, 0, 0, 0);
    shown("the name", "%s", name);
    returned("PR_SET_NAME from a bad pointer", prctl(PR_SET_NAME, 8, 0, 0, 0));
    returned("PR_GET_DUMPABLE", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    returned("PR_SET_DUMPABLE", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    returned("PR_GET_DUMPABLE", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0));
    returned("PR_SET_DUMPABLE of 7", prctl(PR_SET_DUMPABLE, 7, 0, 0, 0));
    int signal_number = 5;
    returned("PR_GET_PDEATHSIG", prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0));
    number("it is", signal_number);
    returned("PR_SET_PDEATHSIG", prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0));
    returned("PR_GET_KEEPCAPS", prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0));
    returned("PR_GET_TIMERSLACK", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
    returned("PR_SET_CHILD_SUBREAPER", prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0));
    returned("one that is none", prctl(9999, 0, 0, 0, 0));
    struct utsname system;
    returned("uname", uname(&system));
    shown("the system and the machine", "%s %s", system.sysname, system.machine);
    holds("the release is at least 5", atoi(system.release) >= 5);
    returned("uname into a bad pointer", syscall(SYS_uname, 8L));
    char host[65] = "";
    holds("gethostname", gethostname(host, sizeof host) == 0 && strcmp(host, system.nodename) == 0);
    unsigned long base = 0;
    returned("arch_prctl ARCH_GET_FS", syscall(SYS_arch_prctl, ARCH_GET_FS, &base));
    unsigned long self;
    __asm__("movq %%fs:0, %0" : "=r"(self));
    holds("is the thread's own", base == self);
    returned("ARCH_SET_GS", syscall(SYS_arch_prctl, ARCH_SET_GS, &base));
    unsigned long by_gs;
    __asm__("movq %%gs:0, %0" : "=r"(by_gs));
    holds("is read by gs", by_gs == base);
    returned("arch_prctl to an address that is none", syscall(SYS_arch_prctl, ARCH_SET_GS, 1L << 63));
    returned("one that is none", syscall(SYS_arch_prctl, 0x7777, 0));
    returned("personality", personality(0xffffffff));
}

static void randomness(void) {
    unsigned char bytes[300] = {0}, more[300] = {0};
    returned("getrandom", getrandom(bytes, sizeof bytes, 0));
    getrandom(more, sizeof more, GRND_NONBLOCK);
    holds("differs from call to call", memcmp(bytes, more, sizeof bytes) != 0);
    returned("GRND_RANDOM", getrandom(bytes, 16, GRND_RANDOM));
    returned("of nothing", getrandom(bytes, 0, 0));
    returned("an unknown flag", getrandom(bytes, 16, 0x80));
    returned("into a bad pointer", syscall(SYS_getrandom, 8L, 16, 0));
    returned("getentropy of too many", getentropy(bytes, 257));
}

static void identities(void) {
    holds("getpid is gettid of the first thread", getpid() == syscall(SYS_gettid));
    holds("getppid is another", getppid() != getpid());
    returned("getpgid of nobody", getpgid(0x3ffffff));
    holds("getpgid of oneself", getpgid(0) == getpgrp());
    holds("getsid", getsid(0) >= 0);
    returned("getsid of nobody", getsid(0x3ffffff));
    int state;
    returned("wait4 without children", wait(&state));
    returned("waitid without children", waitid(P_ALL, 0, NULL, WEXITED));
    returned("waitpid with an unknown option", waitpid(-1, &state, 0x4000));
    struct sysinfo information;
    returned("sysinfo", sysinfo(&information));
    holds("has memory", information.totalram * information.mem_unit > 1 << 20 && information.freeram <= information.totalram);
    returned("sysinfo into a bad pointer", syscall(SYS_sysinfo, 8L));
    returned("a call that is none", syscall(1000));
    returned("a call of a negative number", syscall(-1));
    returned("ptrace of nobody", syscall(SYS_ptrace, 16, 0x3ffffff, 0, 0));
    returned("restart_syscall without a call", syscall(SYS_restart_syscall));
}

static void auxiliary(void) {
    number("AT_PAGESZ", (long)getauxval(AT_PAGESZ));
    number("AT_CLKTCK", (long)getauxval(AT_CLKTCK));
    holds("AT_UID and its kin", getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid() && getauxval(AT_GID) == getgid());
    number("AT_SECURE", (long)getauxval(AT_SECURE));
    holds("AT_RANDOM", getauxval(AT_RANDOM) != 0);
    holds("AT_EXECFN is a name", strlen((char *)getauxval(AT_EXECFN)) > 0);
    shown("AT_PLATFORM", "%s", (char *)getauxval(AT_PLATFORM));
    number("AT_PHENT", (long)getauxval(AT_PHENT));
    holds("AT_PHDR and AT_PHNUM", getauxval(AT_PHNUM) > 3 && ((Elf64_Phdr *)getauxval(AT_PHDR))[0].p_type <= PT_PHDR);
    holds("AT_ENTRY", getauxval(AT_ENTRY) != 0);
    Elf64_Ehdr *vdso = (Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
    holds("AT_SYSINFO_EHDR is an ELF image", vdso && memcmp(vdso->e_ident, ELFMAG, 4) == 0);
    if (!vdso) return;
    Elf64_Phdr *segments = (Elf64_Phdr *)((char *)vdso + vdso->e_phoff);
    Elf64_Dyn *dynamic = NULL;
    char *base = NULL;
    for (int index = 0; index < vdso->e_phnum; index++) {
        if (segments[index].p_type == PT_LOAD) base = (char *)vdso + segments[index].p_offset - segments[index].p_vaddr;
        if (segments[index].p_type == PT_DYNAMIC) dynamic = (Elf64_Dyn *)((char *)vdso + segments[index].p_offset);
    }
    char *strings = NULL;
    Elf64_Sym *symbols = NULL;
    for (; dynamic && dynamic->d_tag; dynamic++) {
        if (dynamic->d_tag == DT_STRTAB) strings = base + dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_SYMTAB) symbols = (Elf64_Sym *)(base + dynamic->d_un.d_ptr);
    }
    const char *wanted[] = {"__vdso_clock_gettime", "__vdso_gettimeofday", "__vdso_time", "__vdso_getcpu"};
    for (int name = 0; name < 4; name++) {
        bool found = false;
        for (int index = 1; strings && index < 16 && !found && (char *)&symbols[index] < strings; index++)
            found = strcmp(strings + symbols[index].st_name, wanted[name]) == 0;
        holds(wanted[name], found);
    }
}

int main(void) {
    topic = "process";
    limits();
    names();
    randomness();
    identities();
    auxiliary();
    return 0;
}
