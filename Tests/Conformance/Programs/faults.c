// Handlers that look at a fault's registers, change them and go on: as virtual machines of languages do.
#include <sys/ucontext.h>
#include "check.h"
CHECK_STATE

static void catching(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    must("sigaction", sigaction(signal, &action, NULL));
}

static greg_t *registers(void *context) { return ((ucontext_t *)context)->uc_mcontext.gregs; }

static char *page;
static volatile int count;
static siginfo_t last;
static greg_t trap, code, place;

static void keep(siginfo_t *information, void *context) {
    last = *information;
    trap = registers(context)[REG_TRAPNO];
    code = registers(context)[REG_ERR];
    place = registers(context)[REG_CR2];
    count++;
}

static void allows(int signal, siginfo_t *information, void *context) {
    (void)signal;
    keep(information, context);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void protection(void) {
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    catching(SIGSEGV, allows, 0);
    *(volatile char *)(page + 100) = 55;
    shown("a write after the handler allowed it", "%d after %d fault", page[100], count);
    shown("its trap and error", "%d %d", (int)trap, (int)(code & 7));
    holds("CR2 and si_addr are the place", place == (greg_t)(page + 100) && last.si_addr == page + 100);
    mprotect(page, 4096, PROT_NONE);
    volatile char byte = page[100];
    shown("a read", "%d, error %d", byte, (int)(code & 7));
    mprotect(page, 4096, PROT_READ);
    page[7] = 1;
    shown("a write where reading is allowed", "code %d error %d", last.si_code, (int)(code & 7));
}

// The handler steps over the access: its length is known here.
static void skips(int signal, siginfo_t *information, void *context) {
    (void)signal;
    keep(information, context);
    registers(context)[REG_RIP] += 2;
    registers(context)[REG_RAX] = 0x1234;
}

static void skipping(void) {
    catching(SIGSEGV, skips, 0);
    long value = 1;
    __asm__ volatile("movb (%%rdi), %%al" : "+a"(value) : "D"(8L));
    shown("an access stepped over, its result given", "%lx", value);
    catching(SIGFPE, skips, 0);
    value = 1;
    __asm__ volatile("div %%ecx" : "+a"(value) : "c"(0), "d"(0) : "cc");
    shown("a division by zero stepped over", "%lx, code %d trap %d", value, last.si_code, (int)trap);
    catching(SIGILL, skips, 0);
    value = 1;
    __asm__ volatile("ud2" : "+a"(value));
    shown("an instruction that is none", "%lx, code %d trap %d", value, last.si_code, (int)trap);
    holds("si_addr is the instruction's place", last.si_addr != NULL);
}

static void traps(int signal, siginfo_t *information, void *context) {
    (void)signal;
    keep(information, context);
    registers(context)[REG_EFL] &= ~0x100L;
}

static void traps_of_the_processor(void) {
    catching(SIGTRAP, traps, 0);
    count = 0;
    __asm__ volatile("int3");
    shown("a breakpoint", "code %d trap %d, %d", last.si_code, (int)trap, count);
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\tnop\n\tnop" ::: "cc", "memory");
    shown("a single step", "code %d trap %d, %d", last.si_code, (int)trap, count);
}

static void access_at_8(void) {
    long value = 1;
    __asm__ volatile("movb (%%rdi), %%al" : "+a"(value) : "D"(8L));
}

static void faults_again(int signal, siginfo_t *information, void *context) {
    (void)signal;
    keep(information, context);
    if (count < 3) access_at_8();
    registers(context)[REG_RIP] += 2;
}

static void nested_faults(void) {
    catching(SIGSEGV, faults_again, SA_NODEFER);
    count = 0;
    access_at_8();
    number("faults within handlers of faults", count);
}

// Every general register and the flags come back from a handler as they were.
static void harmless(int signal) {
    (void)signal;
    volatile double x = 3;
    for (int index = 0; index < 100; index++) x = x * 1.5 + index;
    __asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15", "xmm15");
}

static void all_registers(void) {
    struct sigaction action = {.sa_handler = harmless};
    sigaction(SIGUSR1, &action, NULL);
    long sum = 0;
    __asm__ volatile(
        "mov $1, %%rbx\n\tmov $2, %%r12\n\tmov $3, %%r13\n\tmov $4, %%r14\n\tmov $5, %%r15\n\t"
        "mov $6, %%r8\n\tmov $7, %%r9\n\tmov $8, %%r10\n\t"
        "mov $39, %%eax\n\tsyscall\n\tmov %%eax, %%edi\n\tmov $186, %%eax\n\tsyscall\n\t"
        "mov %%eax, %%esi\n\tmov $10, %%edx\n\tmov $234, %%eax\n\tstd\n\tcld\n\tstc\n\tsyscall\n\t"
        "setc %%al\n\tmovzbl %%al, %%eax\n\t"
        "lea (%%rbx, %%r12), %%rax\n\tadd %%r13, %%rax\n\tadd %%r14, %%rax\n\tadd %%r15, %%rax\n\t"
        "add %%r8, %%rax\n\tadd %%r9, %%rax\n\tadd %%r10, %%rax\n\tadd %%rdx, %%rax"
        : "=&a"(sum)
        :
        : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory");
    number("the sum of registers after a handler", sum);
    long result = -1;
    unsigned long flags;
    __asm__ volatile("stc\n\tmov $39, %%eax\n\tsyscall\n\tpushfq\n\tpop %1" : "=&a"(result), "=r"(flags) : : "rcx", "r11", "cc", "memory");
    number("the carry flag after a call", (long)(flags & 1));
}

static volatile sig_atomic_t jumps;
static sigjmp_buf back;
static void jumping(int signal) {
    (void)signal;
    jumps++;
    siglongjmp(back, 1);
}

static void jumping_out(void) {
    struct sigaction action = {.sa_handler = jumping};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    sigset_t mask;
    for (volatile int round = 0; round < 100; round++)
        if (sigsetjmp(back, 1) == 0) *(volatile char *)(round & 1 ? 16L : 1L << 40) = 1;
    number("a hundred faults by siglongjmp", jumps);
    if (sigsetjmp(back, 1) == 0) raise(SIGUSR2);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    number("the mask is back", sigismember(&mask, SIGUSR2));
    if (sigsetjmp(back, 0) == 0) raise(SIGUSR2);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    number("without saving the mask it is not", sigismember(&mask, SIGUSR2));
    sigemptyset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

static void changes_mask(int signal, siginfo_t *information, void *context) {
    (void)signal, (void)information;
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

static void context_mask(void) {
    catching(SIGUSR1, changes_mask, 0);
    raise(SIGUSR1);
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    number("a mask changed in the context holds afterwards", sigismember(&mask, SIGUSR2));
    sigemptyset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

// The stack's limit is 8 MiB: it grows nearly as far, on its own and by a call that writes into it, and no further.
static __attribute__((noinline)) int fills(void) {
    char bytes[300000];
    int file = open("/dev/zero", O_RDONLY);
    int count = (int)read(file, bytes, sizeof bytes);
    close(file);
    return count;
}

static __attribute__((noinline)) int deep(int kilobytes, int (*bottom)(void)) {
    volatile char part[1000];
    part[0] = (char)kilobytes;
    if (kilobytes > 0) return deep(kilobytes - 1, bottom) + (part[0] != (char)kilobytes);
    return bottom ? bottom() : part[0];
}

static char other_stack[65536];

static void growing_stack(void) {
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    must("sigaltstack", sigaltstack(&stack, NULL));
    number("a stack of 6 MiB", deep(6 << 10, NULL));
    number("a call that writes below a stack of 6.5 MiB", deep(6 << 10 | 512, fills));
    struct sigaction action = {.sa_handler = jumping, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    jumps = 0;
    if (sigsetjmp(back, 1) == 0) deep(9 << 10, NULL);
    number("a stack of 9 MiB ends in a fault", jumps);
}

int main(void) {
    topic = "faults";
    growing_stack();
    protection();
    skipping();
    traps_of_the_processor();
    nested_faults();
    all_registers();
    jumping_out();
    context_mask();
    catch_faults();
    attempt(__asm__ volatile("hlt"));
    shown("hlt", "%s", fault_name());
    attempt(__asm__ volatile("mov %%rax, %%cr3" ::: "memory"));
    shown("a write of CR3", "%s", fault_name());
    attempt(__asm__ volatile("int $0x20"));
    shown("int 0x20", "%s", fault_name());
    attempt(__asm__ volatile("movaps %%xmm0, 1(%%rsp)" ::: "memory"));
    shown("a misaligned vector", "%s", fault_name());
    attempt(((void (*)(void))0x40)());
    shown("a jump to nowhere", "%s", fault_name());
    attempt(((void (*)(void))0x8000000000001000UL)());
    shown("a jump to an address that is none", "%s", fault.signal == SIGSEGV ? "SEGV" : fault_name());
    return 0;
}
