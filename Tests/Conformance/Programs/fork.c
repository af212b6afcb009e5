// What makes another process is refused with one error, and nothing is left behind.
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include "check.h"
CHECK_STATE

int main(void) {
    topic = "fork";
    char *words[] = {"true", NULL}, *environment[] = {NULL};
    pid_t child;
    returned("fork", syscall(SYS_fork));
    returned("vfork", syscall(SYS_vfork));
    returned("clone without shared memory", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    struct clone_args arguments = {.exit_signal = SIGCHLD};
    returned("clone3 without shared memory", syscall(SYS_clone3, &arguments, sizeof arguments));
    status("posix_spawn", posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environment));
    number("system", system("true"));
    holds("popen", popen("true", "r") != NULL);
    return 0;
}
