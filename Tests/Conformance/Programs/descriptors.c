// dup, fcntl, close_range, limits of descriptors, close-on-exec, and descriptors that are closed in use.
#include <linux/close_range.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include "check.h"
CHECK_STATE

static void duplicates(void) {
    int file = make_file("file", "0123456789"), copy = dup(file);
    holds("dup takes the lowest", copy == file + 1);
    lseek(copy, 4, SEEK_SET);
    returned("the offset is shared", lseek(file, 0, SEEK_CUR));
    int own = open("file", O_RDONLY);
    returned("another description has its own", lseek(own, 0, SEEK_CUR));
    fcntl(file, F_SETFL, O_APPEND);
    holds("flags are shared", fcntl(copy, F_GETFL) & O_APPEND);
    fcntl(file, F_SETFD, FD_CLOEXEC);
    returned("close-on-exec is not", fcntl(copy, F_GETFD));
    returned("dup2 to 77", dup2(file, 77));
    returned("dup2 to itself", dup2(77, 77));
    returned("dup3 to itself", dup3(77, 77, 0));
    returned("dup3 with O_CLOEXEC", dup3(file, 78, O_CLOEXEC));
    returned("its flags", fcntl(78, F_GETFD));
    returned("dup3 with another flag", dup3(file, 78, O_APPEND));
    returned("dup2 of a closed one to itself", dup2(555, 555));
    returned("dup of a closed one", dup(555));
    returned("dup2 to a negative number", dup2(file, -1));
    returned("dup2 beyond the limit", dup2(file, 1 << 24));
    returned("F_DUPFD from 100", fcntl(file, F_DUPFD, 100));
    returned("F_DUPFD_CLOEXEC from 100", fcntl(file, F_DUPFD_CLOEXEC, 100));
    returned("its flags", fcntl(101, F_GETFD));
    returned("F_DUPFD from a negative number", fcntl(file, F_DUPFD, -1));
    returned("F_DUPFD from beyond the limit", fcntl(file, F_DUPFD, 1 << 24));
    returned("close", close(77));
    returned("once more", close(77));
    returned("close of -1", close(-1));
    returned("a command that is none", fcntl(file, 9999));
    returned("fcntl of a closed one", fcntl(555, F_GETFD));
    returned("close_range", close_range(78, 101, 0));
    returned("they are closed", fcntl(100, F_GETFD));
    returned("close_range with the ends exchanged", close_range(10, 5, 0));
    returned("with an unknown flag", close_range(100, 200, 64));
    returned("CLOSE_RANGE_CLOEXEC", close_range((unsigned)own, (unsigned)own, CLOSE_RANGE_CLOEXEC));
    returned("marks them", fcntl(own, F_GETFD));
    close(file), close(copy), close(own);
    unlink("file");
}

static void limits(void) {
    struct rlimit old, value = {64, 4096};
    returned("getrlimit", getrlimit(RLIMIT_NOFILE, &old));
    value.rlim_max = old.rlim_max;
    returned("setrlimit", setrlimit(RLIMIT_NOFILE, &value));
    int count = 0, last = -1, file;
    while ((file = open("/dev/null", O_RDONLY)) >= 0) last = file, count++;
    returned("the limit's error", file);
    number("the last descriptor", last);
    int pipes[2];
    returned("a pipe then", pipe(pipes));
    returned("dup then", dup(0));
    returned("dup2 to the limit", dup2(0, 64));
    close(10);
    returned("one closed is given again", open("/dev/null", O_RDONLY));
    for (int index = 3; index <= last; index++) close(index);
    value.rlim_cur = 1000;
    setrlimit(RLIMIT_NOFILE, &value);
    for (count = 0; (file = open("/dev/null", O_RDONLY)) >= 0; count++) last = file;
    number("the last of a thousand", last);
    returned("close_range of all", close_range(3, ~0U, 0));
    setrlimit(RLIMIT_NOFILE, &old);
}

static void control(void) {
    int pipes[2];
    must("pipe", pipe(pipes));
    write(pipes[1], "12345", 5);
    int count = 0, yes = 1;
    returned("FIONREAD", ioctl(pipes[0], FIONREAD, &count));
    number("bytes there", count);
    returned("FIONBIO", ioctl(pipes[0], FIONBIO, &yes));
    holds("sets O_NONBLOCK", fcntl(pipes[0], F_GETFL) & O_NONBLOCK);
    returned("FIOCLEX", ioctl(pipes[0], FIOCLEX));
    returned("close-on-exec", fcntl(pipes[0], F_GETFD));
    returned("FIONCLEX", ioctl(pipes[0], FIONCLEX));
    returned("close-on-exec", fcntl(pipes[0], F_GETFD));
    returned("TCGETS of a pipe", ioctl(pipes[0], TCGETS, &count));
    returned("TIOCGWINSZ of /dev/null", ioctl(open("/dev/null", O_RDONLY), TIOCGWINSZ, &count));
    returned("a bad pointer", syscall(SYS_ioctl, pipes[0], FIONREAD, 8L));
    returned("of a closed one", ioctl(555, FIONREAD, &count));
    returned("a request that is none", ioctl(pipes[0], 0x12345678, &count));
    holds("isatty of a pipe", isatty(pipes[0]));
    returned("F_GETPIPE_SZ", fcntl(pipes[0], F_GETPIPE_SZ));
    returned("F_GETOWN", fcntl(pipes[0], F_GETOWN));
    returned("F_SETOWN", fcntl(pipes[0], F_SETOWN, getpid()));
    holds("F_GETOWN is ours", fcntl(pipes[0], F_GETOWN) == getpid());
    close(pipes[0]), close(pipes[1]);
}

static int shared[2];
static void *reads(void *argument) {
    char byte = 0;
    long count = read(shared[0], &byte, 1);
    *(int *)argument = byte;
    return (void *)count;
}

// What one thread closes while another waits on it stays until the wait is over.
static void closed_in_use(void) {
    must("pipe", pipe(shared));
    pthread_t thread;
    void *result;
    int byte = 0;
    pthread_create(&thread, NULL, reads, &byte);
    sleep_ms(20);
    close(shared[0]);
    int copy = open("/dev/null", O_RDONLY);
    holds("its number is free", copy == shared[0]);
    returned("written to", write(shared[1], "z", 1));
    pthread_join(thread, &result);
    shown("the reader that waited has", "%ld %c", (long)result, byte);
    close(copy), close(shared[1]);
}

static void in_proc(void) {
    int file = open("/dev/null", O_RDONLY);
    char path[64], text[64] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    readlink(path, text, sizeof text - 1);
    shown("/proc/self/fd of /dev/null", "%s", text);
    memset(text, 0, sizeof text);
    int again = open(path, O_RDONLY);
    outcome("opened through it", again);
    close(again), close(file);
    file = make_file("gone", "x");
    unlink("gone");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    char longer[300] = "";
    readlink(path, longer, sizeof longer - 1);
    holds("that of an unlinked file says so", strlen(longer) > 10 && strcmp(longer + strlen(longer) - 10, " (deleted)") == 0);
    again = open(path, O_RDWR);
    returned("and it opens", read(again, text, 5));
    close(again), close(file);
    returned("one that is closed", open(path, O_RDONLY));
    outcome("/dev/fd", open("/dev/fd/0", O_RDONLY));
    outcome("/dev/stdin", open("/dev/stdin", O_RDONLY));
}

int main(void) {
    topic = "descriptors";
    enter_scratch();
    duplicates();
    limits();
    control();
    closed_in_use();
    in_proc();
    leave_scratch();
    return 0;
}
