// The state of x87, SSE and AVX across calls, handlers, threads; and in the handler's context.
#include <cpuid.h>
#include <fenv.h>
#include <math.h>
#include <sys/ucontext.h>
#include "check.h"
CHECK_STATE

#define AVX __attribute__((target("avx")))

static bool has_avx(void) {
    unsigned a, b, c = 0, d;
    __get_cpuid(1, &a, &b, &c, &d);
    return (c >> 28 & 1) && (c >> 27 & 1);
}

static AVX void spoil(void) {
    __asm__ volatile(
        "vpcmpeqb %%xmm0, %%xmm0, %%xmm0\n\tvinsertf128 $1, %%xmm0, %%ymm0, %%ymm0\n\t"
        "vmovaps %%ymm0, %%ymm7\n\tvmovaps %%ymm0, %%ymm15" ::
            : "xmm0", "xmm7", "xmm15");
}

static uint32_t new_mxcsr = 0x1f80 | 0x6000;
static uint16_t new_control = 0x0f7f;
static volatile int handled;
static void spoiling(int signal) {
    (void)signal;
    handled++;
    if (has_avx()) spoil();
    __asm__ volatile("ldmxcsr %0\n\tfninit\n\tfldcw %1\n\tfld1\n\tfldpi" ::"m"(new_mxcsr), "m"(new_control) : "memory");
}

// Registers are filled, tgkill(2) is called by its number, and they are read again: nothing between touches them.
static AVX void across(const char *what, long call, long first, long second, long third) {
    static unsigned char before[256] __attribute__((aligned(32))), after[256] __attribute__((aligned(32)));
    for (int index = 0; index < 256; index++) before[index] = (unsigned char)(index * 7 + 1), after[index] = 0;
    __asm__ volatile(
        "vmovaps (%[from]), %%ymm0\n\tvmovaps 32(%[from]), %%ymm1\n\tvmovaps 64(%[from]), %%ymm6\n\tvmovaps 96(%[from]), %%ymm7\n\t"
        "vmovaps 128(%[from]), %%ymm8\n\tvmovaps 160(%[from]), %%ymm13\n\t"
        "vmovaps 192(%[from]), %%ymm14\n\tvmovaps 224(%[from]), %%ymm15\n\t"
        "syscall\n\t"
        "vmovaps %%ymm0, (%[to])\n\tvmovaps %%ymm1, 32(%[to])\n\tvmovaps %%ymm6, 64(%[to])\n\tvmovaps %%ymm7, 96(%[to])\n\t"
        "vmovaps %%ymm8, 128(%[to])\n\tvmovaps %%ymm13, 160(%[to])\n\tvmovaps %%ymm14, 192(%[to])\n\tvmovaps %%ymm15, 224(%[to])"
        : "+a"(call)
        : [from] "r"(before), [to] "r"(after), "D"(first), "S"(second), "d"(third)
        : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm6", "xmm7", "xmm8", "xmm13", "xmm14", "xmm15");
    int wrong = 0;
    for (int index = 0; index < 256; index++) wrong += before[index] != after[index];
    shown(what, "%d bytes differ", wrong);
}

static void vectors(void) {
    if (!has_avx()) return;
    across("AVX across getpid", SYS_getpid, 0, 0, 0);
    across("AVX across sched_yield", SYS_sched_yield, 0, 0, 0);
    struct timespec time = {0, 1000000};
    across("AVX across nanosleep", SYS_nanosleep, (long)&time, 0, 0);
    handled = 0;
    across("AVX across a handler", SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
    number("which ran", handled);
    void *area = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    across("AVX across mprotect", SYS_mprotect, (long)area, 4096, PROT_NONE);
    across("AVX across munmap", SYS_munmap, (long)area, 4096, 0);
}

static uint32_t mxcsr(void) {
    uint32_t value;
    __asm__ volatile("stmxcsr %0" : "=m"(value));
    return value;
}
static uint16_t control(void) {
    uint16_t value;
    __asm__ volatile("fnstcw %0" : "=m"(value));
    return value;
}

static void seen_in_handler(int signal) {
    shown(signal == SIGUSR2 ? "in the handler: mxcsr, control word" : "", "%x %x", mxcsr(), control());
}

static void control_words(void) {
    shown("mxcsr at the start", "%x", mxcsr());
    shown("x87's control word at the start", "%x", control());
    fesetround(FE_UPWARD);
    shown("rounding up: mxcsr, control word", "%x %x", mxcsr(), control());
    raise(SIGUSR1);
    shown("after a handler that changed them", "%x %x", mxcsr(), control());
    signal(SIGUSR2, seen_in_handler);
    raise(SIGUSR2);
    sched_yield();
    shown("after sched_yield", "%x %x", mxcsr(), control());
    fesetround(FE_TONEAREST);
    volatile long double value = 1.25L;
    __asm__ volatile("fldt %0" ::"m"(value));
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
    __asm__ volatile("fstpt %0" : "=m"(value));
    shown("a value on x87's stack across a handler", "%.2Lf", value);
}

static void in_context(int signal, siginfo_t *information, void *context) {
    (void)signal, (void)information;
    fpregset_t state = ((ucontext_t *)context)->uc_mcontext.fpregs;
    uint32_t *words = (uint32_t *)state;
    shown("the context has xmm5's value", "%x", state->_xmm[5].element[0]);
    shown("the context's mxcsr", "%x", state->mxcsr & 0xffc0);
    shown("the mark of extended state", "%x", words[464 / 4]);
    uint32_t size = words[464 / 4 + 4];
    holds("its size is that of XSAVE's area", size >= 576);
    shown("the mark at its end", "%x", *(uint32_t *)((char *)state + size));
    state->_xmm[5].element[0] = 0x77777777;
}

static void context(void) {
    struct sigaction action = {.sa_sigaction = in_context, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR2, &action, NULL);
    uint32_t value = 0x55aa55aa;
    long number_of_call = SYS_tgkill;
    __asm__ volatile("movd %[value], %%xmm5\n\tsyscall\n\tmovd %%xmm5, %[value]"
                     : [value] "+r"(value), "+a"(number_of_call)
                     : "D"((long)getpid()), "S"(syscall(SYS_gettid)), "d"((long)SIGUSR2)
                     : "rcx", "r11", "memory", "xmm5");
    shown("a value that the handler changed in the context", "%x", value);
}

static void exceptions(void) {
    catch_faults();
    volatile double zero = 0, result = 0;
    feclearexcept(FE_ALL_EXCEPT);
    result = 1 / zero;
    holds("a division by zero gives infinity", isinf(result));
    holds("and its flag", fetestexcept(FE_DIVBYZERO));
    feenableexcept(FE_DIVBYZERO);
    attempt(result = 1 / zero);
    shown("as an exception", "%s", fault_name());
    feenableexcept(FE_INVALID);
    fedisableexcept(FE_DIVBYZERO);
    attempt(result = zero / zero);
    shown("an invalid operation", "%s", fault_name());
    fedisableexcept(FE_ALL_EXCEPT);
    volatile int numerator = 1, denominator = 0;
    attempt(numerator = numerator / denominator);
    shown("an integer's", "%s", fault_name());
    numerator = INT32_MIN, denominator = -1;
    attempt(numerator = numerator / denominator);
    shown("an integer's overflow", "%s", fault_name());
}

static void *computing(void *argument) {
    double sum = 0;
    long seed = (long)argument;
    if (seed == 2) fesetround(FE_UPWARD);
    for (int index = 1; index < 3000000; index++) sum += (double)seed / index;
    return (void *)(long)(sum * 1000000);
}

// Threads that compute while others do, switched at any instruction.
static void threads(void) {
    struct timespec pause_time = {0, 500000};
    pthread_t spinners[3];
    for (long index = 0; index < 3; index++) pthread_create(&spinners[index], NULL, computing, (void *)(index + 1));
    for (int index = 0; index < 20; index++) nanosleep(&pause_time, NULL);
    for (int index = 0; index < 3; index++) {
        void *result;
        pthread_join(spinners[index], &result);
        number("a thread's sum", (long)result);
    }
}

int main(void) {
    topic = "fpu";
    signal(SIGUSR1, spoiling);
    vectors();
    control_words();
    context();
    threads();
    exceptions();
    return 0;
}
