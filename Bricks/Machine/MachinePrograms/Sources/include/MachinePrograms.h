// Programs below the library OS, on processors of our own (KVM, PC): their pages, their system calls, what interrupts them.
#ifndef BRIQUE_MACHINE_PROGRAMS_H
#define BRIQUE_MACHINE_PROGRAMS_H
#include <stdint.h>
#include "BootFormat.h"

// Physical addresses that brique_programs_map takes: guest memory ends at memory_end, and the layers. Before any other call.
void brique_programs_prepare(const struct brique_boot_information *information);

// BRIQUE_CALL_MAP: 0, or -ENOMEM, -EFAULT, -EINVAL.
int64_t brique_programs_map(uint64_t virtual, uint64_t byte_count, uint64_t physical_and_access);
// A page of the heap for the tables of programs, which asked for one: 0; -EAGAIN: none was asked for.
int64_t brique_programs_donate(uint64_t address);

// BRIQUE_CALL_PROGRAM.
// On a PC interrupts reach the library OS from then on.
int64_t brique_programs_set(struct brique_program *program, int is_pc);

// PC: the local APIC's counts of one tick, an even number, 0: no ticks.
void brique_programs_tick(uint32_t count);
#endif
