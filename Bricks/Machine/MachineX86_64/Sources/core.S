// The ring-0 core's entries: calls (int3), interrupts, NMI, double fault. Guest only.
#if !__STDC_HOSTED__
#include "MachineCore.h"

    .section .text.brique_core_entry, "ax", @progbits
    .globl brique_core_entry
    .type brique_core_entry, @function
brique_core_entry:
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    cld
    movq %rdx, %rcx
    movq %rsi, %rdx
    movq %rdi, %rsi
    movq %rax, %rdi
    call brique_core
    // QEMU's TCG leaves SS null at CPL 3 once an exception switched stacks: iretq would refuse it.
    movl $BRIQUE_SELECTOR_USER_DATA, 96(%rsp)
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    iretq
    .size brique_core_entry, . - brique_core_entry

    // Waits for an interrupt, with the only instructions that run with interrupts enabled. Returns the two state
    // bytes, and clears them. An NMI inside [halt, halted) continues at `halted`, so it cannot be slept over.
    .section .text.brique_core_halt, "ax", @progbits
    .globl brique_core_halt
    .type brique_core_halt, @function
brique_core_halt:
    cmpw $0, brique_machine_area + CORE_STATE(%rip)
    jne halted
    sti
    hlt
halted:
    cli
    xorl %eax, %eax
    xchgw %ax, brique_machine_area + CORE_STATE(%rip)
    retq
    .size brique_core_halt, . - brique_core_halt

    // The end of the machine when nothing else works: an exception without a table to answer it.
    .section .text.brique_core_reset, "ax", @progbits
    .globl brique_core_reset
    .type brique_core_reset, @function
brique_core_reset:
    pushq $0
    pushq $0
    lidt (%rsp)
    ud2
    .size brique_core_reset, . - brique_core_reset

    // Interrupts only wake: the library OS acknowledges them.
    .section .text.brique_core_interrupts, "ax", @progbits
    .globl brique_core_interrupt
    .type brique_core_interrupt, @function
brique_core_interrupt:
    movb $1, brique_machine_area + CORE_STATE(%rip)
    iretq
    .size brique_core_interrupt, . - brique_core_interrupt

    // An NMI at CPL 3 becomes an exception of the library OS, as if its gate led there. One in the core is noted for
    // the next halt.
    .globl brique_core_nmi
    .type brique_core_nmi, @function
brique_core_nmi:
    testb $3, 8(%rsp)
    jz 1f
    .irp offset, 0, 8, 16, 24, 32
    pushq \offset(%rsp)
    popq brique_machine_area + BRIQUE_AREA_EXCEPTION_STACK_TOP - 40 + \offset(%rip)
    .endr
    movl $BRIQUE_SELECTOR_USER_DATA, 32(%rsp)
    pushq %rax
    leaq brique_exception_entries + CORE_VECTOR_NMI * BRIQUE_EXCEPTION_STRIDE(%rip), %rax
    movq %rax, 8(%rsp)
    leaq brique_machine_area + BRIQUE_AREA_EXCEPTION_STACK_TOP - 40(%rip), %rax
    movq %rax, 32(%rsp)
    popq %rax
    iretq
1:  movb $1, brique_machine_area + CORE_STATE + 1(%rip)
    pushq %rax
    pushq %rcx
    leaq halted(%rip), %rax
    movq 16(%rsp), %rcx
    subq %rax, %rcx
    addq $halted - brique_core_halt, %rcx
    cmpq $halted - brique_core_halt, %rcx
    jae 2f
    movq %rax, 16(%rsp)
2:  popq %rcx
    popq %rax
    iretq
    .size brique_core_nmi, . - brique_core_nmi

    // The core itself faulted: its bug. Vector 8 pushes an error code of zero.
    .globl brique_core_double_fault
    .type brique_core_double_fault, @function
brique_core_double_fault:
    leaq 1f(%rip), %rdi
    call brique_core_fail
1:  .asciz "error 70 the ring-0 core faulted\n"
    .size brique_core_double_fault, . - brique_core_double_fault
#endif
    .section .note.GNU-stack, "", @progbits
