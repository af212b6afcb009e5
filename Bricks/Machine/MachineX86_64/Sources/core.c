// The ring-0 core: the few operations that CPL 3 cannot do. It finds its tables from CR3 and the direct map, so it
// serves the tables of any loader that keeps the boot contract.
#if !__STDC_HOSTED__
#include "MachineX86_64.h"
#include "MachineCore.h"

enum { NO_MEMORY = -12, BAD_ADDRESS = -14, INVALID = -22, INTERRUPTED = -4, NO_CALL = -38 };

CORE_CODE static uint64_t *table(uint64_t entry) { return (uint64_t *)(BRIQUE_VIRTUAL_BASE + (entry & ENTRY_ADDRESS)); }

CORE_CODE static void flush(uint64_t virtual) { __asm__ volatile("invlpg (%0)" ::"r"(virtual) : "memory"); }

CORE_CODE static uint64_t *donated(void) { return (uint64_t *)(brique_machine_area + CORE_STATE + 8); }

// A table of the donated ones, filled with whatever it held; 0: there is none.
CORE_CODE static uint64_t *take_table(void) {
    uint64_t *list = donated();
    if (*list == 0) return 0;
    uint64_t *page = table(*list);
    *list = page[0];
    return page;
}

// The page directory's entry for a virtual address of the direct map, or 0. The pointer table is always there.
CORE_CODE static uint64_t *directory_entry(uint64_t virtual, int create) {
    uint64_t root, physical = virtual - BRIQUE_VIRTUAL_BASE;
    if (physical >> 39) return 0;
    __asm__ volatile("movq %%cr3, %0" : "=r"(root));
    uint64_t *pointers = table(table(root)[BRIQUE_VIRTUAL_BASE >> 39 & 511]);
    uint64_t *pointer = &pointers[physical >> 30];
    if (*pointer == 0 && create) {
        uint64_t *page = take_table();
        if (page == 0) return 0;
        for (int i = 0; i < 512; i++) page[i] = 0;
        *pointer = ((uint64_t)page - BRIQUE_VIRTUAL_BASE) | ENTRY_TABLE;
    }
    if (!(*pointer & ENTRY_PRESENT) || *pointer & ENTRY_LARGE) return 0;
    return &table(*pointer)[physical >> 21 & 511];
}

// Guest memory that belongs to the library OS: not unmapped by the loader, not the core's, not code, not a device.
CORE_CODE static int is_memory(uint64_t entry) {
    return (entry & (ENTRY_USER | ENTRY_NO_EXECUTE | ENTRY_FOREIGN)) == (ENTRY_USER | ENTRY_NO_EXECUTE);
}

CORE_CODE static void split(uint64_t *directory, uint64_t *page) {
    uint64_t entry = *directory & ~ENTRY_LARGE;
    for (int i = 0; i < 512; i++, entry += BRIQUE_PAGE_SIZE) page[i] = entry;
    *directory = ((uint64_t)page - BRIQUE_VIRTUAL_BASE) | ENTRY_TABLE;
    flush((uint64_t)page);
}

// The entry that maps `virtual`; *step is the bytes from there to the next entry. 0: nothing is mapped there.
CORE_CODE static uint64_t *entry_of(uint64_t virtual, uint64_t *step) {
    uint64_t *directory = directory_entry(virtual, 0);
    if (directory == 0) return 0;
    // An unmapped large page is not present, but still large.
    uint64_t size = *directory == 0 || *directory & ENTRY_LARGE ? LARGE_PAGE : BRIQUE_PAGE_SIZE;
    *step = size - (virtual & (size - 1));
    return size == LARGE_PAGE ? directory : &table(*directory)[virtual >> 12 & 511];
}

CORE_CODE static int64_t protect(uint64_t start, uint64_t count, uint64_t access) {
    uint64_t end = start + count, step;
    if ((start | count) % BRIQUE_PAGE_SIZE || access > BRIQUE_ACCESS_READ_WRITE) return INVALID;
    if (start < BRIQUE_VIRTUAL_BASE || end < start) return BAD_ADDRESS;
    // All pages are checked, and large ones that are only partly meant are split, before the first one changes.
    for (uint64_t at = start; at < end; at += step) {
        uint64_t *entry = entry_of(at, &step);
        if (entry == 0 || !is_memory(*entry)) return BAD_ADDRESS;
        if (*entry & ENTRY_LARGE && (at % LARGE_PAGE || end - at < LARGE_PAGE)) {
            uint64_t *page = take_table();
            if (page == 0) return NO_MEMORY;
            split(entry, page);
            step = BRIQUE_PAGE_SIZE;
        }
    }
    for (uint64_t at = start; at < end; at += step) {
        uint64_t *entry = entry_of(at, &step);
        uint64_t value = (*entry | ENTRY_READ_WRITE) & ~(ENTRY_PRESENT | ENTRY_WRITE);
        if (access != BRIQUE_ACCESS_NONE) value |= ENTRY_PRESENT;
        if (access == BRIQUE_ACCESS_READ_WRITE) value |= ENTRY_WRITE;
        *entry = value;
        flush(at);
    }
    return 0;
}

// A page inside a large one becomes that region's own table at once; another one waits for its use.
CORE_CODE static int64_t donate_table(uint64_t address) {
    uint64_t step, *entry;
    if (address % BRIQUE_PAGE_SIZE) return INVALID;
    if (address < BRIQUE_VIRTUAL_BASE || !(entry = entry_of(address, &step))) return BAD_ADDRESS;
    if (!is_memory(*entry) || (~*entry & (ENTRY_PRESENT | ENTRY_WRITE))) return BAD_ADDRESS;
    uint64_t *page = (uint64_t *)address;
    if (*entry & ENTRY_LARGE) {
        split(entry, page);
        entry = &page[address >> 12 & 511];
    } else {
        uint64_t *list = donated();
        page[0] = *list;
        *list = address - BRIQUE_VIRTUAL_BASE;
    }
    *entry &= ~ENTRY_USER;
    flush(address);
    return 0;
}

// Devices are mapped by large pages, where nothing else is.
CORE_CODE static int64_t map_device(uint64_t physical, uint64_t count) {
    uint64_t end = physical + count;
    if (count == 0 || end < physical || end >> 39) return INVALID;
    for (uint64_t at = physical & ~(uint64_t)(LARGE_PAGE - 1); at < end; at += LARGE_PAGE) {
        uint64_t *entry = directory_entry(BRIQUE_VIRTUAL_BASE + at, 1);
        if (entry == 0) return NO_MEMORY;
        if (*entry == 0) *entry = at | ENTRY_DEVICE | ENTRY_LARGE;
        if (!(*entry & ENTRY_LARGE) || !(*entry & ENTRY_FOREIGN)) return BAD_ADDRESS;
    }
    return 0;
}

// Only KVM's clock (the kernel's Documentation/virt/kvm/x86/msr.rst: MSR_KVM_WALL_CLOCK_NEW, MSR_KVM_SYSTEM_TIME_NEW).
CORE_CODE static int64_t write_msr(uint64_t index, uint64_t value) {
    if (index != 0x4b564d00 && index != 0x4b564d01) return INVALID;
    __asm__ volatile("wrmsr" ::"c"((uint32_t)index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
    return 0;
}

// 0 in an image without programs. A hidden weak symbol has no address that code could reach from here: an absolute word has.
CORE_CODE static int64_t (*extension(void))(uint64_t, uint64_t, uint64_t, uint64_t) {
    int64_t (*function)(uint64_t, uint64_t, uint64_t, uint64_t);
    __asm__(".weak brique_core_programs\n movabsq $brique_core_programs, %0" : "=r"(function));
    return function;
}

CORE_CODE int64_t brique_core(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
    int64_t address;
    switch (number) {
    case BRIQUE_CORE_PROTECT: return protect(a, b, c);
    case BRIQUE_CORE_DONATE_TABLE: return donate_table(a);
    case BRIQUE_CORE_MAP_DEVICE: return map_device(a, b);
    case BRIQUE_CORE_HALT: return brique_core_halt() >> 8 ? INTERRUPTED : 0;
    case BRIQUE_CORE_WRITE_MSR: return write_msr(a, b);
    case BRIQUE_CORE_FAULT_ADDRESS: __asm__ volatile("movq %%cr2, %0" : "=r"(address)); return address;
    case BRIQUE_CORE_RESET: brique_core_reset();
    }
    return extension() ? extension()(number, a, b, c) : NO_CALL;
}

// The last words of ring 0: `message` on QEMU's debug console, then the end by the first way that works.
CORE_CODE _Noreturn void brique_core_fail(const char *message) {
    while (*message) brique_out8(CORE_PORT_DEBUG_CONSOLE, (uint8_t)*message++);
    brique_out8(CORE_PORT_DEBUG_EXIT, 0);
    brique_core_reset();
}
#endif
