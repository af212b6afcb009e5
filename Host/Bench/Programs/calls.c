// What calls and switches cost, measured by the program itself: calls KIND. Prints nanoseconds of one.
//   getppid  by one site, many times        first  by sites that are used for the first time
//   futex    a switch between two threads   pipe   the same by a byte through a pipe
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 50000
#define SITES 2000

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static double getppid_calls(void) {
    for (int round = 0; round < 1000; round++) syscall(SYS_getppid);
    int64_t begin = now();
    for (int round = 0; round < 20 * ROUNDS; round++) syscall(SYS_getppid);
    return (double)(now() - begin) / (20 * ROUNDS);
}

static double first_calls(void) {
    static const unsigned char code[] = {0xb8, SYS_getppid, 0, 0, 0, 0x0f, 0x05, 0xc3};
    unsigned char *area = mmap(NULL, SITES * 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int site = 0; site < SITES; site++) memcpy(area + site * 16, code, sizeof code);
    if (mprotect(area, SITES * 16, PROT_READ | PROT_EXEC) < 0) return -1;
    int64_t begin = now();
    for (int site = 0; site < SITES; site++) ((int (*)(void))(area + site * 16))();
    return (double)(now() - begin) / SITES;
}

static uint32_t turn;
static int pipes[2][2];

static void pass(uint32_t me) {
    __atomic_store_n(&turn, 1 - me, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != me) syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, 1 - me, NULL, NULL, 0);
}

static void *futex_partner(void *argument) {
    while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != 1) syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    for (int round = 0; round < ROUNDS; round++) pass(1);
    return argument;
}

static void *pipe_partner(void *argument) {
    char byte;
    while (read(pipes[0][0], &byte, 1) == 1 && write(pipes[1][1], &byte, 1) == 1) {}
    return argument;
}

static double futex_switches(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, futex_partner, NULL);
    int64_t begin = now();
    for (int round = 0; round < ROUNDS; round++) pass(0);
    double each = (double)(now() - begin) / (2 * ROUNDS);
    turn = 1;
    syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return each;
}

static double pipe_switches(void) {
    pthread_t thread;
    char byte = 0;
    if (pipe(pipes[0]) < 0 || pipe(pipes[1]) < 0) return -1;
    pthread_create(&thread, NULL, pipe_partner, NULL);
    int64_t begin = now();
    for (int round = 0; round < ROUNDS; round++)
        if (write(pipes[0][1], &byte, 1) != 1 || read(pipes[1][0], &byte, 1) != 1) return -1;
    return (double)(now() - begin) / (2 * ROUNDS);
}

int main(int count, char **words) {
    const char *kind = count > 1 ? words[1] : "";
    double each = !strcmp(kind, "getppid") ? getppid_calls()
                  : !strcmp(kind, "first") ? first_calls()
                  : !strcmp(kind, "futex") ? futex_switches()
                  : !strcmp(kind, "pipe")  ? pipe_switches()
                                           : -1;
    printf("%.1f\n", each);
    fflush(stdout);
    _exit(each < 0);
}
