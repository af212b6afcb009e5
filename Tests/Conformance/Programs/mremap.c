// mremap(2): shrink, grow in place, move, to a fixed place, and with the old place kept.
#include "check.h"
CHECK_STATE

#define PAGE 4096L
#define BOTH (PROT_READ | PROT_WRITE)

static char *map(long count) { return mmap(NULL, (size_t)count, BOTH, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static long mapped(const void *address) { return address == MAP_FAILED ? -1 : 0; }

static void number_pages(char *area, int count) {
    for (int index = 0; index < count; index++) area[index * PAGE] = (char)('a' + index);
}

static void sizes(void) {
    char *area = map(8 * PAGE);
    number_pages(area, 8);
    char *smaller = mremap(area, 8 * PAGE, 4 * PAGE, 0);
    holds("shrinking keeps the place", smaller == area);
    peek("what was cut is gone", area + 4 * PAGE);
    char *grown = mremap(area, 4 * PAGE, 8 * PAGE, 0);
    holds("growing into free room keeps the place", grown == area);
    number("what was cut comes back as zeros", area[4 * PAGE]);
    shown("the rest stays", "%c", area[3 * PAGE]);
    char *same = mremap(area, 8 * PAGE, 8 * PAGE, 0);
    holds("no change", same == area);
    char *split = mremap(area, 2 * PAGE, 6 * PAGE, 0);
    outcome("growing a part over its neighbour", mapped(split));
    char *moved = mremap(area, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    holds("MREMAP_MAYMOVE moves it", moved != MAP_FAILED && moved != area);
    shown("its pages came along", "%c %c %d", moved[0], moved[PAGE], moved[5 * PAGE]);
    peek("the old place is gone", area);
    shown("the neighbour stayed", "%c", area[2 * PAGE]);
    munmap(area, 8 * PAGE);
    munmap(moved, 6 * PAGE);
}

static void places(void) {
    char *from = map(2 * PAGE), *to = map(4 * PAGE);
    number_pages(from, 2);
    memset(to, 'z', 4 * PAGE);
    char *moved = mremap(from, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE);
    holds("MREMAP_FIXED is where it was asked", moved == to + PAGE);
    shown("it replaced what was there", "%c %c %c %c", to[0], to[PAGE], to[2 * PAGE], to[3 * PAGE]);
    peek("the old place is gone", from);
    char *bad = mremap(to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1);
    outcome("MREMAP_FIXED at an odd address", mapped(bad));
    bad = mremap(to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE);
    outcome("MREMAP_FIXED that overlaps itself", mapped(bad));
    bad = mremap(to, PAGE, PAGE, MREMAP_FIXED, to + 3 * PAGE);
    outcome("MREMAP_FIXED without MREMAP_MAYMOVE", mapped(bad));
    munmap(to, 4 * PAGE);
}

static void kept(void) {
    char *area = map(2 * PAGE);
    number_pages(area, 2);
    char *moved = mremap(area, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    outcome("MREMAP_DONTUNMAP", mapped(moved));
    if (moved == MAP_FAILED) return;
    shown("the pages are at the new place", "%c %c", moved[0], moved[PAGE]);
    number("the old place is empty, not gone", area[0]);
    poke("it can be written", area + PAGE);
    char *bad = mremap(area, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
    outcome("MREMAP_DONTUNMAP with another size", mapped(bad));
    munmap(area, 2 * PAGE);
    munmap(moved, 2 * PAGE);
}

static void refusals(void) {
    char *area = map(4 * PAGE);
    outcome("an odd address", mapped(mremap(area + 1, PAGE, PAGE, 0)));
    outcome("to no bytes", mapped(mremap(area, PAGE, 0, MREMAP_MAYMOVE)));
    outcome("a private view from no bytes", mapped(mremap(area, 0, PAGE, MREMAP_MAYMOVE)));
    outcome("unknown flags", mapped(mremap(area, PAGE, PAGE, 0x80)));
    munmap(area + PAGE, PAGE);
    outcome("a hole in what is to grow", mapped(mremap(area, 3 * PAGE, 6 * PAGE, MREMAP_MAYMOVE)));
    outcome("what is not mapped", mapped(mremap(area + PAGE, PAGE, PAGE * 2, MREMAP_MAYMOVE)));
    munmap(area, 4 * PAGE);
}

static void access_and_files(void) {
    char *area = map(4 * PAGE);
    number_pages(area, 4);
    mprotect(area, 4 * PAGE, PROT_READ);
    char *moved = mremap(area, 4 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
    outcome("a read-only area that grows", mapped(moved));
    poke("it is still read-only", moved);
    poke("so is what was added", moved + 63 * PAGE);
    munmap(moved, 64 * PAGE);

    int file = make_file("file", "");
    char page[PAGE];
    for (int index = 0; index < 4; index++) {
        memset(page, '1' + index, PAGE);
        must("fill", write(file, page, PAGE));
    }
    char *view = mmap(NULL, PAGE, BOTH, MAP_SHARED, file, PAGE);
    char *larger = mremap(view, PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    shown("a view of a file shows more of it", "%c %c %c", larger[0], larger[PAGE], larger[2 * PAGE]);
    char *twice = mremap(larger, 0, 3 * PAGE, MREMAP_MAYMOVE);
    larger[PAGE] = 'F';
    shown("two views of it by mremap of nothing", "%c", twice == MAP_FAILED ? '-' : twice[PAGE]);
    peek("beyond the file's end", mremap(larger, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) + 3 * PAGE);
    close(file);
    unlink("file");
}

static void large(void) {
    long count = 2048 * PAGE;
    char *area = map(count);
    for (long index = 0; index < 2048; index++) *(long *)(area + index * PAGE) = index;
    for (int round = 0; round < 6; round++) {
        area = mremap(area, (size_t)count, (size_t)count * 2, MREMAP_MAYMOVE);
        if (area == MAP_FAILED) break;
        count *= 2;
    }
    outcome("8 MiB that double six times", mapped(area));
    if (area == MAP_FAILED) return;
    long wrong = 0;
    for (long index = 0; index < 2048; index++) wrong += *(long *)(area + index * PAGE) != index;
    number("pages that are not what they were", wrong);
    number("the last page", area[count - 1]);
    returned("it goes", munmap(area, (size_t)count));
}

int main(void) {
    topic = "mremap";
    catch_faults();
    enter_scratch();
    sizes();
    places();
    kept();
    refusals();
    access_and_files();
    large();
    leave_scratch();
    return 0;
}
