/* What a leg adds to its room: one frame from its jitter buffer, through gate, mute and gain, every change of them
 * ramped. */
#include "internal.h"

enum { LOUDNESS_OF_SILENCE = 0 };

/* Opens with the first frame that is loud enough, closes when all frames of the hold time were not. True: it has just
 * opened. */
static bool gate_step(cf_leg *leg, uint8_t level) {
    bool loud = level <= leg->room->config.gate_dbov && level < 127;
    bool was_open = leg->gate_open;
    leg->quiet_frames = loud ? 0 : leg->quiet_frames + 1;
    if (loud)
        leg->gate_open = true;
    else if (leg->quiet_frames >= leg->room->hold_frames)
        leg->gate_open = false;
    counter_set(&leg->count.gated, !leg->gate_open);
    return leg->gate_open && !was_open;
}

static bool all_zero(const int16_t *pcm) {
    for (int i = 0; i < CF_FRAME; i++)
        if (pcm[i])
            return false;
    return true;
}

/* A gate opens within 2 ms; mute, gain and a closing gate take the whole frame. */
static void apply_gain(cf_leg *leg, const int16_t *pcm, int32_t target, bool opened) {
    size_t ramp = opened ? GATE_OPEN_SAMPLES : CF_FRAME;
    cf_mix_gain(leg->own, pcm, ramp, leg->gain_now, target);
    if (ramp < CF_FRAME)
        cf_mix_gain(leg->own + ramp, pcm + ramp, CF_FRAME - ramp, target, target);
}

/* Attack in about 60 ms, decay in about 400: who starts to talk is shown at once, who takes breath is not dropped. */
static void loudness_step(cf_leg *leg, uint8_t level) {
    double heard = leg->active ? 127.0 - level : LOUDNESS_OF_SILENCE;
    double share = heard > leg->loudness ? 1.0 / 3 : 1.0 / 20;
    leg->loudness += (heard - leg->loudness) * share;
}

static void copy_playout_stats(cf_leg *leg) {
    cf_playout_stats stats;
    cf_playout_stats_get(leg->playout, &stats);
#define COPY(name) counter_set(&leg->count.playout.name, stats.name);
    PLAYOUT_COUNTERS(COPY)
#undef COPY
}

/* leg->active and leg->own for this tick. */
void leg_voice(cf_core *core, cf_leg *leg, int64_t now) {
    leg->active = false;
    if (!leg->media_seen)
        return;
    cf_playout_get(leg->playout, core->pcm, now);
    copy_playout_stats(leg);
    uint8_t level = cf_level(core->pcm, CF_FRAME);
    counter_set(&leg->count.level_in, level);
    bool opened = gate_step(leg, level) && !leg->gain_now;
    int32_t target = leg->gate_open && !leg->muted ? leg->gain : 0;
    leg->active = (leg->gain_now || target) && !(level == 127 && all_zero(core->pcm));
    if (leg->active)
        apply_gain(leg, core->pcm, target, opened);
    leg->gain_now = target;
    loudness_step(leg, level);
}

/* Who leaves in mid-word is not cut off: its next frame goes into the room's next tick, faded to nothing. */
void leg_fade(cf_core *core, cf_leg *leg) {
    if (!leg->gain_now || !leg->media_seen)
        return;
    cf_playout_get(leg->playout, core->pcm, core->now);
    cf_mix_gain(leg->own, core->pcm, CF_FRAME, leg->gain_now, 0);
    cf_mix_add(leg->room->tail, leg->own, CF_FRAME);
    leg->room->has_tail = true;
    leg->active = false;
    leg->gain_now = 0;
}
