// POSIX locks, those of open file descriptions, flock(2), leases; inotify(7).
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include "check.h"
CHECK_STATE

static int lock(int file, int command, short type, long start, long count) {
    struct flock value = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = count};
    return fcntl(file, command, &value);
}

static const char *asked(int file, int command, short type, long start, long count) {
    static char text[100];
    struct flock value = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = count};
    if (fcntl(file, command, &value) < 0) return error_name(errno);
    if (value.l_type == F_UNLCK) return "free";
    snprintf(text, sizeof text, "%s %ld %ld by %s", value.l_type == F_RDLCK ? "read" : "write", (long)value.l_start, (long)value.l_len,
             value.l_pid == -1 ? "a description" : value.l_pid == getpid() ? "us" : "somebody");
    return text;
}

static void of_the_process(void) {
    int one = make_file("file", "0123456789"), two = open("file", O_RDWR);
    returned("F_SETLK", lock(one, F_SETLK, F_WRLCK, 0, 5));
    shown("F_GETLK of one's own", "%s", asked(two, F_GETLK, F_WRLCK, 0, 0));
    returned("by another description of the process", lock(two, F_SETLK, F_WRLCK, 0, 0));
    returned("unlocked in the middle", lock(one, F_SETLK, F_UNLCK, 3, 2));
    returned("F_SETLKW", lock(one, F_SETLKW, F_RDLCK, 0, 0));
    int reading = open("file", O_RDONLY);
    returned("a write lock of a description for reading", lock(reading, F_SETLK, F_WRLCK, 0, 0));
    returned("a kind that is none", lock(one, F_SETLK, 9, 0, 0));
    returned("a negative start", lock(one, F_SETLK, F_RDLCK, -1, 5));
    returned("a range that wraps", lock(one, F_SETLK, F_RDLCK, 10, INT64_MAX));
    returned("of a closed descriptor", lock(999, F_SETLK, F_RDLCK, 0, 0));
    returned("a bad pointer", syscall(SYS_fcntl, one, F_SETLK, 8L));
    close(one), close(two), close(reading);
}

static void of_descriptions(void) {
    int one = open("file", O_RDWR), two = open("file", O_RDWR);
    returned("F_OFD_SETLK", lock(one, F_OFD_SETLK, F_WRLCK, 2, 4));
    shown("F_OFD_GETLK by another", "%s", asked(two, F_OFD_GETLK, F_WRLCK, 0, 0));
    shown("F_GETLK", "%s", asked(two, F_GETLK, F_WRLCK, 0, 0));
    returned("another's over it", lock(two, F_OFD_SETLK, F_WRLCK, 0, 3));
    returned("another's beside it", lock(two, F_OFD_SETLK, F_WRLCK, 6, 3));
    returned("a process's over it", lock(two, F_SETLK, F_RDLCK, 2, 1));
    returned("one's own again, for reading", lock(one, F_OFD_SETLK, F_RDLCK, 2, 4));
    returned("another reader", lock(two, F_OFD_SETLK, F_RDLCK, 3, 1));
    close(one);
    returned("closing frees", lock(two, F_OFD_SETLK, F_WRLCK, 0, 0));
    struct flock bad = {.l_type = F_RDLCK, .l_pid = 5};
    returned("with a process number", fcntl(two, F_OFD_SETLK, &bad));
    close(two);
}

static int other;
static void *locks_later(void *argument) {
    (void)argument;
    return (void *)(long)flock(other, LOCK_EX);
}

static void by_flock(void) {
    int one = open("file", O_RDONLY);
    other = open("file", O_RDONLY);
    returned("LOCK_SH", flock(one, LOCK_SH));
    returned("another LOCK_SH", flock(other, LOCK_SH | LOCK_NB));
    returned("LOCK_EX beside it", flock(other, LOCK_EX | LOCK_NB));
    returned("unlocked", flock(other, LOCK_UN));
    returned("LOCK_EX alone", flock(one, LOCK_EX | LOCK_NB));
    int copy = dup(one);
    returned("by a duplicate", flock(copy, LOCK_EX | LOCK_NB));
    close(one);
    returned("one duplicate closed: still locked", flock(other, LOCK_EX | LOCK_NB));
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, locks_later, NULL);
    sleep_ms(20);
    close(copy);
    pthread_join(thread, &result);
    number("a thread that waited for it", (long)result);
    returned("nothing", flock(other, 0));
    returned("of a closed descriptor", flock(999, LOCK_SH));
    close(other);
}

static struct {
    char bytes[8192];
} events __attribute__((aligned(8)));

static void show_events(const char *what, int file) {
    char line[600] = "";
    struct pollfd poller = {.fd = file, .events = POLLIN};
    while (poll(&poller, 1, 0) > 0) {
        long count = read(file, &events, sizeof events);
        for (long place = 0; place < count;) {
            struct inotify_event *event = (struct inotify_event *)(events.bytes + place);
            size_t used = strlen(line);
            snprintf(line + used, sizeof line - used, "%x%s%s%s ", event->mask, event->len ? ":" : "", event->len ? event->name : "",
                     event->cookie ? "+" : "");
            place += (long)(sizeof *event + event->len);
        }
    }
    shown(what, "%s", line[0] ? line : "nothing");
}

static void notification(void) {
    int file = (int)must("inotify_init1", inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    mkdir("watched", 0755);
    int watch = inotify_add_watch(file, "watched", IN_ALL_EVENTS);
    number("the first watch", watch);
    returned("nothing to read", read(file, &events, sizeof events));
    int new = open("watched/a", O_CREAT | O_RDWR, 0644);
    write(new, "x", 1);
    write(new, "y", 1);
    close(new);
    show_events("made, written twice, closed", file);
    rename("watched/a", "watched/b");
    show_events("renamed", file);
    chmod("watched/b", 0600);
    truncate("watched/b", 0);
    show_events("its mode, its size", file);
    mkdir("watched/folder", 0755);
    rmdir("watched/folder");
    show_events("a folder made and removed", file);
    link("watched/b", "watched/c");
    unlink("watched/c");
    show_events("a link made and removed", file);
    int second = inotify_add_watch(file, "watched/b", IN_MODIFY | IN_DELETE_SELF | IN_ATTRIB);
    number("a second watch", second);
    returned("only it, by another mask", inotify_add_watch(file, "watched/b", IN_DELETE_SELF));
    unlink("watched/b");
    show_events("the file removed", file);
    returned("its watch is gone", inotify_rm_watch(file, second));
    rmdir("watched");
    show_events("the folder removed", file);
    returned("its watch is gone", inotify_rm_watch(file, watch));
    returned("of what is not there", inotify_add_watch(file, "none", IN_MODIFY));
    returned("no events", inotify_add_watch(file, ".", 0));
    returned("IN_ONLYDIR of a file", inotify_add_watch(file, "file", IN_MODIFY | IN_ONLYDIR));
    mkdir("long", 0755);
    inotify_add_watch(file, "long", IN_CREATE | IN_ONESHOT);
    close(open("long/name", O_CREAT | O_RDWR, 0600));
    returned("too small a buffer", read(file, &events, 16));
    show_events("IN_ONESHOT", file);
    returned("another kind of descriptor", inotify_add_watch(0, ".", IN_MODIFY));
    returned("unknown flags", inotify_init1(0x10));
    unlink("long/name"), rmdir("long");
    close(file);
}

int main(void) {
    topic = "locks";
    enter_scratch();
    of_the_process();
    of_descriptions();
    by_flock();
    topic = "inotify";
    notification();
    unlink("file");
    leave_scratch();
    return 0;
}
