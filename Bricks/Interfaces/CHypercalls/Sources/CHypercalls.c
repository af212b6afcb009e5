#include "CHypercalls.h"

static brique_gate current_gate;
static uint64_t stacks_low, stacks_high;

void brique_gate_set(brique_gate gate) { current_gate = gate; }

void brique_stacks_set(uint64_t low, uint64_t high) {
    stacks_low = low;
    stacks_high = high;
}

#if __STDC_HOSTED__
// Tests run bricks in an ordinary process: PlatformHosted answers, unless a test set a gate of its own.
int64_t brique_hosted_gate(uint64_t number, uint64_t a, uint64_t b, uint64_t c) __attribute__((weak));
static brique_gate gate(void) { return current_gate ? current_gate : brique_hosted_gate; }
#else
static brique_gate gate(void) { return current_gate; }
#endif

brique_gate brique_gate_current(void) { return gate(); }

int64_t brique_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) { return gate()(number, a, b, c); }

static char line[BRIQUE_LINE_BYTES];
static uint64_t line_count;

static int64_t write_all(const char *bytes, uint64_t count) {
    while (count > 0) {
        int64_t written = brique_call(BRIQUE_CALL_CONSOLE_WRITE, (uint64_t)bytes, count, 0);
        if (written < 0) return written;
        if (written == 0 || (uint64_t)written > count) return -5;  // EIO: the platform broke its word
        bytes += written;
        count -= (uint64_t)written;
    }
    return 0;
}

int64_t brique_output_flush(void) {
    uint64_t count = line_count;
    line_count = 0;
    return write_all(line, count);
}

void brique_output_put(char character) {
    line[line_count++] = character;
    if (character == '\n' || line_count == BRIQUE_LINE_BYTES) brique_output_flush();
}

int64_t brique_output_write(const char *bytes, uint64_t count) {
    int64_t result = brique_output_flush();
    return result < 0 ? result : write_all(bytes, count);
}

void brique_exit(int32_t status) {
    brique_output_flush();
    brique_call(BRIQUE_CALL_EXIT, (uint32_t)status, 0, 0);
    __builtin_trap();
}

void brique_crash_walk(struct brique_crash *crash, uint64_t low, uint64_t high) {
    uint64_t frame = crash->registers.rbp;
    crash->frames[0] = crash->registers.rip;
    crash->frame_count = 1;
    while (crash->frame_count < BRIQUE_CRASH_FRAMES && frame >= low && frame % 8 == 0 && high >= 16 && frame <= high - 16) {
        const uint64_t *words = (const uint64_t *)frame;
        if (words[1] == 0) break;
        crash->frames[crash->frame_count++] = words[1];
        if (words[0] <= frame) break;
        frame = words[0];
    }
}

static struct brique_crash crash_record;

void brique_panic(uint32_t kind, const char *message, uint64_t byte_count) {
    struct brique_crash *crash = &crash_record;
    brique_output_flush();
    crash->kind = kind;
    if (byte_count > BRIQUE_CRASH_MESSAGE_BYTES) byte_count = BRIQUE_CRASH_MESSAGE_BYTES;
    for (uint64_t i = 0; i < byte_count; i++) crash->message[i] = message[i];
    crash->message_byte_count = (uint32_t)byte_count;
    crash->registers.rip = (uint64_t)__builtin_return_address(0);
    crash->registers.rbp = *(uint64_t *)__builtin_frame_address(0);
    crash->registers.rsp = (uint64_t)__builtin_frame_address(0) + 16;
    brique_crash_walk(crash, stacks_low, stacks_high);
    brique_call(BRIQUE_CALL_CRASH, (uint64_t)crash, 0, 0);
    __builtin_trap();
}

// Called by the exception entries with what they pushed.
void brique_exception(const struct brique_trap_frame *frame);
void brique_exception(const struct brique_trap_frame *frame) {
    struct brique_crash *crash = &crash_record;
    // An exception of the walk itself, over a corrupt chain: report the first one, as far as it came.
    if (crash->kind == 0) {
        crash->kind = BRIQUE_CRASH_EXCEPTION;
        crash->registers = *frame;
        brique_output_flush();
        brique_crash_walk(crash, stacks_low, stacks_high);
    }
    brique_call(BRIQUE_CALL_CRASH, (uint64_t)crash, 0, 0);
    __builtin_trap();
}

#if !__STDC_HOSTED__
int64_t brique_program_start(void) {
    brique_program.call_entry = (uint64_t)&brique_program_trap;
    brique_program.interruption_entry = (uint64_t)&brique_program_interruption;
    // Leaf 13, part 1, eax bit 0: XSAVEOPT.
    uint32_t a = 13, b, c = 1, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    brique_program_saves_changes = a & 1;
    return brique_call(BRIQUE_CALL_PROGRAM, (uint64_t)&brique_program, 0, 0);
}
#endif
