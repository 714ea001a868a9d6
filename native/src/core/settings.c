/* What Python decides about a leg while it lives: mute, gain, gate, addresses, ICE credentials, keys. Effective at the
 * next tick or packet. */
#include "inbox.h"
#include "leg.h"
#include "leg_wire.h"
#include "room.h"
#include "state.h"
#include "table.h"

#include <errno.h>

/* Whatever is decided about a leg may be heard: its room wakes. While the leg is being added it has none. */
static cf_leg *leg_awake(cf_core *core, uint64_t id) {
    cf_leg *leg = leg_by_id(core, id);
    if (leg && leg->room)
        room_wake(core, leg->room);
    return leg;
}

int cf_core_leg_suspend(cf_core *core, uint64_t id, bool suspended) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    leg->suspended = suspended;
    return 0;
}

int cf_core_leg_hold(cf_core *core, uint64_t id, bool held) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    leg->held = held;
    return 0;
}

int cf_core_leg_aside(cf_core *core, uint64_t id, bool aside) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    leg->wants_aside = aside;
    return 0;
}

int cf_core_leg_mute(cf_core *core, uint64_t id, bool muted) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    leg->muted = muted;
    return 0;
}

int cf_core_leg_deaf(cf_core *core, uint64_t id, bool deaf) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    leg->deaf = deaf;
    return 0;
}

int cf_core_leg_gain(cf_core *core, uint64_t id, int32_t gain_q14) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    if (gain_q14 < 0 || gain_q14 > CF_GAIN_MAX)
        return -EINVAL;
    leg->gain = gain_q14;
    return 0;
}

int cf_core_leg_ear(cf_core *core, uint64_t id, int32_t gain_q14) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    if (gain_q14 < 0 || gain_q14 > CF_GAIN_MAX)
        return -EINVAL;
    leg->ear_gain = gain_q14;
    return 0;
}

int cf_core_leg_gate(cf_core *core, uint64_t id, int gate_dbov) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    if (gate_dbov < 0 || gate_dbov > 127)
        return -EINVAL;
    leg->config.gate_dbov = gate_dbov;
    return 0;
}

int cf_core_leg_agc(cf_core *core, uint64_t id, bool agc) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    if (agc && !leg->config.agc)
        cf_agc_init(&leg->agc, 0);
    leg->config.agc = agc;
    return 0;
}

/* Without an RTCP address of its own the peer takes reports on the next port (RFC 3550 section 11), or on the same with
 * rtcp-mux. */
static cf_addr rtcp_addr(const cf_leg *leg, const cf_addr *rtp, const cf_addr *rtcp) {
    if (leg->config.rtp_socket == leg->config.rtcp_socket)
        return *rtp;
    if (rtcp->family)
        return *rtcp;
    cf_addr next = *rtp;
    next.port++;
    return next;
}

int cf_core_leg_remote(cf_core *core, uint64_t id, const cf_addr *rtp, const cf_addr *rtcp) {
    cf_leg *leg = leg_awake(core, id);
    if (!leg)
        return -ENOENT;
    if (leg->config.kind != CF_LEG_RTP)
        return -EINVAL;
    leg->proven = !leg->config.unproven || (leg->proven && cf_addr_same_host(rtp, &leg->path.remote));
    leg->path = (cf_path){.socket = leg->config.rtp_socket, .remote = *rtp};
    leg->rtcp_path = (cf_path){.socket = leg->config.rtcp_socket, .remote = rtcp_addr(leg, rtp, rtcp)};
    leg->has_path = rtp->family != 0;
    leg->locked = leg->rtcp_locked = false;
    leg->signalled = *rtp;
    leg->alive_since = core->now; /* what was agreed anew has the whole time-out to come */
    leg->timed_out = false;
    return 0;
}

/* RFC 8445 section 9: new credentials; media goes on over the old path until a check with the new ones nominates
 * another. */
int cf_core_leg_ice(cf_core *core, uint64_t id, const char *local_ufrag, const char *local_pwd,
                    const char *remote_ufrag) {
    cf_leg *leg = leg_by_id(core, id);
    if (!leg)
        return -ENOENT;
    if (leg->config.kind != CF_LEG_WEBRTC)
        return -EINVAL;
    cf_leg *other = leg_by_ufrag(core, local_ufrag);
    if (other && other != leg)
        return -EEXIST;
    cf_ice fresh;
    int result = cf_ice_init(&fresh, local_ufrag, local_pwd, remote_ufrag);
    if (result)
        return result;
    table_remove(&core->legs_by_ufrag, &leg->by_ufrag);
    leg_paths_age(core, leg);
    leg->ice = fresh;
    table_add(&core->legs_by_ufrag, &leg->by_ufrag, hash_text(leg->ice.local_ufrag));
    leg->alive_since = core->now;
    leg->timed_out = false;
    leg_changed(core, leg);
    return 0;
}

int cf_core_leg_prove(cf_core *core, uint64_t id) {
    cf_leg *leg = leg_by_id(core, id);
    if (!leg)
        return -ENOENT;
    if (leg->config.kind != CF_LEG_RTP)
        return -EINVAL;
    leg->proven = true;
    leg_changed(core, leg);
    return 0;
}

/* Whether a roll-over counter goes on under another key (RFC 3711 section 3.3.1) or begins again, as many peers have
 * it, nobody needs to know of a source that begins. */
static void source_begin(cf_leg *leg) {
    uint32_t before = leg->ssrc;
    while (leg->ssrc == before || !leg->ssrc)
        leg->ssrc = cf_rng_u32(&leg->rng);
    leg->seq = (uint16_t)cf_rng_u32(&leg->rng);
    leg->started = false;
    leg->sent_packets = leg->sent_octets = leg->sent_at_report = 0;
}

int cf_core_leg_keys(cf_core *core, uint64_t id, cf_srtp **inbound, cf_srtp **outbound) {
    cf_leg *leg = leg_by_id(core, id);
    if (!leg)
        return -ENOENT;
    cf_srtp *old_inbound = leg->inbound, *old_outbound = leg->outbound;
    if (old_inbound && *inbound)
        cf_srtp_follow(*inbound, old_inbound);
    if (old_outbound && leg->config.kind == CF_LEG_RTP)
        source_begin(leg);
    leg->inbound = *inbound;
    leg->outbound = *outbound;
    leg_changed(core, leg);
    *inbound = old_inbound;
    *outbound = old_outbound;
    return 0;
}

int cf_core_leg_dtls_send(cf_core *core, uint64_t id, const uint8_t *data, size_t len) {
    cf_leg *leg = leg_by_id(core, id);
    if (!leg)
        return -ENOENT;
    bool answers = leg->dtls_path.remote.family != 0;
    bool known = leg->has_path && (leg->config.kind == CF_LEG_WEBRTC || leg->proven);
    if (!leg->inbox || (!answers && !known))
        return -ENOTCONN;
    if (!len || len > INBOX_BYTES)
        return -EMSGSIZE;
    core_send(core, answers ? &leg->dtls_path : &leg->path, data, len);
    return 0;
}
