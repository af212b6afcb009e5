// Starts a program COUNT times with its output on a pipe; says when its first byte came and when it was gone.
// launch fork|spawn COUNT PROGRAM [ARGUMENT…]   prints per start: FIRST_NS END_NS STATUS; FIRST_NS is -1 when nothing came
// A process of its own, because a fork costs what its parent holds: this one holds nothing.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TIME_LIMIT_SECONDS 60

extern char **environ;
static volatile pid_t child;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void give_up(int signal) {
    (void)signal;
    if (child > 0) kill(child, SIGKILL);
}

static int fail(const char *what) {
    fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
    return 71;
}

static pid_t by_fork(char **arguments, int input, int output) {
    pid_t pid = fork();
    if (pid != 0) return pid;
    dup2(input, 0);
    dup2(output, 1);
    execv(arguments[0], arguments);
    _exit(127);
}

static pid_t by_spawn(char **arguments, posix_spawn_file_actions_t *actions) {
    pid_t pid;
    errno = posix_spawn(&pid, arguments[0], actions, NULL, arguments, environ);
    return errno ? -1 : pid;
}

static int start_once(int is_spawn, char **arguments) {
    int pipes[2], input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || pipe2(pipes, O_CLOEXEC) < 0) return fail("pipe");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, 0);
    posix_spawn_file_actions_adddup2(&actions, pipes[1], 1);

    int64_t start = now(), first = -1;
    child = is_spawn ? by_spawn(arguments, &actions) : by_fork(arguments, input, pipes[1]);
    if (child < 0) return fail(arguments[0]);
    close(pipes[1]);
    static char bytes[65536];
    for (;;) {
        ssize_t got = read(pipes[0], bytes, sizeof bytes);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (first < 0) first = now() - start;
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    int64_t end = now() - start;
    printf("%lld %lld %d\n", (long long)first, (long long)end, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    posix_spawn_file_actions_destroy(&actions);
    close(pipes[0]);
    close(input);
    return 0;
}

int main(int count, char **words) {
    if (count < 4 || (strcmp(words[1], "fork") && strcmp(words[1], "spawn"))) return 64;
    signal(SIGALRM, give_up);
    for (int left = atoi(words[2]); left > 0; left--) {
        alarm(TIME_LIMIT_SECONDS);
        int status = start_once(!strcmp(words[1], "spawn"), words + 3);
        if (status) return status;
    }
    return 0;
}
