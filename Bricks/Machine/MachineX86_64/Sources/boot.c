// The loader inside the image, for PCs: from hvm_start_info to the machine that the boot contract promises.
// Ring 0, little code: the command line and the devices are read later, at CPL 3.
#if !__STDC_HOSTED__
#include "MachineX86_64.h"
#include "MachineCore.h"

// Xen's start_info.h, version 1 and up.
struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};
struct memory_range {
    uint64_t start, byte_count;
    uint32_t type, reserved;
};
enum { START_MAGIC = 0x336ec578, RANGE_LIMIT = 128, RANGE_RAM = 1 };

struct segment {  // Elf64_Phdr
    uint32_t type, flags;
    uint64_t offset, virtual, physical, file_byte_count, byte_count, alignment;
};
enum { SEGMENT_LOAD = 1, SEGMENT_EXECUTE = 1, SEGMENT_WRITE = 2 };

struct gate {
    uint16_t offset_low, selector, attributes, offset_middle;
    uint32_t offset_high, reserved;
};
// Selector, then attributes: the words of a gate between the halves of its address.
enum {
    GATE_USER_TRAP = 0xef000000 | BRIQUE_SELECTOR_USER_CODE,
    GATE_CORE_CALL = 0xee000000 | BRIQUE_SELECTOR_CORE_CODE,
    GATE_CORE = 0x8e000000 | BRIQUE_SELECTOR_CORE_CODE
};

// Guest memory ends here at the latest: devices, the local APIC among them, are above.
#define MEMORY_LIMIT 0xc0000000u
#define IO_APIC 0xfec00000u
#define LOCAL_APIC 0xfee00000u

// All physical addresses here are below 4 GiB.
struct boot {
    uint32_t end, bottom;     // what was taken from the end of memory: [bottom, end), physical
    uint64_t *directory;      // four page directories in a row: one entry per 2 MiB below 4 GiB
#ifdef BRIQUE_LAYERS
    uint32_t root_end;        // whole pages: the root follows the image, [__image_end, root_end)
    uint32_t module_end;      // the layer over it follows all memory, [end, module_end); 0: there is none
    uint64_t layer_start[BRIQUE_LAYER_COUNT], layer_end[BRIQUE_LAYER_COUNT];
#endif
};
CORE_CODE static uint32_t free_start(const struct boot *boot);

// BRIQUE_VIRTUAL_BASE is a multiple of 4 GiB.
CORE_CODE static uint32_t physical(const void *at) { return (uint32_t)(uint64_t)at; }
_Static_assert((uint32_t)BRIQUE_VIRTUAL_BASE == 0, "physical() depends on it");

// Physical memory as a pointer, through the temporary tables: see pvh.S.
CORE_CODE __attribute__((noinline)) static void *window(uint32_t address) {
    uint64_t *directories = (uint64_t *)(brique_machine_area + BRIQUE_AREA_STACK + 0x2000);
    directories[address / LARGE_PAGE] = (address & -LARGE_PAGE) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE;
    return (void *)(BRIQUE_VIRTUAL_BASE + address);
}

// The next page from the end of memory, zeroed.
CORE_CODE static uint64_t *take(struct boot *boot) {
    boot->bottom -= BRIQUE_PAGE_SIZE;
    if (boot->bottom < free_start(boot)) brique_core_fail("error 78 memory is too small\n");
    void *page = window(boot->bottom), *to = page;
    uint64_t count = BRIQUE_PAGE_SIZE / 8;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0ull) : "memory");
    return page;
}

// The end of the RAM that holds the image.
CORE_CODE static uint32_t memory_end(const struct start_info *info) {
    if (info->magic != START_MAGIC || info->version == 0) brique_core_fail("error 65 not started by PVH\n");
    if (info->memory_map_count <= RANGE_LIMIT && info->memory_map < (1ull << 32) - RANGE_LIMIT * sizeof(struct memory_range)) {
        const struct memory_range *range = window((uint32_t)info->memory_map);
        window((uint32_t)(info->memory_map + info->memory_map_count * sizeof *range));
        for (uint32_t i = 0; i < info->memory_map_count; i++, range++) {
            uint64_t end = range->start + range->byte_count;
            if (range->type != RANGE_RAM || end < range->start || range->start > physical(__image_start)) continue;
            if (end > MEMORY_LIMIT) end = MEMORY_LIMIT;
            if (end >= physical(__image_end)) return (uint32_t)end & -BRIQUE_PAGE_SIZE;
        }
    }
    brique_core_fail("error 78 no memory holds the image\n");
}

CORE_CODE __attribute__((noinline)) static void set_pages(struct boot *boot, uint32_t from, uint32_t to, uint64_t flags) {
    for (; from < to; from += BRIQUE_PAGE_SIZE) {
        uint64_t table = BRIQUE_VIRTUAL_BASE + (boot->directory[from / LARGE_PAGE] & ENTRY_ADDRESS);
        ((uint64_t *)table)[from / BRIQUE_PAGE_SIZE % 512] = flags ? from | flags : 0;
    }
}

#include "layers.h"

CORE_CODE static void set_image(struct boot *boot) {
    uint32_t area = physical(brique_machine_area);
    const struct segment *segment = (const void *)(__image_start + *(uint64_t *)(__image_start + 32));
    for (unsigned i = *(uint16_t *)(__image_start + 56); i; i--, segment++) {
        if (segment->type != SEGMENT_LOAD || segment->flags & SEGMENT_WRITE || is_root(segment)) continue;
        uint64_t flags = segment->flags & SEGMENT_EXECUTE ? ENTRY_READ & ~ENTRY_NO_EXECUTE : ENTRY_READ;
        uint32_t start = (uint32_t)segment->physical;
        set_pages(boot, start & -BRIQUE_PAGE_SIZE, start + (uint32_t)segment->byte_count, flags);
    }
    set_pages(boot, area + BRIQUE_AREA_STACK_GUARD, area + BRIQUE_AREA_STACK, 0);
    set_pages(boot, area + BRIQUE_AREA_EXCEPTION_GUARD, area + BRIQUE_AREA_EXCEPTION_STACK, 0);
    set_pages(boot, area + BRIQUE_AREA_CORE_GUARD, area + BRIQUE_AREA_CORE_STACK, 0);
    set_pages(boot, area + BRIQUE_AREA_CORE_STACK, area + BRIQUE_AREA_BYTES, ENTRY_CORE);
}

// Takes and fills the tables; returns the page for the boot information.
CORE_CODE static void *make_tables(struct boot *boot, uint64_t *root) {
    uint64_t *pointers = take(boot);
    void *information = take(boot);
    uint32_t information_page = boot->bottom;
    root[BRIQUE_VIRTUAL_BASE >> 39] = physical(pointers) | ENTRY_TABLE;
    for (int i = 3; i >= 0; i--) pointers[i] = physical(boot->directory = take(boot)) | ENTRY_TABLE;
    boot->directory[LOCAL_APIC / LARGE_PAGE] = LOCAL_APIC | ENTRY_DEVICE | ENTRY_LARGE;
    boot->directory[IO_APIC / LARGE_PAGE] = IO_APIC | ENTRY_DEVICE | ENTRY_LARGE;
    // From above: a table taken for one region may reach into the next one, which is then split as well.
    for (uint32_t large = (layers_end(boot) - 1) & -LARGE_PAGE;; large -= LARGE_PAGE) {
        uint64_t *entry = &boot->directory[large / LARGE_PAGE];
        if (large < physical(__image_end) || boot->bottom < large + LARGE_PAGE || splits_root(boot, large)) {
            *entry = physical(take(boot)) | ENTRY_TABLE;
            set_pages(boot, large, large + LARGE_PAGE < boot->end ? large + LARGE_PAGE : boot->end, ENTRY_READ_WRITE);
        } else {
            *entry = large | ENTRY_READ_WRITE | ENTRY_LARGE;
        }
        if (large == 0) break;
    }
    set_pages(boot, 0, BRIQUE_MEMORY_BASE, ENTRY_READ | ENTRY_FOREIGN);
    set_image(boot);
    set_layers(boot);
    set_pages(boot, boot->bottom, boot->end, ENTRY_CORE);
    set_pages(boot, information_page, information_page + BRIQUE_PAGE_SIZE, ENTRY_READ_WRITE);
    return information;
}

CORE_CODE __attribute__((noinline)) static void set_gate(struct gate *gate, const void *entry, uint32_t kind) {
    uint64_t address = (uint64_t)entry;
    *gate = (struct gate){(uint16_t)address,         (uint16_t)kind,           (uint16_t)(kind >> 16),
                          (uint16_t)(address >> 16), (uint32_t)(address >> 32), 0};
}

CORE_CODE static void make_descriptors(void) {
    char *area = brique_machine_area;
    uint64_t *gdt = (uint64_t *)(area + BRIQUE_AREA_DESCRIPTORS), tss = (uint64_t)area + BRIQUE_AREA_TSS;
    for (int i = 0; i < 8; i++) gdt[i] = brique_core_gdt[i];
    gdt[8] = CORE_TSS_LIMIT | (tss & 0xffffff) << 16 | 0x89ull << 40 | (tss >> 24 & 0xff) << 56;
    gdt[9] = tss >> 32;
    uint32_t *words = (uint32_t *)tss;
    *(uint64_t *)&words[1] = (uint64_t)area + CORE_STACK_INTERRUPT;
    *(uint64_t *)&words[9] = (uint64_t)area + BRIQUE_AREA_EXCEPTION_STACK_TOP;
    *(uint64_t *)&words[11] = (uint64_t)area + BRIQUE_AREA_CORE_STACK_TOP;
    *(uint64_t *)&words[13] = (uint64_t)area + CORE_STACK_NMI;
    words[25] = CORE_TSS_BYTES << 16;
    ((char *)tss)[CORE_TSS_LIMIT] = -1;
    struct gate *idt = (struct gate *)((char *)gdt + BRIQUE_IDT_OFFSET);
    for (int i = 0; i < CORE_EXCEPTION_COUNT; i++)
        set_gate(&idt[i], brique_exception_entries + i * BRIQUE_EXCEPTION_STRIDE, GATE_USER_TRAP | BRIQUE_IST_EXCEPTION << 16);
    for (int i = CORE_EXCEPTION_COUNT; i < CORE_VECTOR_COUNT; i++)
        set_gate(&idt[i], brique_core_interrupt, GATE_CORE);
    set_gate(&idt[BRIQUE_CORE_VECTOR], brique_core_entry, GATE_CORE_CALL | BRIQUE_IST_CORE << 16);
    set_gate(&idt[CORE_VECTOR_NMI], brique_core_nmi, GATE_CORE | CORE_IST_NMI << 16);
    set_gate(&idt[CORE_VECTOR_DOUBLE_FAULT], brique_core_double_fault, GATE_CORE | CORE_IST_NMI << 16);
}

// Returns the boot information. Its strings are the raw command line (0: none), which PlatformPC decodes.
CORE_CODE struct brique_boot_information *brique_pc_boot(uint32_t start);
CORE_CODE struct brique_boot_information *brique_pc_boot(uint32_t start) {
    const struct start_info *info = window(start);
    window(start + sizeof *info);
    struct boot boot;
    boot.end = boot.bottom = memory_end(info);
    find_layers(&boot, info);
    uint64_t command_line = info->command_line;
    uint64_t *root = take(&boot);
    struct brique_boot_information *information = make_tables(&boot, root);
    make_descriptors();
    information->magic = BRIQUE_BOOT_MAGIC;
    information->abi_version = BRIQUE_ABI_VERSION;
    information->platform = BRIQUE_PLATFORM_PC;
    information->memory_start = (uint64_t)__image_end;
    information->memory_end = BRIQUE_VIRTUAL_BASE + boot.bottom;
    information->memory_bytes = boot.end - BRIQUE_MEMORY_BASE;
    tell_layers(&boot, information);
    if (command_line >= boot.bottom) brique_core_fail("error 65 the command line is out of reach\n");
    information->strings = command_line ? BRIQUE_VIRTUAL_BASE + command_line : 0;
    __asm__ volatile("movq %0, %%cr3" ::"r"((uint64_t)physical(root)) : "memory");
    return information;
}
#endif
