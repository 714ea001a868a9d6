/* A leg: all its memory is taken here, before it meets the media thread. */
#include "leg.h"
#include "base/lazy.h"
#include "counter.h"
#include "inbox.h"
#include "pairs.h"
#include "play.h"
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool text_ok(const char *text, size_t cap) {
    return memchr(text, 0, cap) != NULL;
}

static bool texts_ok(const cf_leg_config *c) {
    return text_ok(c->mid, sizeof c->mid) && text_ok(c->cname, sizeof c->cname) &&
           text_ok(c->local_ufrag, sizeof c->local_ufrag) && text_ok(c->local_pwd, sizeof c->local_pwd) &&
           text_ok(c->remote_ufrag, sizeof c->remote_ufrag);
}

static bool numbers_ok(const cf_leg_config *c) {
    return c->id && c->room && (c->kind == CF_LEG_WEBRTC || c->kind == CF_LEG_RTP) && c->tx_pt >= 0 &&
           c->tx_pt <= 127 && c->rx_count >= 0 && c->rx_count <= CF_PLAYOUT_PTS && c->audio_level_ext >= 0 &&
           c->audio_level_ext <= 14 && c->csrc_level_ext >= 0 && c->csrc_level_ext <= 14 && c->mid_ext >= 0 &&
           c->mid_ext <= 14 && c->event_pt >= 0 && c->event_pt <= 127 && c->cn_pt >= 0 && c->cn_pt <= 127 &&
           c->red_pt >= 0 && c->red_pt <= 127 && c->red >= CF_RED_AUTO && c->red <= CF_RED_EARLIER &&
           c->gate_dbov >= 0 && c->gate_dbov <= 127 && c->consent_timeout_ms >= 0 && c->media_timeout_ms >= 0;
}

static int make_red_seen(cf_leg *leg) {
    if (!leg->red_seen && !(leg->red_seen = malloc(sizeof *leg->red_seen)))
        return -ENOMEM;
    cf_red_seen_init(leg->red_seen);
    return 0;
}

/* What the peer takes beside sound. */
static int leg_make_extras(cf_leg *leg) {
    const cf_leg_config *c = &leg->config;
    leg->digits_out = c->event_pt ? malloc(sizeof *leg->digits_out) : NULL;
    leg->red_out = c->red_pt ? malloc(sizeof *leg->red_out) : NULL;
    if ((c->event_pt && !leg->digits_out) || (c->red_pt && !leg->red_out))
        return -ENOMEM;
    if (leg->red_out)
        cf_red_sender_init(leg->red_out);
    leg->red_depth = c->red > 0 ? c->red : 0;
    return leg->digits_out ? cf_event_sender_init(leg->digits_out, (int)leg->ts_step * CF_TICKS) : 0;
}

static int make_payload_type(cf_leg *leg, const cf_pt_map *map) {
    if (map->codec == CF_CODEC_RED)
        return make_red_seen(leg);
    if (map->codec == CF_CODEC_EVENT || map->codec == CF_CODEC_CN)
        return 0; /* no sound that is decoded */
    return cf_playout_map(leg->playout, (uint8_t)map->pt, map->codec, map->clock_rate);
}

static int leg_make_playout(cf_leg *leg) {
    if (!cf_playout_possible(&leg->config.playout))
        return -EINVAL;
    leg->playout = cf_playout_new(&leg->config.playout);
    if (!leg->playout)
        return -ENOMEM;
    for (int i = 0; i < leg->config.rx_count; i++) {
        const cf_pt_map *map = &leg->config.rx[i];
        if (map->pt < 0 || map->pt > 127 || map->clock_rate < 8000 || map->clock_rate > 192000)
            return -EINVAL;
        int result = make_payload_type(leg, map);
        if (result < 0)
            return result;
    }
    return 0;
}

static int leg_make_transport(cf_leg *leg) {
    const cf_leg_config *c = &leg->config;
    if (c->kind == CF_LEG_RTP && !c->dtls)
        return 0;
    leg->inbox = malloc(sizeof *leg->inbox);
    if (!leg->inbox)
        return -ENOMEM;
    inbox_init(leg->inbox);
    return c->kind == CF_LEG_RTP ? 0 : cf_ice_init(&leg->ice, c->local_ufrag, c->local_pwd, c->remote_ufrag);
}

static void leg_own_nodes(cf_leg *leg) {
    leg->by_id.owner = leg->by_ufrag.owner = leg;
    for (size_t i = 0; i < 2; i++)
        leg->sockets[i].node.owner = leg;
    for (size_t i = 0; i < 2 * CF_ICE_PATHS; i++)
        leg->paths[i].node.owner = leg;
}

/* RFC 3550 section 5.1: SSRC, sequence number and timestamp start at random. */
static void leg_start_numbers(cf_leg *leg) {
    leg->ssrc = leg->config.ssrc;
    while (!leg->ssrc)
        leg->ssrc = cf_rng_u32(&leg->rng);
    leg->seq = (uint16_t)cf_rng_u32(&leg->rng);
    leg->ts_start = cf_rng_u32(&leg->rng);
    /* RFC 7022 section 4.2: without a name of ours a random one, new for each leg */
    uint64_t name = cf_rng_next(&leg->rng);
    if (!leg->config.cname[0])
        snprintf(leg->config.cname, sizeof leg->config.cname, "%016" PRIx64, name);
    leg->ts_step = (uint32_t)cf_codec_clock(leg->config.tx.codec, leg->config.tx.rate) / CF_TICKS;
}

cf_leg *cf_leg_new(const cf_leg_config *config, uint64_t seed) {
    if (!numbers_ok(config) || !texts_ok(config))
        return NULL;
    cf_leg *leg = cf_lazy_new(sizeof *leg);
    if (!leg)
        return NULL;
    leg->config = *config;
    leg->config.tx = config->tx;
    leg->gain = CF_GAIN_ONE;
    leg->ear_now = leg->ear_gain = CF_GAIN_ONE;
    cf_agc_init(&leg->agc, 0);
    leg->last_period = UINT64_MAX;
    leg->encoded = UINT64_MAX - 1; /* before none */
    counter_set(&leg->count.level_in, 127);
    counter_set(&leg->count.level_out, 127);
    counter_set(&leg->count.level_claimed, 127);
    counter_set(&leg->count.gated, 1);
    leg_own_nodes(leg);
    cf_rng_seed(&leg->rng, seed);
    leg_start_numbers(leg);
    cf_limiter_init(&leg->limiter);
    leg->encoder = cf_codec_complete(&leg->config.tx) ? NULL : cf_encoder_new(&leg->config.tx);
    if (!leg->encoder || leg_make_playout(leg) || leg_make_transport(leg) || leg_make_extras(leg)) {
        cf_leg_free(leg);
        return NULL;
    }
    return leg;
}

void cf_leg_free(cf_leg *leg) {
    if (!leg)
        return;
    pairs_free(leg);
    cf_encoder_free(leg->encoder);
    cf_playout_free(leg->playout);
    cf_srtp_free(leg->inbound);
    cf_srtp_free(leg->outbound);
    plays_free(leg->plays);
    free(leg->red_seen);
    free(leg->red_out);
    free(leg->digits_out);
    free(leg->dtmf);
    free(leg->inbox);
    cf_lazy_free(leg);
}

size_t cf_leg_dtls_take(cf_leg *leg, uint8_t *out, size_t cap) {
    return leg->inbox ? inbox_take(leg->inbox, out, cap) : 0;
}

void cf_leg_stats_get(const cf_leg *leg, cf_leg_stats *stats) {
    memset(stats, 0, sizeof *stats);
#define COPY(name) stats->name = counter_get(&leg->count.name);
    LEG_COUNTERS(COPY)
#undef COPY
#define COPY(name) stats->playout.name = counter_get(&leg->count.playout.name);
    PLAYOUT_COUNTERS(COPY)
#undef COPY
}
