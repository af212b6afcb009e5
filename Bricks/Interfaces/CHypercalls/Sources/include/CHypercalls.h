// The one door between the library OS and its platform. Typed calls are in the Hypercalls brick.
#ifndef BRIQUE_CHYPERCALLS_H
#define BRIQUE_CHYPERCALLS_H
#include <stdint.h>
#include "BootFormat.h"

// Answers one hypercall: a result >= 0, or minus an errno. Never blocks, but for BRIQUE_CALL_WAIT and a
// console whose reader is slow.
typedef int64_t (*brique_gate)(uint64_t number, uint64_t a, uint64_t b, uint64_t c);

// Set once by the platform, before anything else runs.
void brique_gate_set(brique_gate gate);
int64_t brique_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c);
_Noreturn void brique_exit(int32_t status);

// Ends the instance: `message` is UTF-8, at most BRIQUE_CRASH_MESSAGE_BYTES are kept.
_Noreturn void brique_panic(uint32_t kind, const char *message, uint64_t byte_count);
// Fills frames[] from registers by the frame-pointer chain; reads only 8-byte aligned words in [low, high).
void brique_crash_walk(struct brique_crash *crash, uint64_t low, uint64_t high);
// The memory that holds every stack: set at start, used by the walks.
void brique_stacks_set(uint64_t low, uint64_t high);
#endif
