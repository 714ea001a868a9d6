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
    STEADY = 3,             /* frames that the delay must be out of range for: a late tick is not a long delay */
    QUIET_DBOV = 60,        /* below, any place fits to change the length ... */
    QUIET_BESIDE = 25,      /* ... and so much below what was heard since the delay has not been as it should */
    PATIENCE = 250,         /* frames: 5 s, in which whoever talks takes breath */
    UNALIGNED_LONG = 500,   /* frames: 10 s */
    UNALIGNED_MINIMUM = 40, /* frames: 0.8 s, where the least delay is asked for */
    TONE_FRAMES = 8,        /* meanwhile looks for a pure tone so often */
    SQUEEZE_NEEDS = CF_FRAME + CF_TIMESCALE_MAX, /* so that a whole frame is left whatever is cut out */
};

#define ALIKE 0.995F     /* where nothing presses it has to fit well */
#define IN_PAUSES 0.999F /* ... as pure tones do; anything else waits for a pause */

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

/* A delay that is too long can wait for a pause. If none comes, then the further out of range, the less alike the two
 * sides of the cut need be. */
static float patient_likeness(int64_t out, int frames) {
    if (frames < PATIENCE && out < 150 * MS)
        return IN_PAUSES;
    return out < 10 * MS ? 0.7F : out < 20 * MS ? 0.4F : 0.0F;
}

/* Who asks for the least delay has it back within two seconds, pauses or not: first where the sound repeats itself,
 * then at the best place of each third frame, or of each while it is far too long. */
static float hurried_likeness(int frames) {
    return frames < 10 ? ALIKE : frames < 20 ? 0.9F : frames < 30 ? 0.7F : frames < 40 ? 0.4F : 0.0F;
}

static float likeness_to_squeeze(const cf_playout *p, int64_t out) {
    return p->minimum ? hurried_likeness(p->watched) : patient_likeness(out, p->out_of_band);
}

/* One that is too short has half a second for a good place, with packets coming late all the time. */
static float likeness_to_stretch(int frames) {
    return frames < 10 ? 0.9F : frames < 20 ? 0.7F : frames < 30 ? 0.4F : 0.0F;
}

/* Frames that lie across packets cost a little delay and nothing else. In ten seconds speech has had its pauses; what
 * is left of sound without any has to fit less well, if there is enough to choose a place from. Where the delay counts
 * it has to after one. */
static float likeness_to_align(const cf_playout *p, size_t off) {
    if (off < 2 * CF_TIMESCALE_MIN)
        return ALIKE;
    return p->minimum ? hurried_likeness(p->watched - UNALIGNED_MINIMUM) : p->watched > UNALIGNED_LONG ? 0.9F : ALIKE;
}

static int cooldown_after(const cf_playout *p, int64_t off) {
    return p->minimum ? 0 : off < 60 * MS ? 5 : off < 150 * MS ? 2 : 0;
}

/* How many of the frames that make a delay out of range are behind already. */
static int steadied_after(const cf_playout *p, int64_t off) {
    return p->minimum && off > 60 * MS ? STEADY - 1 : 0;
}

/* The length of what is waiting has changed by `change` samples. */
static void moved(cf_playout *p, int64_t off, int64_t change) {
    p->count = (size_t)((int64_t)p->count + change);
    p->whole = false;
    p->audio_end = p->count;
    p->concealed_end = p->concealed_end < p->count ? p->concealed_end : p->count;
    p->cooldown = cooldown_after(p, off);
    p->out_of_band = steadied_after(p, off);
}

/* Nobody hears a cut here. */
static bool is_quiet(const cf_playout *p) {
    int level = cf_level(p->pcm + CF_PLAYOUT_PAST, p->count);
    return level >= QUIET_DBOV || level >= p->loudest + QUIET_BESIDE;
}

/* Enough decoded for a cut of any length, if it is there. */
static void read_ahead(cf_playout *p) {
    cf_packet *packet;
    while (p->count < SQUEEZE_NEEDS && (packet = cf_store_first(&p->store)) && packet->seq == p->store.next &&
           packet->pos <= p->tail)
        cf_playout_step(p, 0);
}

static void squeeze(cf_playout *p, int64_t slack) {
    int64_t off = slack - CF_FRAME_NS;
    float likeness = likeness_to_squeeze(p, off);
    if (likeness == IN_PAUSES && p->out_of_band % TONE_FRAMES && !is_quiet(p))
        return;
    read_ahead(p);
    if (p->run > 0)
        return;
    bool quiet = is_quiet(p); /* all that a cut may touch */
    size_t most = (size_t)(slack * 3 / 62500), spare = p->count - CF_FRAME;
    size_t cut = cf_timescale_squeeze(cf_waiting(p), p->count, most < spare ? most : spare, quiet ? 0 : likeness);
    p->stats.squeezed += cut;
    if (cut > 0)
        moved(p, off, -(int64_t)cut);
    if (quiet)
        p->cooldown = 0;
}

static void stretch(cf_playout *p, int64_t slack) {
    size_t added =
        cf_timescale_stretch(cf_waiting(p), p->count, is_quiet(p) ? 0 : likeness_to_stretch(-p->out_of_band));
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
        cut = cf_timescale_squeeze(cf_waiting(p), p->count, spare, likeness_to_align(p, spare));
    p->stats.squeezed += cut;
    if (cut > 0)
        moved(p, 0, -(int64_t)cut);
}

/* What is heard while the delay is not as it should be: a place that is quiet beside it will do. */
static void watch(cf_playout *p, bool well) {
    int level = well ? CF_LEVEL_NONE : cf_level(cf_waiting(p), CF_FRAME);
    p->loudest = p->watched > 0 && p->loudest < level ? p->loudest : level;
    p->watched = well ? 0 : p->watched + 1;
}

void cf_playout_steer(cf_playout *p, bool known, int64_t slack) {
    p->cooldown -= p->cooldown > 0;
    if (!known || p->run > 0)
        return; /* a loss is no sign that the delay has become right */
    int side = slack > p->slack_max ? 1 : slack < p->slack_min ? -1 : 0;
    p->out_of_band = side == 0 || side * p->out_of_band < 0 ? side : p->out_of_band + side;
    int64_t off = unaligned(p);
    watch(p, side == 0 && off == 0);
    if (p->cooldown > 0)
        return;
    if (p->out_of_band >= STEADY)
        squeeze(p, slack);
    else if (p->out_of_band <= -STEADY)
        stretch(p, slack);
    else if (side == 0 && off > 0 && p->count > CF_FRAME)
        align(p, (size_t)off);
}
