// The processor: entries, the context switch, and the few instructions that have no name in Swift.
#ifndef BRIQUE_MACHINE_X86_64_H
#define BRIQUE_MACHINE_X86_64_H
#include <stdint.h>
#include "BootFormat.h"

static inline uint64_t brique_timestamp(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32) | low;
}
static inline void brique_out8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory");
}
static inline void brique_out16(uint16_t port, uint16_t value) {
    __asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory");
}
static inline void brique_out32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}
static inline uint8_t brique_in8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}
static inline uint32_t brique_in32(uint16_t port) {
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

// The `byte_count` bytes at `address`, to `port` (one exit of a hypervisor).
static inline void brique_out_bytes(uint16_t port, uint64_t address, uint64_t byte_count) {
    __asm__ volatile("rep outsb" : "+S"(address), "+c"(byte_count) : "d"(port) : "memory");
}
static inline void brique_pause(void) { __asm__ volatile("pause"); }

// One register of CPUID: 0 to 3 are eax, ebx, ecx, edx.
static inline uint32_t brique_cpuid_part(uint32_t leaf, uint32_t part, uint32_t reg) {
    uint32_t registers[4];
    __asm__ volatile("cpuid" : "=a"(registers[0]), "=b"(registers[1]), "=c"(registers[2]), "=d"(registers[3]) : "a"(leaf), "c"(part));
    return registers[reg & 3];
}
static inline uint32_t brique_cpuid(uint32_t leaf, uint32_t reg) { return brique_cpuid_part(leaf, 0, reg); }
// The components of the extended state that are on (XCR0).
static inline uint64_t brique_extended_features(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}
// What XSAVE writes. Some KVMs leave more components on than they told CPUID, so its sum for them (leaf 13, ebx) may be too low.
static inline uint32_t brique_extended_bytes(void) {
    uint64_t on = brique_extended_features();
    uint32_t end = brique_cpuid(13, 1);
    for (uint32_t part = 2; part < 63; part++) {
        if (!(on >> part & 1)) continue;
        uint32_t size = brique_cpuid_part(13, part, 0), part_end = size + brique_cpuid_part(13, part, 1);
        if (size == 0) return brique_cpuid(13, 2);
        if (part_end > end) end = part_end;
    }
    return end;
}
// A random number of the processor's (RDRAND, if CPUID tells of it), or 0: it had none in ten tries.
static inline uint64_t brique_random(void) {
    for (int i = 0; i < 10; i++) {
        uint64_t value;
        uint8_t carry;
        __asm__ volatile("rdrand %0\n setc %1" : "=r"(value), "=qm"(carry) : : "cc");
        if (carry) return value;
    }
    return 0;
}

// A hypercall of the KVM monitor, by BRIQUE_HYPERCALL_PORT.
int64_t brique_port_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c);

// Calls of the ring-0 core, by int3 (BRIQUE_CORE_VECTOR): rax = number, rdi, rsi, rdx = arguments,
// rax = result (>= 0, or minus an errno). All other registers are kept.
#define BRIQUE_CORE_PROTECT 1       // virtual address, byte count, BRIQUE_ACCESS_…
#define BRIQUE_CORE_DONATE_TABLE 2  // virtual address of a page the library OS gives up for page tables
#define BRIQUE_CORE_MAP_DEVICE 3    // physical address, byte count: maps it uncached at its direct-map address
#define BRIQUE_CORE_HALT 4          // PC: waits for an interrupt; -EINTR: an NMI came
#define BRIQUE_CORE_FAULT_ADDRESS 5 // the address of the last page fault (CR2)
#define BRIQUE_CORE_WRITE_MSR 6     // PC: register index (KVM's clock only), value
#define BRIQUE_CORE_RESET 7         // PC: ends the machine by a triple fault
static inline int64_t brique_core_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
    int64_t result;
    __asm__ volatile("int3" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "memory");
    return result;
}
#endif
