// A part of boot.c. Layers on a PC: the image's root, which the hypervisor loaded behind the image, and a module over it. Only for
// images that name the trait Layers; the others are not a byte larger.
#ifdef BRIQUE_LAYERS
// hvm_modlist_entry of Xen's start_info.h.
struct module {
    uint64_t start, byte_count, command_line, reserved;
};

// The root is the segment behind all others.
CORE_CODE static int is_root(const struct segment *segment) {
    return segment->type == SEGMENT_LOAD && segment->physical >= physical(__image_end);
}

// Where memory begins that nothing was loaded to.
CORE_CODE static uint32_t free_start(const struct boot *boot) { return boot->root_end; }

// Where everything ends that is to be mapped.
CORE_CODE static uint32_t layers_end(const struct boot *boot) { return boot->module_end ? boot->module_end : boot->end; }

CORE_CODE static int splits_root(const struct boot *boot, uint32_t large) {
    return large < boot->root_end && boot->root_end < large + LARGE_PAGE;
}

CORE_CODE static void add_layer(struct boot *boot, int index, uint64_t start, uint64_t end) {
    boot->layer_start[index] = BRIQUE_VIRTUAL_BASE + start;
    boot->layer_end[index] = BRIQUE_VIRTUAL_BASE + end;
}

CORE_CODE static void find_root(struct boot *boot) {
    const struct segment *segment = (const void *)(__image_start + *(uint64_t *)(__image_start + 32));
    for (unsigned i = *(uint16_t *)(__image_start + 56); i; i--, segment++) {
        if (!is_root(segment)) continue;
        uint64_t end = segment->physical + segment->byte_count;
        if (end >= boot->end) brique_core_fail("error 78 memory is too small\n");
        add_layer(boot, 0, segment->physical, end);
        boot->root_end = ((uint32_t)end + BRIQUE_PAGE_SIZE - 1) & -BRIQUE_PAGE_SIZE;
    }
}

CORE_CODE static void find_layers(struct boot *boot, const struct start_info *info) {
    for (int i = 0; i < BRIQUE_LAYER_COUNT; i++) boot->layer_start[i] = boot->layer_end[i] = 0;
    boot->root_end = physical(__image_end);
    boot->module_end = 0;
    find_root(boot);
    if (info->module_count == 0) return;
    if (info->modules >= (1ull << 32) - sizeof(struct module)) brique_core_fail("error 65 the layer is out of reach\n");
    const struct module *module = window((uint32_t)info->modules);
    window((uint32_t)info->modules + sizeof *module);
    uint64_t start = module->start, end = start + module->byte_count;
    if (end <= start || start % BRIQUE_PAGE_SIZE || start < boot->root_end || end > boot->end)
        brique_core_fail("error 65 the layer is out of reach\n");
    add_layer(boot, 1, start, end);
    boot->module_end = ((uint32_t)end + BRIQUE_PAGE_SIZE - 1) & -BRIQUE_PAGE_SIZE;
    boot->end = boot->bottom = (uint32_t)start;
}

// To be read only. Large pages stay large: all of one is the layer's.
CORE_CODE static void set_layer(struct boot *boot, uint32_t from, uint32_t to) {
    while (from < to) {
        uint64_t *entry = &boot->directory[from / LARGE_PAGE];
        if (*entry & ENTRY_LARGE) {
            *entry = from | ENTRY_READ | ENTRY_FOREIGN | ENTRY_LARGE;
            from += LARGE_PAGE;
        } else {
            set_pages(boot, from, from + BRIQUE_PAGE_SIZE, ENTRY_READ | ENTRY_FOREIGN);
            from += BRIQUE_PAGE_SIZE;
        }
    }
}

CORE_CODE static void set_layers(struct boot *boot) {
    set_layer(boot, physical(__image_end), boot->root_end);
    set_layer(boot, boot->end, boot->module_end);
}

CORE_CODE static void tell_layers(const struct boot *boot, struct brique_boot_information *information) {
    information->memory_start = BRIQUE_VIRTUAL_BASE + boot->root_end;
    for (int i = 0; i < BRIQUE_LAYER_COUNT; i++) {
        information->layer_start[i] = boot->layer_start[i];
        information->layer_end[i] = boot->layer_end[i];
    }
}
#else
CORE_CODE static int is_root(const struct segment *segment) { return 0; }
CORE_CODE static uint32_t free_start(const struct boot *boot) { return physical(__image_end); }
CORE_CODE static uint32_t layers_end(const struct boot *boot) { return boot->end; }
CORE_CODE static int splits_root(const struct boot *boot, uint32_t large) { return 0; }
CORE_CODE static void find_layers(struct boot *boot, const struct start_info *info) {}
CORE_CODE static void set_layers(struct boot *boot) {}
CORE_CODE static void tell_layers(const struct boot *boot, struct brique_boot_information *information) {}
#endif
