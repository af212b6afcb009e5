// The smallest process that prints one line: what every start is compared with. Freestanding, static.
static const char line[] = "Hello from a process\n";

static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

void _start(void) {
    call(1, 1, (long)line, sizeof line - 1);
    call(60, 0, 0, 0);
    __builtin_unreachable();
}
