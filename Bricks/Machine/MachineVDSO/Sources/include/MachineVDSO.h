// The shared object that every program finds in its memory.
#ifndef BRIQUE_MACHINE_VDSO_H
#define BRIQUE_MACHINE_VDSO_H
#include <stdint.h>

// The whole file, less than a page: an ELF shared object whose offsets are its addresses.
extern const uint8_t brique_vdso_start[], brique_vdso_end[];
static inline uint64_t brique_vdso_byte_count(void) { return (uint64_t)(brique_vdso_end - brique_vdso_start); }
static inline uint8_t brique_vdso_byte(uint64_t index) { return brique_vdso_start[index]; }
#endif
