// AF_UNIX: streams, datagrams, packets in sequence, descriptors and credentials in messages, abstract names.
#include <poll.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include "check.h"
CHECK_STATE

static char bytes[100000];
static int pair[2];

static socklen_t named(struct sockaddr_un *address, const char *name, bool abstract) {
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address->sun_path + abstract, name);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
}

static void fresh(int type) { must("socketpair", socketpair(AF_UNIX, type, 0, pair)); }
static void finish(void) { close(pair[0]), close(pair[1]); }

static void streams(void) {
    fresh(SOCK_STREAM);
    returned("write", write(pair[0], "hello ", 6));
    returned("send", send(pair[0], "world", 5, 0));
    returned("MSG_PEEK", recv(pair[1], bytes, 3, MSG_PEEK));
    int there = 0;
    ioctl(pair[1], FIONREAD, &there);
    number("FIONREAD", there);
    returned("one read of both", recv(pair[1], bytes, 100, 0));
    shown("it is", "%.11s", bytes);
    returned("MSG_DONTWAIT", recv(pair[1], bytes, 100, MSG_DONTWAIT));
    write(pair[0], "abcdef", 6);
    returned("MSG_WAITALL of what is there", recv(pair[1], bytes, 6, MSG_WAITALL));
    returned("shutdown of writing", shutdown(pair[0], SHUT_WR));
    returned("the other reads the end", recv(pair[1], bytes, 100, 0));
    returned("the other may write", send(pair[1], "back", 4, 0));
    signal(SIGPIPE, SIG_IGN);
    returned("writing after shutdown", send(pair[0], "x", 1, 0));
    returned("what the other wrote", recv(pair[0], bytes, 100, 0));
    returned("shutdown in a way that is none", shutdown(pair[0], 9));
    close(pair[1]);
    returned("the other closed: read", recv(pair[0], bytes, 100, 0));
    returned("write with MSG_NOSIGNAL", send(pair[0], "x", 1, MSG_NOSIGNAL));
    close(pair[0]);
    fresh(SOCK_STREAM);
    write(pair[0], "unread", 6);
    close(pair[0]);
    returned("closed with bytes on the way: read", recv(pair[1], bytes, 100, 0));
    close(pair[1]);
    fresh(SOCK_STREAM);
    write(pair[0], "unread", 6);
    close(pair[1]);
    returned("closed with bytes unread: read", recv(pair[0], bytes, 100, 0));
    close(pair[0]);
    fresh(SOCK_STREAM | SOCK_NONBLOCK);
    long total = 0, count;
    while ((count = send(pair[0], bytes, 10000, 0)) > 0) total += count;
    holds("what fits is between 64 KiB and 1 MiB", total >= 65536 && total <= 1 << 20);
    returned("and no more", send(pair[0], bytes, 10000, 0));
    finish();
}

static void datagrams(void) {
    fresh(SOCK_DGRAM);
    send(pair[0], "one", 3, 0), send(pair[0], "", 0, 0), send(pair[0], "three", 5, 0);
    returned("a datagram", recv(pair[1], bytes, 100, 0));
    returned("an empty one", recv(pair[1], bytes, 100, 0));
    returned("a short buffer", recv(pair[1], bytes, 2, 0));
    send(pair[0], "four", 4, 0);
    returned("MSG_TRUNC tells its size", recv(pair[1], bytes, 2, MSG_TRUNC));
    returned("nothing is left", recv(pair[1], bytes, 2, MSG_DONTWAIT));
    returned("a datagram that is too large", send(pair[0], bytes, 10 << 20, 0));
    close(pair[1]);
    returned("the other closed", send(pair[0], "x", 1, 0));
    close(pair[0]);
    struct sockaddr_un one, two, from;
    socklen_t size_one = named(&one, "one", false), size_two = named(&two, "two", false), size = sizeof from;
    int first = socket(AF_UNIX, SOCK_DGRAM, 0), second = socket(AF_UNIX, SOCK_DGRAM, 0);
    returned("bind", bind(first, (struct sockaddr *)&one, size_one));
    bind(second, (struct sockaddr *)&two, size_two);
    returned("sendto", sendto(first, "hello", 5, 0, (struct sockaddr *)&two, size_two));
    returned("recvfrom", recvfrom(second, bytes, 100, 0, (struct sockaddr *)&from, &size));
    shown("from", "%s, %d bytes", from.sun_path, (int)size);
    returned("connect", connect(second, (struct sockaddr *)&one, size_one));
    returned("from the connected one", send(second, "x", 1, 0));
    returned("the peer's other", sendto(first, "x", 1, 0, (struct sockaddr *)&one, size_one));
    close(first);
    returned("to one that is closed", sendto(second, "x", 1, 0, (struct sockaddr *)&one, size_one));
    close(second);
    unlink("one"), unlink("two");
}

static void sequences(void) {
    fresh(SOCK_SEQPACKET);
    send(pair[0], "first", 5, 0), send(pair[0], "second", 6, 0);
    returned("a packet", recv(pair[1], bytes, 100, 0));
    struct iovec part = {bytes, 2};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    returned("a short buffer", recvmsg(pair[1], &message, 0));
    shown("its flags", "%x", message.msg_flags & (MSG_TRUNC | MSG_EOR | MSG_CTRUNC));
    close(pair[0]);
    returned("the end", recv(pair[1], bytes, 100, 0));
    close(pair[1]);
}

static void servers(void) {
    struct sockaddr_un address, other;
    socklen_t size = named(&address, "server", false), other_size = sizeof other;
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    returned("connect before it is there", connect(client, (struct sockaddr *)&address, size));
    returned("bind", bind(listener, (struct sockaddr *)&address, size));
    returned("connect before listen", connect(client, (struct sockaddr *)&address, size));
    returned("listen", listen(listener, 2));
    returned("connect", connect(client, (struct sockaddr *)&address, size));
    returned("once more", connect(client, (struct sockaddr *)&address, size));
    returned("bind of a name that is taken", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, size));
    struct stat state;
    stat("server", &state);
    shown("its file", "%o", state.st_mode & S_IFMT);
    returned("open of it", open("server", O_RDWR));
    int server = accept4(listener, (struct sockaddr *)&other, &other_size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    outcome("accept4", server);
    shown("the client has no name", "%d bytes", (int)other_size);
    holds("it does not block", fcntl(server, F_GETFL) & O_NONBLOCK);
    other_size = sizeof other;
    getpeername(client, (struct sockaddr *)&other, &other_size);
    shown("the server's name", "%s", other.sun_path);
    returned("send before anything", send(client, "q", 1, 0));
    returned("receive", recv(server, bytes, 10, 0));
    struct ucred credentials;
    socklen_t count = sizeof credentials;
    returned("SO_PEERCRED", getsockopt(server, SOL_SOCKET, SO_PEERCRED, &credentials, &count));
    holds("is ours", credentials.pid == getpid() && credentials.uid == getuid());
    int type = 0;
    count = sizeof type;
    getsockopt(server, SOL_SOCKET, SO_TYPE, &type, &count);
    shown("SO_TYPE", "%d", type);
    getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &type, &count);
    shown("SO_ACCEPTCONN", "%d", type);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    returned("accept of nobody", accept(listener, NULL, NULL));
    close(listener);
    returned("connect after it closed", connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, size));
    returned("those accepted stay", send(client, "more", 4, 0));
    returned("a datagram socket to it", connect(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&address, size));
    close(client), close(server);
    unlink("server");
    size = named(&address, "conformance-abstract", true);
    listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    returned("bind of an abstract name", bind(listener, (struct sockaddr *)&address, size));
    listen(listener, 1);
    returned("connect", connect(client, (struct sockaddr *)&address, size));
    other_size = sizeof other;
    getsockname(listener, (struct sockaddr *)&other, &other_size);
    shown("its name", "%s, %d bytes", other.sun_path + 1, (int)other_size);
    close(listener);
    returned("the name is free at once", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, size));
    close(client);
}

static long send_descriptors(int file, const int *files, int count) {
    char control[CMSG_SPACE(16 * sizeof(int))] = {0};
    struct iovec part = {"d", 1};
    size_t room = CMSG_SPACE((size_t)count * sizeof(int));
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(header), files, (size_t)count * sizeof(int));
    return sendmsg(file, &message, 0);
}

static int receive_descriptors(int file, int *files, size_t room, int flags, int *message_flags) {
    char control[256];
    struct iovec part = {bytes, 100};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    if (recvmsg(file, &message, flags) < 0) return -1;
    *message_flags = message.msg_flags & (MSG_CTRUNC | MSG_CMSG_CLOEXEC);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS) return 0;
    int count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(files, CMSG_DATA(header), (size_t)count * sizeof(int));
    return count;
}

static void rights(void) {
    fresh(SOCK_STREAM);
    int file = make_file("file", "by another number"), event = eventfd(7, 0), files[2] = {file, event}, got[16], flags;
    returned("two descriptors sent", send_descriptors(pair[0], files, 2));
    close(file), close(event);
    returned("received", receive_descriptors(pair[1], got, 256, MSG_CMSG_CLOEXEC, &flags));
    lseek(got[0], 0, SEEK_SET);
    returned("the file's bytes", read(got[0], bytes, 100));
    eventfd_t value;
    eventfd_read(got[1], &value);
    number("the eventfd's value", (long)value);
    returned("close-on-exec", fcntl(got[0], F_GETFD));
    send_descriptors(pair[0], got, 2);
    returned("room for one", receive_descriptors(pair[1], got + 2, CMSG_LEN(sizeof(int)), 0, &flags));
    shown("the flags tell", "%x", flags);
    send_descriptors(pair[0], got, 2);
    returned("read(2) drops them", read(pair[1], bytes, 10));
    returned("a descriptor that is closed", send_descriptors(pair[0], (int[]){999}, 1));
    send_descriptors(pair[0], &pair[1], 1);
    returned("a socket through itself", receive_descriptors(pair[1], got, 256, 0, &flags));
    write(pair[0], "plain", 5);
    send_descriptors(pair[0], got, 1);
    returned("a message with descriptors ends a read", receive_descriptors(pair[1], got + 3, 256, 0, &flags));
    close(got[0]);
    finish();
    fresh(SOCK_DGRAM);
    int yes = 1;
    setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
    write(pair[0], "x", 1);
    char control[256];
    struct iovec part = {bytes, 100};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    recvmsg(pair[1], &message, 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    holds("SO_PASSCRED adds credentials", header && header->cmsg_type == SCM_CREDENTIALS);
    if (header) holds("ours", ((struct ucred *)CMSG_DATA(header))->pid == getpid());
    finish();
    unlink("file");
}

int main(void) {
    topic = "unix";
    enter_scratch();
    streams();
    datagrams();
    sequences();
    servers();
    rights();
    leave_scratch();
    return 0;
}
