// The PVH entry (Xen's "x86/HVM direct boot ABI"): 32-bit protected mode, paging off, ebx = hvm_start_info. Guest only.
// Symbols are virtual; until paging is on, code uses `symbol - BRIQUE_VIRTUAL_BASE`.
#if !__STDC_HOSTED__
#include "MachineCore.h"
#define PHYSICAL(symbol) ((symbol) - BRIQUE_VIRTUAL_BASE)
// The temporary tables lie where the stack of CPL 3 will be: a root, a pointer table, four page directories.
#define TEMPORARY PHYSICAL(brique_machine_area + BRIQUE_AREA_STACK)

    .section .note.pvh, "a", @note
    .balign 4
    .long 2f - 1f
    .long 4f - 3f
    .long 18                    // XEN_ELFNOTE_PHYS32_ENTRY
1:  .asciz "Xen"
2:  .balign 4
3:  .quad PHYSICAL(brique_pvh_entry)
4:  .balign 4

    .section .text.brique_pvh, "ax", @progbits
    .code32
    .globl brique_pvh_entry
    .type brique_pvh_entry, @function
brique_pvh_entry:
    cli
    cld
    movl $TEMPORARY, %edi
    leal 0x1007(%edi), %eax
    movl %eax, (%edi)
    movl %eax, (BRIQUE_VIRTUAL_BASE >> 39) * 8(%edi)
    .irp gibibyte, 0, 1, 2, 3
    addl $0x1000, %eax
    movl %eax, 0x1000 + \gibibyte * 8(%edi)
    .endr
    // The image, by large pages; boot.c maps what else it reads.
    xorl %ecx, %ecx
    movl $0x83, %eax            // present, writable, large
1:  movl %eax, 0x2000(%edi, %ecx, 8)
    incl %ecx
    addl $0x200000, %eax
    cmpl $PHYSICAL(__image_end) + 0x83, %eax
    jb 1b
    movl %edi, %cr3
    movl $0x620, %eax           // PAE, OSFXSR, OSXMMEXCPT
    movl %eax, %cr4
    movl $0xc0000080, %ecx      // EFER: LME, NXE
    xorl %edx, %edx
    movl $0x900, %eax
    wrmsr
    movl $0x80050033, %eax      // PG, AM, WP, NE, ET, MP, PE
    movl %eax, %cr0
    lgdt PHYSICAL(temporary_gdtr)
    ljmp $BRIQUE_SELECTOR_CORE_CODE, $PHYSICAL(1f)
    .code64
1:  movabsq $1f, %rax
    jmpq *%rax
1:  xorl %eax, %eax
    movl %eax, %ss
    leaq brique_machine_area + BRIQUE_AREA_CORE_STACK_TOP(%rip), %rsp
    xorl %ebp, %ebp
    movl %ebx, %edi
    call brique_pc_boot
    // The final tables are live; rax = boot information. Descriptors next, then CPL 3.
    leaq brique_machine_area + BRIQUE_AREA_DESCRIPTORS(%rip), %rcx
    pushq %rcx
    pushw $BRIQUE_IDT_OFFSET - 1
    lgdt (%rsp)
    addq $BRIQUE_IDT_OFFSET, 2(%rsp)
    movw $CORE_VECTOR_COUNT * 16 - 1, (%rsp)
    lidt (%rsp)
    movl $BRIQUE_SELECTOR_TSS, %ecx
    ltr %cx
    movq %rax, %rdi
    pushq $BRIQUE_SELECTOR_USER_DATA
    pushq $0
    pushq $2
    pushq $BRIQUE_SELECTOR_USER_CODE
    leaq brique_entry(%rip), %rax
    pushq %rax
    iretq
    .size brique_pvh_entry, . - brique_pvh_entry

    .section .rodata.brique_gdt, "a", @progbits
    .balign 8
    .globl brique_core_gdt
    .type brique_core_gdt, @object
brique_core_gdt:
    .quad 0
    .quad 0x00af9b000000ffff    // 0x08 code, ring 0, 64 bits
    .quad 0x00cf93000000ffff    // 0x10 data, ring 0
    .quad 0
    .quad 0x00cffb000000ffff    // 0x23 code, ring 3, 32 bits
    .quad 0x00cff3000000ffff    // 0x2b data, ring 3
    .quad 0x00affb000000ffff    // 0x33 code, ring 3, 64 bits
    .quad 0
    .size brique_core_gdt, . - brique_core_gdt
temporary_gdtr:
    .word 63
    .long PHYSICAL(brique_core_gdt)
#endif
    .section .note.GNU-stack, "", @progbits
