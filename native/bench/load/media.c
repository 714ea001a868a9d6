/* A member's packets: what it says next, and what it counts and hears of what comes. */
#include "load.h"

static bool says_nothing(const member *m) {
    return m->passive == PASSIVE_NOTHING || (m->passive == PASSIVE_DTX && m->frame % DTX_FRAMES != 0);
}

static void note_burst(load *l, const member *m, int64_t now) {
    room *r = &l->rooms[m->room];
    r->last[r->bursts++ % (2 * BURSTS)] = (burst){now, (int)(m - l->all)};
    r->measured[m->says->burst_from] += now >= l->measure_from && now < l->end - DELAY_MAX_MS * MS;
}

static size_t packet_of(load *l, member *m, uint8_t *out) {
    int f = (int)(m->frame % LOOP_FRAMES);
    cf_rtp_ext level = {(uint8_t)m->ext, 1, &m->says->level[f]};
    int len = cf_rtp_write(out, PACKET_MAX, (uint8_t)m->pt, m->frame == 0, (uint16_t)m->frame,
                           m->frame * codec_step(l->plan.codec), m->ssrc, &level, m->ext != 0);
    memcpy(out + len, m->says->payload[f], (size_t)m->says->len[f]);
    len += m->says->len[f];
    return (size_t)(m->mouth != NULL ? cf_srtp_protect(m->mouth, out, (size_t)len, PACKET_MAX) : len);
}

/* The next 20 ms at time now: its length, 0: nothing is sent. What the plan loses is protected and counted as said, so
 * that its receiver sees a gap. */
size_t next_packet(load *l, member *m, int64_t now, uint8_t *out) {
    if (says_nothing(m)) {
        m->frame++;
        return 0;
    }
    size_t len = packet_of(l, m, out);
    if (m->says->burst[m->frame % LOOP_FRAMES])
        note_burst(l, m, now);
    m->frame++;
    bool lost = l->plan.loss > 0 && cf_rng_unit(&l->rng) < l->plan.loss;
    l->held_back += lost;
    return lost ? 0 : len;
}

static void count(load *l, member *m, const cf_rtp *rtp, int64_t stamp) {
    if (stamp < l->measure_from || stamp >= l->end)
        return;
    if (!m->started) {
        m->first_seq = rtp->seq;
        m->first_ts = rtp->ts;
    }
    m->started = true;
    uint16_t at = (uint16_t)(rtp->seq - m->first_seq);
    if (at >= l->expected)
        return;
    m->doubles += m->stamps[at] != 0;
    m->received += m->stamps[at] == 0;
    m->stamps[at] = stamp;
    m->clocks[at] = rtp->ts - m->first_ts;
}

/* Those without an ear only count: header and stamp are not encrypted, and our decryption is not what is measured. */
void member_hear(load *l, member *m, uint8_t *data, size_t len, int64_t stamp) {
    bool rtcp;
    cf_rtp rtp;
    if (!cf_rtp_looks_like(data, len, &rtcp) || rtcp || cf_rtp_parse(&rtp, data, len) < 0 || rtp.pt != m->pt)
        return;
    count(l, m, &rtp, stamp);
    if (m->ear == NULL)
        return;
    if (m->hears != NULL) {
        int n = cf_srtp_unprotect(m->hears, data, len);
        l->srtp_failures += n < 0;
        if (n < 0 || cf_rtp_parse(&rtp, data, (size_t)n) < 0)
            return;
    }
    ear_hear(l, m->ear, &rtp, stamp);
}
