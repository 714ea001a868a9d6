/* What a leg hears: the same stream as all who hear the same, or a mix of its own for those who add something
 * themselves.
 */
#include "counter.h"
#include "leg.h"
#include "leg_sound.h"
#include "leg_wire.h"
#include "pairs.h"
#include "play.h"
#include "room.h"
#include "state.h"
#include "stream.h"
#include "tap.h"

#include <string.h>

enum {
    RETURN_FRAMES = 10, /* 200 ms of exact zero before a talker goes back to the shared encoding: 2 is the floor under
                         * which its own voice, still in the encoder's look-ahead, comes back; 10 saves flapping */
    DTX_FRAMES = 10,    /* silent frames before discontinuous transmission begins (as libopus: 200 ms) ... */
    DTX_EVERY = 20      /* ... and in which one packet is sent then: 400 ms, as encoders do */
};

static struct stream *stream_find(cf_room *room, enum hearing hearing, const cf_codec_params *params) {
    struct stream *unused = NULL;
    for (int i = 0; i < STREAMS; i++) {
        struct stream *stream = &room->streams[i];
        if (!stream->first)
            unused = unused ? unused : stream;
        else if (stream->hearing == hearing && !memcmp(&stream->params, params, sizeof *params))
            return stream;
    }
    if (unused)
        *unused = (struct stream){.hearing = hearing, .params = *params, .period = UINT64_MAX};
    return unused;
}

/* The first listener's encoder goes on as the stream's; a later one's rests. */
static void leg_join_stream(cf_leg *leg) {
    struct stream *stream = stream_find(leg->room, leg->wanted, &leg->config.tx);
    if (!stream)
        return; /* more kinds of encoding than STREAMS: it keeps its own */
    leg->stream = stream;
    leg->prev_listener = stream->first;
    leg->next_listener = stream->first ? stream->first->next_listener : NULL;
    if (leg->next_listener)
        leg->next_listener->prev_listener = leg;
    *(stream->first ? &stream->first->next_listener : &stream->first) = leg;
}

static void encoder_take_over(cf_leg *leg, const cf_leg *from) {
    cf_encoder_clone(leg->encoder, from->encoder);
    leg->encoded = from->encoded;
    leg->passed = from->passed;
}

/* What the leg has heard so far is the start of what it hears by itself. */
static void stream_inherit(cf_leg *leg, const struct stream *stream) {
    leg->hush = stream->hush; /* it goes with the encoder */
    if (stream->hearing != HEAR_ROOM) {
        cf_limiter_init(&leg->limiter);
        leg->ear_hold = true;
        return;
    }
    leg->limiter = leg->room->limiter;
    leg->pass = stream->pass;
    if (stream->pass.ready)
        leg->past = leg->room->past;
}

static void stream_unlink(cf_leg *leg) {
    *(leg->prev_listener ? &leg->prev_listener->next_listener : &leg->stream->first) = leg->next_listener;
    if (leg->next_listener)
        leg->next_listener->prev_listener = leg->prev_listener;
    leg->prev_listener = leg->next_listener = NULL;
    leg->stream = NULL;
}

/* keep: the leg goes on hearing, from its own encoder and limiter, which start as exact copies: its decoder hears no
 * seam. If it was the first listener its encoder is the stream's, and the next listener's becomes the copy. */
void leg_leave_stream(cf_leg *leg, bool keep) {
    struct stream *stream = leg->stream;
    if (!stream)
        return;
    if (stream->first != leg && keep)
        encoder_take_over(leg, stream->first);
    else if (stream->first == leg && leg->next_listener)
        encoder_take_over(leg->next_listener, leg);
    stream_inherit(leg, stream);
    stream_unlink(leg);
    leg->wanted_frames = 0;
}

static enum hearing leg_wants(cf_core *core, cf_leg *leg) {
    if (leg->plays || leg->play_rings)
        return HEAR_OWN;
    if (leg->deaf)
        return leg->ear_now ? HEAR_OWN : HEAR_NOTHING; /* own while it fades out */
    bool own_voice = leg->active && !leg->aside;
    bool own_gain = leg->ear_now != CF_GAIN_ONE || leg->ear_gain != CF_GAIN_ONE;
    return own_voice || own_gain || (leg->pairs && pairs_work(core, leg)) ? HEAR_OWN : HEAR_ROOM;
}

void leg_settle(cf_core *core, cf_leg *leg) {
    enum hearing wants = leg_wants(core, leg);
    leg->wanted_frames = wants == leg->wanted ? leg->wanted_frames + 1 : 1;
    leg->wanted = wants;
    if (leg->stream && (leg->stream->hearing != wants || !leg_hearing(leg)))
        leg_leave_stream(leg, true);
}

/* Who has not been sent anything yet has no seam to hear; the others wait until nothing of their own voice is left in
 * the encoders. */
static bool leg_may_join(const cf_leg *leg) {
    return !leg->stream && leg->wanted != HEAR_OWN && (!leg->started || leg->wanted_frames > RETURN_FRAMES);
}

static int32_t ear_wanted(const cf_leg *leg) {
    return leg->deaf || leg->ear_hold ? 0 : leg->ear_gain;
}

static void fade_ear(cf_core *core, cf_leg *leg, int16_t *pcm) {
    int32_t target = ear_wanted(leg);
    if (leg->ear_now != CF_GAIN_ONE || target != CF_GAIN_ONE) {
        cf_mix_gain(core->mix, pcm, CF_FRAME, leg->ear_now, target);
        cf_mix_narrow(pcm, core->mix, CF_FRAME);
    }
    leg->ear_now = target;
    leg->ear_hold = false;
}

/* The sum is everybody's: what changes it works on a copy. */
static const int32_t *mix_copied(cf_core *core, const int32_t *mix) {
    if (mix == core->sum)
        memcpy(core->mix, core->sum, sizeof core->mix);
    return core->mix;
}

/* Before the limiter, which a room that is made louder needs. */
static void fade_room(cf_leg *leg, int32_t *mix) {
    int32_t target = ear_wanted(leg);
    double step = ((double)target - leg->ear_now) / CF_FRAME;
    bool whole = leg->ear_now == CF_GAIN_ONE && target == CF_GAIN_ONE;
    for (int i = 0; !whole && i < CF_FRAME; i++)
        mix[i] = (int32_t)(mix[i] * (leg->ear_now + step * (i + 1)) / CF_GAIN_ONE);
    leg->ear_now = target;
    leg->ear_hold = false;
}

/* What plays to the leg is heard also while it is deaf to the room: then the room's part is faded before the limiter,
 * and not behind it. So also in the tick after, in which the limiter gives out the last of what was played. */
static void add_plays(cf_core *core, cf_leg *leg, int32_t *mix) {
    fade_room(leg, mix);
    leg->play_rings = plays_add(core, &leg->plays, mix, leg, NULL);
}

/* The room without the leg's own part, exactly, under its own limiter. */
static const int16_t *mix_own(cf_core *core, cf_leg *leg) {
    int64_t begin = core_stopwatch(core);
    bool played = leg->plays || leg->play_rings;
    leg->ear_first = leg->ear_gain != CF_GAIN_ONE || (leg->ear_first && leg->ear_now != CF_GAIN_ONE);
    const int32_t *mix = core->sum;
    if (leg->active && !leg->aside) {
        cf_mix_minus(core->mix, core->sum, leg->own, CF_FRAME);
        mix = core->mix;
    }
    if (leg->pairs && pairs_work(core, leg)) {
        mix = mix_copied(core, mix);
        pairs_mix(core, leg, core->mix);
    }
    if (played) {
        mix = mix_copied(core, mix);
        add_plays(core, leg, core->mix);
    } else if (leg->ear_first) {
        mix = mix_copied(core, mix);
        fade_room(leg, core->mix);
    }
    cf_limiter_run(&leg->limiter, mix, core->own_pcm, CF_FRAME);
    if (!played && !leg->ear_first)
        fade_ear(core, leg, core->own_pcm);
    counter_add(&core->count.frames_mixed, 1);
    counter_add(&core->count.mix_ns, (uint64_t)(core_stopwatch(core) - begin));
    return core->own_pcm;
}

static const int16_t silence[CF_FRAME];

static const int16_t *leg_mix(cf_core *core, cf_leg *leg, uint8_t *level) {
    if (leg->stream && leg->stream->hearing == HEAR_ROOM) {
        *level = core->room_level;
        return core->room_pcm;
    }
    if (leg->stream) {
        *level = 127;
        return silence;
    }
    const int16_t *pcm = mix_own(core, leg);
    *level = cf_level(pcm, CF_FRAME);
    return pcm;
}

/* Nobody listens: what it hears when it comes (back) starts clean. */
static void leg_rest(cf_leg *leg) {
    leg->ear_now = leg->deaf ? 0 : leg->ear_gain;
    leg->ear_hold = leg->play_rings = false;
    if (leg->hears)
        cf_limiter_init(&leg->limiter);
    leg->hears = false;
}

/* For how many frames there has been nothing to hear but the room's own noise. */
static uint32_t leg_quiet(const cf_leg *leg) {
    bool noise = leg->room->config.noise_dbov && leg->stream->hearing == HEAR_ROOM;
    return noise ? leg->room->hush : leg->stream->hush.silent;
}

/* Discontinuous transmission: who hears settled silence and has agreed to it gets a packet now and then. Both sides of
 * G.722 must have come to rest, for its encoder goes on. */
static bool leg_pauses(const cf_leg *leg) {
    uint32_t settled = leg->config.tx.codec == CF_CODEC_G722 ? SETTLED_FRAMES : DTX_FRAMES;
    return leg_may_pause(leg) && leg->stream && leg_quiet(leg) > settled;
}

static void leg_hear_pause(cf_core *core, cf_leg *leg, uint64_t period) {
    if (!leg->paused || leg_quiet(leg) % DTX_EVERY == DTX_FRAMES + 1)
        leg_send_pause(core, leg, period);
    leg->paused = true;
}

static void send_parts(cf_core *core, cf_leg *leg, const cf_encoded *made, uint8_t level, uint64_t period) {
    leg->room->needed = true;
    for (int part = 0; part < made->count; part++) {
        int32_t offset = made->part[part].offset * (int32_t)leg->ts_step / CF_FRAME;
        leg_send(core, leg, made->payload[part], made->part[part].len, level,
                 leg_timestamp(leg, period) + (uint32_t)offset);
    }
}

static void leg_hear_mix(cf_core *core, cf_leg *leg, bool sent_to, int64_t at, uint64_t period) {
    uint8_t level;
    const int16_t *pcm = leg_mix(core, leg, &level);
    counter_set(&leg->count.level_out, level);
    if (leg->taps) {
        leg->room->needed = true; /* a tap of sound without gaps, also of silence */
        taps_push(leg->taps, CF_TAP_LEG_OUT, pcm, at);
    }
    if (!sent_to)
        return;
    const cf_encoded *made = leg_encode(core, leg, pcm, period);
    if (leg_digit_send(core, leg, period)) /* the encoder goes on: it hears no gap */
        return;
    if (leg_pauses(leg))
        leg_hear_pause(core, leg, period);
    else
        send_parts(core, leg, made, level, period);
}

void leg_hear(cf_core *core, cf_leg *leg, int64_t at, uint64_t period) {
    bool sent_to = leg_hearing(leg);
    if (!sent_to && !leg->taps) {
        leg_rest(leg);
        return;
    }
    leg->hears = true;
    if (sent_to && leg_may_join(leg))
        leg_join_stream(leg);
    leg_hear_mix(core, leg, sent_to, at, period);
}
