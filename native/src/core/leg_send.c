/* One encoded frame to one leg: header, extensions, protection, and out. */
#include "internal.h"

/* Timestamps follow the core's clock, also through ticks in which nothing could be sent (RFC 3550 section 5.1). */
uint32_t leg_timestamp(const cf_leg *leg, uint64_t period) {
    return leg->ts_start + (uint32_t)period * leg->ts_step;
}

/* The same instant on both clocks, for sender reports: frame p begins in the room's slot of period p. */
uint32_t leg_timestamp_at(const cf_leg *leg, int64_t now) {
    int64_t since = now - leg->room->slot * MS;
    return leg_timestamp(leg, (uint64_t)(since / PERIOD)) + (uint32_t)(since % PERIOD * leg->ts_step / PERIOD);
}

/* RFC 6464 section 3: the V bit says whether the frame is thought to hold voice, here: whether it is louder than the
 * room's gate. */
static size_t extensions(const cf_leg *leg, cf_rtp_ext *ext, uint8_t *level) {
    size_t count = 0;
    if (leg->config.audio_level_ext) {
        if (*level <= leg->room->config.gate_dbov)
            *level |= 0x80;
        ext[count++] = (cf_rtp_ext){.id = (uint8_t)leg->config.audio_level_ext, .len = 1, .data = level};
    }
    size_t mid_len = strlen(leg->config.mid);
    /* RFC 8843 section 14.2: until the peer is known to have it, which its first report about our SSRC shows. */
    if (leg->config.mid_ext && mid_len && !leg->mid_known)
        ext[count++] = (cf_rtp_ext){
            .id = (uint8_t)leg->config.mid_ext, .len = (uint8_t)mid_len, .data = (const uint8_t *)leg->config.mid};
    return count;
}

static int write_packet(cf_core *core, cf_leg *leg, uint8_t *packet, const uint8_t *payload, size_t len, uint8_t level,
                        uint64_t period) {
    cf_rtp_ext ext[2];
    size_t count = extensions(leg, ext, &level);
    int at = cf_rtp_write(packet, CF_RTP_MAX, (uint8_t)leg->config.tx_pt, !leg->started, leg->seq,
                          leg_timestamp(leg, period), leg->ssrc, ext, count);
    return at < 0 ? at : core_seal(core, leg->outbound, packet, (size_t)at, payload, len);
}

void leg_send(cf_core *core, cf_leg *leg, const uint8_t *payload, size_t len, uint8_t level, uint64_t period) {
    int total = write_packet(core, leg, core_reserve(core), payload, len, level, period);
    if (total < 0)
        return;
    core_commit(core, &leg->path, (size_t)total);
    leg->started = true;
    leg->seq++;
    leg->sent_packets++;
    leg->sent_octets += (uint32_t)len;
    counter_add(&leg->count.tx_packets, 1);
    counter_add(&leg->count.tx_bytes, (uint64_t)total);
}
