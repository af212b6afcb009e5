// epoll(7): levels and edges, once, nested, exclusive, closed descriptors, and what is refused.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include "check.h"
CHECK_STATE

static int poller;
static struct epoll_event found[16];

static int control(int operation, int file, uint32_t events, int data) {
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)data};
    return epoll_ctl(poller, operation, file, &event);
}

static const char *waited(int timeout) {
    static char text[200];
    int count = epoll_wait(poller, found, 16, timeout);
    if (count < 0) return error_name(errno);
    int used = snprintf(text, sizeof text, "%d", count);
    for (uint32_t data = 0; data < 100; data++)
        for (int index = 0; index < count; index++)
            if (found[index].data.u32 == data)
                used += snprintf(text + used, sizeof text - (size_t)used, " %u:%x", data, found[index].events);
    return text;
}

static void levels(void) {
    int one = eventfd(0, EFD_NONBLOCK), two = eventfd(0, EFD_NONBLOCK);
    returned("add", control(EPOLL_CTL_ADD, one, EPOLLIN, 1));
    returned("once more", control(EPOLL_CTL_ADD, one, EPOLLIN, 1));
    returned("add another", control(EPOLL_CTL_ADD, two, EPOLLIN | EPOLLOUT, 2));
    shown("one can be written", "%s", waited(0));
    eventfd_write(one, 1);
    shown("the other read", "%s", waited(0));
    shown("levels stay", "%s", waited(0));
    eventfd_t value;
    eventfd_read(one, &value);
    shown("until they are gone", "%s", waited(0));
    returned("modify", control(EPOLL_CTL_MOD, two, EPOLLIN, 3));
    shown("nothing then", "%s", waited(0));
    int64_t begin = now_ns();
    shown("a wait of 20 ms", "%s", waited(20));
    holds("took as long", now_ns() - begin >= 20000000);
    eventfd_write(two, 1);
    shown("with its new data", "%s", waited(-1));
    returned("delete", control(EPOLL_CTL_DEL, two, 0, 0));
    returned("once more", control(EPOLL_CTL_DEL, two, 0, 0));
    returned("modify of what is not there", control(EPOLL_CTL_MOD, two, EPOLLIN, 0));
    shown("nothing then", "%s", waited(0));
    eventfd_write(one, 1);
    struct epoll_event two_of[2];
    control(EPOLL_CTL_ADD, two, EPOLLIN, 2);
    returned("one at a time", epoll_wait(poller, two_of, 1, 0));
    uint32_t first = two_of[0].data.u32;
    returned("and one more", epoll_wait(poller, two_of, 1, 0));
    holds("takes turns", two_of[0].data.u32 != first);
    close(one), close(two);
    shown("closing takes them out", "%s", waited(0));
}

static void edges(void) {
    int pipes[2];
    must("pipe", pipe2(pipes, O_NONBLOCK));
    char bytes[10];
    control(EPOLL_CTL_ADD, pipes[0], EPOLLIN | EPOLLET, 1);
    control(EPOLL_CTL_ADD, pipes[1], EPOLLOUT | EPOLLET, 2);
    shown("an edge for what is ready when added", "%s", waited(0));
    shown("no second one", "%s", waited(0));
    write(pipes[1], "ab", 2);
    shown("bytes come", "%s", waited(0));
    read(pipes[0], bytes, 1);
    shown("some are left: no edge", "%s", waited(0));
    write(pipes[1], "c", 1);
    shown("more come", "%s", waited(0));
    control(EPOLL_CTL_MOD, pipes[0], EPOLLIN | EPOLLET, 1);
    shown("modify makes an edge", "%s", waited(0));
    close(pipes[1]);
    shown("the writer closes", "%s", waited(0));
    close(pipes[0]);
    int event = eventfd(0, EFD_NONBLOCK);
    control(EPOLL_CTL_ADD, event, EPOLLIN | EPOLLONESHOT, 5);
    eventfd_write(event, 1);
    shown("EPOLLONESHOT", "%s", waited(0));
    eventfd_write(event, 1);
    shown("is over", "%s", waited(0));
    control(EPOLL_CTL_MOD, event, EPOLLIN | EPOLLONESHOT, 6);
    shown("until it is armed again", "%s", waited(0));
    close(event);
}

static void sockets(void) {
    int pair[2];
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    control(EPOLL_CTL_ADD, pair[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP, 1);
    shown("a socket", "%s", waited(0));
    write(pair[1], "x", 1);
    shown("with a byte", "%s", waited(0));
    shutdown(pair[1], SHUT_WR);
    shown("the other has shut down writing", "%s", waited(0));
    close(pair[1]);
    shown("the other is closed", "%s", waited(0));
    close(pair[0]);
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    control(EPOLL_CTL_ADD, pair[0], 0, 1);
    close(pair[1]);
    shown("no events asked: the end comes all the same", "%s", waited(0));
    close(pair[0]);
}

static void nested(void) {
    int inner = epoll_create1(0), event = eventfd(0, EFD_NONBLOCK);
    struct epoll_event one = {.events = EPOLLIN, .data.u32 = 9};
    returned("a poller in a poller", control(EPOLL_CTL_ADD, inner, EPOLLIN, 7));
    epoll_ctl(inner, EPOLL_CTL_ADD, event, &one);
    shown("nothing yet", "%s", waited(0));
    eventfd_write(event, 1);
    shown("the inner one is ready", "%s", waited(0));
    returned("and gives the event", epoll_wait(inner, found, 4, 0));
    returned("a poller in itself", control(EPOLL_CTL_ADD, poller, EPOLLIN, 7));
    one.data.u32 = 1;
    returned("pollers in a circle", epoll_ctl(inner, EPOLL_CTL_ADD, poller, &one));
    close(inner), close(event);
}

static void duplicates(void) {
    int event = eventfd(1, EFD_NONBLOCK), copy = dup(event);
    control(EPOLL_CTL_ADD, event, EPOLLIN, 1);
    returned("a duplicate is another entry", control(EPOLL_CTL_ADD, copy, EPOLLIN, 2));
    shown("both are ready", "%s", waited(0));
    close(event);
    shown("one closed, the description stays: both come", "%s", waited(0));
    close(copy);
    shown("the last closed", "%s", waited(0));
}

static void refusals(void) {
    int file = make_file("file", "x");
    returned("a regular file", control(EPOLL_CTL_ADD, file, EPOLLIN, 1));
    int folder = open(".", O_RDONLY);
    returned("a folder", control(EPOLL_CTL_ADD, folder, EPOLLIN, 1));
    returned("a closed descriptor", control(EPOLL_CTL_ADD, 999, EPOLLIN, 1));
    int event = eventfd(0, 0);
    returned("an operation that is none", control(9, event, EPOLLIN, 1));
    returned("a poller that is none", epoll_ctl(event, EPOLL_CTL_ADD, file, &(struct epoll_event){0}));
    returned("a closed poller", epoll_ctl(999, EPOLL_CTL_ADD, event, &(struct epoll_event){0}));
    returned("a bad pointer", syscall(SYS_epoll_ctl, poller, EPOLL_CTL_ADD, event, 8L));
    returned("waiting for none", epoll_wait(poller, found, 0, 0));
    returned("waiting for a negative count", syscall(SYS_epoll_wait, poller, found, -1, 0));
    control(EPOLL_CTL_ADD, event, EPOLLOUT, 1);
    returned("waiting into a bad pointer", syscall(SYS_epoll_wait, poller, 8L, 4, 0));
    returned("waiting for what is none", epoll_wait(event, found, 4, 0));
    returned("epoll_create of zero", epoll_create(0));
    returned("unknown flags", epoll_create1(1));
    struct timespec time = {0, 1000000}, bad = {0, -1};
    returned("epoll_pwait2", syscall(SYS_epoll_pwait2, poller, found, 4, &time, NULL, 0));
    returned("its time is none", syscall(SYS_epoll_pwait2, poller, found, 4, &bad, NULL, 0));
    sigset_t set;
    sigfillset(&set);
    returned("epoll_pwait with a mask", epoll_pwait(poller, found, 4, 0, &set));
    returned("a mask of another size", syscall(SYS_epoll_pwait, poller, found, 4, 0, &set, 4));
    returned("reading a poller", read(poller, found, 10));
    close(event), close(file), close(folder);
    unlink("file");
}

static void *writes(void *argument) {
    sleep_ms(20);
    eventfd_write(*(int *)argument, 1);
    return NULL;
}
static void *waits(void *argument) {
    (void)argument;
    struct epoll_event event;
    return (void *)(long)epoll_wait(poller, &event, 1, 500);
}

static void threads(void) {
    int event = eventfd(0, EFD_NONBLOCK);
    pthread_t thread, others[4];
    pthread_create(&thread, NULL, writes, &event);
    control(EPOLL_CTL_ADD, event, EPOLLIN, 1);
    shown("another thread makes it ready", "%s", waited(2000));
    pthread_join(thread, NULL);
    eventfd_t value;
    eventfd_read(event, &value);
    control(EPOLL_CTL_MOD, event, EPOLLIN | EPOLLET, 1);
    long woken = 0;
    for (int index = 0; index < 4; index++) pthread_create(&others[index], NULL, waits, NULL);
    sleep_ms(50);
    eventfd_write(event, 1);
    for (int index = 0; index < 4; index++) {
        void *result;
        pthread_join(others[index], &result);
        woken += (long)result;
    }
    number("an edge wakes one of four", woken);
    close(event);
}

int main(void) {
    topic = "epoll";
    enter_scratch();
    poller = (int)must("epoll_create1", epoll_create1(EPOLL_CLOEXEC));
    levels();
    edges();
    sockets();
    nested();
    duplicates();
    refusals();
    threads();
    leave_scratch();
    return 0;
}
