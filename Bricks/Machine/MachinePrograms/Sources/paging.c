// The pages of programs: four levels of tables (AMD64 APM vol. 2 §5.3) for all that is below BRIQUE_VIRTUAL_BASE, kept at CPL 3 in
// pages that the library OS gave. Ring 0 only sets root entries, and flushes.
#if !__STDC_HOSTED__
#include "MachinePrograms.h"
#include "MachineX86_64.h"
#include "programs.h"

enum { ENTRIES = 512, ALL_PAGES = 2, RANGES = 1 + BRIQUE_LAYER_COUNT };
#define ENTRY_OPEN (ENTRY_PRESENT | ENTRY_USER | ENTRY_USED)
// What a changed entry must not lose for the processor's copies of the old one to do no harm.
#define ENTRY_ACCESS (ENTRY_PRESENT | ENTRY_WRITE)

// Physical memory that may be mapped, [start, end).
static struct range { uint64_t start, end; } ranges[RANGES];
// The pointer tables of the root's slots.
static uint64_t *pointer_tables[ROOT_SLOTS];
// Free table pages, each linked to the next by its first word.
static uint64_t *free_tables;
static uint8_t is_table_wanted;

// What the change at hand removed: flushed at its end.
static uint64_t flush_start, flush_count;
static uint64_t *released_tables;

void brique_programs_prepare(const struct brique_boot_information *information) {
    ranges[0] = (struct range){BRIQUE_MEMORY_BASE, BRIQUE_MEMORY_BASE + information->memory_bytes};
    for (int i = 0; i < BRIQUE_LAYER_COUNT; i++) {
        if (information->layer_start[i] == 0) continue;
        uint64_t end = (information->layer_end[i] + BRIQUE_PAGE_SIZE - 1) & ~(BRIQUE_PAGE_SIZE - 1ull);
        ranges[1 + i] = (struct range){information->layer_start[i] - BRIQUE_VIRTUAL_BASE, end - BRIQUE_VIRTUAL_BASE};
    }
}

int64_t brique_programs_donate(uint64_t address) {
    if (!is_table_wanted) return TRY_AGAIN;
    if (address % BRIQUE_PAGE_SIZE) return INVALID;
    is_table_wanted = 0;
    *(uint64_t **)address = free_tables;
    free_tables = (uint64_t *)address;
    return 0;
}

static int is_memory(uint64_t start, uint64_t count) {
    for (int i = 0; i < RANGES; i++)
        if (start >= ranges[i].start && start < ranges[i].end && count <= ranges[i].end - start) return 1;
    return 0;
}

static uint64_t *table_of(uint64_t entry) { return (uint64_t *)(BRIQUE_VIRTUAL_BASE + (entry & ENTRY_ADDRESS)); }
static uint64_t entry_for(const uint64_t *table) { return ((uint64_t)table - BRIQUE_VIRTUAL_BASE) | ENTRY_TABLE; }

static uint64_t *take_table(void) {
    uint64_t *page = free_tables;
    if (page == 0) {
        is_table_wanted = 1;
        return 0;
    }
    free_tables = *(uint64_t **)page;
    for (int i = 0; i < ENTRIES; i++) page[i] = 0;
    return page;
}

static void note_removal(uint64_t address, uint64_t pages) {
    // One page, or everything: where ring 0 is interpreted, an instruction there costs as much as filling the TLB again.
    flush_count = flush_count == 0 && pages == 1 ? 1 : ALL_PAGES;
    flush_start = address;
}

static void set_entry(uint64_t *entry, uint64_t value, uint64_t address, uint64_t pages) {
    uint64_t old = *entry;
    if (old == value) return;
    *entry = value;
    if (!(old & ENTRY_PRESENT)) return;
    int is_less = (old & ~value & ENTRY_ACCESS) || (value & ~old & ENTRY_NO_EXECUTE);
    if (is_less || (old ^ value) & (ENTRY_ADDRESS | ENTRY_LARGE)) note_removal(address, pages);
}

static void flush(void) {
    if (flush_count) brique_core_call(CORE_FLUSH, flush_start, flush_count == 1, 0);
    flush_count = 0;
    // Only now can the processor no longer be in them.
    while (released_tables) {
        uint64_t *page = released_tables;
        released_tables = *(uint64_t **)page;
        *(uint64_t **)page = free_tables;
        free_tables = page;
    }
}

// The pointer table of a root slot.
static uint64_t *pointer_table(uint64_t slot, int create) {
    if (pointer_tables[slot] == 0 && create) {
        uint64_t *page = take_table();
        if (page == 0) return 0;
        pointer_tables[slot] = page;
        brique_core_call(CORE_SET_ROOT_ENTRY, slot, (uint64_t)page - BRIQUE_VIRTUAL_BASE, 0);
    }
    return pointer_tables[slot];
}

// The directory entry of an address. 0: no table, and *reach is where the next one may be.
static uint64_t *directory_entry(uint64_t address, int create, uint64_t *reach) {
    *reach = ((address >> 39) + 1) << 39;
    uint64_t *pointers = pointer_table(address >> 39, create);
    if (pointers == 0) return 0;
    *reach = ((address >> 30) + 1) << 30;
    uint64_t *pointer = &pointers[address >> 30 & 511];
    if (*pointer == 0) {
        uint64_t *page = create ? take_table() : 0;
        if (page == 0) return 0;
        *pointer = entry_for(page);
    }
    *reach = (address | (LARGE_PAGE - 1)) + 1;
    return &table_of(*pointer)[address >> 21 & 511];
}

// The table of small pages under a directory entry, made if there is none: what a large page mapped stays mapped.
static uint64_t *leaf_table(uint64_t *entry) {
    if (*entry && !(*entry & ENTRY_LARGE)) return table_of(*entry);
    uint64_t *page = take_table();
    if (page == 0) return 0;
    if (*entry) {
        uint64_t value = *entry & ~ENTRY_LARGE;
        for (int i = 0; i < ENTRIES; i++, value += BRIQUE_PAGE_SIZE) page[i] = value;
        flush_count = ALL_PAGES;
    }
    *entry = entry_for(page);
    return page;
}

static void release_table(uint64_t *page) {
    *(uint64_t **)page = released_tables;
    released_tables = page;
    // Whatever of its pages is still in the processor.
    flush_count = ALL_PAGES;
}

static void unmap(uint64_t start, uint64_t end) {
    for (uint64_t at = start, reach; at < end; at = reach) {
        uint64_t *entry = directory_entry(at, 0, &reach);
        if (entry == 0 || *entry == 0) continue;
        int is_whole = at % LARGE_PAGE == 0 && end >= reach;
        if (*entry & ENTRY_LARGE) {
            // The caller made tables for what is only partly meant.
            set_entry(entry, 0, at, ALL_PAGES);
        } else if (is_whole) {
            release_table(table_of(*entry));
            *entry = 0;
        } else {
            uint64_t *leaves = table_of(*entry);
            for (uint64_t page = at; page < end && page < reach; page += BRIQUE_PAGE_SIZE)
                set_entry(&leaves[page >> 12 & 511], 0, page, 1);
        }
    }
}

static int is_large(uint64_t at, uint64_t end, uint64_t physical) {
    return (at | physical) % LARGE_PAGE == 0 && end - at >= LARGE_PAGE;
}

// Makes every table that the change needs, before it begins: so whoever has to give one asks again cheaply.
static int64_t make_tables(uint64_t start, uint64_t end, uint64_t physical, int is_mapping) {
    for (uint64_t at = start, reach; at < end; at = reach) {
        uint64_t *entry = directory_entry(at, is_mapping, &reach);
        if (entry == 0) {
            if (is_mapping) return NO_MEMORY;
            continue;
        }
        int is_whole = at % LARGE_PAGE == 0 && end >= reach;
        int needs_leaves = is_mapping ? !is_large(at, end, physical + (at - start)) : *entry & ENTRY_LARGE && !is_whole;
        if (needs_leaves && leaf_table(entry) == 0) return NO_MEMORY;
    }
    return 0;
}

static void map(uint64_t start, uint64_t end, uint64_t physical, uint64_t bits) {
    for (uint64_t at = start, reach; at < end; at = reach) {
        uint64_t *entry = directory_entry(at, 1, &reach), frame = physical + (at - start);
        if (is_large(at, end, frame)) {
            if (*entry && !(*entry & ENTRY_LARGE)) {
                release_table(table_of(*entry));
                *entry = 0;
            }
            set_entry(entry, frame | bits | ENTRY_LARGE, at, ALL_PAGES);
            continue;
        }
        uint64_t *leaves = leaf_table(entry);
        for (; at < end && at < reach; at += BRIQUE_PAGE_SIZE, frame += BRIQUE_PAGE_SIZE)
            set_entry(&leaves[at >> 12 & 511], frame | bits, at, 1);
    }
}

int64_t brique_programs_map(uint64_t start, uint64_t count, uint64_t physical_and_access) {
    uint64_t access = physical_and_access % BRIQUE_PAGE_SIZE, physical = physical_and_access - access;
    if ((start | count) % BRIQUE_PAGE_SIZE || access > (BRIQUE_MAP_READ | BRIQUE_MAP_WRITE | BRIQUE_MAP_EXECUTE)) return INVALID;
    if (count > BRIQUE_VIRTUAL_BASE || start > BRIQUE_VIRTUAL_BASE - count) return BAD_ADDRESS;
    if (access && !is_memory(physical, count)) return BAD_ADDRESS;
    uint64_t bits = ENTRY_OPEN | (access & BRIQUE_MAP_WRITE ? ENTRY_WRITE : 0) | (access & BRIQUE_MAP_EXECUTE ? 0 : ENTRY_NO_EXECUTE);
    int64_t result = make_tables(start, start + count, physical, access != 0);
    if (result == 0) {
        if (access) map(start, start + count, physical, bits);
        else unmap(start, start + count);
    }
    flush();
    return result;
}
#endif
