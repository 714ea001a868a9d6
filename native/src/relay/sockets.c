/* Addresses as the kernel says them, and from where a datagram of a wildcard socket is to be answered. */
#include "internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    UNSENT_MAX = 32768, /* bytes that the kernel holds beyond what the network has taken */
    GIVEN_UP_MS = 30000 /* the peer has acknowledged nothing for this long (RFC 5482) */
};

static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void write_v6(const cf_addr *addr, struct in6_addr *out) {
    uint8_t *bytes = out->s6_addr;
    bool v4 = addr->family == 4;
    if (v4)
        memcpy(bytes, MAPPED, 12);
    memcpy(bytes + (v4 ? 12 : 0), addr->ip, v4 ? 4 : 16);
}

static void read_v6(const struct in6_addr *in, cf_addr *out) {
    bool v4 = memcmp(in->s6_addr, MAPPED, 12) == 0;
    out->family = v4 ? 4 : 6;
    memcpy(out->ip, in->s6_addr + (v4 ? 12 : 0), v4 ? 4 : 16);
}

socklen_t cf_name_of(const cf_addr *addr, int family, cf_name *out) {
    if (addr->family == 0 || (family == AF_INET && addr->family != 4))
        return 0;
    if (family == AF_INET) {
        out->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(addr->port)};
        memcpy(&out->v4.sin_addr, addr->ip, 4);
        return sizeof out->v4;
    }
    out->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(addr->port)};
    write_v6(addr, &out->v6.sin6_addr);
    return sizeof out->v6;
}

bool cf_addr_of(const cf_name *name, cf_addr *out) {
    *out = (cf_addr){0};
    if (name->any.sa_family == AF_INET) {
        out->family = 4;
        out->port = ntohs(name->v4.sin_port);
        memcpy(out->ip, &name->v4.sin_addr, 4);
        return true;
    }
    if (name->any.sa_family != AF_INET6)
        return false;
    out->port = ntohs(name->v6.sin6_port);
    read_v6(&name->v6.sin6_addr, out);
    return true;
}

void cf_read_pktinfo(struct msghdr *header, cf_addr *local) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            local->family = 4;
            memcpy(local->ip, &info.ipi_addr, 4);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof info);
            read_v6(&info.ipi6_addr, local);
        }
    }
}

size_t cf_write_pktinfo(uint8_t *control, const cf_addr *local, int family) {
    struct cmsghdr *c = (struct cmsghdr *)(void *)control;
    if (family == AF_INET) {
        struct in_pktinfo info = {0};
        *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
        memcpy(&info.ipi_spec_dst, local->ip, 4);
        memcpy(CMSG_DATA(c), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    struct in6_pktinfo info = {0};
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO};
    write_v6(local, &info.ipi6_addr);
    memcpy(CMSG_DATA(c), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

int cf_set_int(int fd, int level, int option, int value) {
    return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

/* Where one of these is not to be had the connection works, only later. */
void cf_tune_stream(int fd) {
    cf_set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    cf_set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX);
    cf_set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
    cf_set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    cf_set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, GIVEN_UP_MS / 1000);
    cf_set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, GIVEN_UP_MS / 3000);
}

void cf_tune_messages(int fd) {
    cf_tune_stream(fd);
    cf_set_int(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, GIVEN_UP_MS);
}

int cf_fd_family(int fd) {
    int family = 0;
    socklen_t len = sizeof family;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0 ? -errno : family;
}

void cf_close_fd(int fd) {
    if (fd >= 0)
        close(fd);
}

int cf_watch(int epoll, int op, int fd, uint32_t events, uint64_t tag) {
    struct epoll_event event = {.events = events, .data.u64 = tag};
    return epoll_ctl(epoll, op, fd, &event) < 0 ? -errno : 0;
}
