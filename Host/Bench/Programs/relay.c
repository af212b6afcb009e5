// Carries frames between two TAPs, so that a Linux process can stand behind what an instance stands behind, or so that frames are late
// and lost: NAME NAME NAMESPACE_PID [LOST_OF_1000 DELAY_MILLISECONDS]. The second TAP is moved to the namespace of the process.
// Without loss and delay both have all offloads, with them none: every frame is one packet.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define QUEUE 4096
#define FRAME (1 << 17)
static struct { int count; long due; char bytes[2048]; } queues[2][QUEUE];
static unsigned first[2], last[2];
static int lost, delay;
static unsigned long seed = 88172645463325252ul;

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int make(const char *name) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    int descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK), size = 12;
    unsigned offloads = delay || lost ? 0 : TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(descriptor, TUNSETIFF, &request) || ioctl(descriptor, TUNSETVNETHDRSZ, &size) ||
        ioctl(descriptor, TUNSETOFFLOAD, offloads)) {
        perror(name);
        exit(1);
    }
    return descriptor;
}

static void carry(int source, int target) {
    static char frame[FRAME];
    for (int i = 0; i < 64; i++) {
        ssize_t count = read(source, frame, sizeof frame);
        if (count <= 0 || write(target, frame, count) < 0) return;
    }
}

// Into the queue of a direction, but for those that are lost; a full queue loses them too.
static void take(int way, int source) {
    for (int i = 0; i < 64; i++) {
        char spare[2048];
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        int is_lost = (int)(seed % 1000) < lost || last[way] - first[way] == QUEUE;
        unsigned slot = last[way] % QUEUE;
        ssize_t count = read(source, is_lost ? spare : queues[way][slot].bytes, sizeof spare);
        if (count <= 0) return;
        if (is_lost) continue;
        queues[way][slot].count = (int)count;
        queues[way][slot].due = now() + delay * 1000L;
        last[way]++;
    }
}

// Sends what is due; the microseconds until the next is.
static long release(int way, int target) {
    while (first[way] != last[way]) {
        unsigned slot = first[way] % QUEUE;
        long rest = queues[way][slot].due - now();
        if (rest > 0) return rest;
        if (write(target, queues[way][slot].bytes, queues[way][slot].count) < 0) perror("write");
        first[way]++;
    }
    return 1000000;
}

int main(int count, char **words) {
    char line[128];
    if (count != 4 && count != 6) return 2;
    if (count == 6) lost = atoi(words[4]), delay = atoi(words[5]);
    int ends[2] = {make(words[1]), make(words[2])};
    snprintf(line, sizeof line, "ip link set %s netns %s", words[2], words[3]);
    if (system(line)) return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}};
        long a = release(0, ends[1]), b = release(1, ends[0]), wait = a < b ? a : b;
        struct timespec time = {wait / 1000000, wait % 1000000 * 1000};
        if (ppoll(polled, 2, &time, 0) < 0) return 1;
        for (int way = 0; way < 2; way++) {
            if (!polled[way].revents) continue;
            if (delay || lost) take(way, ends[way]);
            else carry(ends[way], ends[1 - way]);
        }
    }
}
