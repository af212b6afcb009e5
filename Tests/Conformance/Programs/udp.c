// UDP over loopback, many messages in one call, errors that come back; netlink as getifaddrs(3) needs it.
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include "check.h"
CHECK_STATE

static char bytes[70000];

static int bound(struct sockaddr_in *address) {
    int file = (int)must("socket", socket(AF_INET, SOCK_DGRAM, 0));
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    must("bind", bind(file, (struct sockaddr *)address, sizeof *address));
    socklen_t size = sizeof *address;
    getsockname(file, (struct sockaddr *)address, &size);
    return file;
}

static void datagrams(void) {
    struct sockaddr_in one_address, two_address, from;
    int one = bound(&one_address), two = bound(&two_address);
    socklen_t size = sizeof from;
    returned("sendto", sendto(one, "hello", 5, 0, (struct sockaddr *)&two_address, sizeof two_address));
    returned("recvfrom", recvfrom(two, bytes, 100, 0, (struct sockaddr *)&from, &size));
    holds("from the other", from.sin_port == one_address.sin_port && size == sizeof from);
    returned("an empty one", sendto(one, "", 0, 0, (struct sockaddr *)&two_address, sizeof two_address));
    returned("received", recv(two, bytes, 100, 0));
    returned("without an address", send(one, "x", 1, 0));
    returned("connect", connect(one, (struct sockaddr *)&two_address, sizeof two_address));
    returned("send", send(one, "abcdef", 6, 0));
    returned("a short buffer with MSG_TRUNC", recv(two, bytes, 2, MSG_TRUNC));
    returned("the rest is gone", recv(two, bytes, 2, MSG_DONTWAIT));
    sendto(two, "answer", 6, 0, (struct sockaddr *)&one_address, sizeof one_address);
    returned("MSG_PEEK", recv(one, bytes, 3, MSG_PEEK));
    int there = 0;
    ioctl(one, FIONREAD, &there);
    number("FIONREAD", there);
    returned("received", recv(one, bytes, 100, 0));
    int third = bound(&from);
    sendto(third, "stranger", 8, 0, (struct sockaddr *)&one_address, sizeof one_address);
    returned("a connected one takes only its peer's", recv(one, bytes, 100, MSG_DONTWAIT));
    returned("65507 bytes", send(one, bytes, 65507, 0));
    returned("received", recv(two, bytes, sizeof bytes, 0));
    returned("65508 bytes", send(one, bytes, 65508, 0));
    close(two);
    returned("to a closed port", send(one, "x", 1, 0));
    sleep_ms(10);
    returned("the refusal comes back", send(one, "x", 1, 0));
    struct sockaddr unspecified = {.sa_family = AF_UNSPEC};
    returned("disconnect", connect(one, &unspecified, sizeof unspecified));
    struct sockaddr_in peer;
    size = sizeof peer;
    returned("getpeername then", getpeername(one, (struct sockaddr *)&peer, &size));
    returned("listen", listen(one, 1));
    returned("accept", accept(one, NULL, NULL));
    from.sin_port = 0;
    returned("port 0 as the other's", sendto(third, "x", 1, 0, (struct sockaddr *)&from, sizeof from));
    close(one), close(third);
}

static void many(void) {
    struct sockaddr_in one_address, two_address;
    int one = bound(&one_address), two = bound(&two_address);
    connect(one, (struct sockaddr *)&two_address, sizeof two_address);
    struct iovec parts[4] = {{"a", 1}, {"bb", 2}, {"ccc", 3}, {"dddd", 4}};
    struct mmsghdr messages[4] = {0};
    for (int index = 0; index < 4; index++) messages[index].msg_hdr.msg_iov = &parts[index], messages[index].msg_hdr.msg_iovlen = 1;
    returned("sendmmsg", sendmmsg(one, messages, 4, 0));
    number("the last's length", messages[3].msg_len);
    struct iovec into[6];
    struct mmsghdr received[6] = {0};
    for (int index = 0; index < 6; index++) {
        into[index] = (struct iovec){bytes + index * 100, 3};
        received[index].msg_hdr.msg_iov = &into[index], received[index].msg_hdr.msg_iovlen = 1;
    }
    returned("recvmmsg", recvmmsg(two, received, 6, MSG_DONTWAIT, NULL));
    shown("their lengths", "%d %d %d %d", received[0].msg_len, received[1].msg_len, received[2].msg_len, received[3].msg_len);
    shown("the last was cut", "%x", received[3].msg_hdr.msg_flags & MSG_TRUNC);
    returned("recvmmsg of nothing", recvmmsg(two, received, 6, MSG_DONTWAIT, NULL));
    send(one, "x", 1, 0);
    returned("MSG_WAITFORONE", recvmmsg(two, received, 6, MSG_WAITFORONE, NULL));
    returned("sendmmsg from a bad pointer", syscall(SYS_sendmmsg, one, 8L, 4, 0));
    int yes = 1;
    returned("IP_PKTINFO", setsockopt(two, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes));
    send(one, "x", 1, 0);
    char control[256];
    struct msghdr message = {.msg_iov = into, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    recvmsg(two, &message, 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    holds("its address comes along", header && header->cmsg_type == IP_PKTINFO &&
          ((struct in_pktinfo *)CMSG_DATA(header))->ipi_addr.s_addr == htonl(INADDR_LOOPBACK));
    close(one), close(two);
    int six = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    returned("IPv6", bind(six, (struct sockaddr *)&address, sizeof address));
    socklen_t size = sizeof address;
    getsockname(six, (struct sockaddr *)&address, &size);
    returned("to itself", sendto(six, "self", 4, 0, (struct sockaddr *)&address, size));
    returned("received", recv(six, bytes, 100, 0));
    close(six);
}

static void interfaces(void) {
    struct ifaddrs *list = NULL;
    returned("getifaddrs", getifaddrs(&list));
    bool four = false, six = false;
    for (struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
        if (!entry->ifa_addr || strcmp(entry->ifa_name, "lo")) continue;
        if (entry->ifa_addr->sa_family == AF_INET)
            four |= ((struct sockaddr_in *)entry->ifa_addr)->sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
                    (entry->ifa_flags & IFF_LOOPBACK) && ((struct sockaddr_in *)entry->ifa_netmask)->sin_addr.s_addr == htonl(0xff000000);
        if (entry->ifa_addr->sa_family == AF_INET6)
            six |= IN6_IS_ADDR_LOOPBACK(&((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr);
    }
    freeifaddrs(list);
    shown("loopback has its addresses", "%d %d", four, six);
    number("its index", if_nametoindex("lo"));
    char name[IF_NAMESIZE] = "";
    shown("the name of 1", "%s", if_indextoname(1, name) ? name : "-");
    returned("an index of nothing", if_nametoindex("nothing-here") == 0 ? -1 : 1);
    int file = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_name = "lo"};
    returned("SIOCGIFFLAGS", ioctl(file, SIOCGIFFLAGS, &request));
    shown("up and loopback", "%d", (request.ifr_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
    returned("SIOCGIFADDR", ioctl(file, SIOCGIFADDR, &request));
    shown("is", "%s", inet_ntoa(((struct sockaddr_in *)&request.ifr_addr)->sin_addr));
    struct ifconf configuration = {.ifc_len = -1};
    returned("SIOCGIFCONF without room", ioctl(file, SIOCGIFCONF, &configuration));
    holds("the length that it takes", configuration.ifc_len >= (int)sizeof request);
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    outcome("a netlink socket", netlink);
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    returned("bind", bind(netlink, (struct sockaddr *)&address, sizeof address));
    struct {
        struct nlmsghdr header;
        struct rtgenmsg message;
    } ask = {{sizeof ask, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}, {AF_UNSPEC}};
    returned("RTM_GETLINK", send(netlink, &ask, sizeof ask, 0) > 0 ? 0 : -1);
    int links = 0, done = 0;
    while (!done) {
        long count = recv(netlink, bytes, sizeof bytes, 0);
        if (count <= 0) break;
        for (struct nlmsghdr *header = (struct nlmsghdr *)bytes; NLMSG_OK(header, count); header = NLMSG_NEXT(header, count)) {
            links += header->nlmsg_type == RTM_NEWLINK && header->nlmsg_seq == 7;
            done |= header->nlmsg_type == NLMSG_DONE;
        }
    }
    shown("links and an end", "%d %d", links >= 1, done);
    close(netlink), close(file);
}

int main(void) {
    topic = "udp";
    datagrams();
    many();
    topic = "interfaces";
    interfaces();
    return 0;
}
