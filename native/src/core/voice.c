/* What a leg adds to its room: whether its next frame is worth decoding, and if so one frame from its jitter buffer,
 * through gate, mute and gain (its own, or what its speech needs), every change of them ramped. */
#include "counter.h"
#include "leg.h"
#include "leg_sound.h"
#include "room.h"
#include "state.h"
#include "units.h"

enum { GATE_OPEN_SAMPLES = 96 }; /* ramp of an opening gate: 2 ms, so that no first syllable is cut */

enum {
    SAMPLE_FRAMES = 50, /* 1 s: how often a leg is decoded that is only thought to be silent; by its id, so that a
                         * room that fell silent at once is not decoded at once */
    CALM_FRAMES = 250,  /* 5 s: the same of one whose packets are no stronger than when it was last found silent ... */
    CALM_LOOKS = 5,     /* ... and in a room that sleeps, which looks once a second */
    GROWN_STEPS = 3,    /* of SILK's gain, 4 dB: then it is decoded at once */
    DISTRUST_FRAMES = 25, /* 500 ms: the same of one whose levels proved wrong */
    DISTRUST_MS = 10000,  /* how long a sender whose levels proved wrong is believed no longer */
    STATS_TICKS = 16,     /* a resting leg's statistics are copied every 320 ms */
    LOUDNESS_OF_SILENCE = 0
};

static bool is_loud(const cf_leg *leg, int level) {
    return level <= leg_gate(leg) && level < 127;
}

/* Opens with the first frame that is loud enough, closes when all frames of the hold time were not. True: it has just
 * opened. */
static bool gate_step(cf_leg *leg, int level) {
    bool loud = is_loud(leg, level), was_open = leg->gate_open;
    leg->quiet_frames = loud ? 0 : leg->quiet_frames + 1;
    if (loud)
        leg->gate_open = true;
    else if (leg->quiet_frames >= leg->room->hold_frames)
        leg->gate_open = false;
    if (leg->gate_open != was_open)
        counter_set(&leg->count.gated, !leg->gate_open);
    return leg->gate_open && !was_open;
}

/* A gate opens within 2 ms; mute, gain and a closing gate take the whole frame. */
static void apply_gain(cf_leg *leg, const int16_t *pcm, int32_t target, bool opened) {
    size_t ramp = opened ? GATE_OPEN_SAMPLES : CF_FRAME;
    cf_mix_gain(leg->own, pcm, ramp, leg->gain_now, target);
    if (ramp < CF_FRAME)
        cf_mix_gain(leg->own + ramp, pcm + ramp, CF_FRAME - ramp, target, target);
}

/* Attack in about 60 ms, decay in about 400: who starts to talk is shown at once, who takes breath is not dropped. Who
 * talks and finds no place is as loud as if it were heard. */
static void loudness_step(cf_leg *leg, int level) {
    double heard = leg->gate_open && leg_audible(leg) ? 127.0 - level : LOUDNESS_OF_SILENCE;
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

/* A voice that speaks aside is in nobody's sum, so it needs no place in the mix. */
static bool has_place(cf_leg *leg) {
    return leg->aside || place_take(leg);
}

static bool distrusted(const cf_leg *leg, int64_t now) {
    return now < leg->distrust_until;
}

bool leg_has_grown(const cf_leg *leg, int level) {
    return cf_peek_is_quiet(level) && leg->calm && cf_peek_gain(level) > leg->calm_gain + GROWN_STEPS;
}

static uint32_t sampled_every(const cf_leg *leg, int level) {
    bool calm = leg->calm && cf_peek_is_quiet(level) && cf_peek_gain(level) >= 0;
    if (leg->room->state == ROOM_ASLEEP)
        return calm ? CALM_LOOKS : 1;
    return calm ? CALM_FRAMES : cf_peek_is_quiet(level) ? SAMPLE_FRAMES : DISTRUST_FRAMES;
}

/* One that only seems silent is decoded now and then; its id spreads that over the room. */
static bool is_sampled(cf_leg *leg, int level) {
    return (++leg->rested + leg->config.id) % sampled_every(leg, level) == 0 || leg_has_grown(leg, level);
}

/* What was just decoded, and found silent or not: the packets that follow are measured by it. A gain that rises and
 * falls is not a new one each time. */
static void calm_step(cf_leg *leg, int level, bool loud) {
    int gain = cf_peek_is_quiet(level) ? cf_peek_gain(level) : -1;
    int kept = leg->calm ? leg->calm_gain - 1 : 0;
    leg->calm = gain >= 0 && !loud;
    leg->calm_gain = (int8_t)(gain > kept ? gain : kept);
}

/* `level`: what is known of the frame, CF_PEEK_* where it is not. What a sender says of its level decides only this. */
static bool worth_decoding(cf_leg *leg, int level, int64_t now) {
    if (leg->dtmf && level != 127)
        return true; /* somebody waits for its digits, even if it is muted or found no place */
    if (leg->gain_now)
        return true; /* it is heard: whatever comes, it ends with a ramp */
    if (!leg_audible(leg))
        return false;
    if (level == CF_PEEK_UNKNOWN || (cf_peek_is_quiet(level) && (leg->gate_open || distrusted(leg, now))))
        return true;
    if (cf_peek_is_quiet(level) || distrusted(leg, now))
        return is_sampled(leg, level);
    return (leg->gate_open || is_loud(leg, level)) && has_place(leg);
}

/* A sender that says loud and is silent would hold a place for nothing, and one that looks silent and is loud would go
 * unheard: what the decoder says stands, for a while. */
static void check_claim(cf_leg *leg, int claimed, int level, int64_t now) {
    bool wrong =
        claimed >= 0 ? is_loud(leg, claimed) && !is_loud(leg, level) : cf_peek_is_quiet(claimed) && is_loud(leg, level);
    leg->wrong_claims = wrong ? leg->wrong_claims + 1 : 0;
    if (cf_peek_is_quiet(claimed) ? wrong : leg->wrong_claims >= leg->room->hold_frames)
        leg->distrust_until = now + DISTRUST_MS * MS;
    else if (claimed >= 0 && !wrong && is_loud(leg, level))
        leg->distrust_until = 0;
}

static void decode(cf_core *core, cf_leg *leg, int64_t now) {
    int64_t begin = core_stopwatch(core);
    cf_playout_get(leg->playout, core->pcm, now);
    counter_add(&core->count.frames_decoded, 1);
    counter_add(&core->count.decode_ns, (uint64_t)(core_stopwatch(core) - begin));
}

/* A voice goes in or out of the sum only while it is silent. Out of it, it needs no place. */
static void follow_aside(cf_leg *leg) {
    if (leg->gain_now)
        return;
    leg->aside = leg->wants_aside;
    if (leg->aside)
        place_leave(leg);
}

/* The leg's own gain, times what its speech needs. Two limits of the same size: together no more than one of them. */
static int32_t gain_of(const cf_leg *leg, int32_t agc) {
    int64_t gain = (int64_t)leg->gain * agc / CF_GAIN_ONE;
    return (int32_t)(gain < CF_GAIN_MAX ? gain : CF_GAIN_MAX);
}

static int32_t gain_wanted(cf_leg *leg, int32_t agc) {
    bool heard = leg->gate_open && leg_audible(leg) && leg->aside == leg->wants_aside && has_place(leg);
    return heard ? gain_of(leg, agc) : 0;
}

/* `speech`: the frame may hold some, as it came. */
static int32_t agc_step(cf_leg *leg, int level, bool speech) {
    return leg->config.agc ? cf_agc_step(&leg->agc, (uint8_t)level, speech) : CF_GAIN_ONE;
}

static void speak(cf_core *core, cf_leg *leg, int claimed, int64_t now) {
    decode(core, leg, now);
    copy_playout_stats(leg);
    bool digit = leg->dtmf && leg_listen(core, leg, core->pcm, now);
    uint8_t level = cf_level(core->pcm, CF_FRAME);
    counter_set(&leg->count.level_in, level);
    if (!digit) /* its sender was not wrong: it is we who have silenced it */
        check_claim(leg, claimed, level, now);
    calm_step(leg, claimed, is_loud(leg, level));
    bool gate_opened = gate_step(leg, level);
    loudness_step(leg, level);
    follow_aside(leg);
    int32_t target = gain_wanted(leg, agc_step(leg, level, leg->gate_open && !digit));
    bool opened = (gate_opened || !leg->was_placed) && !leg->gain_now;
    leg->active = (leg->gain_now || target) && !(level == 127 && cf_silent(core->pcm, CF_FRAME));
    if (leg->active)
        apply_gain(leg, core->pcm, target, opened);
    leg->verbatim = !leg->dtmf && target == CF_GAIN_ONE && leg->gain_now == CF_GAIN_ONE;
    leg->gain_now = target;
    leg->was_placed = target != 0;
}

/* The frame passes undecoded. */
static void rest(cf_core *core, cf_leg *leg, int level, int64_t now) {
    cf_playout_skip(leg->playout, now);
    counter_add(&core->count.frames_skipped, 1);
    if (leg->dtmf)
        leg_listen_silence(core, leg, now);
    if (level < 0 || distrusted(leg, now))
        level = 127;
    counter_set(&leg->count.level_in, (uint64_t)level);
    agc_step(leg, level, false);
    gate_step(leg, level);
    loudness_step(leg, level);
    follow_aside(leg);
    leg->was_placed = false;
    if ((leg->room->ticks + leg->config.id) % STATS_TICKS == 0)
        copy_playout_stats(leg);
}

/* leg->active and leg->own for this tick. */
void leg_voice(cf_core *core, cf_leg *leg, int64_t now) {
    leg->active = false;
    if (!leg->media_seen)
        return;
    int level = cf_playout_peek(leg->playout, now);
    if (worth_decoding(leg, level, now))
        speak(core, leg, level, now);
    else
        rest(core, leg, level, now);
    if (!leg->gate_open || !leg_audible(leg))
        place_leave(leg);
}

/* Who leaves in mid-word is not cut off: its next frame goes into the room's next tick, faded to nothing. */
void leg_fade(cf_core *core, cf_leg *leg) {
    place_leave(leg);
    leg->active = false; /* in its next room it has added nothing yet */
    if (!leg->gain_now || !leg->media_seen || leg->aside)
        return;
    cf_playout_get(leg->playout, core->pcm, core->now);
    cf_mix_gain(leg->own, core->pcm, CF_FRAME, leg->gain_now, 0);
    cf_mix_add(leg->room->tail, leg->own, CF_FRAME);
    leg->room->has_tail = true;
    leg->gain_now = 0;
}
