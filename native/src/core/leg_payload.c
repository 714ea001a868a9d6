/* What a packet's payload is for: sound goes to the jitter buffer, digits to their receiver, redundancy is taken apart.
 */
#include "counter.h"
#include "leg.h"
#include "leg_sound.h"
#include "leg_wire.h"
#include "state.h"

#include <errno.h>

const cf_pt_map *leg_payload_type(const cf_leg *leg, uint8_t pt) {
    for (int i = 0; i < leg->config.rx_count; i++)
        if (leg->config.rx[i].pt == pt)
            return &leg->config.rx[i];
    return NULL;
}

/* 0: taken. What the jitter buffer refuses stands in its own statistics. */
static int plain_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, int level, int64_t now) {
    const cf_pt_map *map = leg_payload_type(leg, rtp->pt);
    if (!map || map->codec == CF_CODEC_RED) /* redundancy of redundancy is nobody's */
        return -EBADMSG;
    if (map->codec != CF_CODEC_EVENT && map->codec != CF_CODEC_CN)
        return cf_playout_put(leg->playout, rtp, level, now);
    if (map->codec == CF_CODEC_EVENT)
        leg_event_take(core, leg, rtp, map->clock_rate, now);
    cf_playout_pass(leg->playout, rtp->seq);
    return 0;
}

/* In timestamp units; 0: it cannot be told. */
static uint32_t duration_of(const cf_leg *leg, const cf_red_block *block) {
    const cf_pt_map *map = leg_payload_type(leg, block->pt);
    int samples = map ? cf_decoder_duration(map->codec, map->clock_rate, block->payload, block->len) : 0;
    return samples > 0 ? (uint32_t)samples * (uint32_t)map->clock_rate / CF_RATE : 0;
}

/* RFC 2198: what is taken from the blocks are packets that did not come. Oldest first, as they would have come. */
static void redundancy_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, const cf_red *red, int64_t now) {
    uint32_t duration = duration_of(leg, &red->blocks[red->count - 1]);
    for (size_t i = 0; i + 1 < red->count; i++) {
        const cf_red_block *block = &red->blocks[i];
        int seq = cf_red_seq(leg->red_seen, rtp, block, duration);
        if (seq < 0)
            continue;
        cf_rtp lost = {.pt = block->pt,
                       .seq = (uint16_t)seq,
                       .ts = rtp->ts - block->offset,
                       .ssrc = rtp->ssrc,
                       .payload = block->payload,
                       .payload_len = block->len};
        cf_red_seen_note(leg->red_seen, lost.ssrc, lost.seq, lost.ts);
        if (!plain_take(core, leg, &lost, -1, now))
            counter_add(&leg->count.rx_recovered, 1);
    }
}

static void red_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, int level, int64_t now) {
    cf_red red;
    if (cf_red_parse(&red, rtp->payload, rtp->payload_len)) {
        counter_add(&leg->count.rx_dropped, 1);
        return;
    }
    redundancy_take(core, leg, rtp, &red, now);
    cf_rtp primary = *rtp;
    primary.pt = red.blocks[red.count - 1].pt;
    primary.payload = red.blocks[red.count - 1].payload;
    primary.payload_len = red.blocks[red.count - 1].len;
    if (plain_take(core, leg, &primary, level, now) == -EBADMSG)
        counter_add(&leg->count.rx_dropped, 1);
}

void leg_payload_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, const cf_pt_map *map, int level, int64_t now) {
    if (map->codec == CF_CODEC_RED)
        red_take(core, leg, rtp, level, now);
    else
        plain_take(core, leg, rtp, level, now);
    if (leg->red_seen)
        cf_red_seen_note(leg->red_seen, rtp->ssrc, rtp->seq, rtp->ts);
}
