#include "LinuxCalls.h"

static struct brique_host_program program;
struct brique_host_program brique_host_program(void) { return program; }

// What follows the environment is the auxiliary vector (x86-64 psABI §3.4.1).
static void remember(uint64_t argument_count, char **arguments, char **environment) {
    char **end = environment;
    while (*end) end++;
    program = (struct brique_host_program){argument_count, arguments, environment, 0, 0};
    for (const uint64_t *auxiliary = (const uint64_t *)(end + 1); auxiliary[0]; auxiliary += 2) {
        if (auxiliary[0] == 33) program.vdso = auxiliary[1];  // AT_SYSINFO_EHDR
        if (auxiliary[0] == 26) program.capabilities = auxiliary[1];  // AT_HWCAP2
    }
}

#if __STDC_HOSTED__
__attribute__((constructor)) static void remember_hosted(int count, char **arguments, char **environment) {
    remember((uint64_t)count, arguments, environment);
}
#else
int main(int count, char **arguments);

// The stack at a program's start (x86-64 psABI §3.4.1): argument count, arguments, 0, environment, 0, auxiliary vector.
__asm__(
    ".section .text._start, \"ax\", @progbits\n"
    ".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "    xorl %ebp, %ebp\n"
    "    movq %rsp, %rdi\n"
    "    andq $-16, %rsp\n"
    "    call brique_host_program_start\n"
    "    ud2\n"
    ".text\n");

_Noreturn void brique_host_program_start(uint64_t *stack);
_Noreturn void brique_host_program_start(uint64_t *stack) {
    char **arguments = (char **)(stack + 1);
    remember(stack[0], arguments, arguments + stack[0] + 1);
    int status = main((int)stack[0], arguments);
    for (;;) brique_linux_call(__NR_exit_group, (uint64_t)status, 0, 0, 0, 0, 0);
}
#endif
