#include "LinuxCalls.h"

void brique_signal_return(void);

// The kernel's own struct sigaction (asm/signal.h), which is not the C library's.
struct kernel_action {
    brique_signal_handler handler;
    uint64_t flags;
    void (*restorer)(void);
    uint64_t mask;
};

int64_t brique_signal_handle(int32_t signal, brique_signal_handler handler, uint64_t flags, uint64_t mask) {
    const uint64_t with_information = 4, with_restorer = 0x04000000;
    struct kernel_action action = {handler, flags | with_information | with_restorer, brique_signal_return, mask};
    return brique_linux_call(__NR_rt_sigaction, (uint64_t)signal, (uint64_t)&action, 0, sizeof action.mask, 0, 0);
}

static void *volatile current_context;
void brique_context_set(void *context) { current_context = context; }
void *brique_context(void) { return current_context; }

static volatile int32_t currently_idle;
void brique_idle_set(int32_t is_idle) { currently_idle = is_idle; }
int32_t brique_idle(void) { return currently_idle; }

static uint8_t signal_stack[64 << 10] __attribute__((aligned(16)));
int64_t brique_signal_stack_prepare(void) {
    struct {
        uint8_t *start;
        uint64_t flags, byte_count;
    } stack = {signal_stack, 0, sizeof signal_stack};
    return brique_linux_call(__NR_sigaltstack, (uint64_t)&stack, 0, 0, 0, 0, 0);
}
