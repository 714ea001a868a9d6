/* The way out of a playout: one frame each 20 ms, whatever came, its delay steered by stretching and squeezing. */
#include "conferocore/mixer.h"
#include "playout_impl.h"

#include <string.h>

#define MS INT64_C(1000000)
#define TOO_LONG_NS (15 * MS)
#define TOO_SHORT_NS                                                                                                   \
    (1 * MS) /* a band wider than CF_TIMESCALE_MAX: one change of length never asks for its undoing                    \
              */

enum {
    STEADY = 3,      /* frames that the delay must be out of band for: a late tick is not a long delay */
    QUIET_DBOV = 60, /* below, any place fits to change the length */
    SQUEEZE_NEEDS = CF_FRAME + CF_TIMESCALE_MAX, /* so that a whole frame is left whatever is cut out */
};

int64_t cf_playout_start_at(const cf_playout *p, int64_t now) {
    int64_t offset = cf_playout_target(p, now), newest = p->newest_transit + CF_FRAME_NS;
    return (now - (offset > newest ? offset : newest)) * 3 / 62500;
}

/* Packets whose time is over when the stream begins; its newest packet is played all the same. */
static void pass_by(cf_playout *p, int64_t head) {
    for (cf_packet *packet; (packet = cf_store_first(&p->store));) {
        if (packet->pos + packet->samples > head || packet->seq >= p->line.newest)
            return;
        if (p->skipping)
            cf_playout_skip_packet(p, packet);
        else
            cf_playout_drop_first(p);
    }
}

/* True if the stream begins (again) within this frame: then its position is set to the wanted delay exactly. */
static bool start(cf_playout *p) {
    cf_packet *packet = cf_store_first(&p->store);
    if (!packet)
        return false;
    int64_t head = cf_playout_start_at(p, p->now);
    if (packet->pos >= head + CF_FRAME)
        return false;
    pass_by(p, head);
    if (!(packet = cf_store_first(&p->store)))
        return false;
    cf_playout_advance(p, packet->seq);
    memset(p->pcm, 0, CF_PLAYOUT_PAST * sizeof *p->pcm);
    p->tail = head < packet->pos + packet->samples ? head : packet->pos;
    p->count = p->audio_end = p->concealed_end = 0;
    p->run = 0;
    p->debt = 0;
    p->out_of_band = p->cooldown = 0;
    p->seam = false;
    p->playing = p->rested = true;
    if (p->skipping)
        cf_playout_prime(p);
    return true;
}

/* How far the delay is from where it should be, ns; 0 while it cannot be told. */
static int64_t excess(const cf_playout *p) {
    if (p->debt > 0 || p->run > 0 || p->rested || p->jitter.count == 0)
        return 0;
    return p->now - cf_pos_ns(cf_playout_head(p)) - cf_playout_target(p, p->now);
}

/* The further out of band, the less alike the two sides of the cut need be. */
static float likeness_needed(int64_t out) {
    return out < 10 * MS ? 0.7F : out < 20 * MS ? 0.4F : 0.0F;
}

static int cooldown_after(int64_t off) {
    return off < 60 * MS ? 5 : off < 150 * MS ? 2 : 0;
}

/* The length of what is waiting has changed by `change` samples. */
static void moved(cf_playout *p, int64_t off, int change) {
    p->count += (size_t)change;
    p->whole = false;
    p->audio_end = p->count;
    p->concealed_end = p->concealed_end < p->count ? p->concealed_end : p->count;
    p->cooldown = cooldown_after(off);
    p->out_of_band = 0;
}

static void squeeze(cf_playout *p, int64_t off) {
    cf_packet *packet;
    while (p->count < SQUEEZE_NEEDS && (packet = cf_store_first(&p->store)) && packet->seq == p->store.next &&
           packet->pos <= p->tail)
        cf_playout_step(p, 0);
    if (p->run > 0)
        return;
    size_t most = (size_t)(off * 3 / 62500), spare = p->count - CF_FRAME;
    bool quiet = cf_level(cf_waiting(p), p->count) >= QUIET_DBOV;
    size_t cut = cf_timescale_squeeze(cf_waiting(p), p->count, most < spare ? most : spare,
                                      quiet ? 0 : likeness_needed(off - TOO_LONG_NS));
    p->stats.squeezed += cut;
    if (cut > 0)
        moved(p, off, -(int)cut);
}

static void stretch(cf_playout *p, int64_t off) {
    bool quiet = cf_level(cf_waiting(p), CF_FRAME) >= QUIET_DBOV;
    size_t added = cf_timescale_stretch(cf_waiting(p), p->count, quiet ? 0 : likeness_needed(off - TOO_SHORT_NS));
    p->stats.stretched += added;
    if (added > 0)
        moved(p, off, (int)added);
}

/* Brings the delay back into its band, a pitch period at a time. */
static void steer(cf_playout *p, int64_t off) {
    int side = off > TOO_LONG_NS ? 1 : off < -TOO_SHORT_NS ? -1 : 0;
    p->out_of_band = side == 0 || side * p->out_of_band < 0 ? side : p->out_of_band + side;
    p->cooldown -= p->cooldown > 0;
    if (p->cooldown > 0 || p->run > 0)
        return;
    if (p->out_of_band >= STEADY)
        squeeze(p, off);
    else if (p->out_of_band <= -STEADY)
        stretch(p, -off);
}

static enum cf_play take_frame(cf_playout *p, int16_t *pcm) {
    size_t n = p->count < CF_FRAME ? p->count : CF_FRAME; /* fewer only when a broken-off stream fades out */
    enum cf_play kind = p->audio_end ? CF_PLAY_AUDIO : p->concealed_end ? CF_PLAY_CONCEALED : CF_PLAY_SILENCE;
    memcpy(pcm, cf_waiting(p), n * sizeof *pcm);
    memset(pcm + n, 0, (CF_FRAME - n) * sizeof *pcm);
    memmove(p->pcm, p->pcm + n, (CF_PLAYOUT_PAST + p->count - n) * sizeof *pcm);
    p->count -= n;
    p->audio_end -= n < p->audio_end ? n : p->audio_end;
    p->concealed_end -= n < p->concealed_end ? n : p->concealed_end;
    return kind;
}

int cf_playout_get(cf_playout *p, int16_t *pcm, int64_t now) {
    p->now = now;
    p->whole = false;
    bool begins = !p->playing && p->count == 0, nothing = begins && !start(p);
    p->skipping &= nothing; /* until something is heard again */
    if (nothing) {
        memset(pcm, 0, CF_FRAME * sizeof *pcm);
        return CF_PLAY_SILENCE;
    }
    if (!p->playing)
        return take_frame(p, pcm);
    int64_t off = excess(p);
    while (p->count < CF_FRAME)
        cf_playout_step(p, CF_FRAME - p->count);
    if (p->playing)
        steer(p, off);
    enum cf_play kind = take_frame(p, pcm);
    if (!p->playing)
        p->count = 0;
    return kind;
}
