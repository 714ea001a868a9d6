/* Where a packet belongs, judged by sequence number, timestamp and arrival time together (RFC 3550 A.1 in spirit). */
#include "timeline.h"

#include <string.h>

#define MS INT64_C(1000000)
#define ALIVE_NS (500 * MS) /* a stream that was heard so recently does not change without two witnesses */
#define JUMP_NS (150 * MS)

enum {
    MISORDER = 100, /* packets: RFC 3550 A.1 */
    DROPOUT = 3000, /* packets: RFC 3550 A.1 */
    JUMP_SAMPLES = 48 * 150,
    FIRST = 1 << 20, /* extended numbers start well above zero */
};

static enum cf_place restart(cf_timeline *line, const cf_rtp *rtp, cf_spot *spot) {
    uint64_t jumps = line->jumps;
    int64_t end = line->end;
    memset(line, 0, sizeof *line);
    line->started = true;
    line->jumps = jumps;
    line->ssrc = rtp->ssrc;
    line->newest = spot->seq = FIRST + rtp->seq;
    line->pos = spot->pos = end;
    line->end = end + spot->samples;
    line->heard = spot->now;
    line->clocks[spot->clock] = (cf_clock){true, rtp->ts, end};
    return CF_PLACE_RESTART;
}

/* A packet that does not fit the stream. Two that follow each other are a stream of their own. */
static bool witnessed(cf_timeline *line, const cf_rtp *rtp) {
    bool second = line->suspected && line->suspect_ssrc == rtp->ssrc && line->suspect_seq == rtp->seq;
    line->suspected = true;
    line->suspect_ssrc = rtp->ssrc;
    line->suspect_seq = (uint16_t)(rtp->seq + 1);
    return second;
}

/* The stream goes on with this packet. Its timestamp is believed unless it goes backwards, or ahead of the time that
 * has passed. */
static void go_on(cf_timeline *line, const cf_rtp *rtp, cf_spot *spot) {
    cf_clock *clock = &line->clocks[spot->clock];
    int64_t expected = line->end + (spot->seq - line->newest - 1) * spot->samples;
    int64_t pos = clock->valid ? clock->pos + (int64_t)cf_ts_diff(rtp->ts, clock->ts) * spot->ratio : expected;
    bool early = spot->low != INT64_MIN && spot->now - cf_pos_ns(pos) < spot->low - JUMP_NS;
    if (pos <= line->pos || (early && pos - expected > JUMP_SAMPLES)) {
        pos = expected;
        line->jumps++;
    }
    *clock = (cf_clock){true, rtp->ts, pos};
    line->newest = spot->seq;
    line->pos = spot->pos = pos;
    line->end = pos + spot->samples;
    line->heard = spot->now;
    line->suspected = false;
}

static enum cf_place look_back(const cf_timeline *line, const cf_rtp *rtp, cf_spot *spot) {
    const cf_clock *clock = &line->clocks[spot->clock];
    spot->pos = clock->valid ? clock->pos + (int64_t)cf_ts_diff(rtp->ts, clock->ts) * spot->ratio
                             : line->pos + (spot->seq - line->newest) * spot->samples;
    return spot->seq == line->newest || spot->pos < line->pos ? CF_PLACE_HERE : CF_PLACE_NOWHERE;
}

enum cf_place cf_timeline_place(cf_timeline *line, const cf_rtp *rtp, cf_spot *spot) {
    if (!line->started)
        return restart(line, rtp, spot);
    bool alive = spot->now - line->heard < ALIVE_NS;
    int diff = cf_seq_diff(rtp->seq, (uint16_t)line->newest);
    bool strange = rtp->ssrc != line->ssrc || diff < -MISORDER || diff > (alive ? CF_PLAYOUT_SLOTS : DROPOUT);
    bool stale =
        !alive && diff <= 0; /* an old number although the stream had ended: a straggler, or it has begun anew */
    if (strange || stale) {
        bool second = witnessed(line, rtp);
        if (second || (strange && !alive))
            return restart(line, rtp, spot);
        if (strange)
            return CF_PLACE_NOWHERE;
    }
    spot->seq = line->newest + diff;
    if (diff <= 0)
        return look_back(line, rtp, spot);
    go_on(line, rtp, spot);
    return CF_PLACE_HERE;
}
