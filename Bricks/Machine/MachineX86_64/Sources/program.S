// The way between programs and the library OS: enter and leave, system calls, interruptions. Guest only; linked only by images that
// run programs. Registers: Linux's system-call convention (syscall(2)): all but rax, rcx and r11 are kept.
#if !__STDC_HOSTED__
#include "BootFormat.h"

#define RAX 0
#define RBX 8
#define RCX 16
#define RDX 24
#define RSI 32
#define RDI 40
#define RBP 48
#define RSP 56
#define R8 64
#define R9 72
#define R10 80
#define R11 88
#define R12 96
#define R13 104
#define R14 112
#define R15 120
#define RIP 128
#define RFLAGS 136
#define FS_BASE 144
#define GS_BASE 152
#define KERNEL_STACK 160
#define ACTION 168
#define IS_FULL 176
#define STATUS 184
#define VECTORS 256
#define EXTENDED 512
// struct brique_program
#define PROGRAM_KERNEL_STACK 16
#define PROGRAM_TICK_PENDING 24
#define PROGRAM_RIP 32
#define PROGRAM_RSP 40
#define PROGRAM_RFLAGS 48

    .section .bss.brique_program, "aw", @nobits
    .globl brique_program, brique_program_trapped, brique_program_saves_changes
    .balign 64
brique_program: .skip 80
    // 1: the call that comes was a system-call instruction, which may be rewritten.
brique_program_trapped: .skip 8
    // 1: the processor has XSAVEOPT (CPUID leaf 13, part 1, eax bit 0).
brique_program_saves_changes: .skip 8
    // The context whose thread runs, and the one whose FS, GS and upper vector registers the processor holds.
current: .skip 8
owner: .skip 8

    .section .text.brique_program, "ax", @progbits
    .globl brique_program_trap
    .type brique_program_trap, @function
brique_program_trap:
    movq $1, brique_program_trapped(%rip)
    .size brique_program_trap, . - brique_program_trap
    // From a rewritten site. rcx = where to go on.
    .globl brique_program_call
    .type brique_program_call, @function
brique_program_call:
    movq current(%rip), %r11
    movq %rsp, RSP(%r11)
    movq KERNEL_STACK(%r11), %rsp
    movq %rax, RAX(%r11)
    // The flags that arithmetic leaves: a call keeps them.
    lahf
    seto %al
    movw %ax, STATUS(%r11)
    movq %rcx, RIP(%r11)
    movq %rbx, RBX(%r11)
    movq %rdx, RDX(%r11)
    movq %rsi, RSI(%r11)
    movq %rdi, RDI(%r11)
    movq %rbp, RBP(%r11)
    movq %r8, R8(%r11)
    movq %r9, R9(%r11)
    movq %r10, R10(%r11)
    movq %r12, R12(%r11)
    movq %r13, R13(%r11)
    movq %r14, R14(%r11)
    movq %r15, R15(%r11)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups %xmm\n, VECTORS + 16 * \n(%r11)
    .endr
    movq $0, IS_FULL(%r11)
    cld
    movq %r11, %rbx
    movq %r11, %rdi
    xorl %ebp, %ebp
    callq brique_program_answer
    movq %rax, RAX(%rbx)

    // rbx = the context of the thread that goes on, on its own kernel stack.
leave_kernel:
    movq %rbx, current(%rip)
    movq KERNEL_STACK(%rbx), %rax
    movq %rax, brique_program + PROGRAM_KERNEL_STACK(%rip)
    cmpq $0, brique_program + PROGRAM_TICK_PENDING(%rip)
    jne take_tick
    cmpq $0, ACTION(%rbx)
    jne return_to_enter
    cmpq %rbx, owner(%rip)
    jne change_owner
owned:
    cmpq $0, IS_FULL(%rbx)
    jne restore_all
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups VECTORS + 16 * \n(%rbx), %xmm\n
    .endr
    movzwl STATUS(%rbx), %eax
    addb $127, %al
    sahf
    movq RAX(%rbx), %rax
    movq RIP(%rbx), %rcx
    movq RDX(%rbx), %rdx
    movq RSI(%rbx), %rsi
    movq RDI(%rbx), %rdi
    movq RBP(%rbx), %rbp
    movq R8(%rbx), %r8
    movq R9(%rbx), %r9
    movq R10(%rbx), %r10
    movq R12(%rbx), %r12
    movq R13(%rbx), %r13
    movq R14(%rbx), %r14
    movq R15(%rbx), %r15
    movq RSP(%rbx), %rsp
    movq RBX(%rbx), %rbx
    jmpq *%rcx

take_tick:
    movq $0, brique_program + PROGRAM_TICK_PENDING(%rip)
    movq %rbx, %rdi
    callq brique_program_tick
    jmp leave_kernel

restore_all:
    movl $-1, %eax
    movl $-1, %edx
    xrstor64 EXTENDED(%rbx)
    pushq $BRIQUE_SELECTOR_USER_DATA
    pushq RSP(%rbx)
    pushq RFLAGS(%rbx)
    pushq $BRIQUE_SELECTOR_USER_CODE
    pushq RIP(%rbx)
    movq RAX(%rbx), %rax
    movq RCX(%rbx), %rcx
    movq RDX(%rbx), %rdx
    movq RSI(%rbx), %rsi
    movq RDI(%rbx), %rdi
    movq RBP(%rbx), %rbp
    movq R8(%rbx), %r8
    movq R9(%rbx), %r9
    movq R10(%rbx), %r10
    movq R11(%rbx), %r11
    movq R12(%rbx), %r12
    movq R13(%rbx), %r13
    movq R14(%rbx), %r14
    movq R15(%rbx), %r15
    movq RBX(%rbx), %rbx
    iretq

    // Another thread ran in between: its state goes to its context, this one's comes back.
change_owner:
    movq owner(%rip), %rcx
    testq %rcx, %rcx
    jz 1f
    rdfsbase %rax
    movq %rax, FS_BASE(%rcx)
    rdgsbase %rax
    movq %rax, GS_BASE(%rcx)
    cmpq $0, IS_FULL(%rcx)
    jne 1f
    // Only what differs from its initial state, or was changed since it came; xmm0 to xmm15 the call keeps.
    movl $~2, %eax
    movl $-1, %edx
    cmpb $0, brique_program_saves_changes(%rip)
    je 2f
    xsaveopt64 EXTENDED(%rcx)
    jmp 1f
2:  xsave64 EXTENDED(%rcx)
1:  movq %rbx, owner(%rip)
    movq FS_BASE(%rbx), %rax
    wrfsbase %rax
    movq GS_BASE(%rbx), %rax
    wrgsbase %rax
    cmpq $0, IS_FULL(%rbx)
    jne owned
    // The control words are this kernel stack's, which came back with it.
    stmxcsr EXTENDED + 24(%rbx)
    fnstcw EXTENDED(%rbx)
    movl $-1, %eax
    movl $-1, %edx
    xrstor64 EXTENDED(%rbx)
    jmp owned
    .size brique_program_call, . - brique_program_call

    // An exception or a tick: every register is the program's, but rsp, rip and rflags, which the loader wrote down.
    .globl brique_program_interruption
    .type brique_program_interruption, @function
brique_program_interruption:
    pushq %r11
    movq current(%rip), %r11
    movq %rax, RAX(%r11)
    movq %rbx, RBX(%r11)
    movq %rcx, RCX(%r11)
    movq %rdx, RDX(%r11)
    movq %rsi, RSI(%r11)
    movq %rdi, RDI(%r11)
    movq %rbp, RBP(%r11)
    movq %r8, R8(%r11)
    movq %r9, R9(%r11)
    movq %r10, R10(%r11)
    movq %r12, R12(%r11)
    movq %r13, R13(%r11)
    movq %r14, R14(%r11)
    movq %r15, R15(%r11)
    popq %rax
    movq %rax, R11(%r11)
    movq brique_program + PROGRAM_RIP(%rip), %rax
    movq %rax, RIP(%r11)
    movq brique_program + PROGRAM_RSP(%rip), %rax
    movq %rax, RSP(%r11)
    movq brique_program + PROGRAM_RFLAGS(%rip), %rax
    movq %rax, RFLAGS(%r11)
    movq $1, IS_FULL(%r11)
    movl $-1, %eax
    movl $-1, %edx
    xsave64 EXTENDED(%r11)
    cld
    movq %r11, %rbx
    movq %r11, %rdi
    xorl %ebp, %ebp
    callq brique_program_interrupted
    jmp leave_kernel
    .size brique_program_interruption, . - brique_program_interruption

    // void brique_program_enter(struct brique_user_context *): runs the program until something sets `action`.
    .section .text.brique_program_enter, "ax", @progbits
    .globl brique_program_enter
    .type brique_program_enter, @function
brique_program_enter:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $8, %rsp
    stmxcsr (%rsp)
    fnstcw 4(%rsp)
    movq %rsp, KERNEL_STACK(%rdi)
    movq %rdi, %rbx
    jmp leave_kernel
return_to_enter:
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
    .size brique_program_enter, . - brique_program_enter

    // void brique_program_capture(struct brique_user_context *): completes a context that a call left, so that all of it is in memory.
    .section .text.brique_program_capture, "ax", @progbits
    .globl brique_program_capture
    .type brique_program_capture, @function
brique_program_capture:
    cmpq $0, IS_FULL(%rdi)
    jne 2f
    cmpq %rdi, owner(%rip)
    jne 1f
    movl $-1, %eax
    movl $-1, %edx
    xsave64 EXTENDED(%rdi)
1:  stmxcsr EXTENDED + 24(%rdi)
    fnstcw EXTENDED(%rdi)
    // XSTATE_BV: the vector registers come from the call's own copies.
    orq $2, EXTENDED + 512(%rdi)
    .irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    movups VECTORS + 16 * \n(%rdi), %xmm0
    movups %xmm0, EXTENDED + 160 + 16 * \n(%rdi)
    .endr
    movq RIP(%rdi), %rax
    movq %rax, RCX(%rdi)
    movzbl STATUS + 1(%rdi), %eax
    movzbl STATUS(%rdi), %ecx
    shll $11, %ecx
    leaq 0x200(%rax, %rcx), %rax
    movq %rax, RFLAGS(%rdi)
    movq %rax, R11(%rdi)
    movq $1, IS_FULL(%rdi)
2:  cmpq %rdi, owner(%rip)
    jne 3f
    rdfsbase %rax
    movq %rax, FS_BASE(%rdi)
    rdgsbase %rax
    movq %rax, GS_BASE(%rdi)
3:  retq
    .size brique_program_capture, . - brique_program_capture

    // void brique_program_forget(struct brique_user_context *): the context goes away, or its FS and GS were set in memory.
    .section .text.brique_program_forget, "ax", @progbits
    .globl brique_program_forget
    .type brique_program_forget, @function
brique_program_forget:
    cmpq %rdi, owner(%rip)
    jne 1f
    movq $0, owner(%rip)
1:  retq
    .size brique_program_forget, . - brique_program_forget
#endif
    .section .note.GNU-stack, "", @progbits
