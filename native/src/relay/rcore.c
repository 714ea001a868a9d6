/* The tables of a thread's allocations: who is whose client, which peers may send, which channel is which peer. */
#include "rcore.h"

#include "base/lazy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static int init_tables(cf_rcore *core) {
    size_t n = core->config.allocations;
    cf_keyed *tables[] = {&core->by_client, &core->by_host, &core->by_number, &core->by_peer};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        if (cf_keyed_init(tables[i], i == 0 ? n : n * 4, cf_rng_next(&core->rng)) < 0)
            return -ENOMEM;
    return 0;
}

cf_rcore *cf_rcore_new(const cf_rcore_config *config) {
    cf_rcore *core = calloc(1, sizeof *core);
    if (core == NULL)
        return NULL;
    core->config = *config;
    cf_rng_seed(&core->rng, config->seed);
    size_t n = config->allocations, each = config->permissions;
    core->relayed = cf_lazy_new(n * sizeof *core->relayed);
    core->permissions = cf_lazy_new(n * each * sizeof *core->permissions);
    core->channels = cf_lazy_new(n * each * sizeof *core->channels);
    bool there = core->relayed != NULL && core->permissions != NULL && core->channels != NULL;
    if (there && init_tables(core) == 0)
        return core;
    cf_rcore_free(core);
    return NULL;
}

void cf_rcore_free(cf_rcore *core) {
    if (core == NULL)
        return;
    cf_keyed_free(&core->by_client);
    cf_keyed_free(&core->by_host);
    cf_keyed_free(&core->by_number);
    cf_keyed_free(&core->by_peer);
    cf_lazy_free(core->relayed);
    cf_lazy_free(core->permissions);
    cf_lazy_free(core->channels);
    free(core);
}

/* ---- finding ---- */

static uint64_t hash_addr(const cf_keyed *table, const cf_addr *addr, uint16_t port, uint64_t with) {
    uint64_t words[3];
    memcpy(words, addr->ip, 16);
    words[2] = with << 24 ^ (uint64_t)port << 8 ^ addr->family;
    return cf_keyed_hash(table, words, 3);
}

static uint64_t hash_client(const cf_keyed *table, const cf_path *client) {
    return hash_addr(table, &client->remote, client->remote.port, client->socket);
}

static uint64_t place_of(const cf_rcore *core, const cf_relayed *relayed) {
    return (uint64_t)(relayed - core->relayed);
}

#define OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

int64_t cf_rcore_of(const cf_rcore *core, const cf_path *client) {
    cf_link *link = cf_keyed_first(&core->by_client, hash_client(&core->by_client, client));
    for (; link != NULL; link = cf_keyed_next(link))
        if (cf_path_equal(&OWNER(link, cf_relayed, link)->client, client))
            return OWNER(link, cf_relayed, link) - core->relayed;
    return -1;
}

cf_relayed *cf_rcore_at(const cf_rcore *core, uint32_t n) {
    return n < core->config.allocations && core->relayed[n].used ? &core->relayed[n] : NULL;
}

cf_permission *cf_rcore_permission(const cf_rcore *core, const cf_relayed *relayed, const cf_addr *peer) {
    cf_link *link = cf_keyed_first(&core->by_host, hash_addr(&core->by_host, peer, 0, place_of(core, relayed)));
    for (; link != NULL; link = cf_keyed_next(link)) {
        cf_permission *permission = OWNER(link, cf_permission, link);
        if (permission->of == relayed && cf_addr_same_host(&permission->host, peer))
            return permission;
    }
    return NULL;
}

static uint64_t hash_number(const cf_rcore *core, const cf_relayed *relayed, uint16_t number) {
    uint64_t word = place_of(core, relayed) << 16 | number;
    return cf_keyed_hash(&core->by_number, &word, 1);
}

cf_channel *cf_rcore_channel(const cf_rcore *core, const cf_relayed *relayed, uint16_t number) {
    cf_link *link = cf_keyed_first(&core->by_number, hash_number(core, relayed, number));
    for (; link != NULL; link = cf_keyed_next(link)) {
        cf_channel *channel = OWNER(link, cf_channel, by_number);
        if (channel->of == relayed && channel->number == number)
            return channel;
    }
    return NULL;
}

cf_channel *cf_rcore_channel_to(const cf_rcore *core, const cf_relayed *relayed, const cf_addr *peer) {
    cf_link *link =
        cf_keyed_first(&core->by_peer, hash_addr(&core->by_peer, peer, peer->port, place_of(core, relayed)));
    for (; link != NULL; link = cf_keyed_next(link)) {
        cf_channel *channel = OWNER(link, cf_channel, by_peer);
        if (channel->of == relayed && cf_addr_equal(&channel->peer, peer))
            return channel;
    }
    return NULL;
}

/* ---- permissions ---- */

bool cf_port_allowed(const cf_permission *permission, uint16_t port) {
    for (unsigned i = 0; i < permission->ranges; i++)
        if (port >= permission->ports[i].low && port <= permission->ports[i].high)
            return true;
    return permission->ranges == 0;
}

/* Whoever binds to it asks for it by the pointer that is cleared here. */
static void drop_permission(cf_rcore *core, cf_relayed *relayed, cf_permission **at) {
    cf_permission *permission = *at;
    for (cf_channel *channel = relayed->channels; channel != NULL; channel = channel->next)
        if (channel->permission == permission)
            channel->permission = NULL;
    *at = permission->next;
    cf_keyed_remove(&core->by_host, &permission->link);
    permission->next = core->free_permission;
    core->free_permission = permission;
    relayed->permission_count--;
}

static void sweep_permissions(cf_rcore *core, cf_relayed *relayed, int64_t now) {
    for (cf_permission **at = &relayed->permissions; *at != NULL;)
        if ((*at)->until <= now)
            drop_permission(core, relayed, at);
        else
            at = &(*at)->next;
}

/* The pool has the bound of one allocation for each of them: it is never empty here. */
static cf_permission *add_permission(cf_rcore *core, cf_relayed *relayed, const cf_addr *peer) {
    cf_permission *permission = core->free_permission;
    if (permission != NULL)
        core->free_permission = permission->next;
    else
        permission = &core->permissions[core->used_permissions++];
    permission->of = relayed;
    permission->host = *peer;
    permission->host.port = 0;
    permission->next = relayed->permissions;
    relayed->permissions = permission;
    relayed->permission_count++;
    cf_keyed_add(&core->by_host, &permission->link, hash_addr(&core->by_host, peer, 0, place_of(core, relayed)));
    for (cf_channel *channel = relayed->channels; channel != NULL; channel = channel->next)
        if (cf_addr_same_host(&channel->peer, peer))
            channel->permission = permission;
    return permission;
}

int cf_rcore_permit(cf_rcore *core, uint32_t n, const cf_addr *peer, int64_t until, const cf_relay_ports *ranges,
                    int count, int64_t now) {
    cf_relayed *relayed = cf_rcore_at(core, n);
    if (relayed == NULL)
        return -ENOENT;
    if (count < 0 || count > CF_RELAY_RANGES)
        return -EINVAL;
    cf_permission *permission = cf_rcore_permission(core, relayed, peer);
    if (permission == NULL) {
        if (relayed->permission_count == core->config.permissions)
            sweep_permissions(core, relayed, now);
        if (relayed->permission_count == core->config.permissions)
            return -ENOSPC;
        permission = add_permission(core, relayed, peer);
    }
    permission->until = until;
    permission->ranges = (uint8_t)count;
    for (int i = 0; i < count; i++)
        permission->ports[i] = ranges[i];
    return 0;
}

/* ---- channels ---- */

static void drop_channel(cf_rcore *core, cf_relayed *relayed, cf_channel **at) {
    cf_channel *channel = *at;
    *at = channel->next;
    cf_keyed_remove(&core->by_number, &channel->by_number);
    cf_keyed_remove(&core->by_peer, &channel->by_peer);
    channel->next = core->free_channel;
    core->free_channel = channel;
    relayed->channel_count--;
}

static void sweep_channels(cf_rcore *core, cf_relayed *relayed, int64_t now) {
    for (cf_channel **at = &relayed->channels; *at != NULL;)
        if ((*at)->until <= now)
            drop_channel(core, relayed, at);
        else
            at = &(*at)->next;
}

static void add_channel(cf_rcore *core, cf_relayed *relayed, const cf_channel *like) {
    cf_channel *channel = core->free_channel;
    if (channel != NULL)
        core->free_channel = channel->next;
    else
        channel = &core->channels[core->used_channels++];
    *channel = *like;
    channel->of = relayed;
    channel->next = relayed->channels;
    relayed->channels = channel;
    relayed->channel_count++;
    cf_keyed_add(&core->by_number, &channel->by_number, hash_number(core, relayed, like->number));
    cf_keyed_add(&core->by_peer, &channel->by_peer,
                 hash_addr(&core->by_peer, &like->peer, like->peer.port, place_of(core, relayed)));
}

int cf_rcore_bind(cf_rcore *core, uint32_t n, uint16_t number, const cf_addr *peer, int64_t until, int64_t now) {
    cf_relayed *relayed = cf_rcore_at(core, n);
    if (relayed == NULL)
        return -ENOENT;
    if (number < CF_CHANNEL_FIRST || number > CF_CHANNEL_LAST)
        return -EINVAL;
    const cf_permission *permission = cf_rcore_permission(core, relayed, peer);
    if (permission == NULL || !cf_port_allowed(permission, peer->port))
        return -EPERM;
    sweep_channels(core, relayed, now); /* a number and a peer whose time is over are free again */
    cf_channel *channel = cf_rcore_channel(core, relayed, number), *other = cf_rcore_channel_to(core, relayed, peer);
    if (channel != other)
        return -EEXIST;
    if (channel != NULL)
        channel->until = until;
    else if (relayed->channel_count == core->config.permissions)
        return -ENOSPC;
    else
        add_channel(core, relayed,
                    &(cf_channel){.permission = permission, .peer = *peer, .until = until, .number = number});
    return 0;
}

/* ---- allocations ---- */

/* Somebody may be reading them. */
static void zero_counters(cf_relayed *relayed) {
    cf_flow_count *count = &relayed->count;
    _Atomic uint64_t *flows[] = {&count->to_peer_packets, &count->to_peer_bytes, &count->to_client_packets,
                                 &count->to_client_bytes};
    for (size_t i = 0; i < sizeof flows / sizeof flows[0]; i++)
        atomic_store_explicit(flows[i], 0, memory_order_relaxed);
    for (int i = 0; i < 2; i++)
        atomic_store_explicit(&relayed->carried[i], 0, memory_order_relaxed);
    for (int i = 0; i < CF_DROPS; i++)
        atomic_store_explicit(&relayed->drops[i], 0, memory_order_relaxed);
}

int cf_rcore_open(cf_rcore *core, uint32_t n, const cf_path *client, int transport, bool v4, bool v6, int64_t until,
                  uint64_t bytes_per_second) {
    if (n >= core->config.allocations || transport < 0 || transport >= CF_RELAY_TRANSPORTS)
        return -EINVAL;
    cf_relayed *relayed = &core->relayed[n];
    if (relayed->used || cf_rcore_of(core, client) >= 0)
        return -EEXIST;
    zero_counters(relayed);
    relayed->used = relayed->attached = true;
    relayed->permission_count = relayed->channel_count = 0;
    relayed->permissions = NULL;
    relayed->channels = NULL;
    relayed->family[0] = v4;
    relayed->family[1] = v6;
    relayed->transport = transport;
    relayed->client = *client;
    relayed->until = until;
    cf_gate_init(&relayed->to_peer, bytes_per_second);
    cf_gate_init(&relayed->to_client, bytes_per_second);
    cf_keyed_add(&core->by_client, &relayed->link, hash_client(&core->by_client, client));
    cf_tally(&core->count, 1);
    return 0;
}

int cf_rcore_refresh(cf_rcore *core, uint32_t n, int64_t until) {
    cf_relayed *relayed = cf_rcore_at(core, n);
    if (relayed == NULL)
        return -ENOENT;
    relayed->until = until;
    return 0;
}

static void unlist(cf_rcore *core, cf_relayed *relayed) {
    if (relayed->attached)
        cf_keyed_remove(&core->by_client, &relayed->link);
    relayed->attached = false;
}

void cf_rcore_detach(cf_rcore *core, const cf_path *client) {
    int64_t n = cf_rcore_of(core, client);
    if (n >= 0)
        unlist(core, &core->relayed[n]);
}

void cf_rcore_withdraw(cf_rcore *core, uint32_t n, int family) {
    cf_relayed *relayed = cf_rcore_at(core, n);
    if (relayed == NULL)
        return;
    relayed->family[family == 6] = false;
    for (cf_channel **at = &relayed->channels; *at != NULL;)
        if ((*at)->peer.family == family)
            drop_channel(core, relayed, at);
        else
            at = &(*at)->next;
    for (cf_permission **at = &relayed->permissions; *at != NULL;)
        if ((*at)->host.family == family)
            drop_permission(core, relayed, at);
        else
            at = &(*at)->next;
}

void cf_rcore_close(cf_rcore *core, uint32_t n) {
    cf_relayed *relayed = cf_rcore_at(core, n);
    if (relayed == NULL)
        return;
    sweep_channels(core, relayed, INT64_MAX);
    sweep_permissions(core, relayed, INT64_MAX);
    unlist(core, relayed);
    relayed->used = false;
    cf_tally(&core->count, (uint64_t)-1);
}
