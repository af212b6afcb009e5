// The one door between the library OS and its platform. Typed calls are in the Hypercalls brick.
#ifndef BRIQUE_CHYPERCALLS_H
#define BRIQUE_CHYPERCALLS_H
#include <stdint.h>
#include "BootFormat.h"

// Answers one hypercall: a result >= 0, or minus an errno. Never blocks, but for BRIQUE_CALL_WAIT,
// BRIQUE_CALL_NETWORK_EXCHANGE and a console whose reader is slow.
typedef int64_t (*brique_gate)(uint64_t number, uint64_t a, uint64_t b, uint64_t c);

// Set once by the platform, before anything else runs.
void brique_gate_set(brique_gate gate);
// The gate as it is: for one that answers some calls itself, and gives the others on.
brique_gate brique_gate_current(void);
int64_t brique_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c);
_Noreturn void brique_exit(int32_t status);

// Standard output, line-buffered: one console write per line, or per BRIQUE_LINE_BYTES of a longer one. The rest of
// a line goes out before the instance waits, ends or crashes.
#define BRIQUE_LINE_BYTES 1024
void brique_output_put(char character);
// Writes straight through, after what is buffered. 0, or minus an errno if the console refused some of it.
int64_t brique_output_write(const char *bytes, uint64_t count);
int64_t brique_output_flush(void);

// Ends the instance: `message` is UTF-8, at most BRIQUE_CRASH_MESSAGE_BYTES are kept.
_Noreturn void brique_panic(uint32_t kind, const char *message, uint64_t byte_count);
// Fills frames[] from registers by the frame-pointer chain; reads only 8-byte aligned words in [low, high).
void brique_crash_walk(struct brique_crash *crash, uint64_t low, uint64_t high);
// The memory that holds every stack: set at start, used by the walks.
void brique_stacks_set(uint64_t low, uint64_t high);

// What Machine lends to Core. Saves the callee-saved state of the running context in *save and continues `to`.
void brique_context_switch(uint64_t *save, uint64_t to);
// A context that will call function(argument) on the stack that ends at stack_top; function never returns.
uint64_t brique_context_make(uint64_t stack_top, void (*function)(void *), void *argument);

// The state of a program's thread (program.S). 64-byte aligned; `extended` is as large as XSAVE needs (CPUID leaf 13, ebx).
struct brique_user_context {
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags, fs_base, gs_base;
    uint64_t kernel_stack;
    uint64_t action;              // not 0: brique_program_enter returns instead of going on
    uint64_t is_full;             // 1: every register is here; 0: a call left what calls do not touch in the processor
    uint64_t status;              // OF, then SF to CF as LAHF gives them: of the call that left the rest in the processor
    uint64_t reserved[8];
    uint8_t vectors[256];         // xmm0 to xmm15 at a call
    uint8_t extended[64];
};
#define BRIQUE_USER_CONTEXT_BYTES 512

extern struct brique_program brique_program;
extern uint64_t brique_program_trapped, brique_program_saves_changes;
void brique_program_trap(void), brique_program_call(void), brique_program_interruption(void);
// Whether the call that is being answered came by a system-call instruction; asked once.
static inline uint64_t brique_program_take_trap(void) {
#if __STDC_HOSTED__
    return 0;
#else
    uint64_t trapped = brique_program_trapped;
    if (trapped) brique_program_trapped = 0;
    return trapped;
#endif
}
static inline uint64_t brique_program_vector(void) { return brique_program.vector; }
static inline uint64_t brique_program_error(void) { return brique_program.error; }
static inline uint64_t brique_program_address(void) { return brique_program.address; }
static inline uint64_t brique_program_call_address(void) { return (uint64_t)&brique_program_call; }
// Says where programs enter the library OS: BRIQUE_CALL_PROGRAM. 0, or minus an errno.
int64_t brique_program_start(void);
void brique_program_enter(struct brique_user_context *context);
void brique_program_capture(struct brique_user_context *context);
void brique_program_forget(struct brique_user_context *context);

// What the concurrency runtime lends to the Scheduler: runs one job to its next suspension (Swift's Task.h).
void _swift_job_run_c(void *job, uintptr_t identity, uintptr_t implementation);
#endif
