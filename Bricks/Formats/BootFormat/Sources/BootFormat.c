#include "BootFormat.h"
_Static_assert(BRIQUE_AREA_BYTES % BRIQUE_PAGE_SIZE == 0, "the machine area is whole pages");
_Static_assert(sizeof(struct brique_hypercall) == 40, "packed by construction");
