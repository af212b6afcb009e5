// The boot contract: what an image tells a loader, and what a loader tells an image.
// One page, shared by assembly, C and Swift, in the guest and on the host. See docs/boot.md.
#ifndef BRIQUE_BOOT_FORMAT_H
#define BRIQUE_BOOT_FORMAT_H

#define BRIQUE_ABI_VERSION 1

// Address map. Guest memory is direct-mapped: virtual address = BRIQUE_VIRTUAL_BASE + physical address.
// On our monitors guest memory starts at physical BRIQUE_MEMORY_BASE; on a PC that is simply RAM above 1 MiB.
#define BRIQUE_VIRTUAL_BASE 0x200000000000
#define BRIQUE_MEMORY_BASE 0x100000
#define BRIQUE_PAGE_SIZE 4096

// Layers: read-only file systems that a loader maps beside guest memory. Number 0 is the image's root, number 1 a second one over it.
// Our monitors give number n this guest-physical address, n times the step further; on a PC a layer lies in RAM.
#define BRIQUE_LAYER_COUNT 2
#define BRIQUE_LAYER_BASE 0x4000000000
#define BRIQUE_LAYER_STEP 0x1000000000

// The Brique ELF note: name "Brique", this type, descriptor `struct brique_note`.
#define BRIQUE_NOTE_TYPE 1

// The machine area: page-aligned zero-filled pages inside the image's last segment, at brique_note.machine_area.
// Guard pages are mapped by nobody. "Core" pages are never accessible at CPL 3.
// (A bare alias of an expression would not reach Swift, hence "+ 0".)
#define BRIQUE_STACK_BYTES 0x20000
#define BRIQUE_EXCEPTION_STACK_BYTES 0x4000
#define BRIQUE_CORE_STACK_BYTES 0x2000
#define BRIQUE_AREA_STACK_GUARD 0x0
#define BRIQUE_AREA_STACK 0x1000
#define BRIQUE_AREA_STACK_TOP (BRIQUE_AREA_STACK + BRIQUE_STACK_BYTES)
#define BRIQUE_AREA_EXCEPTION_GUARD (BRIQUE_AREA_STACK_TOP + 0)
#define BRIQUE_AREA_EXCEPTION_STACK (BRIQUE_AREA_EXCEPTION_GUARD + 0x1000)
#define BRIQUE_AREA_EXCEPTION_STACK_TOP (BRIQUE_AREA_EXCEPTION_STACK + BRIQUE_EXCEPTION_STACK_BYTES)
#define BRIQUE_AREA_CORE_GUARD (BRIQUE_AREA_EXCEPTION_STACK_TOP + 0)
#define BRIQUE_AREA_CORE_STACK (BRIQUE_AREA_CORE_GUARD + 0x1000)
#define BRIQUE_AREA_CORE_STACK_TOP (BRIQUE_AREA_CORE_STACK + BRIQUE_CORE_STACK_BYTES)
// One page: GDT at 0, IDT at BRIQUE_IDT_OFFSET; then three pages for the TSS and its I/O permission bitmap.
#define BRIQUE_AREA_DESCRIPTORS (BRIQUE_AREA_CORE_STACK_TOP + 0)
#define BRIQUE_IDT_OFFSET 0x400
#define BRIQUE_AREA_TSS (BRIQUE_AREA_DESCRIPTORS + 0x1000)
#define BRIQUE_AREA_BYTES (BRIQUE_AREA_TSS + 0x3000)

// Segment selectors (Linux's own, see facts: a CPL 3 guest may really run on the host's).
#define BRIQUE_SELECTOR_CORE_CODE 0x08
#define BRIQUE_SELECTOR_CORE_DATA 0x10
#define BRIQUE_SELECTOR_USER_DATA 0x2b
#define BRIQUE_SELECTOR_USER_CODE 0x33
#define BRIQUE_SELECTOR_TSS 0x40

// IST slots: 1 for exceptions taken at CPL 3, 2 for the ring-0 core.
#define BRIQUE_IST_EXCEPTION 1
#define BRIQUE_IST_CORE 2

// Exception entries: 32 of them, this far apart, for vectors 0 to 31, run at CPL 3 on the exception stack.
#define BRIQUE_EXCEPTION_STRIDE 16
// Vector 3 (int3) enters the ring-0 core instead, at brique_note.core_entry.
#define BRIQUE_CORE_VECTOR 3

#define BRIQUE_PLATFORM_KVM 1
#define BRIQUE_PLATFORM_PROCESS 2
#define BRIQUE_PLATFORM_PC 3
#define BRIQUE_PLATFORM_HOSTED 4

#define BRIQUE_BOOT_MAGIC 0x4555514952420a01

// KVM monitor: a 32-bit OUT of the physical address of a `struct brique_hypercall` to this port is a hypercall.
#define BRIQUE_HYPERCALL_PORT 0x1b0

// Hypercalls, see docs/hypercalls.md. At most 20 will ever exist.
#define BRIQUE_CALL_EXIT 0
#define BRIQUE_CALL_CONSOLE_WRITE 1
#define BRIQUE_CALL_CONSOLE_READ 2
#define BRIQUE_CALL_WAIT 3
#define BRIQUE_CALL_MONOTONIC_TIME 4
#define BRIQUE_CALL_WALL_TIME 5
#define BRIQUE_CALL_ENTROPY 6
#define BRIQUE_CALL_PROTECT 7
#define BRIQUE_CALL_CRASH 8
#define BRIQUE_CALL_DONATE_TABLE 9
#define BRIQUE_CALL_NETWORK_INFORMATION 10
#define BRIQUE_CALL_NETWORK_EXCHANGE 11
#define BRIQUE_CALL_MAP 12
#define BRIQUE_CALL_PROGRAM 13
#define BRIQUE_CALL_TICK 14
#define BRIQUE_CALL_COUNT 15

// Access of BRIQUE_CALL_PROTECT. Execution is never granted after start (W^X).
#define BRIQUE_ACCESS_NONE 0
#define BRIQUE_ACCESS_READ 1
#define BRIQUE_ACCESS_READ_WRITE 2

// Access of BRIQUE_CALL_MAP, in the low bits of the physical address; none: nothing is mapped there any more.
#define BRIQUE_MAP_READ 1
#define BRIQUE_MAP_WRITE 2
#define BRIQUE_MAP_EXECUTE 4

// Vectors of struct brique_program above the processor's exceptions.
#define BRIQUE_VECTOR_TICK 32

// Events of BRIQUE_CALL_WAIT, one bit each.
#define BRIQUE_EVENT_CONSOLE_INPUT 1
// Link number n has something to receive: this, shifted left by n.
#define BRIQUE_EVENT_LINK 0x100

// Network links of an instance, and what one call of BRIQUE_CALL_NETWORK_EXCHANGE takes.
#define BRIQUE_LINK_LIMIT 4
#define BRIQUE_EXCHANGE_LIMIT 256
#define BRIQUE_FRAME_BUFFER_LIMIT 8
// A frame on a link is struct virtio_net_hdr_v1 (virtio 1.3 section 5.1.6), then an Ethernet frame of at most 65,536 bytes of payload.
#define BRIQUE_LINK_HEADER_BYTES 12
#define BRIQUE_FRAME_BYTES 65562
// Received frames begin at multiples of this.
#define BRIQUE_FRAME_ALIGNMENT 16
// What the other end of a link takes and gives: checksums left to it, TCP segments for it to cut (over IPv4, over IPv6), and the
// same in the other direction.
#define BRIQUE_OFFLOAD_TRANSMIT_CHECKSUM 1
#define BRIQUE_OFFLOAD_SEGMENTATION4 2
#define BRIQUE_OFFLOAD_SEGMENTATION6 4
#define BRIQUE_OFFLOAD_RECEIVE_CHECKSUM 8
#define BRIQUE_OFFLOAD_LARGE_RECEIVE 16
#define BRIQUE_OFFLOAD_ALL 31
// struct brique_network_buffer: the frame goes on in the next buffer.
#define BRIQUE_BUFFER_CONTINUES 1

// Kinds of struct brique_crash.
#define BRIQUE_CRASH_EXCEPTION 1
#define BRIQUE_CRASH_PANIC 2
#define BRIQUE_CRASH_OUT_OF_MEMORY 3
#define BRIQUE_CRASH_INTERRUPTED 4
#define BRIQUE_CRASH_FRAMES 64
#define BRIQUE_CRASH_MESSAGE_BYTES 256

#ifndef __ASSEMBLER__
#include <stdint.h>

// Virtual addresses, little-endian.
struct brique_note {
    uint32_t abi_version;
    uint32_t flags;               // zero
    uint64_t start;               // CPL 3 entry; rdi = virtual address of struct brique_boot_information
    uint64_t exception_entries;
    uint64_t core_entry;
    uint64_t machine_area;
};

struct brique_boot_information {
    uint64_t magic;
    uint32_t abi_version;
    uint32_t platform;
    uint64_t memory_start;        // free memory for the heap: [start, end), virtual, page-aligned
    uint64_t memory_end;
    uint64_t memory_bytes;        // all guest memory, as the user asked for it
    uint64_t gate;                // process monitor: address of its hypercall function; otherwise 0
    uint64_t tsc_kilohertz;       // 0: not known, ask BRIQUE_CALL_MONOTONIC_TIME
    uint64_t entropy[4];          // 256 bits from the host
    uint32_t argument_count;
    uint32_t environment_count;
    uint64_t strings;             // argument_count, then environment_count ("K=V") NUL-terminated strings
    uint64_t strings_byte_count;
    // Layers, virtual: the first byte, on a page, and one past the last byte; 0: there is no such layer.
    uint64_t layer_start[BRIQUE_LAYER_COUNT];
    uint64_t layer_end[BRIQUE_LAYER_COUNT];
};

// How programs that run below BRIQUE_VIRTUAL_BASE enter the library OS; one per image, named by BRIQUE_CALL_PROGRAM.
struct brique_program {
    uint64_t call_entry;          // a system-call instruction jumps here: rcx = the address after it, r11 undefined, the rest the program's
    uint64_t interruption_entry;  // what an exception or a tick jumps to: rsp = kernel_stack, the rest (rax too) the program's
    uint64_t kernel_stack;
    uint64_t tick_pending;        // 1: a tick found the library OS running
    // Where and why the program was interrupted; address: CR2 of a page fault. offset 32
    uint64_t rip, rsp, rflags, vector, error, address;
};

struct brique_hypercall {
    uint64_t number;
    uint64_t arguments[3];
    int64_t result;               // >= 0, or minus an errno
};

// What an exception entry pushes; the last five words are the processor's.
struct brique_trap_frame {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct brique_crash {
    uint32_t kind;
    uint32_t frame_count;         // of frames[], innermost first; frames[0] is rip
    uint64_t fault_address;       // CR2 for a page fault, else 0
    struct brique_trap_frame registers;
    uint64_t frames[BRIQUE_CRASH_FRAMES];
    uint32_t message_byte_count;
    char message[BRIQUE_CRASH_MESSAGE_BYTES];
};

struct brique_network_information {
    uint8_t address[6];           // MAC
    uint16_t maximum_transmission_unit;
    uint32_t offloads;
    uint32_t frame_byte_count;    // the largest frame that can arrive, header included
};

struct brique_network_buffer {
    uint64_t address;
    uint32_t byte_count;
    uint32_t flags;
};

// Where a received frame is in the region.
struct brique_network_frame {
    uint32_t offset;
    uint32_t byte_count;          // header included
};

struct brique_network_exchange {
    uint32_t link;
    uint32_t transmit_count;      // of struct brique_network_buffer at `transmit`
    uint64_t transmit;
    uint64_t receive;             // the region that received frames are put into
    uint32_t receive_byte_count;
    uint32_t frame_capacity;      // of struct brique_network_frame at `frames`
    uint64_t frames;
    uint64_t timeout_nanoseconds; // if nothing was received: 0 does not wait, 2^64-1 waits for ever
    uint64_t events;              // to wait for, as in BRIQUE_CALL_WAIT
};
#endif
#endif
