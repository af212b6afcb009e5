// pipe(2): capacity, ends that close, atomic writes, SIGPIPE; named pipes; eventfd(2).
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include "check.h"
CHECK_STATE

static int ends[2];
static char block[300000];
static volatile int signals;
static void count_signal(int signal) { (void)signal, signals++; }

static void fresh(int flags) { must("pipe2", pipe2(ends, flags)); }
static void finish(void) { close(ends[0]), close(ends[1]); }

static long fill(void) {
    long total = 0, count;
    while ((count = write(ends[1], block, 4096)) > 0) total += count;
    return total;
}

static int polled(int file, short events) {
    struct pollfd poller = {.fd = file, .events = events};
    return poll(&poller, 1, 0) > 0 ? poller.revents : 0;
}

static void capacity(void) {
    fresh(O_NONBLOCK | O_CLOEXEC);
    returned("capacity", fcntl(ends[0], F_GETPIPE_SZ));
    returned("read of an empty one", read(ends[0], block, 1));
    number("what fits", fill());
    returned("one byte more", write(ends[1], "x", 1));
    shown("poll when full", "%x %x", polled(ends[0], POLLIN), polled(ends[1], POLLOUT));
    int there = 0;
    ioctl(ends[0], FIONREAD, &there);
    number("FIONREAD", there);
    returned("larger", fcntl(ends[1], F_SETPIPE_SZ, 200000));
    number("what fits then", fill());
    returned("smaller than what is in it", fcntl(ends[1], F_SETPIPE_SZ, 4096));
    returned("negative", fcntl(ends[1], F_SETPIPE_SZ, -1));
    while (read(ends[0], block, sizeof block) > 0) {}
    returned("smaller when empty", fcntl(ends[1], F_SETPIPE_SZ, 100));
    number("what fits then", fill());
    shown("poll of the writer when full", "%x", polled(ends[1], POLLOUT));
    returned("4095 bytes read", read(ends[0], block, 4095));
    shown("poll of the writer with one byte left", "%x", polled(ends[1], POLLOUT));
    finish();
    returned("unknown flags", pipe2(ends, O_APPEND));
    returned("a bad pointer", syscall(SYS_pipe2, 8L, 0));
}

static void atomic(void) {
    fresh(O_NONBLOCK);
    fcntl(ends[1], F_SETPIPE_SZ, 8192);
    write(ends[1], block, 6000);
    returned("4096 bytes where there is less room: all or nothing", write(ends[1], block, 4096));
    holds("5000 bytes: a part", write(ends[1], block, 5000) < 5000);
    finish();
    fresh(O_DIRECT | O_NONBLOCK);
    write(ends[1], "one", 3);
    write(ends[1], "second", 6);
    returned("O_DIRECT: one packet", read(ends[0], block, 100));
    returned("part of a packet", read(ends[0], block, 2));
    returned("the rest of it is gone", read(ends[0], block, 100));
    finish();
}

static void ends_that_close(void) {
    signal(SIGPIPE, count_signal);
    fresh(0);
    write(ends[1], "last", 4);
    close(ends[1]);
    shown("the writer closed: poll", "%x", polled(ends[0], POLLIN));
    returned("what is left", read(ends[0], block, 10));
    shown("poll then", "%x", polled(ends[0], POLLIN));
    returned("the end", read(ends[0], block, 10));
    close(ends[0]);
    fresh(0);
    close(ends[0]);
    returned("the reader closed", write(ends[1], "x", 1));
    number("SIGPIPE", signals);
    signal(SIGPIPE, SIG_IGN);
    returned("with SIGPIPE ignored", write(ends[1], "x", 1));
    shown("poll of the writer", "%x", polled(ends[1], POLLOUT));
    returned("a write of nothing", write(ends[1], "x", 0));
    close(ends[1]);
    fresh(0);
    returned("reading from the writing end", read(ends[1], block, 1));
    returned("writing to the reading end", write(ends[0], block, 1));
    finish();
}

static void *writes(void *argument) {
    (void)argument;
    memset(block, 'w', sizeof block);
    return (void *)write(ends[1], block, sizeof block);
}
static void *closes(void *argument) {
    sleep_ms(20);
    close(*(int *)argument);
    return NULL;
}

static void waiting(void) {
    pthread_t thread;
    void *result;
    fresh(0);
    pthread_create(&thread, NULL, writes, NULL);
    static char into[70000];
    long total = 0, wrong = 0;
    while (total < (long)sizeof block) {
        long count = read(ends[0], into, sizeof into);
        for (long index = 0; index < count; index++) wrong += into[index] != 'w';
        total += count;
    }
    pthread_join(thread, &result);
    shown("300000 bytes through it", "%ld written, %ld read, %ld wrong", (long)result, total, wrong);
    pthread_create(&thread, NULL, closes, &ends[1]);
    returned("a reader that waits while the writer closes", read(ends[0], into, 1));
    pthread_join(thread, NULL);
    close(ends[0]);
    fresh(0);
    pthread_create(&thread, NULL, closes, &ends[0]);
    returned("a writer that waits while the reader closes", write(ends[1], block, sizeof block) < 0 ? -1 : 1);
    pthread_join(thread, NULL);
    close(ends[1]);
}

static void *opens(void *argument) {
    (void)argument;
    sleep_ms(20);
    int file = open("fifo", O_WRONLY);
    write(file, "through", 7);
    close(file);
    return NULL;
}

static void named(void) {
    returned("mkfifo", mkfifo("fifo", 0600));
    returned("once more", mkfifo("fifo", 0600));
    returned("for writing without a reader", open("fifo", O_WRONLY | O_NONBLOCK));
    int reading = open("fifo", O_RDONLY | O_NONBLOCK);
    outcome("for reading without a writer", reading);
    returned("read without a writer", read(reading, block, 10));
    int writing = open("fifo", O_WRONLY | O_NONBLOCK);
    outcome("for writing with a reader", writing);
    returned("read of nothing with a writer", read(reading, block, 10));
    write(writing, "abc", 3);
    returned("read", read(reading, block, 10));
    close(reading), close(writing);
    pthread_t thread;
    pthread_create(&thread, NULL, opens, NULL);
    reading = open("fifo", O_RDONLY);
    outcome("an open that waits for the other end", reading);
    returned("its bytes", read(reading, block, 10));
    pthread_join(thread, NULL);
    close(reading);
    int both = open("fifo", O_RDWR);
    write(both, "x", 1);
    returned("one for both", read(both, block, 10));
    close(both);
    unlink("fifo");
}

static void *adds(void *argument) {
    sleep_ms(20);
    eventfd_write(*(int *)argument, 3);
    return NULL;
}

static void events(void) {
    int file = (int)must("eventfd", eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC));
    eventfd_t value = 0;
    returned("eventfd read", eventfd_read(file, &value));
    number("its value", (long)value);
    returned("read of zero", eventfd_read(file, &value));
    shown("poll of zero", "%x", polled(file, POLLIN | POLLOUT));
    returned("write", eventfd_write(file, 7));
    returned("write", eventfd_write(file, 8));
    shown("poll", "%x", polled(file, POLLIN | POLLOUT));
    eventfd_read(file, &value);
    number("the sum", (long)value);
    returned("the largest", eventfd_write(file, UINT64_MAX - 1));
    returned("one more", eventfd_write(file, 1));
    shown("poll of the largest", "%x", polled(file, POLLIN | POLLOUT));
    returned("what is no value", eventfd_write(file, UINT64_MAX));
    returned("too few bytes", read(file, &value, 7));
    returned("too few to write", write(file, &value, 7));
    returned("more bytes than a value", read(file, block, 20));
    returned("pread", pread(file, &value, 8, 0));
    close(file);
    file = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
    int count = 0;
    while (eventfd_read(file, &value) == 0 && value == 1) count++;
    number("EFD_SEMAPHORE: ones", count);
    close(file);
    file = eventfd(0, 0);
    pthread_t thread;
    pthread_create(&thread, NULL, adds, &file);
    returned("a read that waits", eventfd_read(file, &value));
    number("its value", (long)value);
    pthread_join(thread, NULL);
    returned("unknown flags", eventfd(0, 8));
}

int main(void) {
    topic = "pipes";
    enter_scratch();
    capacity();
    atomic();
    ends_that_close();
    waiting();
    named();
    topic = "eventfd";
    events();
    leave_scratch();
    return 0;
}
