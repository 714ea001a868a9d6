/* Reception statistics of one RTP source: validity, losses and jitter (RFC 3550 appendices A.1, A.3 and A.8). */
#include "conferocore/rtp.h"

enum { SEQ_MOD = 1 << 16, MAX_DROPOUT = 3000, MAX_MISORDER = 100 };

/* A.1 init_seq, without its probation of two packets: a source gets here by an authenticated packet (SRTP) or from the
 * address of its leg, and its first packet is wanted. */
void cf_rtp_source_init(cf_rtp_source *s, uint32_t ssrc, uint16_t seq) {
    *s = (cf_rtp_source){.started = true, .ssrc = ssrc, .base_seq = seq, .max_seq = seq, .bad_seq = SEQ_MOD + 1};
}

/* A.1 update_seq: takes the packet into the sequence, or waits for a second one that confirms a large jump. */
static bool update_seq(cf_rtp_source *s, uint16_t seq) {
    uint16_t delta = (uint16_t)(seq - s->max_seq);
    if (delta < MAX_DROPOUT) { /* in order, with permissible gap */
        if (seq < s->max_seq)
            s->cycles += SEQ_MOD;
        s->max_seq = seq;
    } else if (delta <= SEQ_MOD - MAX_MISORDER) { /* a very large jump */
        if (seq != s->bad_seq) {
            s->bad_seq = (uint16_t)(seq + 1);
            return false;
        }
        cf_rtp_source_init(s, s->ssrc, seq); /* two in sequence: the other side has restarted */
    }                                        /* else: duplicate or reordered */
    return true;
}

/* A.8, on the circle of 32-bit timestamps. The first packet only sets the reference. */
static void update_jitter(cf_rtp_source *s, uint32_t ts, int64_t arrival) {
    uint32_t transit = (uint32_t)arrival - ts;
    if (s->received > 0) {
        double d = cf_ts_diff(transit, (uint32_t)s->transit);
        s->jitter += ((d < 0 ? -d : d) - s->jitter) / 16;
    }
    s->transit = transit;
}

bool cf_rtp_source_update(cf_rtp_source *s, uint16_t seq, uint32_t ts, int64_t arrival) {
    if (!update_seq(s, seq))
        return false;
    update_jitter(s, ts, arrival);
    s->received++;
    return true;
}

uint32_t cf_rtp_source_extended_max(const cf_rtp_source *s) {
    return s->cycles + s->max_seq;
}

/* A.3: expected less received; duplicates can make it negative. */
int32_t cf_rtp_source_lost(const cf_rtp_source *s) {
    uint32_t expected = cf_rtp_source_extended_max(s) - s->base_seq + 1;
    int64_t lost = (int64_t)expected - s->received;
    return lost > 0x7fffff ? 0x7fffff : lost < -0x800000 ? -0x800000 : (int32_t)lost;
}
