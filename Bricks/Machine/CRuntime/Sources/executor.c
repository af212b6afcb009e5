#include "CRuntime.h"
#if !__STDC_HOSTED__
// The hooks of the concurrency runtime (Swift's ExecutorImpl.h), in Swift's calling convention. The Scheduler answers.
#define SWIFT __attribute__((swiftcall))
struct executor {
    uintptr_t identity, implementation;
};

void brique_enqueue(void *job);
void brique_enqueue_after(void *job, uint64_t nanoseconds);
_Noreturn void brique_run(void);
_Noreturn void abort(void);

SWIFT void swift_task_enqueueGlobalImpl(void *job) { brique_enqueue(job); }
SWIFT void swift_task_enqueueMainExecutorImpl(void *job) { brique_enqueue(job); }
SWIFT void swift_task_enqueueGlobalWithDelayImpl(uint64_t nanoseconds, void *job) { brique_enqueue_after(job, nanoseconds); }
// Deadlines are of a clock that Embedded Swift does not have; sleeping goes through the Scheduler's own Task.sleep.
SWIFT void swift_task_enqueueGlobalWithDeadlineImpl(int64_t seconds, int64_t nanoseconds, int64_t tolerance_seconds,
                                                    int64_t tolerance_nanoseconds, int32_t clock, void *job) {
    (void)seconds, (void)nanoseconds, (void)tolerance_seconds, (void)tolerance_nanoseconds, (void)clock, (void)job;
    abort();
}
// One processor, one executor: whoever runs is isolated.
SWIFT void swift_task_checkIsolatedImpl(struct executor executor) { (void)executor; }
SWIFT int8_t swift_task_isIsolatingCurrentContextImpl(struct executor executor) {
    (void)executor;
    return 1;
}
SWIFT struct executor swift_task_getMainExecutorImpl(void) { return (struct executor){0, 0}; }
SWIFT _Bool swift_task_isMainExecutorImpl(struct executor executor) { return executor.identity == 0; }
SWIFT void swift_task_donateThreadToGlobalExecutorUntilImpl(_Bool (*condition)(void *), void *context) {
    (void)condition, (void)context;
    abort();
}
SWIFT _Noreturn void swift_task_asyncMainDrainQueueImpl(void) { brique_run(); }
#endif
