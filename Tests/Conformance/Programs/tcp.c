// AF_INET and AF_INET6 streams over loopback: options of servers, non-blocking connect, shutdown, reset, peek.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "check.h"
CHECK_STATE

static char bytes[1 << 20];

static int option(int file, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(file, level, name, &value, &size) < 0 ? -errno : value;
}
static int set(int file, int level, int name, int value) { return setsockopt(file, level, name, &value, sizeof value); }

static struct sockaddr_in loopback(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int listener, port;
static void listens(void) {
    listener = (int)must("socket", socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    returned("SO_REUSEADDR", set(listener, SOL_SOCKET, SO_REUSEADDR, 1));
    struct sockaddr_in address = loopback(0);
    returned("bind to any port", bind(listener, (struct sockaddr *)&address, sizeof address));
    socklen_t size = sizeof address;
    returned("getsockname", getsockname(listener, (struct sockaddr *)&address, &size));
    port = ntohs(address.sin_port);
    shown("its address", "%s, a port %d", inet_ntoa(address.sin_addr), port > 0);
    returned("bind once more", bind(listener, (struct sockaddr *)&address, sizeof address));
    returned("listen", listen(listener, 128));
    int other = socket(AF_INET, SOCK_STREAM, 0);
    returned("another at the same port", bind(other, (struct sockaddr *)&address, sizeof address));
    close(other);
    returned("getpeername of a listener", getpeername(listener, (struct sockaddr *)&address, &size));
    returned("recv of a listener", recv(listener, bytes, 1, 0));
    number("SO_ACCEPTCONN", option(listener, SOL_SOCKET, SO_ACCEPTCONN));
}

static int client, server;
static void connects(void) {
    struct sockaddr_in address = loopback(port);
    client = (int)must("socket", socket(AF_INET, SOCK_STREAM, 0));
    must("connect", connect(client, (struct sockaddr *)&address, sizeof address));
    server = (int)must("accept", accept(listener, NULL, NULL));
}
static void finish(void) { close(client), close(server); }

static void options(void) {
    connects();
    struct sockaddr_in one, two;
    socklen_t size = sizeof one;
    getsockname(client, (struct sockaddr *)&one, &size);
    getpeername(server, (struct sockaddr *)&two, &size);
    holds("both ends agree", one.sin_port == two.sin_port && one.sin_addr.s_addr == two.sin_addr.s_addr);
    number("TCP_NODELAY", option(client, IPPROTO_TCP, TCP_NODELAY));
    returned("set", set(client, IPPROTO_TCP, TCP_NODELAY, 1));
    number("TCP_NODELAY", option(client, IPPROTO_TCP, TCP_NODELAY));
    returned("SO_KEEPALIVE", set(client, SOL_SOCKET, SO_KEEPALIVE, 1));
    number("it is set", option(client, SOL_SOCKET, SO_KEEPALIVE));
    returned("TCP_KEEPIDLE", set(client, IPPROTO_TCP, TCP_KEEPIDLE, 30));
    returned("TCP_KEEPINTVL", set(client, IPPROTO_TCP, TCP_KEEPINTVL, 10));
    returned("TCP_KEEPCNT", set(client, IPPROTO_TCP, TCP_KEEPCNT, 3));
    shown("they are", "%d %d %d", option(client, IPPROTO_TCP, TCP_KEEPIDLE), option(client, IPPROTO_TCP, TCP_KEEPINTVL),
          option(client, IPPROTO_TCP, TCP_KEEPCNT));
    returned("TCP_CORK", set(client, IPPROTO_TCP, TCP_CORK, 1));
    returned("and off", set(client, IPPROTO_TCP, TCP_CORK, 0));
    returned("TCP_QUICKACK", set(client, IPPROTO_TCP, TCP_QUICKACK, 1));
    returned("TCP_DEFER_ACCEPT of a listener", set(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0));
    returned("SO_RCVBUF", set(client, SOL_SOCKET, SO_RCVBUF, 65536));
    holds("has grown", option(client, SOL_SOCKET, SO_RCVBUF) >= 65536);
    returned("SO_SNDBUF", set(client, SOL_SOCKET, SO_SNDBUF, 65536));
    number("SO_ERROR", option(client, SOL_SOCKET, SO_ERROR));
    shown("domain, type, protocol", "%d %d %d", option(client, SOL_SOCKET, SO_DOMAIN), option(client, SOL_SOCKET, SO_TYPE),
          option(client, SOL_SOCKET, SO_PROTOCOL));
    number("SO_REUSEADDR of the client", option(client, SOL_SOCKET, SO_REUSEADDR));
    returned("SO_REUSEPORT", set(client, SOL_SOCKET, SO_REUSEPORT, 1));
    returned("IP_TOS", set(client, IPPROTO_IP, IP_TOS, 0x10));
    returned("an option that is none", set(client, SOL_SOCKET, 9999, 1));
    returned("a level that is none", set(client, 9999, 1, 1));
    returned("too small a value", setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &one, 1));
    returned("a bad pointer", syscall(SYS_setsockopt, client, SOL_SOCKET, SO_KEEPALIVE, 8L, 4));
    struct tcp_info information;
    size = sizeof information;
    returned("TCP_INFO", getsockopt(client, IPPROTO_TCP, TCP_INFO, &information, &size));
    number("its state", information.tcpi_state);
    struct linger linger = {1, 5};
    returned("SO_LINGER", setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    struct timeval time = {0, 20000};
    returned("SO_RCVTIMEO", setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    int64_t begin = now_ns();
    returned("a receive that times out", recv(client, bytes, 1, 0));
    holds("took as long", now_ns() - begin >= 15000000);
    finish();
}

static void transfers(void) {
    connects();
    returned("send", send(client, "hello", 5, 0));
    returned("peek", recv(server, bytes, 3, MSG_PEEK));
    int there = 0;
    ioctl(server, FIONREAD, &there);
    number("FIONREAD", there);
    returned("receive", recv(server, bytes, 100, 0));
    returned("MSG_DONTWAIT", recv(server, bytes, 100, MSG_DONTWAIT));
    send(client, "abc", 3, MSG_MORE), send(client, "def", 3, 0);
    returned("MSG_WAITALL", recv(server, bytes, 6, MSG_WAITALL));
    send(client, "skip", 4, 0);
    returned("MSG_TRUNC drops", recv(server, NULL, 4, MSG_TRUNC | MSG_WAITALL));
    struct iovec parts[2] = {{"one ", 4}, {"two", 3}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    returned("sendmsg", sendmsg(client, &message, 0));
    returned("its bytes", recv(server, bytes, 7, MSG_WAITALL));
    returned("shutdown of writing", shutdown(client, SHUT_WR));
    returned("the end", recv(server, bytes, 100, 0));
    returned("the other way goes on", send(server, "still", 5, 0));
    returned("receive", recv(client, bytes, 100, 0));
    returned("send after shutdown", send(client, "x", 1, MSG_NOSIGNAL));
    close(server);
    returned("the end there", recv(client, bytes, 100, 0));
    close(client);
    connects();
    struct linger linger = {1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    close(client);
    sleep_ms(20);
    returned("a reset", recv(server, bytes, 100, 0));
    returned("then the end", recv(server, bytes, 100, 0));
    returned("and writing", send(server, "x", 1, MSG_NOSIGNAL));
    close(server);
    connects();
    send(client, "unread", 6, 0);
    sleep_ms(10);
    close(server);
    sleep_ms(10);
    struct pollfd poller = {.fd = client, .events = POLLIN | POLLOUT};
    poll(&poller, 1, 100);
    shown("closed with bytes unread: poll", "%x", poller.revents);
    returned("receive", recv(client, bytes, 10, 0));
    close(client);
}

// Who closes with bytes unread resets the connection, behind what it has written.
static void reset_behind_bytes(void) {
    connects();
    returned("a byte that nobody reads", write(client, "x", 1));
    usleep(20000);
    returned("the answer", write(server, "bye", 3));
    close(server);
    usleep(20000);
    returned("it is read", read(client, bytes, 10));
    returned("then the reset", read(client, bytes, 10));
    returned("and the end", read(client, bytes, 10));
    close(client);
}

static void *sends(void *argument) {
    static char mine[1 << 20];
    for (int index = 0; index < (int)sizeof mine; index++) mine[index] = (char)(index * 13);
    long total = 0;
    for (int round = 0; round < 8; round++) {
        for (long place = 0; place < (long)sizeof mine;) {
            long count = send(client, mine + place, sizeof mine - (size_t)place, 0);
            if (count < 0) return (void *)-1L;
            place += count, total += count;
        }
    }
    shutdown(client, SHUT_WR);
    (void)argument;
    return (void *)total;
}

static void bulk(void) {
    connects();
    pthread_t thread;
    void *result;
    pthread_create(&thread, NULL, sends, NULL);
    long total = 0, wrong = 0, count;
    while ((count = recv(server, bytes, sizeof bytes, 0)) > 0) {
        for (long index = 0; index < count; index++) wrong += bytes[index] != (char)((total + index) % (1 << 20) * 13);
        total += count;
    }
    pthread_join(thread, &result);
    shown("8 MiB", "%ld sent, %ld received, %ld wrong", (long)result, total, wrong);
    finish();
}

static void not_blocking(void) {
    struct sockaddr_in address = loopback(port);
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int begun = connect(client, (struct sockaddr *)&address, sizeof address);
    holds("a non-blocking connect is on its way or done", begun == 0 || errno == EINPROGRESS);
    struct pollfd poller = {.fd = client, .events = POLLOUT};
    returned("it becomes writable", poll(&poller, 1, 2000));
    number("without an error", option(client, SOL_SOCKET, SO_ERROR));
    returned("connect again", connect(client, (struct sockaddr *)&address, sizeof address) == 0 || errno == EISCONN ? 0 : -1);
    returned("receive of nothing", recv(client, bytes, 1, 0));
    server = accept(listener, NULL, NULL);
    long total = 0, count;
    while ((count = send(client, bytes, sizeof bytes, 0)) > 0) total += count;
    returned("sending until it is full", count);
    holds("something was sent", total > 0);
    finish();
    fcntl(listener, F_SETFL, O_NONBLOCK);
    returned("accept of nobody", accept(listener, NULL, NULL));
    close(listener);
    client = socket(AF_INET, SOCK_STREAM, 0);
    returned("connect to a closed port", connect(client, (struct sockaddr *)&address, sizeof address));
    close(client);
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    begun = connect(client, (struct sockaddr *)&address, sizeof address);
    poller.fd = client;
    poll(&poller, 1, 2000);
    holds("without blocking: refused at once or by SO_ERROR",
          (begun < 0 && errno == ECONNREFUSED) || option(client, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
    close(client);
}

static void version_six(void) {
    int six = socket(AF_INET6, SOCK_STREAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_any}, peer;
    number("IPV6_V6ONLY", option(six, IPPROTO_IPV6, IPV6_V6ONLY));
    returned("bind", bind(six, (struct sockaddr *)&address, sizeof address));
    listen(six, 5);
    socklen_t size = sizeof address;
    getsockname(six, (struct sockaddr *)&address, &size);
    struct sockaddr_in four = loopback(ntohs(address.sin6_port));
    client = socket(AF_INET, SOCK_STREAM, 0);
    returned("IPv4 to it", connect(client, (struct sockaddr *)&four, sizeof four));
    size = sizeof peer;
    server = accept(six, (struct sockaddr *)&peer, &size);
    char text[64];
    shown("the peer as it sees it", "%s", inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof text));
    finish();
    address.sin6_addr = in6addr_loopback;
    client = socket(AF_INET6, SOCK_STREAM, 0);
    returned("IPv6 to it", connect(client, (struct sockaddr *)&address, sizeof address));
    server = accept(six, (struct sockaddr *)&peer, &size);
    shown("the peer", "%s", inet_ntop(AF_INET6, &peer.sin6_addr, text, sizeof text));
    returned("send", send(client, "six", 3, 0));
    returned("receive", recv(server, bytes, 10, 0));
    returned("an address of another family", connect(socket(AF_INET6, SOCK_STREAM, 0), (struct sockaddr *)&four, sizeof four));
    returned("a short address", connect(socket(AF_INET6, SOCK_STREAM, 0), (struct sockaddr *)&address, 10));
    finish();
    close(six);
}

int main(void) {
    topic = "tcp";
    listens();
    options();
    transfers();
    reset_behind_bytes();
    bulk();
    not_blocking();
    version_six();
    returned("a family that is none", socket(99, SOCK_STREAM, 0));
    returned("a type that is none", socket(AF_INET, 99, 0));
    returned("a protocol that does not fit", socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    return 0;
}
