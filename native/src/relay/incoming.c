/* Reading in batches: a listening socket's datagrams, or those of many relayed sockets, into places that stay as they
 * are until what they led to has been sent. */
#include "internal.h"

#include "base/lazy.h"

#include <errno.h>
#include <string.h>

int cf_incoming_init(cf_incoming *in) {
    in->large = cf_lazy_new(sizeof(uint8_t[CF_BATCH][CF_DATAGRAM]));
    if (in->large == NULL)
        return -ENOMEM;
    for (int i = 0; i < CF_BATCH; i++) {
        in->iov[i][0] = (struct iovec){in->data[i], CF_SLOT};
        in->iov[i][1] = (struct iovec){in->large[i] + CF_SLOT, CF_DATAGRAM - CF_SLOT};
        in->msgs[i].msg_hdr = (struct msghdr){.msg_name = &in->from[i], .msg_iov = in->iov[i], .msg_iovlen = 2};
    }
    return 0;
}

static void rewind_slot(cf_incoming *in, int i, bool control) {
    struct msghdr *header = &in->msgs[i].msg_hdr;
    header->msg_namelen = sizeof in->from[i];
    header->msg_control = control ? in->control[i] : NULL;
    header->msg_controllen = control ? sizeof in->control[i] : 0;
}

/* In one piece: only a long datagram is not. */
static const uint8_t *whole(cf_incoming *in, int i) {
    if (in->msgs[i].msg_len <= CF_SLOT)
        return in->data[i];
    memcpy(in->large[i], in->data[i], CF_SLOT);
    return in->large[i];
}

static void take_from_client(cf_worker *worker, const cf_listener *listener, int number, int i) {
    cf_incoming *in = &worker->in;
    cf_path path = {.socket = (uint32_t)number, .local = listener->bound};
    if (!cf_addr_of(&in->from[i], &path.remote) || path.remote.port == 0)
        return;
    if (listener->wildcard)
        cf_read_pktinfo(&in->msgs[i].msg_hdr, &path.local);
    cf_rcore_from_client(worker->core, &path, CF_RELAY_UDP, whole(in, i), in->msgs[i].msg_len, worker->now);
}

void cf_incoming_listener(cf_worker *worker, const cf_listener *listener, int number) {
    cf_incoming *in = &worker->in;
    for (int batch = 0; batch < CF_LISTENER_TURN; batch++) {
        for (int i = 0; i < CF_BATCH; i++)
            rewind_slot(in, i, listener->wildcard);
        int n = recvmmsg(listener->fd, in->msgs, CF_BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++)
            take_from_client(worker, listener, number, i);
        cf_batch_flush(worker);
        worker->window_packets += n > 0 ? (unsigned)n : 0;
        if (n < CF_BATCH)
            return;
        worker->now = cf_monotonic();
    }
    worker->more = true;
}

/* ---- relayed sockets ---- */

static void take_held(cf_worker *worker, int n) {
    cf_incoming *in = &worker->in;
    for (int i = 0; i < n; i++) {
        cf_addr peer;
        if (cf_addr_of(&in->from[i], &peer))
            cf_rcore_from_peer(worker->core, (uint32_t)in->of[i], &peer, whole(in, i), in->msgs[i].msg_len,
                               worker->now);
    }
    cf_batch_flush(worker);
    worker->window_packets += (unsigned)n;
}

/* Into the places from `held` on: how many. */
static int read_relayed(cf_worker *worker, uint32_t tag, int held) {
    cf_incoming *in = &worker->in;
    const cf_ends *ends = &worker->ends[tag >> 1];
    int room = CF_BATCH - held < CF_RELAY_READS ? CF_BATCH - held : CF_RELAY_READS;
    if (ends->number == 0 || ends->fd[tag & 1] < 0)
        return 0;
    for (int i = 0; i < room; i++)
        rewind_slot(in, held + i, false);
    int n = recvmmsg(ends->fd[tag & 1], in->msgs + held, (unsigned)room, MSG_DONTWAIT, NULL);
    for (int i = 0; i < n; i++)
        in->of[held + i] = tag >> 1;
    if (n == room)
        worker->more = true;
    return n > 0 ? n : 0;
}

void cf_incoming_relayed(cf_worker *worker, const uint32_t *tags, int n) {
    int held = 0;
    for (int i = 0; i < n; i++) {
        held += read_relayed(worker, tags[i], held);
        if (held < CF_BATCH)
            continue;
        take_held(worker, held);
        held = 0;
    }
    take_held(worker, held);
}
