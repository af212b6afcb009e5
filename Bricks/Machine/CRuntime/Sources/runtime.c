#include "CRuntime.h"
#if !__STDC_HOSTED__
#include "CHypercalls.h"

// The heap is the Memory brick's.
void *brique_allocate(uint64_t byte_count, uint64_t alignment);
void brique_free(void *address);
uint64_t brique_usable_byte_count(void *address);

int posix_memalign(void **result, size_t alignment, size_t byte_count) {
    *result = brique_allocate(byte_count, alignment);
    return 0;
}
void *malloc(size_t byte_count) { return brique_allocate(byte_count, 16); }
void free(void *address) { brique_free(address); }
size_t malloc_usable_size(void *address) { return brique_usable_byte_count(address); }

// Random numbers come from the host in batches, and are erased as they are handed out.
static unsigned char pool[128];
static uint64_t pool_count;

void arc4random_buf(void *to, size_t count) {
    unsigned char *bytes = to;
    while (count) {
        if (pool_count == 0) {
            int64_t filled = brique_call(BRIQUE_CALL_ENTROPY, (uint64_t)pool, sizeof pool, 0);
            if (filled <= 0) {
                static const char message[] = "this machine has no entropy source";
                brique_panic(BRIQUE_CRASH_PANIC, message, sizeof message - 1);
            }
            pool_count = (uint64_t)filled;
        }
        pool_count--;
        *bytes++ = pool[pool_count];
        pool[pool_count] = 0;
        count--;
    }
}

// Rounding, for Double's own methods. Beyond 2^52 every double is whole.
static double truncated(double value) {
    if (!(value > -4503599627370496.0 && value < 4503599627370496.0)) return value;
    return __builtin_copysign((double)(int64_t)value, value);
}
double trunc(double value) { return truncated(value); }
double floor(double value) {
    double whole = truncated(value);
    return whole > value ? whole - 1 : whole;
}
double ceil(double value) {
    double whole = truncated(value);
    return whole < value ? __builtin_copysign(whole + 1, value) : whole;
}
double round(double value) {
    double whole = truncated(value), rest = __builtin_fabs(value - whole);
    return rest >= 0.5 ? whole + __builtin_copysign(1, value) : whole;
}
double sqrt(double value) {
    double root;
    __asm__("sqrtsd %1, %0" : "=x"(root) : "x"(value));
    return root;
}
double fmod(double value, double divisor) {
    double result;
    __asm__ volatile("fldl %2\n fldl %1\n 1: fprem\n fnstsw %%ax\n testb $4, %%ah\n jnz 1b\n fstpl %0\n fstp %%st(0)"
                     : "=m"(result) : "m"(value), "m"(divisor) : "ax", "cc", "st", "st(1)");
    return result;
}

// What libswift_Concurrency.a keeps of the C++ library: std::set's tree (an unbalanced tree is a valid one).
struct node {
    int color;
    struct node *parent, *left, *right;
};
struct node *_ZSt18_Rb_tree_decrementPSt18_Rb_tree_node_base(struct node *x) {
    if (x->color == 0 && x->parent && x->parent->parent == x) return x->right;  // the header: its rightmost
    if (x->left) {
        for (x = x->left; x->right;) x = x->right;
        return x;
    }
    struct node *parent = x->parent;
    while (x == parent->left) {
        x = parent;
        parent = parent->parent;
    }
    return parent;
}
void _ZSt29_Rb_tree_insert_and_rebalancebPSt18_Rb_tree_node_baseS0_RS_(_Bool left, struct node *x,
                                                                      struct node *parent, struct node *header) {
    *x = (struct node){1, parent, 0, 0};
    if (left) {
        parent->left = x;
        if (parent == header) {
            header->parent = x;
            header->right = x;
        } else if (parent == header->left) {
            header->left = x;
        }
    } else {
        parent->right = x;
        if (parent == header->right) header->right = x;
    }
}
_Noreturn void abort(void);
int puts(const char *string);
_Noreturn void _ZSt20__throw_length_errorPKc(const char *message) {
    brique_panic(BRIQUE_CRASH_PANIC, message, strlen(message));
}
_Noreturn void __cxa_pure_virtual(void) { abort(); }
_Bool _swift_shouldReportFatalErrorsToDebugger(void) { return 0; }
void _swift_reportToDebugger(uintptr_t flags, const char *message, void *details) {
    (void)flags;
    (void)details;
    puts(message);
}
__attribute__((weak)) void swift_createDefaultExecutors(void) {}

// Referenced by the runtime's own clock, which the Scheduler brick replaces: reaching one is a bug.
int clock_gettime(int clock, void *time) { (void)clock, (void)time; abort(); }
int clock_getres(int clock, void *time) { (void)clock, (void)time; abort(); }
int nanosleep(const void *wanted, void *rest) { (void)wanted, (void)rest; abort(); }
static int last_error;
int *__errno_location(void) { return &last_error; }
void *stderr;
int fputs(const char *string, void *file) { (void)file; return puts(string); }
int fflush(void *file) { (void)file; brique_output_flush(); return 0; }
#endif
