#include "MachineX86_64.h"
#if !__STDC_HOSTED__
// One block, at a low physical address wherever the caller's stack is; there is one processor, and no nesting.
static struct brique_hypercall block;

int64_t brique_port_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
    block = (struct brique_hypercall){number, {a, b, c}, 0};
    brique_out32(BRIQUE_HYPERCALL_PORT, (uint32_t)((uint64_t)&block - BRIQUE_VIRTUAL_BASE));
    return block.result;
}
#endif
