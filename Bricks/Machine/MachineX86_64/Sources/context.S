// The context switch: System V AMD64 ABI §3.2.1, callee-saved registers and the control words of MXCSR and x87.
    .text
    .globl brique_context_switch
    .type brique_context_switch, @function
brique_context_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    ldmxcsr (%rsp)
    fldcw 4(%rsp)
    addq $8, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    retq
    .size brique_context_switch, . - brique_context_switch

    // The frame that brique_context_switch pops: control words, r15, r14, r13 = argument, r12 = function, rbx, rbp.
    .globl brique_context_make
    .type brique_context_make, @function
brique_context_make:
    leaq -80(%rdi), %rax
    andq $-16, %rax
    movabsq $0x037f00001f80, %rcx
    movq %rcx, (%rax)
    xorl %ecx, %ecx
    movq %rcx, 8(%rax)
    movq %rcx, 16(%rax)
    movq %rdx, 24(%rax)
    movq %rsi, 32(%rax)
    movq %rcx, 40(%rax)
    movq %rcx, 48(%rax)
    leaq context_first(%rip), %rcx
    movq %rcx, 56(%rax)
    retq
    .size brique_context_make, . - brique_context_make

    .type context_first, @function
context_first:
    movq %r13, %rdi
    xorl %ebp, %ebp
    callq *%r12
    ud2
    .size context_first, . - context_first
    .section .note.GNU-stack, "", @progbits
