// execve(2) of itself: arguments, environment, descriptors, signals, threads; then how a program ends.
#include <sys/auxv.h>
#include <sys/prctl.h>
#include "check.h"
CHECK_STATE

extern char **environ;

static void again(const char *stage, char **environment, const char *more) {
    char *words[] = {"another name", (char *)stage, (char *)more, NULL};
    execve("/proc/self/exe", words, environment);
    shown("execve", "%s", error_name(errno));
    exit(1);
}

static void refusals(void) {
    char *words[] = {"x", NULL};
    enter_scratch();
    returned("execve of nothing", execve("none", words, environ));
    returned("of a folder", execve(".", words, environ));
    close(make_file("plain", "text"));
    returned("of a file without x", execve("plain", words, environ));
    chmod("plain", 0755);
    returned("of a file that is no program", execve("plain", words, environ));
    close(make_file("empty", ""));
    chmod("empty", 0755);
    returned("of an empty file", execve("empty", words, environ));
    close(make_file("elf", "\177ELF\2\1\1"));
    chmod("elf", 0755);
    returned("of the beginning of a program", execve("elf", words, environ));
    close(make_file("script", "#!/none/interpreter\n"));
    chmod("script", 0755);
    returned("of a script without its interpreter", execve("script", words, environ));
    returned("of a bad pointer", syscall(SYS_execve, 8L, words, environ));
    returned("bad arguments", syscall(SYS_execve, "/proc/self/exe", 8L, environ));
    char *bad[] = {"x", (char *)8, NULL};
    returned("a bad argument", syscall(SYS_execve, "/proc/self/exe", bad, environ));
    returned("execveat of a closed descriptor", syscall(SYS_execveat, 999, "", words, environ, AT_EMPTY_PATH));
    returned("execveat with an unknown flag", syscall(SYS_execveat, AT_FDCWD, "plain", words, environ, 1));
    char *large = malloc(3 << 20);
    memset(large, 'x', 3 << 20);
    large[(3 << 20) - 1] = 0;
    char *long_words[] = {"x", large, NULL};
    returned("an argument that is too long", execve("/proc/self/exe", long_words, environ));
    free(large);
    unlink("plain"), unlink("empty"), unlink("elf"), unlink("script");
    leave_scratch();
}

static void *waits(void *argument) {
    for (;;) sleep_ms(1000);
    return argument;
}

static void ignores(int signal) { (void)signal; }

static void first(void) {
    refusals();
    int kept = open("/dev/null", O_RDONLY), closed = open("/dev/null", O_RDONLY | O_CLOEXEC);
    dup2(kept, 50), dup3(closed, 51, O_CLOEXEC);
    close(kept), close(closed);
    signal(SIGUSR1, ignores), signal(SIGUSR2, SIG_IGN);
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    umask(027);
    if (chdir("/dev")) exit(1);
    alarm(100);
    prctl(PR_SET_NAME, "renamed", 0, 0, 0);
    mmap((void *)0x150000000000, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    pthread_t thread;
    for (int index = 0; index < 3; index++) pthread_create(&thread, NULL, waits, NULL);
    char pid[32], *environment[] = {"COLOUR=green", "EMPTY=", "SCRATCH=/tmp", NULL};
    snprintf(pid, sizeof pid, "%d", getpid());
    again("second", environment, pid);
}

static void second(int count, char **words) {
    shown("arguments", "%d: %s, %s", count, words[0], words[1]);
    shown("environment", "%s, %s, %s", getenv("COLOUR"), getenv("EMPTY"), getenv("HOME") ? "more" : "no more");
    holds("the same process", atoi(words[2]) == getpid());
    returned("a descriptor that stays", fcntl(50, F_GETFD));
    returned("one that does not", fcntl(51, F_GETFD));
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    holds("a handled signal is default again", action.sa_handler == SIG_DFL);
    sigaction(SIGUSR2, NULL, &action);
    holds("an ignored one stays ignored", action.sa_handler == SIG_IGN);
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    number("a blocked one stays blocked", sigismember(&set, SIGTERM));
    stack_t stack;
    sigaltstack(NULL, &stack);
    holds("the other stack is gone", stack.ss_flags == SS_DISABLE);
    shown("umask", "%o", umask(022));
    char path[64] = "";
    holds("the folder", getcwd(path, sizeof path) && strcmp(path, "/dev") == 0);
    holds("the alarm", alarm(0) > 90);
    char name[32] = "";
    prctl(PR_GET_NAME, name, 0, 0, 0);
    holds("the name is the program's again", strcmp(name, "renamed") != 0);
    unsigned char pages[1];
    returned("memory is gone", mincore((void *)0x150000000000, 4096, pages));
    shown("AT_EXECFN", "%s", (char *)getauxval(AT_EXECFN));
    char line[64] = "";
    FILE *status_file = fopen("/proc/self/status", "r");
    while (status_file && fgets(line, sizeof line, status_file))
        if (strncmp(line, "Threads:", 8) == 0) number("threads", atol(line + 8));
    // From a thread that is not the first: it becomes the first.
    char *environment[] = {NULL};
    again("third", environment, words[2]);
}

static char *third_pid;
static void *from_a_thread(void *argument) {
    (void)argument;
    char *environment[] = {NULL};
    again("fourth", environment, third_pid);
    return NULL;
}

static void third(char **words) {
    shown("an empty environment", "%d", environ[0] == NULL);
    third_pid = words[2];
    pthread_t thread;
    pthread_create(&thread, NULL, from_a_thread, NULL);
    for (;;) sleep_ms(1000);
}

static void fourth(char **words) {
    holds("a thread's execve keeps the process", atoi(words[2]) == getpid());
    holds("and is its first thread", getpid() == syscall(SYS_gettid));
    static char room[100000];
    memset(room, 'r', sizeof room - 1);
    char *environment[] = {NULL};
    char *many[1001];
    for (int index = 0; index < 1000; index++) many[index] = "word";
    many[1] = "fifth", many[2] = room, many[1000] = NULL;
    execve("/proc/self/exe", many, environment);
    shown("execve of many words", "%s", error_name(errno));
}

static void at_exit(void) { shown("at exit", "called"); }

static void fifth(int count, char **words) {
    shown("many words", "%d, one of %ld", count, (long)strlen(words[2]));
    atexit(at_exit);
    exit(300 + 7);
}

int main(int count, char **words) {
    topic = "exec";
    if (count < 2) first();
    if (strcmp(words[1], "second") == 0) second(count, words);
    if (strcmp(words[1], "third") == 0) third(words);
    if (strcmp(words[1], "fourth") == 0) fourth(words);
    if (strcmp(words[1], "fifth") == 0) fifth(count, words);
    return 0;
}
