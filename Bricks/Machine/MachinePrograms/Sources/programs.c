// How programs are set up, at CPL 3, and the calls of the ring-0 core that they need. Guest only.
#if !__STDC_HOSTED__
#include <stddef.h>
#include "MachinePrograms.h"
#include "MachineX86_64.h"
#include "programs.h"

_Static_assert(MACHINE_CORE_HALT == BRIQUE_CORE_HALT, "the same call");
_Static_assert(offsetof(struct brique_program, tick_pending) == PROGRAM_TICK_PENDING, "the contract's offsets");
_Static_assert(offsetof(struct brique_program, address) == PROGRAM_ADDRESS, "the contract's offsets");

struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, reserved;
};
// Selector, then attributes: the words of a gate between the halves of its address.
enum {
    GATE_USER_TRAP = 0xef000000 | BRIQUE_IST_EXCEPTION << 16 | BRIQUE_SELECTOR_USER_CODE,
    GATE_CORE_CALL = 0xee000000 | BRIQUE_IST_CORE << 16 | BRIQUE_SELECTOR_CORE_CODE,
    GATE_CORE = 0x8e000000 | BRIQUE_SELECTOR_CORE_CODE
};
enum { CONTROL_FSGSBASE = 1 << 16, CONTROL_OSXSAVE = 1 << 18, EXTENDED_STATE = 7 /* x87, SSE, AVX */ };

struct brique_program *brique_programs_current;
uint64_t brique_programs_call_entry, brique_programs_interruption_entry;
uint64_t brique_programs_call_frame[5], brique_programs_fault_frame[5];
uint32_t brique_programs_tick_count;

static struct gate table[CORE_VECTOR_COUNT] __attribute__((aligned(16)));

static void set_gate(int vector, const void *entry, uint32_t kind) {
    uint64_t address = (uint64_t)entry;
    table[vector] = (struct gate){(uint16_t)address,         (uint16_t)kind,           (uint16_t)(kind >> 16),
                                  (uint16_t)(address >> 16), (uint32_t)(address >> 32), 0};
}

// As the loader's, but what a program runs into is the library OS's to judge.
static void make_table(int is_pc) {
    for (int i = 0; i < CORE_EXCEPTION_COUNT; i++) set_gate(i, brique_programs_exceptions + i * BRIQUE_EXCEPTION_STRIDE, GATE_USER_TRAP);
    set_gate(BRIQUE_CORE_VECTOR, brique_programs_core_entry, GATE_CORE_CALL);
    set_gate(PAGE_FAULT_VECTOR, brique_programs_page_fault, GATE_CORE | IST_PAGE_FAULT << 16);
    if (!is_pc) return;
    set_gate(CORE_VECTOR_NMI, brique_core_nmi, GATE_CORE | CORE_IST_NMI << 16);
    set_gate(CORE_VECTOR_DOUBLE_FAULT, brique_core_double_fault, GATE_CORE | CORE_IST_NMI << 16);
    for (int i = CORE_EXCEPTION_COUNT; i < CORE_VECTOR_COUNT; i++) set_gate(i, brique_programs_interrupt, GATE_CORE);
    set_gate(TIMER_VECTOR, brique_programs_timer, GATE_CORE);
}

static void set_frame(uint64_t *frame, const void *entry, const void *stack) {
    frame[0] = (uint64_t)entry;
    frame[1] = BRIQUE_SELECTOR_USER_CODE;
    frame[2] = BRIQUE_USER_FLAGS;
    frame[3] = (uint64_t)stack;
    frame[4] = BRIQUE_SELECTOR_USER_DATA;
}

int64_t brique_programs_set(struct brique_program *program, int is_pc) {
    struct processor_state state = {.table = (uint64_t)table, .call_entry = (uint64_t)brique_programs_call};
    char *fault_stack_top = brique_programs_fault_stack + PAGE_FAULT_STACK_BYTES;
    state.table_limit = (is_pc ? CORE_VECTOR_COUNT : CORE_EXCEPTION_COUNT) * sizeof(struct gate) - 1;
    state.page_fault_stack = (uint64_t)fault_stack_top;
    // CPUID 7, ebx bit 0: FSGSBASE; CPUID 1, ecx bits 26 and 28: XSAVE, AVX. AVX is of no use without XSAVE.
    if (brique_cpuid(7, 1) & 1) state.control_bits |= CONTROL_FSGSBASE;
    uint32_t features = brique_cpuid(1, 2);
    if (features >> 26 & 1) {
        state.control_bits |= CONTROL_OSXSAVE;
        state.extended_state = features >> 28 & 1 ? EXTENDED_STATE : EXTENDED_STATE & ~4;
    }
    brique_programs_call_entry = program->call_entry;
    brique_programs_interruption_entry = program->interruption_entry;
    brique_programs_current = program;
    set_frame(brique_programs_call_frame, (void *)program->call_entry, 0);
    // The saved rax and the six words of the processor's frame.
    set_frame(brique_programs_fault_frame, brique_programs_fault_entry, fault_stack_top - 56);
    make_table(is_pc);
    return brique_core_call(CORE_START_PROGRAMS, (uint64_t)&state, is_pc, 0);
}

void brique_programs_tick(uint32_t count) {
    volatile uint32_t *initial_count = (volatile uint32_t *)(LOCAL_APIC_ADDRESS + APIC_INITIAL_COUNT);
    brique_programs_tick_count = count;
    *initial_count = count;
}

// MARK: Ring 0

CORE_CODE static void write_msr(uint32_t index, uint64_t value) {
    __asm__ volatile("wrmsr" ::"c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

CORE_CODE static int64_t start_programs(const struct processor_state *state, int is_pc) {
    enum { EFER = 0xc0000080, STAR = 0xc0000081, LSTAR, SFMASK = 0xc0000084 };
    uint32_t low, high;
    uint64_t control;
    __asm__ volatile("lidt %0" ::"m"(state->table_limit));
    *(uint64_t *)(brique_machine_area + BRIQUE_AREA_TSS + 0x1c + 8 * IST_PAGE_FAULT) = state->page_fault_stack;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(EFER));
    write_msr(EFER, low | 1ull | (uint64_t)high << 32);
    // SYSRET is not used; its selectors are Linux's. Masked: TF, DF, NT, AC; on a PC also IF, which no KVM without interrupts needs, and
    // one that stays at CPL 3 would lose for good.
    write_msr(STAR, (uint64_t)BRIQUE_SELECTOR_CORE_CODE << 32 | 0x23ull << 48);
    write_msr(LSTAR, state->call_entry);
    write_msr(SFMASK, is_pc ? 0x44700 : 0x44500);
    __asm__ volatile("movq %%cr4, %0" : "=r"(control));
    if (~control & state->control_bits) {
        __asm__ volatile("movq %0, %%cr4" ::"r"(control | state->control_bits));
    }
    if (is_pc) {
        // On a PC the loader left the extended state as it is after a reset.
        if (state->extended_state) __asm__ volatile("xsetbv" ::"a"((uint32_t)state->extended_state), "d"(0), "c"(0));
        // From now on interrupts reach CPL 3: the caller's flags, in the frame of its int3.
        *(uint64_t *)(brique_machine_area + BRIQUE_AREA_CORE_STACK_TOP - 24) |= 0x200;
    }
    return 0;
}

CORE_CODE static uint64_t root(void) {
    uint64_t root;
    __asm__ volatile("movq %%cr3, %0" : "=r"(root));
    return root;
}

// No ticks while the machine sleeps: a deadline's count is odd.
CORE_CODE static int64_t halt(void) {
    volatile uint32_t *initial_count = (volatile uint32_t *)(LOCAL_APIC_ADDRESS + APIC_INITIAL_COUNT);
    if ((*initial_count & 1) == 0) *initial_count = 0;
    uint32_t state = brique_core_halt();
    *initial_count = brique_programs_tick_count;
    return state >> 8 ? -4 : 0;
}

CORE_CODE int64_t brique_core_programs(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
    switch (number) {
    case CORE_SET_ROOT_ENTRY:
        if (a >= ROOT_SLOTS) return INVALID;
        ((uint64_t *)(BRIQUE_VIRTUAL_BASE + (root() & ENTRY_ADDRESS)))[a] = b | ENTRY_TABLE;
        return 0;
    case CORE_START_PROGRAMS: return start_programs((const struct processor_state *)a, (int)b);
    case CORE_HALT: return halt();
    }
    return NO_CALL;
}
#endif
