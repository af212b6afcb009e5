// What makes another process is refused with one error, and nothing is left behind.
// Harmless where it is not refused: whatever is not the first process ends at once, and starts nothing.
#include <linux/sched.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include "check.h"
CHECK_STATE

static pid_t first;

// In the child of a call that was not refused there is nothing to do.
static void refused(const char *what, long result) {
    if (getpid() != first) _exit(0);
    if (result > 0) {
        waitpid((pid_t)result, NULL, 0);
        shown(what, "not refused");
    } else returned(what, result);
}

// Children share no stack with it: vfork(2) returns to nobody.
static long vforked(void) {
    long result;
    __asm__ volatile(
        "syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\tmovl $60, %%eax\n\txorl %%edi, %%edi\n\tsyscall\n1:"
        : "=a"(result)
        : "0"((long)SYS_vfork)
        : "rcx", "r11", "rdi", "memory");
    if (result < 0) errno = (int)-result;
    return result < 0 ? -1 : result;
}

int main(int count, char **words) {
    // What posix_spawn and system start is this program with a word: it does nothing.
    if (count > 1) return 0;
    topic = "fork";
    first = getpid();
    char *arguments[] = {words[0], "child", NULL}, *environment[] = {NULL};
    pid_t child = 0;
    refused("fork", syscall(SYS_fork));
    refused("vfork", vforked());
    refused("clone without shared memory", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    struct clone_args how = {.exit_signal = SIGCHLD};
    refused("clone3 without shared memory", syscall(SYS_clone3, &how, sizeof how));
    status("posix_spawn", posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environment));
    if (child > 0) waitpid(child, NULL, 0);
    number("system", system("true"));
    FILE *pipe_file = popen("true", "r");
    holds("popen", pipe_file != NULL);
    if (pipe_file) pclose(pipe_file);
    return 0;
}
