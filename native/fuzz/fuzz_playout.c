/* Any order of packets, times and frames: every get gives one whole frame, silence is all zero, and the statistics add
 * up. */
#include "conferocore/playout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct tape {
    const uint8_t *at, *end;
} tape;

static uint32_t take(tape *t, int octets) {
    uint32_t v = 0;
    for (; octets > 0; octets--)
        v = v << 8 | (t->at < t->end ? *t->at++ : 0);
    return v;
}

/* What a sender keeps: mostly it goes on as it should, now and then the tape says otherwise. */
typedef struct sender {
    uint16_t seq;
    uint32_t ts;
    uint64_t results[4]; /* puts that were taken, too late, dropped, bad */
} sender;

enum { WILD_SEQ = 0x04, WILD_TS = 0x08, OTHER_SSRC = 0x10, PT_SHIFT = 5 };

static void put(cf_playout *p, sender *s, tape *t, uint32_t flags, int64_t now) {
    static const uint8_t pts[] = {0, 111, 8, 77};
    cf_rtp rtp = {.pt = pts[flags >> PT_SHIFT & 3], .ssrc = flags & OTHER_SSRC ? 2 : 1};
    s->seq = flags & WILD_SEQ ? (uint16_t)take(t, 2) : (uint16_t)(s->seq + 1);
    s->ts = flags & WILD_TS ? take(t, 4) : s->ts + (rtp.pt == 111 ? 960 : 160);
    rtp.seq = s->seq;
    rtp.ts = s->ts;
    size_t want = take(t, 1) * 4, left = (size_t)(t->end - t->at);
    rtp.payload_len = want < left ? want : left;
    uint8_t *copy = malloc(rtp.payload_len + 1); /* so that reading past it is seen */
    memcpy(copy, t->at, rtp.payload_len);
    rtp.payload = copy;
    t->at += rtp.payload_len;
    int result = cf_playout_put(p, &rtp, (int)(rtp.ts % 129) - 1, now);
    free(copy);
    static const int known[] = {0, -EALREADY, -EOVERFLOW, -EBADMSG};
    for (int i = 0; i < 4; i++)
        if (result == known[i]) {
            s->results[i]++;
            return;
        }
    abort();
}

static void get(cf_playout *p, int64_t now) {
    int16_t frame[CF_FRAME + 1];
    memset(frame, 0x55, sizeof frame);
    int kind = cf_playout_get(p, frame, now);
    if (kind < CF_PLAY_SILENCE || kind > CF_PLAY_CONCEALED || frame[CF_FRAME] != 0x5555)
        abort();
    for (int i = 0; kind == CF_PLAY_SILENCE && i < CF_FRAME; i++)
        if (frame[i])
            abort();
}

/* Not a get, but in its place: what flags choose. */
static void pass_time(cf_playout *p, sender *s, uint32_t flags, int64_t now) {
    const uint8_t *payload;
    size_t len = 0;
    int codec, level = cf_playout_peek(p, now);
    if (level > 127 || (cf_peek_is_quiet(level) && (cf_peek_gain(level) < -1 || cf_peek_gain(level) > 63)))
        abort();
    if (cf_playout_verbatim(p, &payload, &len, &codec) && (len == 0 || len > CF_RTP_MAX))
        abort();
    if (flags & OTHER_SSRC)
        cf_playout_pass(p, ++s->seq);
    if (flags & WILD_SEQ)
        cf_playout_skip(p, now);
    else
        get(p, now);
}

static void check(const cf_playout *p, const sender *s) {
    cf_playout_stats stats;
    cf_playout_stats_get(p, &stats);
    if (stats.packets != s->results[0] || stats.late + stats.duplicate != s->results[1] ||
        stats.overflow < s->results[2] || stats.undecodable < s->results[3] || stats.lost > INT64_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tape t = {data, data + size};
    sender s = {0};
    int64_t now = 0;
    cf_playout *p = cf_playout_new(&(cf_playout_config){0});
    cf_playout_map(p, 0, CF_CODEC_PCMU, 8000);
    cf_playout_map(p, 111, CF_CODEC_OPUS, 48000);
    cf_playout_map(p, 8, CF_CODEC_PCMA, 16000); /* a clock of its own */
    while (t.at < t.end) {
        uint32_t flags = take(&t, 1);
        if ((flags & 3) == 3)
            now += (int64_t)take(&t, 2) * 1000000;
        if ((flags & 3) < 2)
            put(p, &s, &t, flags, now);
        else
            pass_time(p, &s, flags, now += 20000000);
        check(p, &s);
    }
    cf_playout_free(p);
    return 0;
}
