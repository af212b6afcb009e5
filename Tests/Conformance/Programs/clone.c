// Threads without a library: clone(2), clone3(2), set_tid_address(2), robust lists, rseq(2), the ends of threads.
#include <linux/futex.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <sched.h>
#include "check.h"
CHECK_STATE

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
#define STACK 65536

static int parent_number, child_number, cleared;
static volatile int seen, finished;
static volatile long child_id;
static struct robust_list_head head;

static void wait_for_zero(volatile int *word) {
    int value;
    while ((value = *word) != 0) syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

static int child(void *argument) {
    child_id = syscall(SYS_gettid);
    seen = (int)(long)argument;
    return 0;
}

static char *stack(void) {
    char *area = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    return area;
}

static void by_clone(void) {
    int flags = THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    child_number = 1;
    int id = clone(child, stack() + STACK, flags, (void *)5, &parent_number, NULL, &child_number);
    outcome("clone", id);
    if (id < 0) return;
    holds("CLONE_PARENT_SETTID wrote its number", parent_number == id);
    wait_for_zero(&child_number);
    number("CLONE_CHILD_CLEARTID cleared it and woke", child_number);
    number("the child has run", seen);
    holds("its gettid is clone's result", child_id == id);
    holds("its number is not the process's", id != getpid());
    returned("a signal for the one that is gone", syscall(SYS_tgkill, getpid(), id, 0));
}

// A new thread by clone3 that runs on its own stack: no return address is there, so all of it is in assembly.
static long by_clone3_with(struct clone_args *arguments, size_t count) {
    long result;
    __asm__ volatile(
        "syscall\n\t"
        "test %%eax, %%eax\n\t"
        "jnz 1f\n\t"
        "movl $9, %[seen]\n\t"
        "movl $60, %%eax\n\t"
        "xorl %%edi, %%edi\n\t"
        "syscall\n\t"
        "1:"
        : "=a"(result), [seen] "=m"(*(int *)&seen)
        : "0"((long)SYS_clone3), "D"(arguments), "S"(count)
        : "rcx", "r11", "memory");
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static void by_clone3(void) {
    struct clone_args arguments = {
        .flags = THREAD | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,
        .stack = (uint64_t)stack(),
        .stack_size = STACK,
        .parent_tid = (uint64_t)&parent_number,
        .child_tid = (uint64_t)&cleared,
    };
    cleared = 1;
    seen = 0;
    long id = by_clone3_with(&arguments, sizeof arguments);
    outcome("clone3", id);
    holds("its number was written", parent_number == id);
    wait_for_zero(&cleared);
    number("it has run", seen);
    returned("clone3 with too few bytes", by_clone3_with(&arguments, 32));
    returned("clone3 with a bad pointer", by_clone3_with((void *)8, sizeof arguments));
    returned("clone3 with more bytes than a page", by_clone3_with(&arguments, 5000));
    arguments.flags = CLONE_THREAD;
    returned("CLONE_THREAD without CLONE_SIGHAND", by_clone3_with(&arguments, sizeof arguments));
    arguments.flags = CLONE_SIGHAND;
    returned("CLONE_SIGHAND without CLONE_VM", by_clone3_with(&arguments, sizeof arguments));
    arguments.flags = THREAD;
    arguments.exit_signal = SIGCHLD;
    returned("a thread with an exit signal", by_clone3_with(&arguments, sizeof arguments));
    arguments.exit_signal = 0;
    arguments.stack_size = 0;
    returned("a stack without a size", by_clone3_with(&arguments, sizeof arguments));
}

static int changes_its_address(void *argument) {
    (void)argument;
    long id = syscall(SYS_set_tid_address, &cleared);
    seen = id == syscall(SYS_gettid);
    return 0;
}

static int with_robust_list(void *argument) {
    (void)argument;
    static struct {
        struct robust_list entry;
        uint32_t word;
    } lock;
    head.list.next = &lock.entry;
    lock.entry.next = &head.list;
    head.futex_offset = (char *)&lock.word - (char *)&lock.entry;
    head.list_op_pending = NULL;
    lock.word = (uint32_t)syscall(SYS_gettid) | FUTEX_WAITERS;
    finished = (int)syscall(SYS_set_robust_list, &head, sizeof head);
    syscall(SYS_exit, 0);
    return 0;
}

static void addresses(void) {
    cleared = 1;
    seen = 0;
    clone(changes_its_address, stack() + STACK, THREAD, NULL);
    wait_for_zero(&cleared);
    number("set_tid_address gives the thread's number, and is cleared", seen);
    struct robust_list_head *list;
    size_t count;
    returned("get_robust_list", syscall(SYS_get_robust_list, 0, &list, &count));
    number("its size", (long)count);
    returned("get_robust_list of nobody", syscall(SYS_get_robust_list, 0x3ffffff, &list, &count));
    returned("get_robust_list into a bad pointer", syscall(SYS_get_robust_list, 0, 8L, &count));
    returned("set_robust_list of another size", syscall(SYS_set_robust_list, &head, 23));
    cleared = 1;
    clone(with_robust_list, stack() + STACK, THREAD | CLONE_CHILD_CLEARTID, NULL, NULL, NULL, &cleared);
    wait_for_zero(&cleared);
    number("set_robust_list", finished);
    uint32_t word = *(uint32_t *)((char *)head.list.next + head.futex_offset);
    shown("the word of a dead owner", "%x", word);
}

static void restartable_sequences(void) {
    // The library has registered one already; this is one more, and a bad one.
    static struct rseq area __attribute__((aligned(32)));
    returned("a second registration", syscall(SYS_rseq, &area, 32, 0, 0x53053053));
    returned("an unknown flag", syscall(SYS_rseq, &area, 32, 8, 0x53053053));
    returned("unregistering what is not registered", syscall(SYS_rseq, &area, 32, 1, 0x53053053));
}

static int ends_by_exit(void *argument) {
    (void)argument;
    syscall(SYS_exit, 99);
    return 0;
}

static void refusals(void) {
    returned("CLONE_THREAD alone", syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
    returned("CLONE_SIGHAND alone", syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
    returned("CLONE_FS with CLONE_NEWNS", syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0));
    returned("clone3 of nothing", syscall(SYS_clone3, NULL, 0));
    returned("tgkill of process 0", syscall(SYS_tgkill, 0, 1, 0));
    returned("tgkill of a wrong process", syscall(SYS_tgkill, 0x3ffffff, syscall(SYS_gettid), 0));
    returned("tkill of nobody", syscall(SYS_tkill, 0x3ffffff, 0));
    cleared = 1;
    clone(ends_by_exit, stack() + STACK, THREAD | CLONE_CHILD_CLEARTID, NULL, NULL, NULL, &cleared);
    wait_for_zero(&cleared);
    holds("exit(2) of a thread ends it alone", true);
}

int main(void) {
    topic = "clone";
    by_clone();
    by_clone3();
    addresses();
    restartable_sequences();
    refusals();
    return 0;
}
