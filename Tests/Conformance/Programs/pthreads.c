// POSIX threads: mutexes, conditions, barriers, thread-local storage, cancellation, many threads.
#include <semaphore.h>
#include "check.h"
CHECK_STATE

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long counter;
static __thread long local = 7;
static __thread char local_zero[100];

static void *counting(void *argument) {
    for (long index = 0; index < (long)argument; index++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return (void *)42;
}

static void basics(void) {
    pthread_t threads[8];
    void *result;
    for (int index = 0; index < 8; index++) status("a thread", pthread_create(&threads[index], NULL, counting, (void *)20000));
    for (int index = 0; index < 8; index++) pthread_join(threads[index], &result);
    number("counted under a mutex", counter);
    number("a thread's result", (long)result);
    status("joining oneself", pthread_join(pthread_self(), NULL));
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    status("a stack that is too small", pthread_attr_setstacksize(&attributes, 100));
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    status("a detached thread", pthread_create(&threads[0], &attributes, counting, (void *)10));
    while (__atomic_load_n(&counter, __ATOMIC_SEQ_CST) != 160010) sched_yield();
    number("it has counted", counter);
}

static void *by_value(void *argument) {
    local += (long)argument;
    local_zero[5] += (char)(long)argument;
    return (void *)(local * 1000 + local_zero[5]);
}

static int destroyed;
static void destroy(void *value) { destroyed += (int)(long)value; }
static pthread_key_t key;
static void *with_key(void *argument) {
    pthread_setspecific(key, argument);
    return pthread_getspecific(key);
}

static void locals(void) {
    pthread_t threads[3];
    void *result;
    for (long index = 0; index < 3; index++) pthread_create(&threads[index], NULL, by_value, (void *)(index + 1));
    for (int index = 0; index < 3; index++) {
        pthread_join(threads[index], &result);
        number("thread-local of a thread", (long)result);
    }
    number("thread-local of the first thread", local);
    status("a key", pthread_key_create(&key, destroy));
    for (long index = 0; index < 3; index++) pthread_create(&threads[index], NULL, with_key, (void *)(index + 1));
    for (int index = 0; index < 3; index++) pthread_join(threads[index], NULL);
    number("what the key's destructors have seen", destroyed);
}

static void mutexes(void) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t one;
    int types[] = {PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_RECURSIVE};
    for (int index = 0; index < 3; index++) {
        pthread_mutexattr_init(&attributes);
        pthread_mutexattr_settype(&attributes, types[index]);
        pthread_mutex_init(&one, &attributes);
        pthread_mutex_lock(&one);
        status("trylock of one's own", pthread_mutex_trylock(&one));
        if (index) status("lock of one's own", pthread_mutex_lock(&one));
        status("unlock", pthread_mutex_unlock(&one));
        if (index) status("unlock again", pthread_mutex_unlock(&one));
        if (index) status("and again", pthread_mutex_unlock(&one));
    }
    pthread_mutexattr_init(&attributes);
    status("inheritance of priority", pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    status("its mutex", pthread_mutex_init(&one, &attributes));
    status("is locked", pthread_mutex_lock(&one));
    status("and unlocked", pthread_mutex_unlock(&one));
    pthread_mutex_lock(&mutex);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    status("a timed lock of a locked one", pthread_mutex_timedlock(&mutex, &until));
    pthread_mutex_unlock(&mutex);
}

static pthread_mutex_t robust;
static void *dies_with_it(void *argument) {
    pthread_mutex_lock(&robust);
    return argument;
}

static void robust_mutex(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_t thread;
    pthread_create(&thread, NULL, dies_with_it, NULL);
    pthread_join(thread, NULL);
    status("a robust mutex whose owner ended", pthread_mutex_lock(&robust));
    status("made consistent", pthread_mutex_consistent(&robust));
    status("unlocked", pthread_mutex_unlock(&robust));
    status("locked again", pthread_mutex_lock(&robust));
}

static volatile int turn;
static void *alternating(void *argument) {
    long me = (long)argument;
    pthread_mutex_lock(&mutex);
    for (int round = 0; round < 1000; round++) {
        while (turn % 3 != me) pthread_cond_wait(&condition, &mutex);
        turn++;
        pthread_cond_broadcast(&condition);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static pthread_barrier_t barrier;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;
static int serial;
static void *at_barrier(void *argument) {
    for (int round = 0; round < 100; round++)
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
    sem_post(&semaphore);
    return argument;
}

static void waiting(void) {
    pthread_t threads[4];
    for (long index = 0; index < 3; index++) pthread_create(&threads[index], NULL, alternating, (void *)index);
    for (int index = 0; index < 3; index++) pthread_join(threads[index], NULL);
    number("three threads in turn", turn);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec = until.tv_nsec < 900000000 ? until.tv_nsec + 10000000 : 999999999;
    pthread_mutex_lock(&mutex);
    status("a condition that nobody signals", pthread_cond_timedwait(&condition, &mutex, &until));
    pthread_mutex_unlock(&mutex);
    sem_init(&semaphore, 0, 0);
    pthread_barrier_init(&barrier, NULL, 4);
    for (int index = 0; index < 4; index++) pthread_create(&threads[index], NULL, at_barrier, NULL);
    for (int index = 0; index < 4; index++) sem_wait(&semaphore);
    for (int index = 0; index < 4; index++) pthread_join(threads[index], NULL);
    number("rounds of a barrier", serial);
    returned("a semaphore without more", sem_trywait(&semaphore));
    returned("a timed wait for it", sem_timedwait(&semaphore, &until));
    pthread_rwlock_rdlock(&rwlock);
    status("a second reader", pthread_rwlock_tryrdlock(&rwlock));
    status("a writer beside readers", pthread_rwlock_trywrlock(&rwlock));
    pthread_rwlock_unlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
    status("a writer alone", pthread_rwlock_trywrlock(&rwlock));
}

static int cleaned;
static void clean(void *argument) { cleaned += (int)(long)argument; }
static void *sleeps(void *argument) {
    pthread_cleanup_push(clean, (void *)1);
    if (argument) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    for (int round = 0; round < (argument ? 5 : 1000); round++) sleep_ms(10);
    if (argument) pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    pthread_cleanup_pop(0);
    return argument;
}
static void *spins(void *argument) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    *(volatile int *)argument = 1;
    for (;;) *(volatile int *)argument = 1;
    return NULL;
}
static void *reads(void *argument) {
    char byte;
    pthread_cleanup_push(clean, (void *)10);
    read((int)(long)argument, &byte, 1);
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancellation(void) {
    pthread_t thread;
    void *result;
    for (long mode = 0; mode < 2; mode++) {
        pthread_create(&thread, NULL, sleeps, (void *)mode);
        sleep_ms(10);
        status("cancel of a sleeping thread", pthread_cancel(thread));
        pthread_join(thread, &result);
        holds("it was cancelled", result == PTHREAD_CANCELED);
    }
    volatile int started = 0;
    pthread_create(&thread, NULL, spins, (void *)&started);
    while (!started) sched_yield();
    status("cancel of a spinning thread", pthread_cancel(thread));
    pthread_join(thread, &result);
    holds("it was cancelled", result == PTHREAD_CANCELED);
    int pipes[2];
    must("pipe", pipe(pipes));
    pthread_create(&thread, NULL, reads, (void *)(long)pipes[0]);
    sleep_ms(10);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    holds("a reading thread was cancelled", result == PTHREAD_CANCELED);
    number("what the clean-ups have seen", cleaned);
}

static int together;
static void *one_of_many(void *argument) {
    local = (long)argument;
    pthread_mutex_lock(&mutex);
    together++;
    while (together < 500) pthread_cond_wait(&condition, &mutex);
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    return (void *)local;
}

static void many(void) {
    static pthread_t threads[500];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    int made = 0;
    long sum = 0;
    for (long index = 0; index < 500; index++) made += pthread_create(&threads[index], &attributes, one_of_many, (void *)index) == 0;
    for (int index = 0; index < made; index++) {
        void *result;
        pthread_join(threads[index], &result);
        sum += (long)result;
    }
    number("threads at once", made);
    number("the sum of their thread-locals", sum);
    for (int round = 0; round < 2000; round++) {
        if (pthread_create(&threads[0], &attributes, by_value, NULL)) break;
        pthread_join(threads[0], NULL);
        made++;
    }
    number("and one after another", made);
}

int main(void) {
    topic = "pthreads";
    basics();
    locals();
    mutexes();
    robust_mutex();
    waiting();
    cancellation();
    many();
    return 0;
}
