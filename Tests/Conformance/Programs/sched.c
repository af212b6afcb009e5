// sched_*(2), membarrier(2), getcpu(2), priorities: what one processor and one policy answer.
#include <linux/membarrier.h>
#include <sched.h>
#include <sys/resource.h>
#include "check.h"
CHECK_STATE

static void policies(void) {
    struct sched_param parameter = {0};
    returned("the policy", sched_getscheduler(0));
    returned("the parameters", sched_getparam(0, &parameter));
    number("the priority", parameter.sched_priority);
    returned("the ordinary policy again", sched_setscheduler(0, SCHED_OTHER, &parameter));
    returned("SCHED_BATCH", sched_setscheduler(0, SCHED_BATCH, &parameter));
    returned("the policy then", sched_getscheduler(0));
    returned("back", sched_setscheduler(0, SCHED_OTHER, &parameter));
    int names[] = {SCHED_OTHER, SCHED_FIFO, SCHED_RR, SCHED_BATCH, SCHED_IDLE, 99};
    for (int index = 0; index < 6; index++) {
        char text[40];
        snprintf(text, sizeof text, "priorities of policy %d", names[index]);
        shown(text, "%d to %d", sched_get_priority_min(names[index]), sched_get_priority_max(names[index]));
    }
    parameter.sched_priority = 5;
    returned("a priority in the ordinary policy", sched_setscheduler(0, SCHED_OTHER, &parameter));
    returned("a policy that is none", sched_setscheduler(0, 99, &parameter));
    returned("of nobody", sched_getscheduler(0x3ffffff));
    returned("of a negative number", sched_getscheduler(-1));
    returned("into a bad pointer", syscall(SYS_sched_getparam, 0, 8L));
    returned("from a bad pointer", syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, 8L));
    returned("yield", sched_yield());
}

static void processors(void) {
    cpu_set_t set;
    long size = syscall(SYS_sched_getaffinity, 0, sizeof set, &set);
    holds("sched_getaffinity gives its size", size > 0 && size % 8 == 0);
    holds("at least one processor", CPU_COUNT(&set) >= 1);
    returned("sched_setaffinity to the same", sched_setaffinity(0, sizeof set, &set));
    CPU_ZERO(&set);
    returned("sched_setaffinity to none", sched_setaffinity(0, sizeof set, &set));
    returned("sched_getaffinity with too few bytes", syscall(SYS_sched_getaffinity, 0, 1, &set));
    returned("sched_getaffinity of an odd size", syscall(SYS_sched_getaffinity, 0, 129, &set));
    returned("sched_getaffinity of a bad pointer", syscall(SYS_sched_getaffinity, 0, sizeof set, 8L));
    returned("sched_getaffinity of nobody", syscall(SYS_sched_getaffinity, 0x3ffffff, sizeof set, &set));
    unsigned cpu = 999, node = 999;
    returned("getcpu", syscall(SYS_getcpu, &cpu, &node, NULL));
    holds("it is one of them", cpu < 1024 && node < 1024);
    returned("getcpu without pointers", syscall(SYS_getcpu, NULL, NULL, NULL));
    returned("getcpu of a bad pointer", syscall(SYS_getcpu, 8L, NULL, NULL));
    holds("sched_getcpu", sched_getcpu() >= 0);
    holds("sysconf's processors", sysconf(_SC_NPROCESSORS_ONLN) >= 1);
}

static void barriers(void) {
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    holds("membarrier has commands", commands > 0);
    holds("the private one among them", commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    returned("the private one unregistered", syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    returned("registering it", syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    returned("the private one", syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    returned("the global one", syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
    returned("one that is none", syscall(SYS_membarrier, 1 << 30, 0, 0));
    returned("an unknown flag", syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 8, 0));
}

static void niceness(void) {
    returned("getpriority", getpriority(PRIO_PROCESS, 0));
    returned("the call's own answer", syscall(SYS_getpriority, PRIO_PROCESS, 0));
    returned("being nicer", setpriority(PRIO_PROCESS, 0, 5));
    errno = 0;
    returned("getpriority", getpriority(PRIO_PROCESS, 0));
    returned("as nice as can be", setpriority(PRIO_PROCESS, 0, 100));
    returned("getpriority", getpriority(PRIO_PROCESS, 0));
    returned("a kind that is none", setpriority(9, 0, 5));
    returned("of nobody", setpriority(PRIO_PROCESS, 0x3ffffff, 5));
}

static volatile int running = 1;
static volatile long turns[4];
static void *spinning(void *argument) {
    while (running) turns[(long)argument]++;
    return NULL;
}

// Threads that never call the system: all of them go on, and so does the first thread.
static void fairness(void) {
    pthread_t threads[4];
    for (long index = 0; index < 4; index++) pthread_create(&threads[index], NULL, spinning, (void *)index);
    int64_t begin = now_ns();
    sleep_ms(300);
    int64_t passed = now_ns() - begin;
    long most = 0, least = INT64_MAX;
    running = 0;
    for (int index = 0; index < 4; index++) {
        pthread_join(threads[index], NULL);
        if (turns[index] > most) most = turns[index];
        if (turns[index] < least) least = turns[index];
    }
    holds("a sleep beside four that spin ends in time", passed < 1000000000);
    holds("each of them has run", least > 0);
    holds("none has had thirty times another's turns", most < least * 30);
}

static int ways[2][2];
static void *echoing(void *argument) {
    char byte;
    while (read(ways[0][0], &byte, 1) == 1 && write(ways[1][1], &byte, 1) == 1) {}
    return NULL;
}

// Threads that wait for each other beside one that spins.
static void precedence(void) {
    pthread_t spinner, other;
    running = 1;
    must("pipe", pipe(ways[0]) | pipe(ways[1]));
    pthread_create(&spinner, NULL, spinning, (void *)0);
    pthread_create(&other, NULL, echoing, NULL);
    sleep_ms(50);
    int64_t begin = now_ns();
    char byte = 0;
    for (int round = 0; round < 1000; round++) {
        if (write(ways[0][1], &byte, 1) != 1 || read(ways[1][0], &byte, 1) != 1) break;
    }
    holds("a thousand round trips beside one that spins end in time", now_ns() - begin < 4000000000);
    begin = now_ns();
    long before = turns[0];
    while (now_ns() - begin < 300000000) {
        if (write(ways[0][1], &byte, 1) != 1 || read(ways[1][0], &byte, 1) != 1) break;
    }
    holds("it goes on meanwhile", turns[0] > before);
    running = 0;
    close(ways[0][1]);
    pthread_join(other, NULL);
    pthread_join(spinner, NULL);
}

int main(void) {
    topic = "sched";
    policies();
    processors();
    barriers();
    fairness();
    precedence();
    niceness();
    return 0;
}
