// The kernel's interface without a C library: system calls, the structures of its uapi headers, signals, and the start of a
// freestanding program. Numbers and layouts are the kernel's own headers'; all logic is in Swift.
#ifndef BRIQUE_LINUX_CALLS_H
#define BRIQUE_LINUX_CALLS_H
#include <stdint.h>
#include <asm/unistd.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include "CMemory.h"

// A result, or minus an errno (x86-64 psABI, appendix A.2).
static inline int64_t brique_linux_call(int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f) {
    int64_t result;
    register uint64_t r10 __asm__("r10") = d;
    register uint64_t r8 __asm__("r8") = e;
    register uint64_t r9 __asm__("r9") = f;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}

// Requests and flags whose macros do not reach Swift.
enum {
    brique_kvm_get_api_version = KVM_GET_API_VERSION,
    brique_kvm_create_vm = KVM_CREATE_VM,
    brique_kvm_check_extension = KVM_CHECK_EXTENSION,
    brique_kvm_sync_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS,
    brique_kvm_sync_general = KVM_SYNC_X86_REGS,
    brique_kvm_sync_events = KVM_SYNC_X86_EVENTS,
    brique_kvm_set_xcrs = KVM_SET_XCRS,
    brique_kvm_get_vcpu_mmap_size = KVM_GET_VCPU_MMAP_SIZE,
    brique_kvm_create_vcpu = KVM_CREATE_VCPU,
    brique_kvm_set_user_memory_region = KVM_SET_USER_MEMORY_REGION,
    brique_kvm_get_supported_cpuid = KVM_GET_SUPPORTED_CPUID,
    brique_kvm_set_cpuid2 = KVM_SET_CPUID2,
    brique_kvm_mem_readonly = KVM_MEM_READONLY,
    brique_kvm_run = KVM_RUN,
    brique_kvm_get_regs = KVM_GET_REGS,
    brique_kvm_get_sregs = KVM_GET_SREGS,
    brique_kvm_get_tsc_khz = KVM_GET_TSC_KHZ,
    brique_seccomp_allow = SECCOMP_RET_ALLOW,
    brique_seccomp_trap = SECCOMP_RET_TRAP,
    brique_seccomp_kill_process = SECCOMP_RET_KILL_PROCESS,
    brique_audit_arch_x86_64 = AUDIT_ARCH_X86_64,
};

// The program's own arguments and environment, where its vDSO is (0: none), and what else the kernel lets a program use (AT_HWCAP2).
struct brique_host_program {
    uint64_t argument_count;
    char *const *arguments;
    char *const *environment;
    uint64_t vdso, capabilities;
};
struct brique_host_program brique_host_program(void);

// clock_gettime(2), by the function at `function`, or by a system call if that is 0.
static inline int64_t brique_clock_get(uint64_t function, int32_t clock, int64_t *time) {
    if (function) return ((int32_t (*)(int32_t, int64_t *))function)(clock, time);
    return brique_linux_call(__NR_clock_gettime, (uint64_t)clock, (uint64_t)time, 0, 0, 0, 0);
}

// What a signal handler is given: the parts of siginfo_t and of ucontext_t that the kernel fills (asm/siginfo.h, asm/ucontext.h).
struct brique_signal_information {
    int32_t signal, error, code, reserved;
    uint64_t address;
    int32_t call;
    uint32_t architecture;
};
struct brique_signal_context {
    uint64_t flags, link, stack[3];
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags, selectors;
    uint64_t error, vector, old_mask, cr2;
};
typedef void (*brique_signal_handler)(int32_t signal, const struct brique_signal_information *information,
                                      const struct brique_signal_context *context);
#define BRIQUE_SIGNAL_ON_STACK 0x08000000
#define BRIQUE_SIGNAL_RESTART 0x10000000
#define BRIQUE_SIGNAL_RESET 0x80000000
#define BRIQUE_SIGNAL_NOT_MASKED 0x40000000
// rt_sigaction(2) with SA_SIGINFO; `mask` has bit n-1 for signal n.
int64_t brique_signal_handle(int32_t signal, brique_signal_handler handler, uint64_t flags, uint64_t mask);

// Gives BRIQUE_SIGNAL_ON_STACK handlers a stack of their own (sigaltstack(2)).
int64_t brique_signal_stack_prepare(void);

// Whether the instance only waits: then a signal that ends it has nothing to report.
void brique_idle_set(int32_t is_idle);
int32_t brique_idle(void);

// One pointer that a signal handler may ask for.
void brique_context_set(void *context);
void *brique_context(void);

// Process monitor. Jumps to `start` with rdi and rsp as given and every other register clear; never returns. The caller's
// stack, below its frames, is from then on the gate's.
_Noreturn void brique_guest_enter(uint64_t start, uint64_t rdi, uint64_t rsp);
// Who answers the gate.
typedef int64_t (*brique_gate_handler)(uint64_t number, uint64_t a, uint64_t b, uint64_t c);
void brique_gate_prepare(brique_gate_handler handler);
// The function that the guest calls, and its address.
int64_t brique_gate_entry(uint64_t number, uint64_t a, uint64_t b, uint64_t c);
static inline uint64_t brique_gate_address(void) { return (uint64_t)&brique_gate_entry; }
// While a call is answered, the guest's stack pointer: there lie its rbp and its return address. Otherwise 0.
uint64_t brique_gate_guest_stack(void);
#endif
