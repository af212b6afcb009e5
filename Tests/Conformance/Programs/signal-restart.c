// What a signal does to a call that waits: EINTR without SA_RESTART, going on with it where signal(7) says so.
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/uio.h>
#include "check.h"
CHECK_STATE

static int pipes[2], full[2], pair[2], listener, poller, event;
static volatile int handled;
static void on_signal(int signal) {
    (void)signal;
    handled++;
}

// The other thread: a signal after 20 ms, then what ends the call.
struct disturbance {
    pthread_t victim;
    void (*end)(void);
};
static volatile bool done;
static void *disturbing(void *argument) {
    struct disturbance *disturbance = argument;
    sleep_ms(20);
    pthread_kill(disturbance->victim, SIGUSR1);
    sleep_ms(20);
    if (!done && disturbance->end) disturbance->end();
    return NULL;
}

static void disturbed(const char *what, long (*call)(void), void (*end)(void)) {
    for (int restart = 0; restart < 2; restart++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = restart ? SA_RESTART : 0};
        sigaction(SIGUSR1, &action, NULL);
        struct disturbance disturbance = {pthread_self(), end};
        pthread_t thread;
        handled = 0;
        done = false;
        pthread_create(&thread, NULL, disturbing, &disturbance);
        errno = 0;
        long result = call();
        int error = errno;
        done = true;
        pthread_join(thread, NULL);
        char text[100];
        snprintf(text, sizeof text, "%s%s", what, restart ? " with SA_RESTART" : "");
        shown(text, "%s, handled %d", result == -1 ? error_name(error) : "ok", handled);
    }
}

static void fill_pipe(void) { write(pipes[1], "x", 1); }
static void drain(void) {
    char bytes[65536];
    read(full[0], bytes, sizeof bytes);
}
static void send_pair(void) { write(pair[1], "x", 1); }
static void set_event(void) { eventfd_write(event, 1); }
static uint32_t word;
static void wake(void) {
    word = 1;
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
}
static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0conformance-restart"};
static const socklen_t address_size = sizeof(sa_family_t) + 20;
static void connect_once(void) {
    int socket_file = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(socket_file, (struct sockaddr *)&address, address_size);
}

static char byte;
static long call_read(void) { return read(pipes[0], &byte, 1); }
static long call_readv(void) { return readv(pipes[0], &(struct iovec){&byte, 1}, 1); }
static long call_write(void) {
    static char bytes[65536];
    return write(full[1], bytes, sizeof bytes);
}
static long call_recv(void) { return recv(pair[0], &byte, 1, 0); }
static long call_recvmsg(void) {
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    return recvmsg(pair[0], &message, 0);
}
static long call_accept(void) {
    int file = accept(listener, NULL, NULL);
    if (file >= 0) close(file);
    return file;
}
static long call_futex(void) {
    word = 0;
    return syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long call_event(void) {
    eventfd_t value;
    return eventfd_read(event, &value);
}
static long call_poll(void) { return poll(&(struct pollfd){.fd = pipes[0], .events = POLLIN}, 1, 300); }
static long call_ppoll(void) {
    struct timespec time = {0, 300000000};
    return ppoll(&(struct pollfd){.fd = pipes[0], .events = POLLIN}, 1, &time, NULL);
}
static long call_select(void) {
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipes[0], &set);
    struct timeval time = {0, 300000};
    return select(pipes[0] + 1, &set, NULL, NULL, &time);
}
static long call_epoll(void) {
    struct epoll_event one;
    return epoll_wait(poller, &one, 1, 300);
}
static long call_nanosleep(void) {
    struct timespec time = {0, 300000000}, left = {9, 9};
    long result = nanosleep(&time, &left);
    holds("nanosleep tells what is left", left.tv_sec == 0 && left.tv_nsec > 0 && left.tv_nsec < 290000000);
    return result;
}
static long call_clock_nanosleep(void) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 100000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    errno = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
    return errno ? -1 : 0;
}
static long call_pause(void) { return pause(); }
static long call_suspend(void) {
    sigset_t set;
    sigemptyset(&set);
    return sigsuspend(&set);
}
static long call_recv_timed(void) {
    struct timeval time = {0, 300000};
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    long result = recv(pair[0], &byte, 1, 0);
    time.tv_usec = 0;
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    return result;
}

static int lock_file, other_lock;
static long call_flock(void) { return flock(other_lock, LOCK_EX); }
static void unlock(void) { flock(lock_file, LOCK_UN); }
static long flock_again(void) {
    flock(other_lock, LOCK_UN);
    flock(lock_file, LOCK_EX);
    return call_flock();
}

static void partial(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = 0};
    sigaction(SIGUSR1, &action, NULL);
    int narrow[2];
    must("pipe", pipe(narrow));
    fcntl(narrow[1], F_SETPIPE_SZ, 4096);
    struct disturbance disturbance = {pthread_self(), NULL};
    pthread_t thread;
    pthread_create(&thread, NULL, disturbing, &disturbance);
    static char bytes[20000];
    returned("a write of 20000 bytes to a pipe of 4096, interrupted", write(narrow[1], bytes, sizeof bytes));
    pthread_join(thread, NULL);
    close(narrow[0]), close(narrow[1]);
}

int main(void) {
    topic = "signal-restart";
    enter_scratch();
    must("pipe", pipe(pipes));
    must("pipe", pipe(full));
    call_write();
    must("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    listener = (int)must("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    must("bind", bind(listener, (struct sockaddr *)&address, address_size));
    must("listen", listen(listener, 5));
    poller = (int)must("epoll", epoll_create1(0));
    event = eventfd(0, 0);
    lock_file = make_file("lock", "");
    other_lock = open("lock", O_RDWR);
    disturbed("read of a pipe", call_read, fill_pipe);
    disturbed("readv of a pipe", call_readv, fill_pipe);
    disturbed("write to a full pipe", call_write, drain);
    disturbed("recv", call_recv, send_pair);
    disturbed("recvmsg", call_recvmsg, send_pair);
    disturbed("accept", call_accept, connect_once);
    disturbed("futex", call_futex, wake);
    disturbed("read of an eventfd", call_event, set_event);
    disturbed("flock", flock_again, unlock);
    disturbed("poll", call_poll, NULL);
    disturbed("ppoll", call_ppoll, NULL);
    disturbed("select", call_select, NULL);
    disturbed("epoll_wait", call_epoll, NULL);
    disturbed("nanosleep", call_nanosleep, NULL);
    disturbed("clock_nanosleep until a time", call_clock_nanosleep, NULL);
    disturbed("pause", call_pause, NULL);
    disturbed("sigsuspend", call_suspend, NULL);
    disturbed("recv with a time limit", call_recv_timed, NULL);
    partial();
    unlink("lock");
    leave_scratch();
    return 0;
}
