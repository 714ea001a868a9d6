/* Steering a playout's delay by stretching and squeezing: packets neither late nor waiting for a frame longer than they
 * need, and frames that begin where packets begin.
 *
 * A packet that is there a moment too late waits for the next frame, so what a packet waits beyond its need lies within
 * 20 ms by itself: that is the slack. Only where it leaves its range, because clocks come apart or the network changes,
 * a whole frame's length has to be taken out or put in, a pitch period at a time. The frames lie across packets
 * meanwhile, which costs delay and saves none; what is left of it is squeezed out where it cannot be heard. */
#include "conferocore/mixer.h"
#include "playout_impl.h"

#define MS INT64_C(1000000)

enum {
    STEADY = 3,        /* frames that the delay must be out of range for: a late tick is not a long delay */
    QUIET_DBOV = 60,   /* below, any place fits to change the length ... */
    QUIET_BESIDE = 25, /* ... and so much below what was heard since the frames have not lain on packets */
    SQUEEZE_NEEDS = CF_FRAME + CF_TIMESCALE_MAX, /* so that a whole frame is left whatever is cut out */
};

#define ALIKE 0.995F /* nothing presses where frames only lie across packets: it has to fit well */

/* Samples from the next frame's beginning to that of a packet, or of a frame's part of one. */
static int64_t unaligned(const cf_playout *p) {
    int64_t off = cf_playout_off_grid(p, cf_playout_head(p));
    return off ? p->grid - off : 0;
}

bool cf_playout_slack(const cf_playout *p, int64_t *slack) {
    if (p->debt > 0 || p->run > 0 || p->rested || p->jitter.count == 0)
        return false;
    *slack = p->now - cf_pos_ns(cf_playout_head(p) + unaligned(p)) - cf_playout_target(p, p->now);
    return true;
}

/* The further out of range, the less alike the two sides of the cut need be. */
static float likeness_needed(int64_t out) {
    return out < 10 * MS ? 0.7F : out < 20 * MS ? 0.4F : 0.0F;
}

/* Late packets are nearer than long delays: with a range of 1 ms there is none to lose. */
static float likeness_before_late(const cf_playout *p, int64_t slack) {
    return slack > p->slack_min / 2 ? 0.7F : slack > 0 ? 0.4F : 0.0F;
}

static int cooldown_after(int64_t off) {
    return off < 60 * MS ? 5 : off < 150 * MS ? 2 : 0;
}

/* The length of what is waiting has changed by `change` samples. */
static void moved(cf_playout *p, int64_t off, int64_t change) {
    p->count = (size_t)((int64_t)p->count + change);
    p->whole = false;
    p->audio_end = p->count;
    p->concealed_end = p->concealed_end < p->count ? p->concealed_end : p->count;
    p->cooldown = cooldown_after(off);
    p->out_of_band = 0;
}

/* Nobody hears a cut here. */
static bool is_quiet(const cf_playout *p) {
    int level = cf_level(p->pcm + CF_PLAYOUT_PAST, p->count);
    return level >= QUIET_DBOV || level >= p->loudest + QUIET_BESIDE;
}

static void squeeze(cf_playout *p, int64_t slack) {
    cf_packet *packet;
    while (p->count < SQUEEZE_NEEDS && (packet = cf_store_first(&p->store)) && packet->seq == p->store.next &&
           packet->pos <= p->tail)
        cf_playout_step(p, 0);
    if (p->run > 0)
        return;
    int64_t off = slack - CF_FRAME_NS;
    size_t most = (size_t)(slack * 3 / 62500), spare = p->count - CF_FRAME;
    size_t cut = cf_timescale_squeeze(cf_waiting(p), p->count, most < spare ? most : spare,
                                      is_quiet(p) ? 0 : likeness_needed(off));
    p->stats.squeezed += cut;
    if (cut > 0)
        moved(p, off, -(int64_t)cut);
}

static void stretch(cf_playout *p, int64_t slack) {
    size_t added = cf_timescale_stretch(cf_waiting(p), p->count, is_quiet(p) ? 0 : likeness_before_late(p, slack));
    p->stats.stretched += added;
    if (added > 0)
        moved(p, -slack, (int64_t)added);
}

/* Back onto the packets' beginnings; what lies before them is decoded already and can go at any time. */
static void align(cf_playout *p, size_t off) {
    size_t spare = p->count - CF_FRAME, cut;
    spare = spare < off ? spare : off;
    if (is_quiet(p))
        cut = cf_timescale_cut(cf_waiting(p), p->count, spare);
    else
        cut = cf_timescale_squeeze(cf_waiting(p), p->count, spare, ALIKE);
    p->stats.squeezed += cut;
    if (cut > 0)
        moved(p, 0, -(int64_t)cut);
}

/* How long, and beside what, frames have not lain on packets. */
static int64_t watch(cf_playout *p) {
    int64_t off = unaligned(p);
    int level = off ? cf_level(cf_waiting(p), CF_FRAME) : CF_LEVEL_NONE;
    p->unaligned = off ? p->unaligned + 1 : 0;
    p->loudest = p->unaligned > 1 && p->loudest < level ? p->loudest : level;
    return off;
}

void cf_playout_steer(cf_playout *p, bool known, int64_t slack) {
    int side = !known ? 0 : slack > p->slack_max ? 1 : slack < p->slack_min ? -1 : 0;
    p->out_of_band = side == 0 || side * p->out_of_band < 0 ? side : p->out_of_band + side;
    p->cooldown -= p->cooldown > 0;
    int64_t off = watch(p);
    if (p->cooldown > 0 || p->run > 0)
        return;
    if (p->out_of_band >= STEADY)
        squeeze(p, slack);
    else if (p->out_of_band <= -STEADY)
        stretch(p, slack);
    else if (side == 0 && off > 0 && p->count > CF_FRAME)
        align(p, (size_t)off);
}
