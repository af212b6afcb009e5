// The ways from a program into the library OS. Guest only. "CPL 3" and "ring 0" say where each runs.
#if !__STDC_HOSTED__
#include "programs.h"

    .macro copy from, to
    pushq \from
    popq \to
    .endm

    .section .text.brique_programs, "ax", @progbits
    // CPL 3, exception stack.
    .globl brique_programs_exceptions
    .balign BRIQUE_EXCEPTION_STRIDE
brique_programs_exceptions:
    .set vector, 0
    .rept 32
    .balign BRIQUE_EXCEPTION_STRIDE
    .if (vector != 8) && !((vector >= 10) && (vector <= 14)) && (vector != 17) && (vector != 21) && (vector != 29) && (vector != 30)
    pushq $0
    .endif
    pushq $vector
    jmp exception
    .set vector, vector + 1
    .endr
    .type exception, @function
exception:                      // vector, error, rip, cs, rflags, rsp, ss
    cmpl $LIBRARY_OS_HIGH, 20(%rsp)
    jae brique_exception_common
    pushq %rax
    movq brique_programs_current(%rip), %rax
interrupt:                      // rax, vector, error, rip, cs, rflags, rsp, ss
    copy 8(%rsp), PROGRAM_VECTOR(%rax)
    copy 16(%rsp), PROGRAM_ERROR(%rax)
    copy 24(%rsp), PROGRAM_RIP(%rax)
    copy 40(%rsp), PROGRAM_RFLAGS(%rax)
    copy 48(%rsp), PROGRAM_RSP(%rax)
    popq %rax
    movq brique_programs_current(%rip), %rsp
    movq PROGRAM_KERNEL_STACK(%rsp), %rsp
    cld
    jmpq *brique_programs_interruption_entry(%rip)
    .size exception, . - exception

    // Ring 0, a stack of its own that CPL 3 can read: notes CR2, and goes on at CPL 3 with rax and the processor's frame there.
    // Few instructions: some KVMs interpret them.
    .globl brique_programs_page_fault
    .type brique_programs_page_fault, @function
brique_programs_page_fault:
    pushq %rax
    movq %cr2, %rax
    movq %rax, fault_address(%rip)
    leaq brique_programs_fault_frame(%rip), %rsp
    iretq
    .size brique_programs_page_fault, . - brique_programs_page_fault

    // CPL 3, the page fault's stack.
    .globl brique_programs_fault_entry
    .type brique_programs_fault_entry, @function
brique_programs_fault_entry:    // rax, error, rip, cs, rflags, rsp, ss
    cmpl $LIBRARY_OS_HIGH, 20(%rsp)
    popq %rax
    jae 1f
    pushq $PAGE_FAULT_VECTOR
    pushq %rax
    movq brique_programs_current(%rip), %rax
    copy fault_address(%rip), PROGRAM_ADDRESS(%rax)
    jmp interrupt
    // The library OS's own: as if the gate led to its exception entry.
1:  .irp offset, 0, 8, 16, 24, 32, 40
    copy \offset(%rsp), brique_machine_area + BRIQUE_AREA_EXCEPTION_STACK_TOP - 48 + \offset(%rip)
    .endr
    leaq brique_machine_area + BRIQUE_AREA_EXCEPTION_STACK_TOP - 48(%rip), %rsp
    pushq $PAGE_FAULT_VECTOR
    jmp brique_exception_common
    .size brique_programs_fault_entry, . - brique_programs_fault_entry

    // What SYSCALL jumps to: in ring 0, but for KVMs that keep such code at CPL 3. rcx = the address after it, rsp the program's.
    .globl brique_programs_call
    .type brique_programs_call, @function
brique_programs_call:
    // r11 = the flags; those of arithmetic go on.
    andl $0xad5, %r11d
    orl $2, %r11d
    movq %r11, brique_programs_call_frame + 16(%rip)
    movq %rsp, brique_programs_call_frame + 24(%rip)
    movl %cs, %r11d
    testb $3, %r11b
    jz 1f
    leaq brique_programs_call_frame + 16(%rip), %rsp
    popfq
    movq brique_programs_call_frame + 24(%rip), %rsp
    jmpq *brique_programs_call_entry(%rip)
1:  leaq brique_programs_call_frame(%rip), %rsp
    iretq
    .size brique_programs_call, . - brique_programs_call

    // Ring 0: int3. The library OS's is a call of the core, a program's an exception.
    .globl brique_programs_core_entry
    .type brique_programs_core_entry, @function
brique_programs_core_entry:     // rip, cs, rflags, rsp, ss
    cmpl $LIBRARY_OS_HIGH, 4(%rsp)
    jb 2f
    cmpq $CORE_FLUSH, %rax
    je flush_pages
    cmpq $MACHINE_CORE_HALT, %rax
    jne 1f
    movl $CORE_HALT, %eax
1:  jmp brique_core_entry
2:  .irp offset, 0, 8, 16, 24, 32
    copy \offset(%rsp), brique_machine_area + BRIQUE_AREA_EXCEPTION_STACK_TOP - 40 + \offset(%rip)
    .endr
    movl $BRIQUE_SELECTOR_USER_DATA, 32(%rsp)
    pushq %rax
    leaq brique_programs_exceptions + BRIQUE_CORE_VECTOR * BRIQUE_EXCEPTION_STRIDE(%rip), %rax
    movq %rax, 8(%rsp)
    leaq brique_machine_area + BRIQUE_AREA_EXCEPTION_STACK_TOP - 40(%rip), %rax
    movq %rax, 32(%rsp)
    popq %rax
    iretq
    // The most frequent call. rdi = the page, rsi = 1; or all pages, rsi = 0. SS as in brique_core_entry.
flush_pages:
    movl $BRIQUE_SELECTOR_USER_DATA, 32(%rsp)
    testl %esi, %esi
    jz 3f
    invlpg (%rdi)
    iretq
3:  movq %cr3, %rax
    movq %rax, %cr3
    iretq
    .size brique_programs_core_entry, . - brique_programs_core_entry

    // Ring 0: any interrupt ends a halt; whoever halts acknowledges a second time, which does no harm.
    .globl brique_programs_interrupt
    .type brique_programs_interrupt, @function
brique_programs_interrupt:
    pushq %rax
    movabsq $LOCAL_APIC_ADDRESS, %rax
    movl $0, APIC_END_OF_INTERRUPT(%rax)
    movb $1, brique_machine_area + CORE_STATE(%rip)
    popq %rax
    iretq
    .size brique_programs_interrupt, . - brique_programs_interrupt

    // Ring 0: the timer is a deadline's, or a tick's. A tick interrupts the program, and is armed again at once.
    .globl brique_programs_timer
    .type brique_programs_timer, @function
brique_programs_timer:          // rip, cs, rflags, rsp, ss
    testb $3, 8(%rsp)
    jz brique_programs_interrupt
    pushq %rax
    pushq %rcx
    movabsq $LOCAL_APIC_ADDRESS, %rax
    movl $0, APIC_END_OF_INTERRUPT(%rax)
    movb $1, brique_machine_area + CORE_STATE(%rip)
    movl brique_programs_tick_count(%rip), %ecx
    testl %ecx, %ecx
    jz 2f
    movl %ecx, APIC_INITIAL_COUNT(%rax)
    movq brique_programs_current(%rip), %rax
    cmpl $LIBRARY_OS_HIGH, 20(%rsp)
    jae 1f
    movq $BRIQUE_VECTOR_TICK, PROGRAM_VECTOR(%rax)
    movq $0, PROGRAM_ERROR(%rax)
    copy 16(%rsp), PROGRAM_RIP(%rax)
    copy 32(%rsp), PROGRAM_RFLAGS(%rax)
    copy 40(%rsp), PROGRAM_RSP(%rax)
    movq PROGRAM_KERNEL_STACK(%rax), %rcx
    movq %rcx, 40(%rsp)
    movq brique_programs_interruption_entry(%rip), %rcx
    movq %rcx, 16(%rsp)
    movq $BRIQUE_USER_FLAGS, 32(%rsp)
    jmp 2f
1:  movq $1, PROGRAM_TICK_PENDING(%rax)
2:  movl $BRIQUE_SELECTOR_USER_DATA, 48(%rsp)
    popq %rcx
    popq %rax
    iretq
    .size brique_programs_timer, . - brique_programs_timer

    .section .bss.brique_programs, "aw", @nobits
    .balign 16
fault_address:
    .skip 16
    .globl brique_programs_fault_stack
brique_programs_fault_stack:
    .skip PAGE_FAULT_STACK_BYTES
#endif
    .section .note.GNU-stack, "", @progbits
