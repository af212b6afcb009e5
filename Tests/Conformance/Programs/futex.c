// futex(2): wait, wake, bitsets, requeue, operations, timeouts, priority inheritance.
#include <limits.h>
#include <linux/futex.h>
#include "check.h"
CHECK_STATE

static long futex(uint32_t *word, int operation, uint32_t value, const void *timeout, uint32_t *other, uint32_t last) {
    return syscall(SYS_futex, word, operation, value, timeout, other, last);
}

static uint32_t words[16];
static volatile int arrived, woken;

struct waiter {
    uint32_t *word;
    uint32_t bits;
    long result;
    int error;
    pthread_t thread;
};

static void *waiting(void *argument) {
    struct waiter *waiter = argument;
    __atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST);
    int operation = waiter->bits ? FUTEX_WAIT_BITSET_PRIVATE : FUTEX_WAIT_PRIVATE;
    waiter->result = futex(waiter->word, operation, 0, NULL, NULL, waiter->bits);
    waiter->error = errno;
    __atomic_add_fetch(&woken, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void start(struct waiter *waiters, int count, uint32_t *word, uint32_t bits) {
    arrived = woken = 0;
    for (int index = 0; index < count; index++) {
        waiters[index] = (struct waiter){.word = word, .bits = bits ? bits << index : 0};
        must("thread", pthread_create(&waiters[index].thread, NULL, waiting, &waiters[index]) ? -1 : 0);
    }
    while (arrived < count) sched_yield();
    sleep_ms(30);
}

static void settle(int count) {
    for (int round = 0; round < 200 && woken < count; round++) sleep_ms(1);
    sleep_ms(10);
}

static void wait_and_wake(void) {
    struct waiter waiters[4];
    returned("waiting for another value", futex(words, FUTEX_WAIT, 1, NULL, NULL, 0));
    returned("waking nobody", futex(words, FUTEX_WAKE, 1, NULL, NULL, 0));
    start(waiters, 4, words, 0);
    returned("waking one of four", futex(words, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    settle(1);
    number("woken", woken);
    returned("waking two", futex(words, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0));
    settle(3);
    number("woken", woken);
    returned("waking all", futex(words, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
    settle(4);
    for (int index = 0; index < 4; index++) {
        pthread_join(waiters[index].thread, NULL);
        number("a waiter's result", waiters[index].result);
    }
}

static void bitsets(void) {
    struct waiter waiters[3];
    returned("no bits to wait for", futex(words, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
    returned("no bits to wake", futex(words, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
    start(waiters, 3, words, 1);
    returned("waking a bit of nobody", futex(words, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 8));
    returned("waking the second's bit", futex(words, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 2));
    pthread_join(waiters[1].thread, NULL);
    number("woken", woken);
    returned("waking two bits", futex(words, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 5));
    pthread_join(waiters[0].thread, NULL);
    pthread_join(waiters[2].thread, NULL);
}

static void requeue(void) {
    struct waiter waiters[4];
    start(waiters, 4, words, 0);
    returned("requeue: wake one, move two", futex(words, FUTEX_REQUEUE_PRIVATE, 1, (void *)2, words + 1, 0));
    settle(1);
    number("woken", woken);
    returned("compare that fails", futex(words, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, words + 1, 77));
    returned("waking at the new word", futex(words + 1, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0));
    settle(3);
    number("woken", woken);
    returned("compare that holds", futex(words, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1, words + 1, 0));
    returned("nobody is left at the old word", futex(words, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    returned("waking the moved one", futex(words + 1, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    for (int index = 0; index < 4; index++) pthread_join(waiters[index].thread, NULL);
    returned("requeue with a negative count", futex(words, FUTEX_REQUEUE, (uint32_t)-1, (void *)1, words + 1, 0));
}

static void wake_operation(void) {
    struct waiter one[1], two[2];
    start(one, 1, words + 2, 0);
    start(two, 2, words + 3, 0);
    words[3] = 0;
    long result = futex(words + 2, FUTEX_WAKE_OP_PRIVATE, 1, (void *)2, words + 3, FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 0));
    returned("add and wake both", result);
    number("the word", words[3]);
    pthread_join(one[0].thread, NULL);
    pthread_join(two[0].thread, NULL);
    pthread_join(two[1].thread, NULL);
    result = futex(words + 2, FUTEX_WAKE_OP, 1, (void *)2, words + 3, FUTEX_OP(FUTEX_OP_OR, 8, FUTEX_OP_CMP_GT, 100));
    returned("or, and nobody", result);
    number("the word", words[3]);
    result = futex(words + 2, FUTEX_WAKE_OP, 1, (void *)2, words + 3, FUTEX_OP((FUTEX_OP_ADD | FUTEX_OP_OPARG_SHIFT), 4, 0, 0));
    returned("an operand that is shifted", result);
    number("the word", words[3]);
}

static void timeouts(void) {
    struct timespec time = {0, 20000000}, zero = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0};
    words[0] = 0;
    int64_t begin = now_ns();
    returned("a wait of 20 ms", futex(words, FUTEX_WAIT, 0, &time, NULL, 0));
    int64_t passed = now_ns() - begin;
    holds("took as long", passed >= 20000000 && passed < 500000000);
    returned("a wait of nothing", futex(words, FUTEX_WAIT, 0, &zero, NULL, 0));
    returned("a billion nanoseconds", futex(words, FUTEX_WAIT, 0, &bad, NULL, 0));
    returned("a negative time", futex(words, FUTEX_WAIT, 0, &negative, NULL, 0));
    returned("another value comes first", futex(words, FUTEX_WAIT, 1, &zero, NULL, 0));
    returned("a bad timeout pointer", futex(words, FUTEX_WAIT, 0, (void *)8, NULL, 0));
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    returned("until a point of the monotonic clock", futex(words, FUTEX_WAIT_BITSET, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY));
    clock_gettime(CLOCK_REALTIME, &until);
    long result = futex(words, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY);
    returned("until now by the real clock", result);
    until.tv_sec = 1;
    returned("until long ago", futex(words, FUTEX_WAIT_BITSET, 0, &until, NULL, FUTEX_BITSET_MATCH_ANY));
}

static void refusals(void) {
    returned("a bad pointer", futex((uint32_t *)8, FUTEX_WAIT, 0, NULL, NULL, 0));
    returned("waking at a bad pointer, private", futex((uint32_t *)4096, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
    returned("waking at a bad pointer, shared", futex((uint32_t *)4096, FUTEX_WAKE, 1, NULL, NULL, 0));
    returned("an odd address", futex((uint32_t *)((char *)words + 1), FUTEX_WAIT, 0, NULL, NULL, 0));
    returned("waking at an odd address", futex((uint32_t *)((char *)words + 2), FUTEX_WAKE, 1, NULL, NULL, 0));
    returned("the upper half", futex((uint32_t *)-4096L, FUTEX_WAIT, 0, NULL, NULL, 0));
    returned("an operation that is none", futex(words, 99, 0, NULL, NULL, 0));
    returned("FUTEX_FD", futex(words, FUTEX_FD, 0, NULL, NULL, 0));
}

static void on_signal(int signal) { (void)signal; }

static void *interrupted(void *argument) {
    uint32_t word = 0;
    arrived = 1;
    long result = futex(&word, FUTEX_WAIT_PRIVATE, 0, argument, NULL, 0);
    return (void *)(long)(result == 0 ? 0 : errno);
}

static void signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    struct timespec time = {10, 0};
    for (int round = 0; round < 2; round++) {
        sigaction(SIGUSR1, &action, NULL);
        pthread_t thread;
        void *error;
        arrived = 0;
        pthread_create(&thread, NULL, interrupted, &time);
        while (!arrived) sched_yield();
        sleep_ms(30);
        pthread_kill(thread, SIGUSR1);
        pthread_join(thread, &error);
        status(round ? "a timed wait that SA_RESTART cannot go on with" : "a wait that a signal ends", (int)(long)error);
        action.sa_flags = SA_RESTART;
        time.tv_sec = 0, time.tv_nsec = 100000000;
    }
}

static void inheritance(void) {
    uint32_t word = 0;
    returned("FUTEX_LOCK_PI of a free one", futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    holds("its word is the thread's number", word == (uint32_t)syscall(SYS_gettid));
    returned("once more", futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    returned("trying it", futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    returned("unlocking", futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    number("its word", word);
    returned("unlocking what is not ours", futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

int main(void) {
    topic = "futex";
    wait_and_wake();
    bitsets();
    requeue();
    wake_operation();
    timeouts();
    refusals();
    signals();
    inheritance();
    return 0;
}
