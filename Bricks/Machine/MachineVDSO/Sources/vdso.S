// The vDSO (vdso(7)): an ELF shared object laid out by hand, of one read-only segment. Whoever maps it puts the clock page
// on the page below it. Positions within the page are those of ClockPage.
    .section .rodata.brique_vdso, "a", @progbits
    .balign 64
    .globl brique_vdso_start, brique_vdso_end
brique_vdso_start:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0
    .quad 0
    .short 3, 62                            // ET_DYN, EM_X86_64
    .long 1
    .quad 0, segments - brique_vdso_start, 0
    .long 0
    .short 64, 56, 3, 64, 0, 0

    .macro segment type, flags, start, end, alignment
    .long \type, \flags
    .quad \start - brique_vdso_start, \start - brique_vdso_start, \start - brique_vdso_start
    .quad \end - \start, \end - \start, \alignment
    .endm
segments:
    segment 1, 5, brique_vdso_start, brique_vdso_end, 0x1000    // PT_LOAD
    segment 2, 4, dynamic, dynamic_end, 8                       // PT_DYNAMIC
    segment 0x6474e550, 4, unwinding, unwinding_end, 4          // PT_GNU_EH_FRAME

dynamic:
    .quad 14, object_name - strings         // DT_SONAME
    .quad 4, hashes - brique_vdso_start     // DT_HASH
    .quad 5, strings - brique_vdso_start    // DT_STRTAB
    .quad 6, symbols - brique_vdso_start    // DT_SYMTAB
    .quad 10, strings_end - strings         // DT_STRSZ
    .quad 11, 24                            // DT_SYMENT
    .quad 0x6ffffff0, versions - brique_vdso_start      // DT_VERSYM
    .quad 0x6ffffffc, definitions - brique_vdso_start   // DT_VERDEF
    .quad 0x6ffffffd, 2                     // DT_VERDEFNUM
    .quad 0, 0
dynamic_end:

    .macro symbol name, start, end
    .long \name - strings
    .byte 0x12, 0                           // STB_GLOBAL, STT_FUNC
    .short 1                                // defined, in whatever section
    .quad \start - brique_vdso_start, \end - \start
    .endm
symbols:
    .quad 0, 0, 0
    symbol name_gettime, clock_gettime, clock_gettime_end
    symbol name_getres, clock_getres, clock_getres_end
    symbol name_day, gettimeofday, gettimeofday_end
    symbol name_time, time, time_end
    symbol name_cpu, getcpu, getcpu_end
    // One bucket with the chain of all.
hashes:
    .long 1, 6, 1, 0, 2, 3, 4, 5, 0
versions:
    .short 0, 2, 2, 2, 2, 2
    .balign 4
    // The object's own name, then the version; each with the hash that DT_HASH would have of its name.
definitions:
    .short 1, 1, 1, 1
    .long 0x0deebfa1, 20, 28, object_name - strings, 0
    .short 1, 0, 2, 1
    .long 0x03ae75f6, 20, 0, version_name - strings, 0
strings:
    .byte 0
object_name: .asciz "linux-vdso.so.1"
version_name: .asciz "LINUX_2.6"
name_gettime: .asciz "__vdso_clock_gettime"
name_getres: .asciz "__vdso_clock_getres"
name_day: .asciz "__vdso_gettimeofday"
name_time: .asciz "__vdso_time"
name_cpu: .asciz "__vdso_getcpu"
strings_end:

    // .eh_frame_hdr, .eh_frame (LSB 5.0 §10.6): no function moves the stack, so one entry stands for all.
    .balign 4
unwinding:
    .byte 1, 0x1b, 3, 0x3b
    .long frames - ., 1, code - unwinding, frame - unwinding
frames:
    .long frame - frames - 4, 0
    .byte 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b
    .byte 0x0c, 7, 8, 0x90, 1               // the frame is rsp + 8, the return address lies below it
    .balign 4
frame:
    .long frame_end - frame - 4, frame + 4 - frames, code - ., code_end - code
    .byte 0
    .balign 4
frame_end:
    .long 0
unwinding_end:

    .set page, brique_vdso_start - 4096
    .set SEQUENCE, 0                        // changes with each change of the page
    .set BASE, 8                            // the counter at which the clocks showed what is below
    .set LIMIT, 16                          // from so many ticks on, the call must be made
    .set MONOTONIC, 24                      // nanoseconds of a tick in 2^-32, seconds, nanoseconds
    .set REALTIME, 48

    // The clock at r8: seconds in rcx, nanoseconds in rax. Goes to `call` if the page does not tell.
    .macro read_clock call
1:  movl page + SEQUENCE(%rip), %r9d
    lfence
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    subq page + BASE(%rip), %rax
    cmpq page + LIMIT(%rip), %rax
    jae \call
    mulq (%r8)
    shrdq $32, %rdx, %rax
    movq 8(%r8), %rcx
    addq 16(%r8), %rax
    cmpl page + SEQUENCE(%rip), %r9d
    jne 1b
2:  cmpq $1000000000, %rax
    jb 3f
    subq $1000000000, %rax
    incq %rcx
    jmp 2b
3:
    .endm

    .balign 64
code:
    // int clock_gettime(clockid_t, struct timespec *)
clock_gettime:
    cmpl $11, %edi
    ja 9f
    movl $0x8f3, %eax                       // all but those of processor time, and alarms
    btl %edi, %eax
    jnc 9f
    movl $0x821, %eax                       // CLOCK_REALTIME, _COARSE, CLOCK_TAI
    leaq page + MONOTONIC(%rip), %r8
    leaq page + REALTIME(%rip), %rcx
    btl %edi, %eax
    cmovcq %rcx, %r8
    read_clock 9f
    movq %rcx, (%rsi)
    movq %rax, 8(%rsi)
    xorl %eax, %eax
    retq
9:  movl $228, %eax
    syscall
    retq
clock_gettime_end:

    .balign 16
    // int clock_getres(clockid_t, struct timespec *)
clock_getres:
    cmpl $11, %edi
    ja 9f
    movl $0x8f3, %eax
    btl %edi, %eax
    jnc 9f
    xorl %eax, %eax
    testq %rsi, %rsi
    jz 8f
    movl $1, %ecx
    movl $4000000, %edx
    movl $0x60, %r8d                        // _COARSE
    btl %edi, %r8d
    cmovcl %edx, %ecx
    movq %rax, (%rsi)
    movq %rcx, 8(%rsi)
8:  retq
9:  movl $229, %eax
    syscall
    retq
clock_getres_end:

    .balign 16
    // int gettimeofday(struct timeval *, struct timezone *)
gettimeofday:
    testq %rdi, %rdi
    jz 7f
    leaq page + REALTIME(%rip), %r8
    read_clock 9f
    imulq $274877907, %rax, %rax            // a thousandth: exact below 2^30
    shrq $38, %rax
    movq %rcx, (%rdi)
    movq %rax, 8(%rdi)
7:  xorl %eax, %eax
    testq %rsi, %rsi
    jz 8f
    movq %rax, (%rsi)
8:  retq
9:  movl $96, %eax
    syscall
    retq
gettimeofday_end:

    .balign 16
    // time_t time(time_t *)
time:
    leaq page + REALTIME(%rip), %r8
    read_clock 9f
    movq %rcx, %rax
    testq %rdi, %rdi
    jz 8f
    movq %rax, (%rdi)
8:  retq
9:  movl $201, %eax
    syscall
    retq
time_end:

    .balign 16
    // int getcpu(unsigned *, unsigned *): there is one processor.
getcpu:
    xorl %eax, %eax
    testq %rdi, %rdi
    jz 7f
    movl %eax, (%rdi)
7:  testq %rsi, %rsi
    jz 8f
    movl %eax, (%rsi)
8:  retq
getcpu_end:
code_end:
brique_vdso_end:
    .section .note.GNU-stack, "", @progbits
