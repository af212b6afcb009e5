// Makes another process try one openat(2): inject PID. Prints what came of it:
//   "answered N"  the kernel gave N (a descriptor, or minus an errno)
//   "killed N"    the process died of signal N instead
// The process has to be stopped inside a system call of its own, as an idle monitor is.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

static int fail(const char *what) {
    fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
    return 71;
}

int main(int count, char **words) {
    if (count != 2) return 64;
    pid_t pid = atoi(words[1]);
    int status;
    if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL) < 0) return fail("seize");
    if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0) return fail("interrupt");
    if (waitpid(pid, &status, __WALL) < 0) return fail("wait");

    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0) return fail("registers");
    // The path goes below the red zone; the interrupted call's own `syscall` instruction is used again.
    unsigned long path = (registers.rsp - 512) & ~15UL;
    union {
        char bytes[16];
        long words[2];
    } text = {.bytes = "/etc/passwd"};
    for (int index = 0; index < 2; index++)
        if (ptrace(PTRACE_POKEDATA, pid, path + 8 * index, text.words[index]) < 0) return fail("path");
    registers.rip -= 2;
    registers.orig_rax = -1;
    registers.rax = SYS_openat;
    registers.rdi = (unsigned long)-100;
    registers.rsi = path;
    registers.rdx = 0;
    registers.r10 = 0;
    if (ptrace(PTRACE_SETREGS, pid, 0, &registers) < 0) return fail("set registers");
    if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) < 0) return fail("step");
    if (waitpid(pid, &status, __WALL) < 0) return fail("wait for the step");
    if (WIFSIGNALED(status)) {
        printf("killed %d\n", WTERMSIG(status));
        return 0;
    }
    if (ptrace(PTRACE_GETREGS, pid, 0, &registers) < 0) return fail("registers after the step");
    if (WIFSTOPPED(status) && WSTOPSIG(status) == 31) printf("killed 31\n");
    else printf("answered %lld\n", (long long)registers.rax);
    return 0;
}
