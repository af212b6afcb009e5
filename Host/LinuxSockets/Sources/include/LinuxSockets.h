// Calls of Linux that Swift's Glibc module leaves out.
#pragma once
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define BRIQUE_MESSAGE_LIMIT 64
#define BRIQUE_POLL_LIMIT 128

/// What has happened to a descriptor.
struct brique_poll_event {
    uint64_t tag;
    int is_readable;
    int is_writable;
};

/// Whether the descriptor is a socket: messages of others (a TAP) are read and written one by one.
int brique_is_socket(int descriptor);
/// Receives up to `count` messages without waiting, each into its piece; tells their lengths.
int brique_messages_receive(int descriptor, int is_socket, struct iovec *pieces, uint32_t *lengths, int count);
/// Sends up to `count` messages without waiting, each from its piece; returns how many have left.
int brique_messages_send(int descriptor, int is_socket, struct iovec *pieces, int count);
/// Sends one message of `count` pieces without waiting.
long brique_message_send(int descriptor, int is_socket, struct iovec *pieces, int count);

int brique_poll_create(void);
/// Both directions, edge-triggered.
int brique_poll_add(int poll, int descriptor, uint64_t tag);
/// Waits `nanoseconds`, or without end if negative. An error counts as both.
int brique_poll_wait(int poll, struct brique_poll_event *events, int count, int64_t nanoseconds);

/// An eventfd that does not block.
int brique_event_create(void);
/// The socket does not block and is not inherited.
int brique_accept(int descriptor, struct sockaddr *address, socklen_t *byte_count);
