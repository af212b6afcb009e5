// Handlers, masks, nesting, alternate stacks, what siginfo tells, and kill in its forms.
#include <sys/ucontext.h>
#include "check.h"
CHECK_STATE

static char trail[256];
static void step(const char *text) { strncat(trail, text, sizeof trail - strlen(trail) - 1); }
static void show_trail(const char *what) {
    shown(what, "%s", trail[0] ? trail : "nothing");
    trail[0] = 0;
}

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    must("sigaction", sigaction(signal, &action, NULL));
}

static siginfo_t last;
static void keep(int signal, siginfo_t *information, void *context) {
    (void)signal, (void)context;
    last = *information;
    char text[16];
    snprintf(text, sizeof text, "%d ", signal);
    step(text);
}

static void information(void) {
    install(SIGUSR1, keep, 0);
    returned("raise", raise(SIGUSR1));
    shown("raise tells", "signal %d code %d ours %d", last.si_signo, last.si_code, last.si_pid == getpid());
    returned("kill", kill(getpid(), SIGUSR1));
    shown("kill tells", "code %d uid %d", last.si_code, last.si_uid == getuid());
    returned("tgkill", syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
    shown("tgkill tells", "code %d", last.si_code);
    union sigval value = {.sival_int = 4711};
    returned("sigqueue", sigqueue(getpid(), SIGUSR1, value));
    shown("sigqueue tells", "code %d value %d", last.si_code, last.si_value.sival_int);
    siginfo_t own = {.si_signo = SIGUSR1, .si_code = -60, .si_errno = 5};
    own.si_value.sival_int = 99;
    returned("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &own));
    shown("it tells", "code %d errno %d value %d", last.si_code, last.si_errno, last.si_value.sival_int);
    own.si_code = 0;
    returned("rt_tgsigqueueinfo to oneself with kill's code", syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGUSR1, &own));
    show_trail("handlers that ran");
    returned("kill of process 0 is the group", kill(0, 0));
    returned("signal 0", kill(getpid(), 0));
    returned("signal 65", kill(getpid(), 65));
    returned("signal -1", kill(getpid(), -1));
    returned("kill of nobody", kill(0x3ffffff, SIGUSR1));
}

static void masks(void) {
    install(SIGUSR1, keep, 0);
    install(SIGUSR2, keep, 0);
    sigset_t set, old, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    returned("block", sigprocmask(SIG_BLOCK, &set, &old));
    number("it was blocked before", sigismember(&old, SIGUSR1));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    show_trail("what ran while it was blocked");
    returned("sigpending", sigpending(&pending));
    shown("pending", "%d %d", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2));
    returned("unblock", sigprocmask(SIG_UNBLOCK, &set, NULL));
    show_trail("what ran then, once for both");
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    sigpending(&pending);
    number("ignoring drops what is pending", sigismember(&pending, SIGUSR1));
    install(SIGUSR1, keep, 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    show_trail("so nothing ran");
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigprocmask(SIG_SETMASK, &old, &set);
    shown("SIGKILL and SIGSTOP cannot be blocked", "%d %d", sigismember(&set, SIGKILL), sigismember(&set, SIGSTOP));
    returned("a way that is none", sigprocmask(77, &set, NULL));
    returned("a set of another size", syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4));
    returned("a bad pointer", syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8L, NULL, 8));
    returned("a bad old pointer", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, 8L, 8));
}

static bool has_raised;
static void nested(int signal, siginfo_t *information, void *context) {
    (void)information, (void)context;
    step(signal == SIGUSR1 ? "(1 " : "(2 ");
    if (!has_raised) {
        has_raised = true;
        raise(SIGUSR1);
        raise(SIGUSR2);
    }
    step(signal == SIGUSR1 ? "1)" : "2)");
}

static void resets(int signal, siginfo_t *information, void *context) {
    (void)signal, (void)information, (void)context;
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    step(now.sa_handler == SIG_DFL ? "default" : "handler");
}

static void nesting(void) {
    install(SIGUSR1, nested, 0);
    install(SIGUSR2, nested, 0);
    raise(SIGUSR1);
    show_trail("its own signal waits, another does not");
    has_raised = false;
    install(SIGUSR1, nested, SA_NODEFER);
    raise(SIGUSR1);
    show_trail("SA_NODEFER");
    struct sigaction action = {.sa_sigaction = nested, .sa_flags = SA_SIGINFO};
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    has_raised = false;
    raise(SIGUSR1);
    show_trail("a mask for the handler's time");
    sigset_t mask;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    shown("afterwards nothing is blocked", "%d %d", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2));
    install(SIGUSR1, resets, SA_RESETHAND);
    raise(SIGUSR1);
    show_trail("SA_RESETHAND in the handler");
    struct sigaction back;
    sigaction(SIGUSR1, NULL, &back);
    holds("and the default after it", back.sa_handler == SIG_DFL);
}

static char other_stack[65536];
static void where(int signal, siginfo_t *information, void *context) {
    (void)signal, (void)information;
    char here;
    step(&here >= other_stack && &here < other_stack + sizeof other_stack ? "other " : "usual ");
    stack_t state;
    sigaltstack(NULL, &state);
    step(state.ss_flags == SS_ONSTACK ? "on " : state.ss_flags == SS_DISABLE ? "disabled " : "off ");
    if (state.ss_flags == SS_ONSTACK) step(sigaltstack(&state, NULL) < 0 && errno == EPERM ? "EPERM" : "changed");
    ucontext_t *before = context;
    step(before->uc_stack.ss_sp == other_stack ? "!" : "?");
}

static void alternate_stack(void) {
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack}, old;
    returned("sigaltstack", sigaltstack(&stack, &old));
    number("there was none", old.ss_flags);
    install(SIGUSR1, where, SA_ONSTACK);
    install(SIGUSR2, where, 0);
    raise(SIGUSR1);
    show_trail("with SA_ONSTACK");
    raise(SIGUSR2);
    show_trail("without");
    stack.ss_size = 100;
    returned("a stack that is too small", sigaltstack(&stack, NULL));
    stack.ss_flags = 77;
    returned("flags that are none", sigaltstack(&stack, NULL));
    returned("a bad pointer", syscall(SYS_sigaltstack, 8L, NULL));
    stack.ss_flags = SS_DISABLE;
    returned("disabled", sigaltstack(&stack, NULL));
    raise(SIGUSR1);
    show_trail("with SA_ONSTACK then");
}

static volatile char deep_dummy;
static int descend(int depth) {
    volatile char room[4096];
    room[0] = (char)depth;
    deep_dummy = room[0];
    return depth < 0 ? 0 : descend(depth + 1) + room[0];
}

static sigjmp_buf overflow;
static void on_overflow(int signal, siginfo_t *information, void *context) {
    (void)information, (void)context;
    char here;
    step(signal == SIGSEGV && &here >= other_stack && &here < other_stack + sizeof other_stack ? "caught" : "elsewhere");
    siglongjmp(overflow, 1);
}

static void *overflows(void *argument) {
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof other_stack};
    sigaltstack(&stack, NULL);
    install(SIGSEGV, on_overflow, SA_ONSTACK);
    if (sigsetjmp(overflow, 1) == 0) descend(0);
    return argument;
}

static void stack_overflow(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, overflows, NULL);
    pthread_join(thread, NULL);
    show_trail("a thread's stack overflow on the other stack");
    signal(SIGSEGV, SIG_DFL);
}

static void actions(void) {
    struct sigaction action = {.sa_handler = SIG_IGN, .sa_flags = SA_RESTART}, old;
    returned("ignore", sigaction(SIGUSR1, &action, &old));
    returned("a signal that is ignored", raise(SIGUSR1));
    sigaction(SIGUSR1, NULL, &old);
    shown("what was set is read", "%d %x", old.sa_handler == SIG_IGN, old.sa_flags & ~0x04000000);
    returned("a handler for SIGKILL", sigaction(SIGKILL, &action, NULL));
    returned("asking about SIGKILL", sigaction(SIGKILL, NULL, &old));
    returned("for signal 0", syscall(SYS_rt_sigaction, 0, NULL, &old, 8));
    returned("for signal 65", syscall(SYS_rt_sigaction, 65, NULL, NULL, 8));
    returned("a set of another size", syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 16));
    returned("a bad pointer", syscall(SYS_rt_sigaction, SIGUSR1, 8L, NULL, 8));
    returned("a bad old pointer", syscall(SYS_rt_sigaction, SIGUSR1, NULL, 8L, 8));
    returned("SIGCHLD is ignored by default", raise(SIGCHLD));
    returned("so is SIGURG", raise(SIGURG));
    returned("and SIGWINCH", raise(SIGWINCH));
    returned("SIGCONT goes on", raise(SIGCONT));
}

int main(void) {
    topic = "signals";
    information();
    masks();
    nesting();
    alternate_stack();
    stack_overflow();
    actions();
    return 0;
}
