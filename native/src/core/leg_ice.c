/* STUN on the shared sockets: the check finds its leg by ufrag, the leg's ICE agent answers, and the authenticated
 * paths are tabled. */
#include "bucket.h"
#include "counter.h"
#include "leg.h"
#include "leg_wire.h"
#include "state.h"
#include "table.h"
#include "units.h"

#include <string.h>

/* How long a path stays its leg's after a check or media; consent checks are up to 6 s apart */
enum { PATH_HELD_MS = 10000 };

static void path_forget(cf_core *core, struct path_node *node) {
    table_remove(&core->legs_by_path, &node->node);
}

/* Where a leg is alive another has no business: its member could have forged the address, and would take the leg's
 * media away. */
static bool path_in_use(const struct path_node *node, int64_t now) {
    const cf_leg *leg = node->node.owner;
    bool media = leg->has_path && cf_path_equal(&leg->path, &node->path);
    int64_t seen = media && leg->packet_at > node->checked_at ? leg->packet_at : node->checked_at;
    return now - seen < PATH_HELD_MS * MS;
}

/* Both were offered by one ICE agent: a browser that has come again as a fresh leg without leaving its port. */
static bool same_agent(const cf_leg *a, const cf_leg *b) {
    return a->ice.remote_ufrag[0] && !strcmp(a->ice.remote_ufrag, b->ice.remote_ufrag);
}

static bool path_refused(const cf_core *core, const cf_leg *leg, const cf_path *path, int64_t now) {
    const struct path_node *held = node_by_path(core, path);
    return held && held->node.owner != leg && path_in_use(held, now) && !same_agent(held->node.owner, leg);
}

/* The latest authenticated check owns a path that nobody holds: who joins from the port of one who has gone is not
 * taken for it. */
static void path_own(cf_core *core, struct path_node *node, const cf_path *path) {
    struct path_node *owner = node_by_path(core, path);
    node->checked_at = core->now;
    if (owner == node)
        return;
    if (owner)
        path_forget(core, owner);
    path_forget(core, node);
    node->path = *path;
    table_add(&core->legs_by_path, &node->node, hash_path(core, path));
}

/* Entry i of the table's nodes follows entry i of the agent's paths; of another's stolen path only the checked one is
 * claimed back. */
static void paths_follow(cf_core *core, cf_leg *leg, const cf_path *checked) {
    for (size_t i = 0; i < leg->ice.path_count; i++) {
        const cf_path *path = &leg->ice.paths[i].path;
        struct path_node *node = &leg->paths[i];
        if (cf_path_equal(path, checked))
            path_own(core, node, path);
        else if (!cf_path_equal(path, &node->path))
            path_forget(core, node);
    }
}

void leg_paths_age(cf_core *core, cf_leg *leg) {
    for (size_t i = 0; i < CF_ICE_PATHS; i++) {
        struct path_node *young = &leg->paths[i], *old = &leg->paths[CF_ICE_PATHS + i];
        bool linked = young->node.linked;
        path_forget(core, old);
        path_forget(core, young);
        if (linked) {
            old->path = young->path;
            old->checked_at = young->checked_at;
            table_add(&core->legs_by_path, &old->node, hash_path(core, &old->path));
        }
        memset(&young->path, 0, sizeof young->path);
    }
}

void leg_paths_drop(cf_core *core, cf_leg *leg) {
    for (size_t i = 0; i < 2 * CF_ICE_PATHS; i++)
        path_forget(core, &leg->paths[i]);
}

/* After a restart media stays on the old path until the peer nominates a new one. */
static void path_select(cf_core *core, cf_leg *leg) {
    const cf_path *selected = cf_ice_selected_path(&leg->ice);
    if (!selected || (leg->has_path && cf_path_equal(selected, &leg->path)))
        return;
    if (leg->has_path && !leg->ice.paths[leg->ice.selected].nominated)
        return;
    bool first = !leg->ice_seen;
    leg->path = leg->rtcp_path = *selected;
    leg->has_path = leg->ice_seen = true;
    if (first)
        event_path(core, CF_EVENT_ICE_CONNECTED, leg, selected);
    else if (bucket_take(&leg->notices, core->now, NOTICE_RATE, NOTICE_BURST))
        event_path(core, CF_EVENT_ICE_MOVED, leg, selected);
}

static cf_leg *leg_of_check(const cf_core *core, const cf_stun_msg *msg, const cf_path *path) {
    char ufrag[CF_UFRAG_MAX + 1];
    if (cf_ice_username_local(msg, ufrag))
        return leg_by_ufrag(core, ufrag);
    struct path_node *node = node_by_path(core, path);
    return node ? node->node.owner : NULL;
}

static void leg_check(cf_core *core, cf_leg *leg, const cf_stun_msg *msg, const cf_path *path, int64_t now) {
    uint8_t reply[CF_STUN_MAX];
    size_t reply_len = 0;
    if (path_refused(core, leg, path, now)) { /* unanswered: an honest peer asks again until the path is free */
        counter_add(&leg->count.stun_bad, 1);
        return;
    }
    uint64_t good = leg->ice.checks, bad = leg->ice.bad_checks; /* a restart sets them back, our counters go on */
    cf_ice_receive(&leg->ice, msg, path, now, reply, sizeof reply, &reply_len);
    counter_add(&leg->count.stun_checks, leg->ice.checks - good);
    counter_add(&leg->count.stun_bad, leg->ice.bad_checks - bad);
    if (reply_len)
        core_send(core, path, reply, reply_len);
    if (leg->ice.consent_at != now || !cf_ice_knows(&leg->ice, path))
        return; /* not authenticated: it changes nothing here */
    bool was_sendable = leg_sendable(leg);
    leg->timed_out = false; /* consent is back */
    paths_follow(core, leg, path);
    path_select(core, leg);
    if (leg_sendable(leg) != was_sendable)
        leg_changed(core, leg);
}

void leg_stun(cf_core *core, const cf_path *path, const uint8_t *data, size_t len, int64_t now) {
    cf_stun_msg msg;
    cf_leg *leg = NULL;
    if (cf_stun_looks_like(data, len) && !cf_stun_parse(&msg, data, len))
        leg = leg_of_check(core, &msg, path);
    if (leg)
        leg_check(core, leg, &msg, path, now);
    else
        counter_add(&core->count.packets_unknown, 1);
}

bool cf_core_has_path(const cf_core *core, const cf_path *path) {
    return node_by_path(core, path) != NULL;
}

void cf_core_path_closed(cf_core *core, const cf_path *path) {
    struct path_node *node = node_by_path(core, path);
    if (!node)
        return;
    cf_leg *leg = node->node.owner;
    path_forget(core, node);
    cf_ice_forget(&leg->ice, path);
    if (!leg->has_path || !cf_path_equal(&leg->path, path))
        return;
    leg->has_path = false;
    path_select(core, leg);
    leg_changed(core, leg);
}
