/* RTCP of a leg: what the peer reports about us, and our reports about it (RFC 3550 section 6). */
#include "bucket.h"
#include "counter.h"
#include "leg.h"
#include "leg_wire.h"
#include "state.h"
#include "units.h"

enum { RTT_END = 60 << 16 }; /* 1/65536 s; a longer round trip is a wall clock that was set under way */

struct visit {
    cf_core *core;
    cf_leg *leg;
    int64_t now;
    bool bye;
};

/* Section 6.4.1: the middle 32 of the 64 bits of an NTP timestamp, 1/65536 s. */
static uint32_t middle(uint64_t ntp) {
    return (uint32_t)(ntp >> 16);
}

static void on_sr(void *arg, const cf_rtcp_sr *sr) {
    struct visit *visit = arg;
    if (visit->leg->source.started && sr->ssrc != visit->leg->source.ssrc)
        return;
    visit->leg->sr_middle = middle(sr->ntp);
    visit->leg->sr_at = visit->now;
}

static void on_report(void *arg, uint32_t sender, const cf_rtcp_report *block) {
    (void)sender;
    struct visit *visit = arg;
    cf_leg *leg = visit->leg;
    if (block->ssrc != leg->ssrc)
        return;
    leg->mid_known = true;
    counter_set(&leg->count.remote_lost, block->lost > 0 ? (uint64_t)block->lost : 0);
    counter_set(&leg->count.remote_fraction_lost, block->fraction_lost);
    if (leg->ts_step)
        counter_set(&leg->count.remote_jitter_us, block->jitter * UINT64_C(1000000) / (leg->ts_step * CF_TICKS));
    leg_red_note(leg, block->fraction_lost, visit->now);
    if (!block->lsr)
        return;
    int32_t rtt = (int32_t)(middle(core_ntp(visit->core, visit->now)) - block->lsr - block->dlsr);
    if (rtt >= 0 && rtt < RTT_END)
        counter_set(&leg->count.rtt_us, (uint64_t)rtt * 1000000 / 65536);
}

static void on_bye(void *arg, uint32_t ssrc) {
    struct visit *visit = arg;
    if (!visit->leg->source.started || ssrc == visit->leg->source.ssrc)
        visit->bye = true;
}

void leg_rtcp_take(cf_core *core, cf_leg *leg, const uint8_t *data, size_t len, int64_t now) {
    struct visit visit = {.core = core, .leg = leg, .now = now};
    cf_rtcp_visitor visitor = {.arg = &visit, .sr = on_sr, .report = on_report, .bye = on_bye};
    if (cf_rtcp_parse(data, len, &visitor)) {
        counter_add(&leg->count.rx_dropped, 1);
        return;
    }
    if (visit.bye && bucket_take(&leg->notices, now, NOTICE_RATE, NOTICE_BURST))
        event_leg(core, CF_EVENT_BYE, leg);
}

/* Section 6.2 for two participants, simplified: 5 s, spread over half to one and a half. */
int64_t leg_rtcp_interval(cf_leg *leg) {
    return (int64_t)((2.5 + 5.0 * cf_rng_unit(&leg->rng)) * (double)SECOND);
}

static size_t report_block(cf_leg *leg, cf_rtcp_report *block, int64_t now) {
    if (!leg->source.started)
        return 0;
    uint32_t waited = leg->sr_middle ? (uint32_t)((now - leg->sr_at) / 1000 * 65536 / 1000000) : 0;
    cf_rtcp_fill_report(block, &leg->source, leg->sr_middle, waited);
    return 1;
}

/* Section 6.4: a sender report from who has sent since the last two reports, else a receiver report. */
static int write_report(cf_core *core, cf_leg *leg, uint8_t *out, size_t cap, size_t *at, int64_t now) {
    cf_rtcp_report block;
    size_t blocks = report_block(leg, &block, now);
    if (leg->sent_packets == leg->sent_at_report)
        return cf_rtcp_write_rr(out, cap, at, leg->ssrc, &block, blocks);
    leg->sent_at_report = leg->sent_packets;
    cf_rtcp_sr sr = {
        .ssrc = leg->ssrc,
        .ntp = core_ntp(core, now),
        .rtp_ts = leg_timestamp_at(leg, now),
        .packets = leg->sent_packets,
        .octets = leg->sent_octets,
    };
    return cf_rtcp_write_sr(out, cap, at, &sr, &block, blocks);
}

void leg_rtcp_send(cf_core *core, cf_leg *leg, bool bye, int64_t now) {
    if (!leg_reports(leg))
        return;
    uint8_t *out = core->packet;
    size_t cap = sizeof core->packet, len = 0;
    int failed = write_report(core, leg, out, cap - CF_SRTCP_OVERHEAD, &len, now);
    failed |= cf_rtcp_write_cname(out, cap - CF_SRTCP_OVERHEAD, &len, leg->ssrc, leg->config.cname);
    if (bye)
        failed |= cf_rtcp_write_bye(out, cap - CF_SRTCP_OVERHEAD, &len, leg->ssrc);
    if (failed)
        return;
    int result = leg->outbound ? cf_srtcp_protect(leg->outbound, out, len, cap) : (int)len;
    if (result > 0)
        core_send(core, &leg->rtcp_path, out, (size_t)result);
}
