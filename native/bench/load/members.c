/* Members: a socket each, as real peers have; what they send in time, and what the kernel says of what they get. */
#include "load.h"

#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 8, DATAGRAM = 2048, RECEIVE_BUFFER = 1 << 20 };

static void open_socket(member *m) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof here;
    int on = 1, buffer = RECEIVE_BUFFER;
    m->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* The kernel's stamp is the moment at which the mixer sent: loopback has no delay, and our own lateness does not
     * count. */
    if (m->fd < 0 || bind(m->fd, (struct sockaddr *)&here, sizeof here) < 0 ||
        getsockname(m->fd, (struct sockaddr *)&here, &len) < 0 ||
        setsockopt(m->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) < 0)
        fail("cannot open a member's socket");
    setsockopt(m->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    m->port = ntohs(here.sin_port);
}

static void open_member(load *l, int i, bool sockets) {
    const plan *p = &l->plan;
    member *m = &l->all[i];
    int size = p->members / p->rooms;
    m->room = i / size;
    m->place = i % size;
    bool talks = m->place < p->talkers;
    m->says = voice_of(p, m->place, talks);
    m->passive = talks ? PASSIVE_SILENCE : p->passive;
    m->ssrc = 1000 + (uint32_t)i;
    m->stamps = zeroed(l->expected, sizeof *m->stamps);
    m->clocks = zeroed(l->expected, sizeof *m->clocks);
    if (!sockets)
        return;
    m->peer = p->secure ? zeroed(1, sizeof *m->peer) : NULL;
    open_socket(m);
}

/* Phases by the golden ratio: members of any room, and its talkers, come spread over the frame. */
static int slot_of(int i) {
    return (int)(SLOTS * fmod(i * 0.6180339887498949, 1));
}

void members_open(load *l, bool sockets) {
    l->all = zeroed((size_t)l->plan.members, sizeof *l->all);
    l->rooms = zeroed((size_t)l->plan.rooms, sizeof *l->rooms);
    for (int s = 0; s < SLOTS; s++)
        l->slots[s] = zeroed((size_t)l->plan.members, sizeof **l->slots);
    for (int i = 0; i < l->plan.members; i++) {
        open_member(l, i, sockets);
        int s = slot_of(i);
        l->slots[s][l->in_slot[s]++] = &l->all[i];
    }
}

/* "join INDEX ADDRESS PORT UFRAG PASSWORD FINGERPRINT PT EXTENSION"; "-" where plain RTP has nothing. */
void members_join(load *l, const char *line) {
    char host[64], ufrag[260], pwd[260], fingerprint[100];
    int i, port, pt, ext;
    if (sscanf(line, "join %d %63s %d %259s %259s %99s %d %d", &i, host, &port, ufrag, pwd, fingerprint, &pt, &ext) !=
            8 ||
        i < 0 || i >= l->plan.members)
        fail("not a line that tells of a member");
    member *m = &l->all[i];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &to.sin_addr) != 1 || connect(m->fd, (struct sockaddr *)&to, sizeof to) < 0)
        fail("cannot reach where a member is to send");
    m->remote = (cf_addr){.port = (uint16_t)port, .family = 4};
    memcpy(m->remote.ip, &to.sin_addr, 4);
    m->pt = pt;
    m->ext = ext;
    m->joined = true;
    l->joined++;
    if (m->peer == NULL)
        return;
    memcpy(m->peer->ufrag, ufrag, sizeof ufrag);
    memcpy(m->peer->pwd, pwd, sizeof pwd);
    memcpy(m->peer->fingerprint, fingerprint, sizeof fingerprint);
    peer_join(l, m, now_ns(CLOCK_MONOTONIC));
}

void send_datagram(load *l, member *m, const uint8_t *data, size_t len) {
    l->refused += send(m->fd, data, len, MSG_DONTWAIT) < 0;
}

/* The frame that is due. */
void member_say(load *l, member *m, int64_t due) {
    uint8_t packet[PACKET_MAX];
    int64_t now = now_ns(CLOCK_MONOTONIC);
    size_t len = next_packet(l, m, now, packet);
    if (len == 0)
        return;
    send_datagram(l, m, packet, len);
    if (now >= l->end)
        return;
    l->worst_late = now - due > l->worst_late ? now - due : l->worst_late;
    l->sent += now >= l->measure_from;
    if (now >= l->measure_from && l->own_count < l->own_cap)
        l->own_late[l->own_count++] = (float)(now - due) / MS;
}

static int64_t stamp_of(struct msghdr *h) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
        struct timespec t;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
            continue;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    }
    return 0;
}

static void sort_out(load *l, member *m, uint8_t *data, size_t len, int64_t stamp) {
    if (len > 0 && data[0] >= 128 && data[0] <= 191)
        member_hear(l, m, data, len, stamp);
    else if (m->peer != NULL)
        peer_receive(l, m, data, len, stamp);
}

/* All that has come for a member. */
void member_take(load *l, member *m) {
    static uint8_t data[BATCH][DATAGRAM], control[BATCH][64];
    int n;
    do {
        struct iovec iov[BATCH];
        struct mmsghdr h[BATCH];
        for (int i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec){data[i], DATAGRAM};
            h[i].msg_hdr = (struct msghdr){
                .msg_iov = &iov[i], .msg_iovlen = 1, .msg_control = control[i], .msg_controllen = sizeof control[i]};
        }
        n = recvmmsg(m->fd, h, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++)
            sort_out(l, m, data[i], h[i].msg_len, stamp_of(&h[i].msg_hdr) - l->to_real);
    } while (n == BATCH);
}

void load_open(load *l, bool sockets) {
    cf_rng_seed(&l->rng, (uint64_t)l->plan.seed);
    l->expected = (uint32_t)(l->plan.seconds * 50) + 50;
    l->own_cap = sockets ? (size_t)l->plan.members * l->expected : 0;
    l->own_late = zeroed(l->own_cap, sizeof *l->own_late);
    l->delay_cap = (size_t)((l->plan.seconds + 2) * BURSTS) * (size_t)l->plan.ears;
    l->delays = zeroed(l->delay_cap, sizeof *l->delays);
    members_open(l, sockets);
    ears_open(l);
}
