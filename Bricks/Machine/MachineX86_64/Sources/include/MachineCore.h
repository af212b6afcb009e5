// The ring-0 core: what its assembly, its C and its extension for programs share. Not for Swift.
#ifndef BRIQUE_MACHINE_CORE_H
#define BRIQUE_MACHINE_CORE_H
#include "BootFormat.h"

// In the descriptor page, behind the tables: byte 0, an interrupt came; byte 1, an NMI came;
// at +8 the physical address of the first donated table (each links to the next by its first word).
#define CORE_STATE (BRIQUE_AREA_DESCRIPTORS + 0xf00)
// 32 exceptions and 16 interrupts.
#define CORE_EXCEPTION_COUNT 32
#define CORE_VECTOR_COUNT 48
#define CORE_VECTOR_NMI 2
#define CORE_VECTOR_DOUBLE_FAULT 8
// The core's two stack pages: its calls use the upper one, interrupts taken at CPL 3 and NMIs the lower one.
#define CORE_STACK_NMI (BRIQUE_AREA_CORE_STACK + 0x800)
#define CORE_STACK_INTERRUPT (BRIQUE_AREA_CORE_STACK + 0x1000)
#define CORE_IST_NMI 3
// 64-bit TSS, AMD64 APM vol. 2 §12.2.5; an all-permitting I/O bitmap of 65,536 bits and its end byte follow it.
#define CORE_TSS_BYTES 0x68
#define CORE_TSS_LIMIT (CORE_TSS_BYTES + 0x2000)

// QEMU's debug console and debug exit; see docs/qemu.md.
#define CORE_PORT_DEBUG_CONSOLE 0xe9
#define CORE_PORT_DEBUG_EXIT 0xf4

#ifndef __ASSEMBLER__
// Page table entries, AMD64 APM vol. 2 §5.4.1.
#define ENTRY_PRESENT 0x1ull
#define ENTRY_WRITE 0x2ull
#define ENTRY_USER 0x4ull
#define ENTRY_UNCACHED 0x18ull
#define ENTRY_USED 0x60ull              // accessed and dirty, preset: the processor never writes a table
#define ENTRY_LARGE 0x80ull
#define ENTRY_FOREIGN 0x200ull          // ours: not guest memory (a device, low memory), never protected
#define ENTRY_NO_EXECUTE (1ull << 63)
#define ENTRY_ADDRESS 0xffffffffff000ull
#define ENTRY_TABLE (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USER | ENTRY_USED)
#define ENTRY_READ (ENTRY_PRESENT | ENTRY_USER | ENTRY_USED | ENTRY_NO_EXECUTE)
#define ENTRY_READ_WRITE (ENTRY_READ | ENTRY_WRITE)
#define ENTRY_CORE (ENTRY_PRESENT | ENTRY_WRITE | ENTRY_USED | ENTRY_NO_EXECUTE)
#define ENTRY_DEVICE (ENTRY_READ_WRITE | ENTRY_UNCACHED | ENTRY_FOREIGN)
#define LARGE_PAGE 0x200000u

// Ring 0 has no SSE, which a KVM that interprets ring 0 refuses; and it is small.
#define CORE_CODE __attribute__((target("general-regs-only"), minsize))

#pragma GCC visibility push(hidden)
extern char brique_machine_area[], brique_exception_entries[], brique_core_entry[], __image_start[], __image_end[];
extern const uint64_t brique_core_gdt[8];
void brique_core_interrupt(void), brique_core_nmi(void), brique_core_double_fault(void);
// Calls that only images with programs have: MachinePrograms, if it is linked.
int64_t brique_core_programs(uint64_t number, uint64_t a, uint64_t b, uint64_t c);
uint32_t brique_core_halt(void);
_Noreturn void brique_core_reset(void);
_Noreturn void brique_core_fail(const char *message);
#pragma GCC visibility pop
#endif
#endif
