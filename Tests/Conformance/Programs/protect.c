// mprotect(2), brk(2), madvise(2), mincore(2), mlock(2): access that changes, and memory that is given back.
#include "check.h"
CHECK_STATE

#define PAGE 4096L
#define BOTH (PROT_READ | PROT_WRITE)

static char *map(long count, int access) { return mmap(NULL, (size_t)count, access, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

static void protection(void) {
    char *area = map(5 * PAGE, BOTH);
    memset(area, 7, 5 * PAGE);
    returned("to reading only", mprotect(area + PAGE, PAGE, PROT_READ));
    poke("writing there", area + PAGE + 10);
    peek("reading there", area + PAGE + 10);
    poke("writing before it", area + PAGE - 1);
    poke("writing after it", area + 2 * PAGE);
    returned("to nothing", mprotect(area + 3 * PAGE, PAGE, PROT_NONE));
    peek("reading there", area + 3 * PAGE);
    returned("to both again", mprotect(area, 5 * PAGE, BOTH));
    number("what was there stayed", area[3 * PAGE + 1]);
    poke("writing there", area + 3 * PAGE);
    attempt(((void (*)(void))area)());
    shown("executing data", "%s", fault_name());
    munmap(area + 2 * PAGE, PAGE);
    returned("over a hole", mprotect(area, 5 * PAGE, PROT_READ));
    poke("before the hole it has changed", area);
    poke("after the hole it has not", area + 4 * PAGE);
    returned("of no bytes", mprotect(area, 0, PROT_NONE));
    returned("of what is not mapped", mprotect(area + 2 * PAGE, PAGE, PROT_READ));
    returned("at an odd address", mprotect(area + 1, PAGE, PROT_READ));
    returned("of a count that wraps", mprotect(area, (size_t)-PAGE, PROT_READ));
    returned("unknown access", syscall(SYS_mprotect, area, PAGE, 0x10000));
    munmap(area, 5 * PAGE);
}

static void code(void) {
    unsigned char *area = (unsigned char *)map(PAGE, BOTH);
    const unsigned char answer[] = {0xb8, 42, 0, 0, 0, 0xc3};  // mov eax, 42; ret
    memcpy(area, answer, sizeof answer);
    returned("from writing to executing", mprotect(area, PAGE, PROT_READ | PROT_EXEC));
    number("the code's answer", ((int (*)(void))area)());
    poke("writing it", area + 1);
    returned("back to writing", mprotect(area, PAGE, BOTH));
    area[1] = 43;
    returned("all three", mprotect(area, PAGE, BOTH | PROT_EXEC));
    number("the changed code's answer", ((int (*)(void))area)());
    area[1] = 44;
    number("changed again in place", ((int (*)(void))area)());
    // A system call in code made at run time.
    const unsigned char call[] = {0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xc3};  // mov eax, getpid; syscall; ret
    memcpy(area, call, sizeof call);
    holds("a system call in it", ((int (*)(void))area)() == getpid());
    holds("and once more", ((int (*)(void))area)() == getpid());
    munmap(area, PAGE);
}

static void faults(void) {
    peek("address 8", (char *)8);
    poke("writing address 0", NULL);
    char *code_page = (char *)((uintptr_t)&faults & -PAGE);
    poke("the program's own code", code_page);
    static const char constant[] = "constant";
    poke("a constant", (char *)constant);
    attempt(*(volatile char *)0x8000000000000000UL = 1);
    shown("an address that is none", "%s address %p", fault_name(), fault.address);
    attempt(*(volatile char *)-4096L);
    shown("the upper half", "%s", fault_name());
    char *area = map(2 * PAGE, BOTH);
    munmap(area + PAGE, PAGE);
    attempt(*(volatile long *)(area + PAGE - 4) = -1L);
    holds("a write across the edge faults at the missing page", fault.signal == SIGSEGV && fault.address == area + PAGE);
    number("and wrote nothing", area[PAGE - 1]);
    volatile int count = 0;
    for (volatile int round = 0; round < 1000; round++) {
        attempt(*(volatile char *)(area + PAGE) = 1);
        count += fault.signal == SIGSEGV;
    }
    number("a thousand faults", count);
    munmap(area, PAGE);
}

static void program_break(void) {
    char *start = sbrk(0);
    holds("the break grows", sbrk(5 * PAGE) == start);
    number("it is zero", start[4 * PAGE]);
    memset(start, 1, 5 * PAGE);
    holds("it shrinks", sbrk(-3 * PAGE) == start + 5 * PAGE);
    peek("what was cut is gone", (char *)(((uintptr_t)start + 3 * PAGE) & -PAGE));
    holds("it grows again", sbrk(3 * PAGE) == start + 2 * PAGE);
    number("with zeros", start[4 * PAGE]);
    long high = syscall(SYS_brk, 1L << 46), same = syscall(SYS_brk, 0);
    holds("a break too high changes nothing", high == same);
    holds("a break before the start changes nothing", syscall(SYS_brk, 4096L) == same);

    syscall(SYS_brk, start);
    holds("back to the start", syscall(SYS_brk, 0) == (long)start);
}

static void advice(void) {
    char *area = map(4 * PAGE, BOTH);
    memset(area, 9, 4 * PAGE);
    returned("MADV_DONTNEED", madvise(area + PAGE, 2 * PAGE, MADV_DONTNEED));
    shown("it is zero between", "%d %d %d %d", area[0], area[PAGE], area[2 * PAGE], area[3 * PAGE]);
    returned("MADV_FREE", madvise(area, PAGE, MADV_FREE));
    area[0] = 5;
    number("written after MADV_FREE", area[0]);
    int hints[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTFORK, MADV_DOFORK, MADV_DONTDUMP, MADV_DODUMP};
    for (int index = 0; index < 8; index++) {
        char text[40];
        snprintf(text, sizeof text, "advice %d", hints[index]);
        returned(text, madvise(area, PAGE, hints[index]));
    }
    returned("MADV_POPULATE_WRITE", madvise(area, PAGE, MADV_POPULATE_WRITE));
    returned("unknown advice", madvise(area, PAGE, 12345));
    returned("an odd address", madvise(area + 1, PAGE, MADV_DONTNEED));
    returned("no bytes", madvise(area, 0, MADV_DONTNEED));
    munmap(area + PAGE, PAGE);
    returned("over a hole", madvise(area, 4 * PAGE, MADV_DONTNEED));
    number("what is after the hole is zero all the same", area[3 * PAGE]);
    returned("a count that wraps", madvise(area, (size_t)-PAGE, MADV_DONTNEED));
    munmap(area, 4 * PAGE);
}

static void residence(void) {
    char *area = map(4 * PAGE, BOTH);
    madvise(area, 4 * PAGE, MADV_NOHUGEPAGE);
    unsigned char pages[4];
    area[PAGE] = 1;
    returned("mincore", mincore(area, 4 * PAGE, pages));
    shown("of one touched page", "%d %d %d %d", pages[0] & 1, pages[1] & 1, pages[2] & 1, pages[3] & 1);
    returned("mincore at an odd address", mincore(area + 1, PAGE, pages));
    returned("mincore into a bad pointer", syscall(SYS_mincore, area, PAGE, 8L));
    returned("mlock", mlock(area, 4 * PAGE));
    mincore(area, 4 * PAGE, pages);
    shown("all are in core", "%d %d %d %d", pages[0] & 1, pages[1] & 1, pages[2] & 1, pages[3] & 1);
    returned("munlock", munlock(area, 4 * PAGE));
    returned("mlock2 on fault", mlock2(area, PAGE, MLOCK_ONFAULT));
    returned("mlock2 with unknown flags", mlock2(area, PAGE, 64));
    munmap(area + PAGE, PAGE);
    returned("mlock over a hole", mlock(area, 4 * PAGE));
    returned("mincore over a hole", mincore(area, 4 * PAGE, pages));
    returned("munlockall", munlockall());
    munmap(area, 4 * PAGE);
}

int main(void) {
    topic = "protect";
    catch_faults();
    protection();
    code();
    faults();
    program_break();
    advice();
    residence();
    return 0;
}
