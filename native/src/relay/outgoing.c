/* Sending in batches: equal datagrams to one address leave as one that the kernel cuts, the others of a socket in one
 * call, and what is a connection's in one write. */
#include "conn.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

enum { SEGMENTS = 64, RUN_BYTES = 65000 }; /* UDP_SEGMENT cuts no more into so many */

/* ---- putting in ---- */

cf_outgoing *cf_batch_next(cf_worker *worker) {
    if (worker->batch.count == CF_BATCH)
        cf_batch_flush(worker);
    return &worker->batch.out[worker->batch.count];
}

static bool joins(const cf_batch *batch, const cf_run *run, const cf_outgoing *out) {
    if (run->batch != batch->number)
        return false;
    const cf_outgoing *first = &batch->out[run->first];
    if (out->conn != NULL)
        return first->conn == out->conn;
    return batch->segments && !run->closed && run->count < SEGMENTS && (run->count + 1) * first->len <= RUN_BYTES &&
           out->len <= first->len && out->len > 0 && first->fd == out->fd && cf_addr_equal(&first->to, &out->to) &&
           !out->dont_fragment && !first->dont_fragment;
}

void cf_batch_put(cf_worker *worker, cf_outgoing *out, cf_run *run) {
    cf_batch *batch = &worker->batch;
    uint32_t place = batch->count++;
    out->next = 0;
    if (run == NULL)
        return;
    if (!joins(batch, run, out)) {
        *run = (cf_run){.batch = batch->number, .first = place, .last = place, .count = 1};
        return;
    }
    batch->out[run->last].next = place + 1;
    run->last = place;
    run->count++;
    run->closed = out->len < batch->out[run->first].len;
    batch->taken[place] = true; /* the run's first takes it along */
}

/* ---- datagrams ---- */

static void drop_run(cf_worker *worker, uint32_t place, enum cf_relay_drop why) {
    const cf_outgoing *out = &worker->batch.out[place];
    for (;; out = &worker->batch.out[out->next - 1]) {
        cf_rcore_drop(worker->core, out->data ? (int64_t)out->allocation : -1, why);
        if (out->next == 0)
            return;
    }
}

static enum cf_relay_drop why_not(int error) {
    return error == EMSGSIZE ? CF_DROP_TOO_BIG : CF_DROP_SEND;
}

static struct msghdr header_of(cf_batch *batch, const cf_outgoing *out, cf_name *name) {
    socklen_t len = cf_name_of(&out->to, out->family, name);
    return (struct msghdr){
        .msg_name = name, .msg_namelen = len, .msg_iov = &batch->iov[batch->iov_used], .msg_iovlen = 0};
}

static void add_parts(cf_batch *batch, struct msghdr *header, const cf_outgoing *out) {
    memcpy(&batch->iov[batch->iov_used], out->iov, out->parts * sizeof out->iov[0]);
    batch->iov_used += out->parts;
    header->msg_iovlen += out->parts;
}

static void add_segment(struct msghdr *header, uint8_t *control, size_t size) {
    struct cmsghdr *c = (struct cmsghdr *)(void *)(control + header->msg_controllen);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(uint16_t)), .cmsg_level = SOL_UDP, .cmsg_type = UDP_SEGMENT};
    uint16_t value = (uint16_t)size;
    memcpy(CMSG_DATA(c), &value, sizeof value);
    header->msg_control = control;
    header->msg_controllen += CMSG_SPACE(sizeof value);
}

static void add_source(struct msghdr *header, uint8_t *control, const cf_outgoing *out) {
    if (out->local.family == 0)
        return;
    header->msg_control = control;
    header->msg_controllen = cf_write_pktinfo(control, &out->local, out->family);
}

/* One by one, where a run could not be sent as one: a path narrower than its datagrams, or a device that cannot. */
static void send_singly(cf_worker *worker, uint32_t place) {
    cf_batch *batch = &worker->batch;
    for (;;) {
        cf_outgoing *out = &batch->out[place];
        cf_name name;
        _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
        struct msghdr header = {.msg_name = &name, .msg_iov = out->iov, .msg_iovlen = out->parts};
        header.msg_namelen = cf_name_of(&out->to, out->family, &name);
        add_source(&header, control, out);
        if (sendmsg(out->fd, &header, MSG_DONTWAIT) < 0)
            cf_rcore_drop(worker->core, out->data ? (int64_t)out->allocation : -1, why_not(errno));
        if (out->next == 0)
            return;
        place = out->next - 1;
    }
}

/* The first of what is pending, from `at` on, was refused with this error. */
static void refused(cf_worker *worker, uint32_t at, int error) {
    cf_batch *batch = &worker->batch;
    uint32_t place = batch->first_of[at];
    if (batch->out[place].next == 0) {
        drop_run(worker, place, why_not(error));
        return;
    }
    if (error == EIO || error == EOPNOTSUPP)
        batch->segments = false; /* the device or the kernel does not cut */
    send_singly(worker, place);
}

static void send_pending(cf_worker *worker) {
    cf_batch *batch = &worker->batch;
    for (uint32_t at = 0; at < batch->pending;) {
        int sent = batch->pending - at == 1
                       ? (sendmsg(batch->pending_fd, &batch->msgs[at].msg_hdr, MSG_DONTWAIT) < 0 ? -1 : 1)
                       : sendmmsg(batch->pending_fd, batch->msgs + at, batch->pending - at, MSG_DONTWAIT);
        if (sent > 0) {
            at += (uint32_t)sent;
            continue;
        }
        if (errno == EAGAIN || errno == ENOBUFS) { /* full: the rest would meet the same */
            for (; at < batch->pending; at++)
                drop_run(worker, batch->first_of[at], CF_DROP_SEND);
            break;
        }
        refused(worker, at++, errno);
    }
    batch->pending = 0;
    batch->iov_used = 0;
}

/* RFC 8656 section 11.2, DONT-FRAGMENT: the bit is the socket's, so it is set for this one. */
static void send_unfragmented(cf_worker *worker, uint32_t place) {
    send_pending(worker); /* what came before it goes before it */
    const cf_outgoing *out = &worker->batch.out[place];
    int level = out->to.family == 4 ? IPPROTO_IP : IPPROTO_IPV6;
    int option = out->to.family == 4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER;
    cf_set_int(out->fd, level, option, IP_PMTUDISC_DO);
    send_singly(worker, place);
    cf_set_int(out->fd, level, option, IP_PMTUDISC_DONT);
}

static void prepare(cf_worker *worker, uint32_t place) {
    cf_batch *batch = &worker->batch;
    const cf_outgoing *first = &batch->out[place], *out = first;
    if (batch->pending > 0 && batch->pending_fd != first->fd)
        send_pending(worker);
    uint32_t at = batch->pending++;
    batch->pending_fd = first->fd;
    batch->first_of[at] = place;
    struct msghdr *header = &batch->msgs[at].msg_hdr;
    *header = header_of(batch, first, &batch->names[at]);
    add_parts(batch, header, out);
    while (out->next != 0) {
        out = &batch->out[out->next - 1];
        add_parts(batch, header, out);
    }
    add_source(header, batch->control[at], first);
    if (first->next != 0)
        add_segment(header, batch->control[at], first->len);
}

void cf_batch_flush(cf_worker *worker) {
    cf_batch *batch = &worker->batch;
    for (uint32_t place = 0; place < batch->count; place++) {
        const cf_outgoing *out = &batch->out[place];
        if (batch->taken[place])
            continue;
        if (out->conn != NULL)
            cf_rconn_send(worker, out->conn, place);
        else if (out->dont_fragment)
            send_unfragmented(worker, place);
        else
            prepare(worker, place);
    }
    send_pending(worker);
    memset(batch->taken, 0, batch->count);
    batch->count = 0;
    batch->number++;
}
