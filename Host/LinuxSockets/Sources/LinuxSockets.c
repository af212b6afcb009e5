#define _GNU_SOURCE
#include "LinuxSockets.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>

static int limited(int count, int limit) { return count < 0 ? 0 : count < limit ? count : limit; }

int brique_is_socket(int descriptor) {
    int type;
    socklen_t byte_count = sizeof type;
    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &byte_count) == 0;
}

int brique_messages_receive(int descriptor, int is_socket, struct iovec *pieces, uint32_t *lengths, int count) {
    if (!is_socket) {
        for (int i = 0; i < count; i++) {
            long length = readv(descriptor, &pieces[i], 1);
            if (length < 0) return i > 0 ? i : -1;
            lengths[i] = (uint32_t)length;
        }
        return count;
    }
    struct mmsghdr messages[BRIQUE_MESSAGE_LIMIT];
    count = limited(count, BRIQUE_MESSAGE_LIMIT);
    memset(messages, 0, sizeof *messages * (size_t)count);
    for (int i = 0; i < count; i++) messages[i].msg_hdr.msg_iov = &pieces[i], messages[i].msg_hdr.msg_iovlen = 1;
    int received = recvmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT, NULL);
    for (int i = 0; i < received; i++) lengths[i] = messages[i].msg_len;
    return received;
}

int brique_messages_send(int descriptor, int is_socket, struct iovec *pieces, int count) {
    if (!is_socket) {
        for (int i = 0; i < count; i++)
            if (writev(descriptor, &pieces[i], 1) < 0) return i > 0 ? i : -1;
        return count;
    }
    struct mmsghdr messages[BRIQUE_MESSAGE_LIMIT];
    count = limited(count, BRIQUE_MESSAGE_LIMIT);
    memset(messages, 0, sizeof *messages * (size_t)count);
    for (int i = 0; i < count; i++) messages[i].msg_hdr.msg_iov = &pieces[i], messages[i].msg_hdr.msg_iovlen = 1;
    return sendmmsg(descriptor, messages, (unsigned)count, MSG_DONTWAIT | MSG_NOSIGNAL);
}

long brique_message_send(int descriptor, int is_socket, struct iovec *pieces, int count) {
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    return is_socket ? sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL) : writev(descriptor, pieces, count);
}

int brique_poll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }

int brique_poll_add(int poll, int descriptor, uint64_t tag) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = tag};
    return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event);
}

int brique_poll_wait(int poll, struct brique_poll_event *events, int count, int64_t nanoseconds) {
    struct epoll_event found[BRIQUE_POLL_LIMIT];
    // A kernel before 5.11 has no finer wait than this, rounded up so that nobody spins.
    int64_t milliseconds = nanoseconds < 0 ? -1 : (nanoseconds + 999999) / 1000000;
    if (milliseconds > 3600000) milliseconds = 3600000;
    int total = epoll_wait(poll, found, limited(count, BRIQUE_POLL_LIMIT), (int)milliseconds);
    for (int i = 0; i < total; i++) {
        int failed = (found[i].events & (EPOLLERR | EPOLLHUP)) != 0;
        events[i].tag = found[i].data.u64;
        events[i].is_readable = failed || (found[i].events & (EPOLLIN | EPOLLRDHUP)) != 0;
        events[i].is_writable = failed || (found[i].events & EPOLLOUT) != 0;
    }
    return total;
}

int brique_event_create(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int brique_accept(int descriptor, struct sockaddr *address, socklen_t *byte_count) {
    return accept4(descriptor, address, byte_count, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
