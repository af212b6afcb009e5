// poll(2), ppoll(2), select(2), pselect(2): readiness of every kind of descriptor.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include "check.h"
CHECK_STATE

static int now(int file, short events) {
    struct pollfd poller = {.fd = file, .events = events};
    int count = poll(&poller, 1, 0);
    return count < 0 ? -1 : poller.revents;
}

static void kinds(void) {
    int file = make_file("file", "x");
    shown("a regular file", "%x", now(file, POLLIN | POLLOUT | POLLPRI | POLLHUP));
    shown("a closed descriptor", "%x", now(999, POLLIN));
    shown("a negative descriptor", "%x", now(-5, POLLIN));
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    shown("/dev/null", "%x", now(null, POLLIN | POLLOUT));
    shown("/dev/zero", "%x", now(zero, POLLIN | POLLOUT));
    int folder = open(".", O_RDONLY);
    shown("a folder", "%x", now(folder, POLLIN | POLLOUT));
    int path = open("file", O_PATH);
    shown("O_PATH", "%x", now(path, POLLIN));
    int empty = epoll_create1(0);
    shown("an empty poller", "%x", now(empty, POLLIN));
    int socket_file = socket(AF_INET, SOCK_STREAM, 0);
    shown("a TCP socket that is not connected", "%x", now(socket_file, POLLIN | POLLOUT));
    int pair[2];
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    shown("one of a pair", "%x", now(pair[0], POLLIN | POLLOUT | POLLRDHUP));
    shutdown(pair[1], SHUT_WR);
    shown("the other has shut down writing", "%x", now(pair[0], POLLIN | POLLOUT | POLLRDHUP));
    close(pair[1]);
    shown("the other is closed", "%x", now(pair[0], POLLIN | POLLOUT | POLLRDHUP));
    close(file), close(null), close(zero), close(folder), close(path), close(empty), close(socket_file), close(pair[0]);
    unlink("file");
}

static void calls(void) {
    int pipes[2];
    must("pipe", pipe(pipes));
    struct pollfd files[3] = {{.fd = pipes[0], .events = POLLIN}, {.fd = -1, .events = POLLIN}, {.fd = pipes[1], .events = POLLOUT}};
    returned("three, one negative", poll(files, 3, 0));
    shown("their answers", "%x %x %x", files[0].revents, files[1].revents, files[2].revents);
    int64_t begin = now_ns();
    returned("nothing but a time", poll(NULL, 0, 15));
    holds("took as long", now_ns() - begin >= 15000000);
    returned("too many", syscall(SYS_poll, files, 10000000, 0));
    returned("a bad pointer", syscall(SYS_poll, 8L, 1, 0));
    struct timespec time = {0, 10000000}, bad = {0, 1000000000};
    returned("ppoll", ppoll(files, 1, &time, NULL));
    returned("ppoll with a time that is none", ppoll(files, 1, &bad, NULL));
    struct timespec raw = {0, 10000000};
    syscall(SYS_ppoll, files, 1, &raw, NULL, 0);
    shown("the call's own time afterwards", "%ld %ld", raw.tv_sec, raw.tv_nsec);
    write(pipes[1], "x", 1);
    returned("the same descriptor twice", poll((struct pollfd[2]){{pipes[0], POLLIN, 0}, {pipes[0], POLLIN, 0}}, 2, 0));
    close(pipes[0]), close(pipes[1]);
}

static void selecting(void) {
    int pipes[2];
    must("pipe", pipe(pipes));
    fd_set reading, writing, others;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_ZERO(&others);
    FD_SET(pipes[0], &reading);
    FD_SET(pipes[1], &writing);
    FD_SET(pipes[0], &others);
    struct timeval time = {0, 20000};
    returned("select", select(pipes[1] + 1, &reading, &writing, &others, &time));
    shown("its sets", "%d %d %d", !!FD_ISSET(pipes[0], &reading), !!FD_ISSET(pipes[1], &writing), !!FD_ISSET(pipes[0], &others));
    FD_ZERO(&reading);
    FD_SET(pipes[0], &reading);
    time = (struct timeval){0, 10000};
    returned("until the time is over", select(pipes[0] + 1, &reading, NULL, NULL, &time));
    shown("the time and the set then", "%ld %d", (long)time.tv_usec, !!FD_ISSET(pipes[0], &reading));
    write(pipes[1], "x", 1);
    FD_SET(pipes[0], &reading);
    time = (struct timeval){5, 0};
    returned("with a byte", select(pipes[0] + 1, &reading, NULL, NULL, &time));
    holds("the time that is left", time.tv_sec == 4);
    FD_SET(pipes[0], &reading);
    FD_SET(pipes[1], &reading);
    returned("only descriptors below the count", select(pipes[0], &reading, NULL, NULL, &(struct timeval){0, 0}));
    close(pipes[0]);
    FD_ZERO(&reading);
    FD_SET(pipes[0], &reading);
    returned("a closed one", select(pipes[0] + 1, &reading, NULL, NULL, &(struct timeval){0, 0}));
    returned("a negative count", select(-1, NULL, NULL, NULL, &(struct timeval){0, 0}));
    returned("a negative time", select(0, NULL, NULL, NULL, &(struct timeval){-1, 0}));
    returned("a bad pointer", syscall(SYS_select, 1, 8L, NULL, NULL, NULL));
    returned("pselect without sets", pselect(0, NULL, NULL, NULL, &(struct timespec){0, 5000000}, NULL));
    close(pipes[1]);
}

static volatile int handled;
static void handle(int signal) { (void)signal, handled++; }

// A signal that is blocked but for the wait is seen in it and nowhere before.
static void masks(void) {
    signal(SIGUSR1, handle);
    sigset_t blocked, empty;
    sigemptyset(&empty), sigemptyset(&blocked), sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGUSR1);
    number("blocked", handled);
    returned("ppoll that unblocks", ppoll(NULL, 0, &(struct timespec){2, 0}, &empty));
    number("handled", handled);
    raise(SIGUSR1);
    returned("pselect that unblocks", pselect(0, NULL, NULL, NULL, &(struct timespec){2, 0}, &empty));
    number("handled", handled);
    raise(SIGUSR1);
    int poller = epoll_create1(0);
    struct epoll_event event;
    returned("epoll_pwait that unblocks", epoll_pwait(poller, &event, 1, 2000, &empty));
    number("handled", handled);
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    number("blocked afterwards", sigismember(&mask, SIGUSR1));
    sigprocmask(SIG_UNBLOCK, &blocked, NULL);
}

static void many(void) {
    struct rlimit limit = {1100, 0};
    struct rlimit old;
    getrlimit(RLIMIT_NOFILE, &old);
    limit.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    static struct pollfd files[1000];
    int count = 0;
    for (; count < 1000; count++) {
        files[count].fd = eventfd(0, EFD_NONBLOCK);
        files[count].events = POLLIN;
        if (files[count].fd < 0) break;
    }
    number("descriptors", count);
    eventfd_write(files[3].fd, 1), eventfd_write(files[777].fd, 1), eventfd_write(files[999].fd, 1);
    returned("poll of a thousand", poll(files, (nfds_t)count, -1));
    shown("those three", "%x %x %x %x", files[3].revents, files[777].revents, files[999].revents, files[4].revents);
}

int main(void) {
    topic = "poll";
    enter_scratch();
    kinds();
    calls();
    selecting();
    masks();
    many();
    leave_scratch();
    return 0;
}
