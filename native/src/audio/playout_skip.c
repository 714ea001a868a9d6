/* Frames that nobody hears: how loud they would be, letting them pass undecoded, and coming back as if nothing had been
 * missed. */
#include "playout_impl.h"

enum {
    PRIME_GAP = 5 * CF_FRAME, /* samples: packets further apart say nothing of each other */
    UNDER_WAY = 16,           /* packets: audio from before a number without audio may come after it */
};

/* The stronger of two hints; one without a gain may be anything that is no voice. */
static int stronger(int a, int b) {
    if (a == CF_LEVEL_HINT_QUIET || b == CF_LEVEL_HINT_QUIET)
        return CF_LEVEL_HINT_QUIET;
    return a < b ? a : b;
}

/* The louder of two levels: what is not known may be anything, a hint counts for more than silence. */
static int louder(int a, int b) {
    if (a == CF_LEVEL_UNKNOWN || b == CF_LEVEL_UNKNOWN)
        return CF_LEVEL_UNKNOWN;
    if (a >= 0 && b >= 0)
        return a < b ? a : b;
    if (a < 0 && b < 0)
        return stronger(a, b);
    int known = a >= 0 ? a : b, hint = a >= 0 ? b : a;
    return known < CF_LEVEL_NONE ? known : hint;
}

/* The loudest packet between two positions, from `packet` on; `level` is that of what comes before it. */
static int loudest(const cf_playout *p, const cf_packet *packet, int64_t from, int64_t to, int level) {
    for (; packet && packet->pos < to; packet = cf_store_after(&p->store, packet->seq))
        if (packet->pos + packet->samples > from)
            level = louder(level, packet->level);
    return level;
}

/* A stream that does not play begins with the packets that are due, and its newest is played whenever it comes. */
static int peek_start(const cf_playout *p, const cf_packet *packet, int64_t now) {
    int64_t head = cf_playout_start_at(p, now);
    if (!packet || packet->pos > head)
        return CF_LEVEL_NONE;
    for (const cf_packet *next; packet->pos + packet->samples <= head; packet = next)
        if (!(next = cf_store_after(&p->store, packet->seq)))
            return packet->level;
    return loudest(p, packet, head, head + CF_FRAME, CF_LEVEL_NONE);
}

/* What is decoded already, or would be concealed, is as loud as the packet that it comes from. */
int cf_playout_peek(const cf_playout *p, int64_t now) {
    const cf_packet *packet = cf_store_after(&p->store, p->store.next - 1);
    if (!p->playing)
        return peek_start(p, packet, now);
    bool goes_on = p->count > 0 || !packet || packet->pos > p->tail;
    return loudest(p, packet, INT64_MIN, cf_playout_head(p) + CF_FRAME + p->debt, goes_on ? p->level : CF_LEVEL_NONE);
}

void cf_playout_skip_packet(cf_playout *p, const cf_packet *packet) {
    cf_playout_advance(p, packet->seq);
    cf_store_retire(&p->store, packet);
    p->fresh = false;
    p->stats.skipped++;
}

/* What is half decoded is dropped; nothing of it has any say in what is heard next. */
static void let_go(cf_playout *p) {
    p->playing = p->seam = p->whole = false;
    p->count = p->audio_end = p->concealed_end = 0;
    p->debt = 0;
    p->run = 0;
}

void cf_playout_skip(cf_playout *p, int64_t now) {
    p->now = now;
    p->idle = p->skipping ? p->idle : 0;
    p->skipping = true;
    if (p->playing || p->count > 0)
        let_go(p);
    const cf_packet *packet = cf_store_first(&p->store);
    if (!packet) {
        p->idle++;
        return;
    }
    int64_t end = cf_playout_start_at(p, now) + CF_FRAME;
    for (; packet && packet->pos + packet->samples <= end; packet = cf_store_first(&p->store)) {
        cf_playout_skip_packet(p, packet);
        p->idle = 0;
    }
}

static void hear(cf_playout *p, const cf_packet *packet) {
    cf_decoder_decode(p->decoder, cf_store_payload(&p->store, packet), packet->len, cf_waiting(p), CF_DECODE_MAX);
    p->decoded = packet->seq;
}

/* How many of the kept packets, newest first, are one decoder's and follow each other closely. */
static uint32_t related(const cf_playout *p) {
    const cf_packet *kept = p->store.kept;
    uint32_t n = p->store.kept_count > 0;
    while (n > 0 && n < p->store.kept_count && cf_playout_decoder(p, &kept[n]) == cf_playout_decoder(p, &kept[0]) &&
           kept[n - 1].pos - kept[n].pos < PRIME_GAP)
        n++;
    return n;
}

/* The output is thrown away. A decoder that has missed no more than the kept packets goes on; one that has missed more
 * begins anew, and a few packets are enough for it to sound as if it had been there all the time. */
void cf_playout_prime(cf_playout *p) {
    const cf_packet *kept = p->store.kept;
    uint32_t count = related(p), missed = 0;
    while (missed < count && kept[missed].seq != p->decoded)
        missed++;
    if (missed == 0)
        return;
    bool goes_on = missed < count && p->decoder == cf_playout_decoder(p, &kept[0]);
    p->decoder = cf_playout_decoder(p, &kept[0]);
    if (!goes_on)
        cf_decoder_reset(p->decoder);
    for (uint32_t i = goes_on ? missed : count; i > 0; i--)
        hear(p, &kept[i - 1]);
}

bool cf_playout_verbatim(const cf_playout *p, const uint8_t **payload, size_t *len, int *codec) {
    if (!p->whole)
        return false;
    const cf_packet *packet = &p->store.kept[0];
    *payload = cf_store_payload(&p->store, packet);
    *len = packet->len;
    *codec = p->entries[packet->entry].codec;
    return true;
}

/* Numbers that lie too far off belong to no window and are left alone. */
void cf_playout_pass(cf_playout *p, uint16_t seq) {
    int diff = cf_seq_diff(seq, (uint16_t)p->line.newest);
    int64_t number = p->line.newest + diff;
    if (!p->line.started || diff > CF_PLAYOUT_SLOTS || diff < -CF_PLAYOUT_SLOTS)
        return;
    if (number < p->store.next) {
        p->stats.lost -= cf_store_was_missed(&p->store, number);
        return;
    }
    for (cf_packet *first; (first = cf_store_first(&p->store)) && number - first->seq >= CF_PLAYOUT_SLOTS;)
        cf_playout_drop_first(p);
    if (number - p->store.next >= CF_PLAYOUT_SLOTS)
        cf_playout_advance(p, number - CF_PLAYOUT_SLOTS + 1);
    cf_store_pass(&p->store, number);
    if (diff > UNDER_WAY)
        p->line.newest = number - UNDER_WAY;
}
