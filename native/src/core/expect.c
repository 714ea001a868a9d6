/* Packets of many legs come together, and each leg's state lies somewhere else: one packet after the other waits for
 * memory at each step of its way. Here a whole batch takes each step together, so that the waits overlap. */
#include "leg.h"
#include "leg_wire.h"
#include "state.h"
#include "stream.h"
#include "table.h"

#include <stddef.h>

/* From one field to the end of another. */
#define WARM(leg, from, to)                                                                                            \
    cf_warm(&(leg)->from, offsetof(struct cf_leg, to) + sizeof(leg)->to - offsetof(struct cf_leg, from))

typedef struct expected {
    struct node **by_socket, **by_path; /* buckets */
    const cf_leg *leg;                  /* whose it probably is: nobody is told, so a wrong guess costs nothing */
} expected;

static struct node **bucket(const struct table *table, uint64_t hash) {
    struct node **head = &table->heads[hash & table->mask];
    __builtin_prefetch(head);
    return head;
}

static void find_buckets(const cf_core *core, expected *e, const cf_path *path) {
    e->by_socket = bucket(&core->legs_by_socket, hash_u64(path->socket));
    e->by_path = bucket(&core->legs_by_path, hash_path(core, path));
}

static void warm_nodes(const expected *e) {
    if (*e->by_socket)
        cf_warm(*e->by_socket, sizeof(struct socket_node));
    if (*e->by_path)
        cf_warm(*e->by_path, sizeof(struct path_node));
}

static void leg_warm_receive(const cf_leg *leg) {
    WARM(leg, config.kind, config.rx[0]);
    WARM(leg, config.audio_level_ext, config.audio_level_ext);
    WARM(leg, room, room);
    WARM(leg, count.rx_packets, count.connected);
    WARM(leg, path, locked);
    WARM(leg, inbound, sr_at);
    WARM(leg, ssrc, ssrc);
}

static void find_leg(const cf_core *core, expected *e, const cf_path *path) {
    e->leg = leg_by_socket(core, path->socket);
    if (!e->leg && *e->by_path)
        e->leg = (*e->by_path)->owner;
    if (e->leg)
        leg_warm_receive(e->leg);
}

static void leg_warm_parts(const cf_leg *leg) {
    if (leg->inbound)
        cf_srtp_warm(leg->inbound);
    cf_playout_warm(leg->playout);
}

static void leg_warm_send(const cf_leg *leg) {
    WARM(leg, config.tx_pt, config.tx_pt);
    WARM(leg, config.audio_level_ext, config.mid);
    WARM(leg, count, count);
    WARM(leg, path, has_path);
    WARM(leg, inbound, outbound);
    WARM(leg, deaf, stream);
    WARM(leg, ssrc, rtcp_at);
}

void leg_warm_ahead(const cf_leg *leg) {
    const cf_leg *next = leg->next;
    if (!next)
        return;
    if (next->outbound)
        cf_srtp_warm(next->outbound);
    if (next->next)
        leg_warm_send(next->next);
}

void cf_core_expect(const cf_core *core, const cf_path *paths, size_t count) {
    expected e[CF_EXPECT_MAX];
    count = count < CF_EXPECT_MAX ? count : CF_EXPECT_MAX;
    for (size_t i = 0; i < count; i++)
        find_buckets(core, &e[i], &paths[i]);
    for (size_t i = 0; i < count; i++)
        warm_nodes(&e[i]);
    for (size_t i = 0; i < count; i++)
        find_leg(core, &e[i], &paths[i]);
    for (size_t i = 0; i < count; i++)
        if (e[i].leg)
            leg_warm_parts(e[i].leg);
    for (size_t i = 0; i < count; i++)
        if (e[i].leg)
            cf_playout_warm_more(e[i].leg->playout);
}
