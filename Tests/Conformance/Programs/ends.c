// How a program ends: ends NAME, one way a run; the exit status is the check.
#include "check.h"
CHECK_STATE

static void *ends_all(void *argument) { exit(*(int *)argument); }
static void *ends_itself(void *argument) {
    sleep_ms(30);
    shown("a thread outlives the first", "%s", (char *)argument);
    return NULL;
}

static void by_signal(const char *way) {
    static volatile char *volatile nowhere = (char *)16;
    if (!strcmp(way, "segv")) *nowhere = 1;
    if (!strcmp(way, "fpe")) {
        volatile int zero = 0;
        zero = 10 / zero;
    }
    if (!strcmp(way, "ill")) __builtin_trap();
    if (!strcmp(way, "abort")) abort();
    if (!strcmp(way, "kill")) kill(getpid(), SIGKILL);
    if (!strcmp(way, "term")) raise(SIGTERM);
    if (!strcmp(way, "alarm")) {
        alarm(1);
        pause();
    }
    if (!strcmp(way, "pipe")) {
        int ends[2];
        if (pipe(ends) == 0) close(ends[0]), write(ends[1], "x", 1);
    }
}

int main(int count, char **words) {
    topic = "ends";
    const char *way = count > 1 ? words[1] : "return";
    static int code = 9;
    shown("way", "%s", way);
    if (!strcmp(way, "exit")) exit(5);
    if (!strcmp(way, "_exit")) _exit(6);
    if (!strcmp(way, "large")) exit(0x1ff);
    if (!strcmp(way, "thread")) {
        pthread_t thread;
        pthread_create(&thread, NULL, ends_all, &code);
        for (;;) pause();
    }
    if (!strcmp(way, "last")) {
        pthread_t thread;
        pthread_create(&thread, NULL, ends_itself, "yes");
        pthread_exit(NULL);
    }
    if (!strcmp(way, "call")) syscall(SYS_exit_group, 11);
    if (!strcmp(way, "single")) syscall(SYS_exit, 12);
    by_signal(way);
    return strcmp(way, "return") ? 99 : 3;
}
