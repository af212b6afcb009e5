// The least that QEMU can boot by PVH: prints one line on the serial port and ends QEMU through isa-debug-exit.
// What a start under QEMU costs before anything of ours has run.
#define SERIAL_PORT 0x3f8
#define EXIT_PORT 0xf4
#define NT_XEN_PHYS32_ENTRY 18

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, NT_XEN_PHYS32_ENTRY
    .asciz "Xen"
    .long start

    .section .text, "ax"
    .code32
    .globl start
start:
    movl $line, %esi
    movl $line_end - line, %ecx
    movw $SERIAL_PORT, %dx
    rep outsb
    movw $EXIT_PORT, %dx
    xorl %eax, %eax
    outl %eax, %dx
1:  hlt
    jmp 1b
line:
    .ascii "Hello from the floor\n"
line_end:
    .section .note.GNU-stack, "", @progbits
