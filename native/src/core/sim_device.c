/* The member's device: a sound card with its own clock, an encoder and a jitter buffer, RTP and RTCP. */
#include "sim_internal.h"

static void next_samples(struct sim_person *person, int16_t *pcm) {
    for (int i = 0; i < CF_FRAME; i++) {
        if (person->says_at == person->says_len && person->loops)
            person->says_at = 0;
        pcm[i] = person->says_at < person->says_len ? person->says[person->says_at++] : 0;
    }
}

static int up(cf_sim *sim, struct sim_person *person, uint8_t *packet, size_t len, bool rtcp) {
    if (person->outbound) {
        int result = rtcp ? cf_srtcp_protect(person->outbound, packet, len, SIM_PACKET_BYTES)
                          : cf_srtp_protect(person->outbound, packet, len, SIM_PACKET_BYTES);
        if (result < 0)
            return result;
        len = (size_t)result;
    }
    return sim_carry(sim, &person->up, SIM_UP, person->number, packet, len);
}

/* offset: of the packet's first sample, from the frame's at 48 kHz. */
static uint32_t timestamp(const struct sim_person *person, int32_t offset) {
    int clock = person_clock(person);
    return person->ts_start + (uint32_t)person->frames * (uint32_t)(clock / CF_TICKS) +
           (uint32_t)(offset / (CF_RATE / clock));
}

static int say(cf_sim *sim, struct sim_person *person, const cf_encoded *made, int part, uint8_t level) {
    cf_rtp_ext ext = {.id = SIM_LEVEL_EXT, .len = 1, .data = &level};
    uint8_t packet[SIM_PACKET_BYTES];
    size_t len = made->part[part].len;
    int at = cf_rtp_write(packet, sizeof packet, (uint8_t)person_pt(person), !person->octets, person->seq,
                          timestamp(person, made->part[part].offset), person->ssrc, &ext,
                          person->config.audio_level ? 1 : 0);
    if (at < 0 || (size_t)at + len > sizeof packet)
        return -ENOSPC;
    memcpy(packet + at, made->payload[part], len);
    person->seq++;
    person->octets += (uint32_t)len;
    return up(sim, person, packet, (size_t)at + len, false);
}

static int speak(cf_sim *sim, struct sim_person *person) {
    int16_t pcm[CF_FRAME];
    cf_encoded made;
    next_samples(person, pcm);
    int result = cf_encoder_encode(person->encoder, pcm, &made);
    for (int part = 0; part < made.count && result >= 0; part++)
        result = say(sim, person, &made, part, cf_level(pcm, CF_FRAME));
    return result;
}

static int listen_on(cf_sim *sim, struct sim_person *person) {
    if (person->config.no_ear)
        return 0;
    int16_t pcm[CF_FRAME];
    cf_playout_get(person->playout, pcm, sim->now);
    return pcm_append(&person->heard, pcm, CF_FRAME);
}

static int report(cf_sim *sim, struct sim_person *person) {
    uint8_t packet[SIM_PACKET_BYTES];
    size_t len = 0, cap = sizeof packet - CF_SRTCP_OVERHEAD, blocks = person->source.started;
    cf_rtcp_report block;
    uint32_t waited = person->sr_middle ? (uint32_t)((sim->now - person->sr_at) / 1000 * 65536 / 1000000) : 0;
    if (blocks)
        cf_rtcp_fill_report(&block, &person->source, person->sr_middle, waited);
    cf_rtcp_sr sr = {.ssrc = person->ssrc,
                     .ntp = core_ntp(sim->core, sim->now),
                     .rtp_ts = timestamp(person, 0),
                     .packets = (uint32_t)person->frames,
                     .octets = person->octets};
    int failed = cf_rtcp_write_sr(packet, cap, &len, &sr, &block, blocks);
    failed |= cf_rtcp_write_cname(packet, cap, &len, person->ssrc, "member");
    person->rtcp_at = sim->now + (int64_t)((2.5 + 5 * cf_rng_unit(&person->rng)) * (double)SECOND);
    return failed ? -ENOSPC : up(sim, person, packet, len, true);
}

/* Ticks lie on the member's own clock, each computed from the start, so that nothing adds up. */
int device_tick(cf_sim *sim, struct sim_person *person) {
    int result = person->config.no_voice ? 0 : speak(sim, person);
    if (!result)
        result = listen_on(sim, person);
    if (!result && sim->now >= person->rtcp_at)
        result = report(sim, person);
    person->frames++;
    int64_t next = person->joined_at + (int64_t)((double)person->frames * person->frame_ns);
    return result ? result : sim_later(sim, next, SIM_TICK, person->number);
}

struct listener {
    cf_sim *sim;
    struct sim_person *person;
};

static void on_sr(void *arg, const cf_rtcp_sr *sr) {
    struct listener *listener = arg;
    listener->person->sr_middle = (uint32_t)(sr->ntp >> 16);
    listener->person->sr_at = listener->sim->now;
}

static void receive_rtp(cf_sim *sim, struct sim_person *person, const uint8_t *data, size_t len) {
    cf_rtp rtp;
    if (cf_rtp_parse(&rtp, data, len))
        return;
    if (!person->source.started)
        cf_rtp_source_init(&person->source, rtp.ssrc, rtp.seq);
    int64_t clock = person_clock(person) / 1000; /* kHz */
    cf_rtp_source_update(&person->source, rtp.seq, rtp.ts, sim->now / 1000 * clock / 1000);
    if (!person->config.no_ear)
        cf_playout_put(person->playout, &rtp, -1, sim->now);
}

void device_receive(cf_sim *sim, struct sim_person *person, uint8_t *data, size_t len) {
    bool rtcp;
    if (!cf_rtp_looks_like(data, len, &rtcp))
        return;
    int clear = (int)len;
    if (person->inbound)
        clear = rtcp ? cf_srtcp_unprotect(person->inbound, data, len) : cf_srtp_unprotect(person->inbound, data, len);
    if (clear < 0)
        return;
    if (!rtcp) {
        receive_rtp(sim, person, data, (size_t)clear);
        return;
    }
    struct listener listener = {sim, person};
    cf_rtcp_visitor visitor = {.arg = &listener, .sr = on_sr};
    cf_rtcp_parse(data, (size_t)clear, &visitor);
}
