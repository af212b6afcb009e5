// What the assembly and the C of programs share.
#ifndef BRIQUE_PROGRAMS_H
#define BRIQUE_PROGRAMS_H
#include "MachineCore.h"

// struct brique_program.
#define PROGRAM_CALL_ENTRY 0
#define PROGRAM_INTERRUPTION_ENTRY 8
#define PROGRAM_KERNEL_STACK 16
#define PROGRAM_TICK_PENDING 24
#define PROGRAM_RIP 32
#define PROGRAM_RSP 40
#define PROGRAM_RFLAGS 48
#define PROGRAM_VECTOR 56
#define PROGRAM_ERROR 64
#define PROGRAM_ADDRESS 72

// Calls of the ring-0 core beyond MachineX86_64.h's.
#define CORE_SET_ROOT_ENTRY 16  // root slot, physical address of a pointer table
#define CORE_FLUSH 17           // address, 1: its page; 0: all pages. No result
#define CORE_START_PROGRAMS 18  // address of a struct processor_state
#define CORE_HALT 19            // PC: BRIQUE_CORE_HALT, without ticks

// BRIQUE_CORE_HALT, whose header is not for assembly.
#define MACHINE_CORE_HALT 4

// IST slot of the page fault's ring-0 stub, whose stack CPL 3 reads.
#define IST_PAGE_FAULT 4
#define PAGE_FAULT_STACK_BYTES 256
#define PAGE_FAULT_VECTOR 14
#define TIMER_VECTOR 32
#define LOCAL_APIC_ADDRESS (BRIQUE_VIRTUAL_BASE + 0xfee00000)
#define APIC_END_OF_INTERRUPT 0xb0
#define APIC_INITIAL_COUNT 0x380
// High half of the lowest address of the library OS: the rip of a program is below.
#define LIBRARY_OS_HIGH (BRIQUE_VIRTUAL_BASE >> 32)

// What the library OS runs with: interrupts reach it, and do no harm.
#define BRIQUE_USER_FLAGS 0x202

#ifndef __ASSEMBLER__
enum { NO_MEMORY = -12, TRY_AGAIN = -11, BAD_ADDRESS = -14, INVALID = -22, NO_CALL = -38 };
// The first 64 root slots: all that is below BRIQUE_VIRTUAL_BASE.
enum { ROOT_SLOTS = BRIQUE_VIRTUAL_BASE >> 39 };

// What ring 0 sets once.
struct processor_state {
    uint16_t unused[3], table_limit;
    uint64_t table;               // IDT
    uint64_t page_fault_stack, call_entry, control_bits, extended_state;
};

#pragma GCC visibility push(hidden)
extern char brique_programs_exceptions[], brique_programs_page_fault[], brique_programs_call[];
extern char brique_programs_core_entry[], brique_programs_timer[], brique_programs_interrupt[], brique_programs_fault_entry[];
// Frames that iretq takes from ring 0 to CPL 3: rip, cs, rflags, rsp, ss.
extern uint64_t brique_programs_call_frame[5], brique_programs_fault_frame[5];
extern char brique_programs_fault_stack[PAGE_FAULT_STACK_BYTES];
extern struct brique_program *brique_programs_current;
extern uint64_t brique_programs_call_entry, brique_programs_interruption_entry;
extern uint32_t brique_programs_tick_count;
#pragma GCC visibility pop
#endif
#endif
