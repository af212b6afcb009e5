// mmap(2) and munmap(2): anonymous memory in all forms, places, and what is refused.
#include "check.h"
CHECK_STATE

#define PAGE 4096L
#define ANONYMOUS (MAP_PRIVATE | MAP_ANONYMOUS)
#define BOTH (PROT_READ | PROT_WRITE)

static char *map(void *place, long count, int access, int flags) { return mmap(place, (size_t)count, access, flags, -1, 0); }
static long mapped(const void *address) { return address == MAP_FAILED ? -1 : 0; }

static bool is_zero(const char *bytes, long count) {
    for (long index = 0; index < count; index++)
        if (bytes[index]) return false;
    return true;
}

static void anonymous(void) {
    char *one = map(NULL, PAGE, BOTH, ANONYMOUS);
    outcome("one anonymous page", mapped(one));
    holds("it is aligned", ((uintptr_t)one & 4095) == 0);
    holds("it is zero", is_zero(one, PAGE));
    poke("it is written", one);
    char *odd = map(NULL, 5000, BOTH, ANONYMOUS);
    holds("5000 bytes are two pages of zeros", is_zero(odd, 2 * PAGE));
    returned("part of a page unmaps the page", munmap(odd + PAGE, 1));
    peek("the second page is gone", odd + PAGE);
    peek("the first stays", odd);
    returned("unmapping it", munmap(odd, PAGE));
    returned("unmapping it again is no error", munmap(odd, PAGE));
    char *large = map(NULL, 256L << 20, BOTH, ANONYMOUS | MAP_NORESERVE);
    outcome("256 MiB unreserved", mapped(large));
    poke("its first byte", large);
    poke("its last byte", large + (256L << 20) - 1);
    returned("unmapping a hole in its middle", munmap(large + (100L << 20), 1L << 20));
    peek("before the hole", large + (100L << 20) - 1);
    peek("in the hole", large + (100L << 20));
    peek("the hole's end", large + (101L << 20) - 1);
    peek("after the hole", large + (101L << 20));
    returned("unmapping all at once, hole included", munmap(large, 256L << 20));
    munmap(one, PAGE);
    char *populated = map(NULL, 64 * PAGE, BOTH, ANONYMOUS | MAP_POPULATE);
    unsigned char present[64];
    returned("populated pages", mapped(populated));
    mincore(populated, 64 * PAGE, present);
    int count = 0;
    for (int index = 0; index < 64; index++) count += present[index] & 1;
    number("populated pages in core", count);
    munmap(populated, 64 * PAGE);
}

static void places(void) {
    char *area = map(NULL, 16 * PAGE, PROT_NONE, ANONYMOUS | MAP_NORESERVE);
    peek("reserved memory cannot be read", area);
    char *fixed = map(area + 4 * PAGE, 2 * PAGE, BOTH, ANONYMOUS | MAP_FIXED);
    holds("MAP_FIXED is where it was asked", fixed == area + 4 * PAGE);
    poke("it is written", fixed);
    fixed[0] = 77;
    map(fixed, PAGE, BOTH, ANONYMOUS | MAP_FIXED);
    number("MAP_FIXED over it gives zeros", fixed[0]);
    char *refused = map(fixed, PAGE, BOTH, ANONYMOUS | MAP_FIXED_NOREPLACE);
    outcome("MAP_FIXED_NOREPLACE over it", mapped(refused));
    refused = map(area - 0, 32 * PAGE, BOTH, ANONYMOUS | MAP_FIXED_NOREPLACE);
    outcome("MAP_FIXED_NOREPLACE that overlaps a part", mapped(refused));
    munmap(area + 8 * PAGE, PAGE);
    char *free_place = map(area + 8 * PAGE, PAGE, BOTH, ANONYMOUS | MAP_FIXED_NOREPLACE);
    holds("MAP_FIXED_NOREPLACE where nothing is", free_place == area + 8 * PAGE);
    char *hint = map(area + 4 * PAGE, PAGE, BOTH, ANONYMOUS);
    holds("a hint that is taken moves", hint != MAP_FAILED && hint != area + 4 * PAGE);
    munmap(area + 12 * PAGE, 2 * PAGE);
    char *taken = map(area + 12 * PAGE, PAGE, BOTH, ANONYMOUS);
    holds("a hint that is free is taken", taken == area + 12 * PAGE);
    munmap(area, 16 * PAGE);
    munmap(hint, PAGE);
    char *low = map(NULL, PAGE, BOTH, ANONYMOUS | MAP_32BIT);
    holds("MAP_32BIT is below 2 GiB", mapped(low) == 0 && (uintptr_t)low < (1UL << 31));
    munmap(low, PAGE);
    char *stack = map(NULL, 16 * PAGE, BOTH, ANONYMOUS | MAP_STACK | MAP_NORESERVE);
    outcome("MAP_STACK", mapped(stack));
    munmap(stack, 16 * PAGE);
}

static void grows_down(void) {
    char *area = map(NULL, 1024 * PAGE, PROT_NONE, ANONYMOUS | MAP_NORESERVE);
    munmap(area, 1024 * PAGE);
    char *top = map(area + 1020 * PAGE, PAGE, BOTH, ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN);
    holds("MAP_GROWSDOWN is where it was asked", top == area + 1020 * PAGE);
    poke("the page below it grows", top - 1);
    poke("and the next", top - PAGE - 1);
    munmap(top - 2 * PAGE, 3 * PAGE);
}

static void refusals(void) {
    outcome("no bytes", mapped(map(NULL, 0, BOTH, ANONYMOUS)));
    outcome("neither shared nor private", mapped(map(NULL, PAGE, BOTH, MAP_ANONYMOUS)));
    outcome("MAP_FIXED at an odd address", mapped(map((void *)0x100001, PAGE, BOTH, ANONYMOUS | MAP_FIXED)));
    outcome("more than the address space", mapped(map(NULL, 1L << 62, BOTH, ANONYMOUS)));
    outcome("a count that wraps", mapped(map(NULL, -1, BOTH, ANONYMOUS)));
    outcome("MAP_FIXED beyond the address space", mapped(map((void *)0x7fffffffff000, PAGE, BOTH, ANONYMOUS | MAP_FIXED)));
    outcome("MAP_FIXED in the upper half", mapped(map((void *)-8192L, PAGE, BOTH, ANONYMOUS | MAP_FIXED)));
    outcome("a closed descriptor", mapped(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 999, 0)));
    outcome("descriptor -1", mapped(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0)));
    outcome("an odd offset", syscall(SYS_mmap, NULL, PAGE, PROT_READ, ANONYMOUS, -1, 100));
    int pipes[2];
    must("pipe", pipe(pipes));
    outcome("a pipe", mapped(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, pipes[0], 0)));
    int folder = open("/", O_RDONLY | O_DIRECTORY);
    outcome("a folder", mapped(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, folder, 0)));
    returned("munmap of no bytes", munmap((void *)0x100000, 0));
    returned("munmap at an odd address", munmap((void *)0x100001, PAGE));
    returned("munmap that wraps", syscall(SYS_munmap, 0x100000L, -1L));
    returned("munmap in the upper half", syscall(SYS_munmap, -8192L, PAGE));
    returned("munmap of what was never mapped", munmap((void *)0x100000, PAGE));
}

static void shared(void) {
    char *area = map(NULL, 4 * PAGE, BOTH, MAP_SHARED | MAP_ANONYMOUS);
    outcome("shared anonymous memory", mapped(area));
    holds("it is zero", is_zero(area, 4 * PAGE));
    area[PAGE] = 42;
    returned("msync of it", msync(area, 4 * PAGE, MS_SYNC));
    char *second = mremap(area, 0, 4 * PAGE, MREMAP_MAYMOVE);
    outcome("a second view by mremap of nothing", mapped(second));
    if (second == MAP_FAILED) return;
    number("the second view sees the first's byte", second[PAGE]);
    second[2 * PAGE] = 43;
    number("the first sees the second's", area[2 * PAGE]);
    returned("the first goes", munmap(area, 4 * PAGE));
    number("the second stays", second[2 * PAGE]);
    munmap(second, 4 * PAGE);
    outcome("MAP_SHARED_VALIDATE without a file", mapped(map(NULL, PAGE, BOTH, MAP_SHARED_VALIDATE | MAP_ANONYMOUS)));
}

int main(void) {
    topic = "mmap";
    catch_faults();
    anonymous();
    places();
    grows_down();
    refusals();
    shared();
    return 0;
}
