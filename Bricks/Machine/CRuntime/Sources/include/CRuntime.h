// The C functions that Embedded Swift and its concurrency runtime call, on top of the hypercalls. Guest only.
#ifndef BRIQUE_CRUNTIME_H
#define BRIQUE_CRUNTIME_H
#include <stdint.h>
#include "CMemory.h"

#endif
