// Bulk TCP for the network bench: the protocol of Apps/bulk (5001 takes, 5002 gives N bytes to "GET N"), as a client and as a Linux server.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char block[1 << 17];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static int fail(const char *what) {
    perror(what);
    exit(1);
}

static long drain(int descriptor) {
    long total = 0;
    for (ssize_t count; (count = read(descriptor, block, sizeof block)) > 0;) total += count;
    return total;
}

static void give(int descriptor, long count) {
    while (count > 0) {
        ssize_t done = write(descriptor, block, count < (long)sizeof block ? count : (long)sizeof block);
        if (done <= 0) fail("write");
        count -= done;
    }
}

// put|get ADDRESS BYTES: prints the seconds it took, connection included.
static int client(const char *verb, const char *host, long count) {
    int is_put = strcmp(verb, "put") == 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(is_put ? 5001 : 5002)};
    char line[64];
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) return 2;
    double start = now();
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    if (is_put) {
        give(descriptor, count);
        shutdown(descriptor, SHUT_WR);
        ssize_t answer = read(descriptor, line, sizeof line - 1);
        line[answer > 0 ? answer : 0] = 0;
        if (atol(line) != count) return fprintf(stderr, "sent %ld, answered: %s\n", count, line), 1;
    } else {
        give(descriptor, 0);
        int length = snprintf(line, sizeof line, "GET %ld\n", count);
        if (write(descriptor, line, length) != length) fail("write");
        long received = drain(descriptor);
        if (received != count) return fprintf(stderr, "asked for %ld, got %ld\n", count, received), 1;
    }
    printf("%.6f\n", now() - start);
    return 0;
}

static void serve(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 64) != 0) fail("listen");
    for (;;) {
        int descriptor = accept(listener, 0, 0);
        if (descriptor < 0) continue;
        char line[64] = "";
        if (port == 5001) {
            int length = snprintf(line, sizeof line, "%ld bytes\n", drain(descriptor));
            if (write(descriptor, line, length) != length) perror("write");
        } else if (read(descriptor, line, sizeof line - 1) > 4) {
            give(descriptor, atol(line + 4));
        }
        close(descriptor);
    }
}

int main(int count, char **words) {
    signal(SIGPIPE, SIG_IGN);
    if (count == 4) return client(words[1], words[2], atol(words[3]));
    if (count != 2 || strcmp(words[1], "serve")) return 2;
    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        serve(5001);
    }
    serve(5002);
}
