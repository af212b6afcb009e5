// CPL 3 entry, exception entries, the notes, and the machine area. Guest only.
#if !__STDC_HOSTED__
#include "BootFormat.h"

    .section .note.brique, "a", @note
    .balign 4
    .long 2f - 1f
    .long 4f - 3f
    .long BRIQUE_NOTE_TYPE
1:  .asciz "Brique"
2:  .balign 4
3:  .long BRIQUE_ABI_VERSION
    .long 0
    .quad brique_entry
    .quad brique_exception_entries
    .quad brique_core_entry
    .quad brique_machine_area
4:  .balign 4

    .section .text.brique_entry, "ax", @progbits
    .globl brique_entry
    .type brique_entry, @function
brique_entry:
    leaq brique_machine_area + BRIQUE_AREA_STACK_TOP(%rip), %rsp
    xorl %ebp, %ebp
    call brique_start
    xorl %edi, %edi
    xorl %esi, %esi
    call main
    movl %eax, %edi
    call exit
    ud2
    .size brique_entry, . - brique_entry

    // Vectors with an error code of the processor's: 8, 10 to 14, 17, 21, 29, 30.
    .section .text.brique_exception_entries, "ax", @progbits
    .globl brique_exception_entries
    .balign BRIQUE_EXCEPTION_STRIDE
brique_exception_entries:
    .set vector, 0
    .rept 32
    .balign BRIQUE_EXCEPTION_STRIDE
    .if (vector != 8) && !((vector >= 10) && (vector <= 14)) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
    pushq $0
    .endif
    pushq $vector
    jmp brique_exception_common
    .set vector, vector + 1
    .endr
    .globl brique_exception_common
    .type brique_exception_common, @function
brique_exception_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, %rdi
    xorl %ebp, %ebp
    andq $-16, %rsp
    cld
    call brique_exception
    ud2
    .size brique_exception_common, . - brique_exception_common

    .section .bss.brique_machine_area, "aw", @nobits
    .globl brique_machine_area
    .balign BRIQUE_PAGE_SIZE
brique_machine_area:
    .skip BRIQUE_AREA_BYTES
    .size brique_machine_area, . - brique_machine_area
#endif
    .section .note.GNU-stack, "", @progbits
