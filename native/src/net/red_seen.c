/* Which packet a redundant block is a copy of: the rule of red.h. */
#include "conferocore/red.h"
#include <errno.h>
#include <string.h>

_Static_assert(CF_RED_SEEN == 64, "one bit of a word for each number");

static uint64_t bit(uint16_t seq) {
    return UINT64_C(1) << (seq % CF_RED_SEEN);
}

void cf_red_seen_init(cf_red_seen *seen) {
    memset(seen, 0, sizeof *seen);
}

/* Numbers that the window has moved over are not known yet. */
static void move_on(cf_red_seen *seen, uint16_t seq) {
    while (seen->newest != seq)
        seen->known &= ~bit(++seen->newest);
}

void cf_red_seen_note(cf_red_seen *seen, uint32_t ssrc, uint16_t seq, uint32_t ts) {
    int ahead = cf_seq_diff(seq, seen->newest);
    if (!seen->started || seen->ssrc != ssrc || ahead >= CF_RED_SEEN || ahead <= -CF_RED_SEEN)
        *seen = (cf_red_seen){.started = true, .ssrc = ssrc, .newest = seq};
    else if (ahead > 0)
        move_on(seen, seq);
    seen->known |= bit(seq);
    seen->ts[seq % CF_RED_SEEN] = ts;
}

static bool is_known(const cf_red_seen *seen, uint16_t seq) {
    int ago = cf_seq_diff(seen->newest, seq);
    return ago >= 0 && ago < CF_RED_SEEN && seen->known & bit(seq);
}

/* The number that lies `offset` before `newer` in packets of one duration. */
static int by_duration(uint16_t newer, uint32_t offset, uint32_t duration, uint16_t missing) {
    if (duration == 0 || offset % duration || offset / duration > missing || offset == 0)
        return -ENOENT;
    return (uint16_t)(newer - offset / duration);
}

/* A number from before the window cannot be told from one that has come. */
static int in_window(const cf_rtp *red, int seq) {
    return seq >= 0 && (uint16_t)(red->seq - seq) < CF_RED_SEEN ? seq : -ENOENT;
}

int cf_red_seq(const cf_red_seen *seen, const cf_rtp *red, const cf_red_block *block, uint32_t duration) {
    if (block->offset == 0)
        return -ENOENT; /* the primary's own moment, coded otherwise */
    uint32_t ts = red->ts - block->offset, newer_ts = red->ts;
    uint16_t newer = red->seq;
    bool same = seen->started && seen->ssrc == red->ssrc;
    for (int back = 1; back < CF_RED_SEEN; back++) {
        uint16_t seq = (uint16_t)(red->seq - back), missing = (uint16_t)(newer - seq - 1);
        if (!same || !is_known(seen, seq))
            continue;
        int32_t older = cf_ts_diff(ts, seen->ts[seq % CF_RED_SEEN]);
        if (older == 0 || (older > 0 && missing == 0))
            return -ENOENT;
        if (older > 0)
            return missing == 1 ? (uint16_t)(seq + 1)
                                : in_window(red, by_duration(newer, newer_ts - ts, duration, missing));
        newer = seq;
        newer_ts = seen->ts[seq % CF_RED_SEEN];
    }
    /* nothing older is known: the stream's start */
    return in_window(red, by_duration(newer, newer_ts - ts, duration, CF_RED_BLOCKS));
}
