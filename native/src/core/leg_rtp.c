/* Media that comes in for a leg: source address, SRTP, payload type, reception statistics, jitter buffer. */
#include "counter.h"
#include "leg.h"
#include "leg_wire.h"
#include "room.h"
#include "state.h"
#include "units.h"

#include <errno.h>
#include <string.h>

bool leg_secure(const cf_leg *leg) {
    return leg->config.kind == CF_LEG_WEBRTC || leg->config.secure || leg->config.dtls;
}

bool leg_sendable(const cf_leg *leg) {
    /* RFC 7675 section 5.1: no consent, no packet */
    bool consent = leg->config.kind == CF_LEG_RTP ? leg->proven : !leg->timed_out;
    return leg->has_path && consent && (leg->outbound || !leg_secure(leg));
}

static bool muxed(const cf_leg *leg) {
    return leg->config.rtp_socket == leg->config.rtcp_socket;
}

/* RFC 5764 section 3: RTCP on a port of its own has keys from a handshake of its own, which is not held here. */
bool leg_reports(const cf_leg *leg) {
    return !leg->config.dtls || muxed(leg);
}

/* Who is behind NAT signals an address that is nobody's, but its signalling and its media come from one host, mostly.
 * Any host may send what SRTP or DTLS will authenticate; anybody else's packets say nothing, however many there are. */
bool leg_may_be_at(const cf_leg *leg, const cf_addr *remote) {
    if (cf_addr_same_host(remote, &leg->signalled))
        return true;
    if (leg->config.symmetric != CF_SYMMETRIC_ALL)
        return false;
    return leg_secure(leg) || cf_addr_same_host(remote, &leg->config.signalling);
}

/* RTP legs: the signalled address, or with symmetric RTP (RFC 4961) the first that proves itself and then no other.
 * RTCP teaches nothing about RTP; on a port of its own it may come from any port of the learnt host until it is learnt
 * as well. */
static bool source_allowed(const cf_leg *leg, const cf_path *path, bool rtcp) {
    if (leg->config.kind == CF_LEG_WEBRTC)
        return true; /* the path was proved by a check */
    if (rtcp && !muxed(leg)) {
        if (path->socket != leg->config.rtcp_socket || !leg_reports(leg))
            return false;
        if (leg->config.symmetric && leg->locked && !leg->rtcp_locked)
            return cf_addr_same_host(&path->remote, &leg->path.remote);
        return cf_addr_equal(&path->remote, &leg->rtcp_path.remote);
    }
    if (path->socket != leg->config.rtp_socket)
        return false;
    bool may_learn = leg->config.symmetric && !leg->locked && !rtcp && leg_may_be_at(leg, &path->remote);
    return may_learn || cf_addr_equal(&path->remote, &leg->path.remote);
}

/* DTLS may come from wherever media may. What it comes from is answered, and learnt by nothing but a packet that its
 * keys have authenticated. */
bool leg_dtls_allowed(const cf_leg *leg, const cf_path *path) {
    if (!leg->inbox || path->socket != leg->config.rtp_socket)
        return false;
    bool may_move = leg->config.symmetric && !leg->locked && !leg->inbound;
    return may_move || cf_addr_equal(&path->remote, &leg->path.remote) || cf_path_equal(path, &leg->dtls_path);
}

static void source_learn(cf_core *core, cf_leg *leg, const cf_path *path, bool rtcp) {
    if (leg->config.kind == CF_LEG_WEBRTC || !leg->config.symmetric)
        return;
    if (!rtcp && !leg->locked) {
        leg->path = *path;
        leg->has_path = leg->locked = true;
        if (muxed(leg))
            leg->rtcp_path = *path;
        leg_changed(core, leg);
    } else if (rtcp && !muxed(leg) && !leg->rtcp_locked && leg->locked) {
        leg->rtcp_path = *path;
        leg->rtcp_locked = true;
    }
}

static void count_srtp(cf_leg *leg, int error) {
    counter_add(error == -EALREADY ? &leg->count.srtp_replays : &leg->count.srtp_failures, 1);
}

/* The clear packet's length, or negative and counted. */
static int clear(cf_core *core, cf_leg *leg, uint8_t *data, size_t len, bool rtcp) {
    if (!leg->inbound && !leg_secure(leg))
        return (int)len;
    if (!leg->inbound) {
        counter_add(&leg->count.rx_dropped, 1);
        return -ENOKEY;
    }
    int result = core_open(core, leg->inbound, data, len, rtcp);
    if (result < 0)
        count_srtp(leg, result);
    return result;
}

/* Core time in timestamp units; seconds and rest apart, so that years of uptime do not overflow. */
static int64_t in_units(int64_t now, int clock) {
    return now / SECOND * clock + now % SECOND * clock / SECOND;
}

/* The reports of an event all have its beginning's timestamp, and it may run on another clock: their arrival tells
 * nothing of jitter. */
static void event_note(cf_rtp_source *source, const cf_rtp *rtp) {
    if (source->started && source->ssrc == rtp->ssrc)
        cf_rtp_source_update(source, rtp->seq, rtp->ts, source->transit + rtp->ts);
}

static void source_note(cf_leg *leg, const cf_rtp *rtp, int clock, int64_t now) {
    cf_rtp_source *source = &leg->source;
    if (!source->started || source->ssrc != rtp->ssrc || leg->rx_clock != clock) {
        cf_rtp_source_init(source, rtp->ssrc, rtp->seq);
        leg->rx_clock = clock;
        leg->sr_middle = 0;
    }
    cf_rtp_source_update(source, rtp->seq, rtp->ts, in_units(now, clock));
    counter_set(&leg->count.jitter_us, (uint64_t)(source->jitter * 1e6 / clock));
}

/* RFC 6464 section 3: one byte, voice activity and seven bits of level. -1: the packet does not say. */
static int claimed_level(cf_leg *leg, const cf_rtp *rtp) {
    size_t len = 0;
    const uint8_t *ext =
        leg->config.audio_level_ext ? cf_rtp_ext_find(rtp, (uint8_t)leg->config.audio_level_ext, &len) : NULL;
    if (!ext || len != 1)
        return -1;
    counter_set(&leg->count.level_claimed, *ext & 0x7F);
    return *ext & 0x7F;
}

static void media_first(cf_core *core, cf_leg *leg, const cf_path *path) {
    leg->media_seen = true;
    leg_changed(core, leg);
    event_path(core, CF_EVENT_MEDIA, leg, path);
}

static void leg_prove(cf_core *core, cf_leg *leg) {
    leg->proven = true;
    leg_changed(core, leg);
}

static void drop(cf_leg *leg) {
    counter_add(&leg->count.rx_dropped, 1);
}

static void leg_rtp_take(cf_core *core, cf_leg *leg, const cf_path *path, const uint8_t *data, size_t len,
                         int64_t now) {
    cf_rtp rtp;
    const cf_pt_map *map = cf_rtp_parse(&rtp, data, len) ? NULL : leg_payload_type(leg, rtp.pt);
    bool loop = map && rtp.ssrc == leg->ssrc; /* RFC 3550 section 8.2 */
    if (!map || loop) {
        drop(leg);
        return;
    }
    source_learn(core, leg, path, false);
    if (!leg->proven)
        leg_prove(core, leg);
    leg->packet_at = now;
    if (leg->config.kind == CF_LEG_RTP)
        leg->timed_out = false;
    counter_add(&leg->count.rx_packets, 1);
    counter_add(&leg->count.rx_bytes, len);
    if (map->codec == CF_CODEC_EVENT)
        event_note(&leg->source, &rtp);
    else
        source_note(leg, &rtp, map->clock_rate, now);
    leg_payload_take(core, leg, &rtp, map, claimed_level(leg, &rtp), now);
    if (!leg->media_seen)
        media_first(core, leg, path);
    if (leg->room->state == ROOM_ASLEEP)
        room_packet(core, leg, now);
}

void leg_media(cf_core *core, cf_leg *leg, const cf_path *path, uint8_t *data, size_t len, int64_t now) {
    bool rtcp;
    if (!cf_rtp_looks_like(data, len, &rtcp) || !source_allowed(leg, path, rtcp)) {
        drop(leg);
        return;
    }
    int plain = clear(core, leg, data, len, rtcp);
    if (plain < 0)
        return;
    if (!rtcp) {
        leg_rtp_take(core, leg, path, data, (size_t)plain, now);
        return;
    }
    source_learn(core, leg, path, true);
    leg_rtcp_take(core, leg, data, (size_t)plain, now);
}
