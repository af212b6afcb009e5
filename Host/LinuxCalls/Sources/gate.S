// The process monitor's two ways across: into the guest once, and back through the gate (System V AMD64 ABI).
    .text
    .globl brique_guest_enter
    .type brique_guest_enter, @function
brique_guest_enter:
    movq %rsp, gate_stack_top(%rip)
    andq $-16, gate_stack_top(%rip)
    movq %rdx, %rsp
    pushq %rdi
    movq %rsi, %rdi
    xorl %eax, %eax
    xorl %ebx, %ebx
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %ebp, %ebp
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    xorl %r12d, %r12d
    xorl %r13d, %r13d
    xorl %r14d, %r14d
    xorl %r15d, %r15d
    pxor %xmm0, %xmm0
    pxor %xmm1, %xmm1
    pxor %xmm2, %xmm2
    pxor %xmm3, %xmm3
    pxor %xmm4, %xmm4
    pxor %xmm5, %xmm5
    pxor %xmm6, %xmm6
    pxor %xmm7, %xmm7
    pxor %xmm8, %xmm8
    pxor %xmm9, %xmm9
    pxor %xmm10, %xmm10
    pxor %xmm11, %xmm11
    pxor %xmm12, %xmm12
    pxor %xmm13, %xmm13
    pxor %xmm14, %xmm14
    pxor %xmm15, %xmm15
    retq
    .size brique_guest_enter, . - brique_guest_enter

    // The handler keeps rbp, rbx and r12 to r15, so one saved register is enough. There is one thread, and no nesting.
    .globl brique_gate_entry
    .type brique_gate_entry, @function
brique_gate_entry:
    cld
    pushq %rbp
    movq %rsp, %rbp
    movq %rsp, gate_guest_stack(%rip)
    movq gate_stack_top(%rip), %rsp
    callq *gate_handler(%rip)
    movq $0, gate_guest_stack(%rip)
    movq %rbp, %rsp
    popq %rbp
    retq
    .size brique_gate_entry, . - brique_gate_entry

    .globl brique_gate_prepare
    .type brique_gate_prepare, @function
brique_gate_prepare:
    movq %rdi, gate_handler(%rip)
    retq
    .size brique_gate_prepare, . - brique_gate_prepare

    .globl brique_gate_guest_stack
    .type brique_gate_guest_stack, @function
brique_gate_guest_stack:
    movq gate_guest_stack(%rip), %rax
    retq
    .size brique_gate_guest_stack, . - brique_gate_guest_stack

    // A signal handler returns here (rt_sigreturn(2)).
    .globl brique_signal_return
    .type brique_signal_return, @function
brique_signal_return:
    movl $15, %eax
    syscall
    ud2
    .size brique_signal_return, . - brique_signal_return

    .local gate_handler, gate_stack_top, gate_guest_stack
    .comm gate_handler, 8, 8
    .comm gate_stack_top, 8, 8
    .comm gate_guest_stack, 8, 8
    .section .note.GNU-stack, "", @progbits
