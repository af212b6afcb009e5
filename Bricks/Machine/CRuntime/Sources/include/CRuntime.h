// The C functions that Embedded Swift and its concurrency runtime call, on top of the hypercalls. Guest only.
#ifndef BRIQUE_CRUNTIME_H
#define BRIQUE_CRUNTIME_H
#include <stdint.h>
#include "CMemory.h"

// Standard output is line-buffered: one console write per line, or per BRIQUE_LINE_BYTES of a longer one.
#define BRIQUE_LINE_BYTES 1024
void brique_output_flush(void);
void brique_output_write(const char *bytes, uint64_t count);
#endif
