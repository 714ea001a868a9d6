/* The way out of a playout: one frame each 20 ms, whatever came. */
#include "playout_impl.h"

#include <string.h>

/* Frames begin where packets begin, or at the same distance from it that all frames of longer and shorter packets have:
 * so a packet is used whole, and none has to be there before the frame that it is in. */
int64_t cf_playout_start_at(const cf_playout *p, int64_t now) {
    int64_t offset = cf_playout_target(p, now) + p->slack_min,
            newest = p->newest_transit + cf_pos_ns(CF_FRAME - p->grid);
    int64_t latest = (now - (offset > newest ? offset : newest)) * 3 / 62500;
    return latest - cf_playout_off_grid(p, latest);
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
    if (packet->pos > head)
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
    int64_t slack = 0;
    bool known = cf_playout_slack(p, &slack);
    while (p->count < CF_FRAME)
        cf_playout_step(p, CF_FRAME - p->count);
    if (p->playing)
        cf_playout_steer(p, known, slack);
    enum cf_play kind = take_frame(p, pcm);
    if (!p->playing)
        p->count = 0;
    return kind;
}
