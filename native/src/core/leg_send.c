/* One encoded frame to one leg: header, extensions, protection, and out. */
#include "counter.h"
#include "leg.h"
#include "leg_wire.h"
#include "room.h"
#include "state.h"
#include "units.h"

#include <string.h>

/* Timestamps follow the core's clock, also through ticks in which nothing could be sent (RFC 3550 section 5.1). */
uint32_t leg_timestamp(const cf_leg *leg, uint64_t period) {
    return leg->ts_start + (uint32_t)period * leg->ts_step;
}

/* The same instant on both clocks, for sender reports: frame p begins in the room's slot of period p. */
uint32_t leg_timestamp_at(const cf_leg *leg, int64_t now) {
    int64_t since = now - leg->room->slot * MS;
    return leg_timestamp(leg, (uint64_t)(since / PERIOD)) + (uint32_t)(since % PERIOD * leg->ts_step / PERIOD);
}

/* Who is heard by this leg, and how loud (RFC 3550 section 7.3, RFC 6465 section 3): the tick's voices without its own.
 */
struct contributors {
    uint32_t source[CSRCS];
    uint8_t level[CSRCS];
    size_t count;
};

static void contributors_find(const cf_core *core, const cf_leg *leg, struct contributors *found) {
    found->count = 0;
    if (!leg->config.csrc_level_ext || leg->deaf)
        return;
    for (int i = 0; i < core->csrc_count; i++) {
        if (core->csrc_leg[i] == leg)
            continue;
        found->source[found->count] = core->csrc[i];
        found->level[found->count++] = core->csrc_level[i];
    }
}

static void ext_add(cf_rtp_ext *ext, size_t *count, int id, const void *data, size_t len) {
    if (id && len)
        ext[(*count)++] = (cf_rtp_ext){.id = (uint8_t)id, .len = (uint8_t)len, .data = data};
}

/* RFC 6464 section 3: the V bit says whether the frame is thought to hold voice, here: whether it is louder than the
 * room's gate. RFC 8843 section 14.2: the mid goes along until the peer is known to have it, which its first report
 * about our SSRC shows. */
static size_t extensions(const cf_leg *leg, cf_rtp_ext *ext, uint8_t *level, const struct contributors *heard) {
    size_t count = 0;
    if (*level <= leg->room->config.gate_dbov)
        *level |= 0x80;
    ext_add(ext, &count, leg->config.audio_level_ext, level, 1);
    ext_add(ext, &count, leg->config.csrc_level_ext, heard->level, heard->count);
    if (!leg->mid_known)
        ext_add(ext, &count, leg->config.mid_ext, leg->config.mid, strlen(leg->config.mid));
    return count;
}

/* What goes out under the leg's next number. */
struct outgoing {
    uint8_t pt, level;
    bool marker;
    uint32_t ts;
    const uint8_t *payload;
    size_t len;
};

static int write_packet(cf_core *core, cf_leg *leg, uint8_t *packet, struct outgoing *out) {
    cf_rtp_ext ext[3];
    struct contributors heard;
    contributors_find(core, leg, &heard);
    size_t count = extensions(leg, ext, &out->level, &heard);
    cf_rtp_header header = {.pt = out->pt,
                            .marker = out->marker,
                            .seq = leg->seq,
                            .ts = out->ts,
                            .ssrc = leg->ssrc,
                            .csrc = heard.source,
                            .csrc_count = heard.count};
    int at = cf_rtp_write_header(packet, CF_RTP_MAX, &header, ext, count);
    return at < 0 ? at : core_seal(core, leg->outbound, packet, (size_t)at, out->payload, out->len);
}

static bool send_packet(cf_core *core, cf_leg *leg, struct outgoing *out) {
    int total = write_packet(core, leg, core_reserve(core), out);
    if (total < 0)
        return false;
    core_commit(core, &leg->path, (size_t)total);
    leg->started = true;
    leg->seq++;
    leg->sent_packets++;
    leg->sent_octets += (uint32_t)out->len;
    counter_add(&leg->count.tx_packets, 1);
    counter_add(&leg->count.tx_bytes, (uint64_t)total);
    return true;
}

void leg_send(cf_core *core, cf_leg *leg, const uint8_t *payload, size_t len, uint8_t level, uint32_t ts) {
    struct outgoing out = {.level = level,
                           .marker = !leg->started || leg->paused, /* RFC 3551 section 4.1: a talk spurt begins */
                           .ts = ts,
                           .len = len};
    out.payload = leg_red_wrap(core, leg, out.ts, payload, &out.len, &out.pt);
    if (!send_packet(core, leg, &out))
        return;
    leg->paused = false;
    leg->toc = payload[0];
}

void leg_send_event(cf_core *core, cf_leg *leg, const cf_event_report *report) {
    struct outgoing out = {.pt = (uint8_t)leg->config.event_pt,
                           .level = 127,
                           .marker = report->marker,
                           .ts = report->ts,
                           .payload = report->payload,
                           .len = sizeof report->payload};
    send_packet(core, leg, &out);
}

/* RFC 6716 section 3.1: a packet of its first byte alone holds an empty frame, which decoders take for a pause. */
static void send_empty(cf_core *core, cf_leg *leg, uint64_t period) {
    enum { ONE_FRAME = 0xFC, HYBRID = 0x78 }; /* code 0; full band in 20 ms, where nothing was sent yet */
    uint8_t toc = leg->toc ? leg->toc & ONE_FRAME : HYBRID;
    leg_send(core, leg, &toc, 1, 127, leg_timestamp(leg, period));
}

/* RFC 3389: what is heard is the room's noise, or silence. Its colour is told where the wire is as wide as it was
 * measured for. */
static void send_noise(cf_core *core, cf_leg *leg, uint64_t period) {
    bool narrow = leg->ts_step * CF_TICKS == 8000 && leg->config.tx.codec != CF_CODEC_G722;
    uint8_t payload[CF_CN_MAX];
    cf_cn told = leg->deaf ? (cf_cn){.level = CF_CN_SILENCE} : leg->room->noise_told;
    if (!narrow)
        told.order = 0;
    struct outgoing out = {.pt = (uint8_t)leg->config.cn_pt,
                           .level = 127,
                           .ts = leg_timestamp(leg, period),
                           .payload = payload,
                           .len = cf_cn_write(&told, payload)};
    send_packet(core, leg, &out);
}

/* Only what ends the pause begins a talk spurt. */
void leg_send_pause(cf_core *core, cf_leg *leg, uint64_t period) {
    leg->paused = false;
    (leg->config.tx.codec == CF_CODEC_OPUS ? send_empty : send_noise)(core, leg, period);
    leg->paused = true;
}
