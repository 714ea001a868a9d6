/* RTP legs over TCP (RFC 4145): one connection for what a socket of UDP would be for, waited for or made. */
#include "engine_tcp.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

/* RFC 4145 section 5: the later connection is the one that counts. But who has sent media is not pushed aside by
 * another host, which may have guessed the port. */
static bool may_take_over(cf_conns *conns, const cf_socket *owner, const cf_addr *remote) {
    cf_addr settled;
    return cf_core_socket_takes(conns->media->core, owner->number, remote) &&
           (owner->conn == 0 || !cf_core_socket_settled(conns->media->core, owner->number, &settled) ||
            cf_addr_same_host(&settled, remote));
}

bool cf_conns_adopt(cf_conns *conns, cf_socket *owner, int fd, const cf_addr *remote) {
    cf_conn *conn = may_take_over(conns, owner, remote) ? cf_conn_begin(conns, fd, remote) : NULL;
    if (conn == NULL)
        return false;
    cf_conns_let_go(conns, owner);
    conn->owner = owner;
    conn->path.socket = owner->number;
    conn->proven = conn->writing = true; /* told when it is connected, and then there is nothing to write */
    owner->conn = conn->number;
    cf_conn_watch(conns, conn, EPOLLIN | EPOLLOUT);
    return true;
}

void cf_conns_let_go(cf_conns *conns, const cf_socket *owner) {
    cf_conn *conn = conns != NULL && owner->conn != 0 ? cf_conn_find(conns, owner->conn) : NULL;
    if (conn != NULL)
        cf_conn_close(conns, conn);
}

/* The address is the one that the peer was told; the port may be any. */
int cf_tcp_connect(const cf_addr *from, const cf_addr *to) {
    cf_sockaddr here, there;
    cf_addr any_port = *from;
    any_port.port = 0;
    socklen_t here_len = cf_to_sockaddr(&any_port, &here), there_len = cf_to_sockaddr(to, &there);
    if (there_len == 0 || from->family != to->family)
        return -EAFNOSUPPORT;
    int fd = socket(there.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (bind(fd, &here.any, here_len) == 0 && (connect(fd, &there.any, there_len) == 0 || errno == EINPROGRESS))
        return fd;
    int rc = -errno;
    close(fd);
    return rc;
}
