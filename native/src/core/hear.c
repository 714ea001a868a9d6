/* What a leg hears and who encodes it: one encoding for all who hear the same, an own one for those who add something
 * themselves. */
#include "internal.h"

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

/* keep: the leg goes on hearing, from its own encoder and limiter, which start as exact copies: its decoder hears no
 * seam. If it was the first listener its encoder is the stream's, and the next listener's becomes the copy. */
void leg_leave_stream(cf_leg *leg, bool keep) {
    struct stream *stream = leg->stream;
    if (!stream)
        return;
    cf_leg *heir = leg->next_listener;
    if (stream->first != leg && keep)
        cf_encoder_clone(leg->encoder, stream->first->encoder);
    else if (stream->first == leg && heir)
        cf_encoder_clone(heir->encoder, leg->encoder);
    if (stream->hearing == HEAR_ROOM) {
        leg->limiter = leg->room->limiter;
    } else {
        cf_limiter_init(&leg->limiter);
        leg->ear_hold = true;
    }
    *(leg->prev_listener ? &leg->prev_listener->next_listener : &stream->first) = heir;
    if (heir)
        heir->prev_listener = leg->prev_listener;
    leg->prev_listener = leg->next_listener = NULL;
    leg->stream = NULL;
    leg->wanted_frames = 0;
}

static enum hearing leg_wants(const cf_leg *leg) {
    if (leg->deaf)
        return leg->ear_now ? HEAR_OWN : HEAR_NOTHING; /* own while it fades out */
    return leg->active || leg->ear_now != CF_GAIN_ONE ? HEAR_OWN : HEAR_ROOM;
}

void leg_settle(cf_leg *leg) {
    enum hearing wants = leg_wants(leg);
    leg->wanted_frames = wants == leg->wanted ? leg->wanted_frames + 1 : 1;
    leg->wanted = wants;
    if (leg->stream && (leg->stream->hearing != wants || !leg_sendable(leg)))
        leg_leave_stream(leg, true);
}

/* Who has not been sent anything yet has no seam to hear; the others wait until nothing of their own voice is left in
 * the encoders. */
static bool leg_may_join(const cf_leg *leg) {
    return !leg->stream && leg->wanted != HEAR_OWN && (!leg->started || leg->wanted_frames > RETURN_FRAMES);
}

static void fade_ear(cf_core *core, cf_leg *leg, int16_t *pcm) {
    int32_t target = leg->deaf || leg->ear_hold ? 0 : CF_GAIN_ONE;
    if (leg->ear_now != CF_GAIN_ONE || target != CF_GAIN_ONE) {
        cf_mix_gain(core->mix, pcm, CF_FRAME, leg->ear_now, target);
        for (int i = 0; i < CF_FRAME; i++)
            pcm[i] = (int16_t)core->mix[i];
    }
    leg->ear_now = target;
    leg->ear_hold = false;
}

/* The room without the leg's own part, exactly, under its own limiter. */
static const int16_t *mix_own(cf_core *core, cf_leg *leg) {
    const int32_t *mix = core->sum;
    if (leg->active) {
        cf_mix_minus(core->mix, core->sum, leg->own, CF_FRAME);
        mix = core->mix;
    }
    cf_limiter_run(&leg->limiter, mix, core->own_pcm, CF_FRAME);
    fade_ear(core, leg, core->own_pcm);
    counter_add(&core->count.frames_mixed, 1);
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

static int encode(cf_core *core, cf_leg *leg, const int16_t *pcm, uint8_t *payload) {
    counter_add(&core->count.frames_encoded, 1);
    return cf_encoder_once(leg->encoder, pcm, payload, CF_PAYLOAD_MAX);
}

/* One payload per stream and tick, made when its first listener of the tick comes along. */
static int stream_encode(cf_core *core, cf_leg *leg, const int16_t *pcm, uint64_t period, const uint8_t **payload) {
    struct stream *stream = leg->stream;
    uint8_t *out = core->payloads[stream - leg->room->streams];
    if (stream->period != period)
        stream->len = encode(core, stream->first, pcm, out);
    stream->period = period;
    *payload = out;
    counter_add(&leg->count.shared_frames, 1);
    counter_add(&core->count.frames_shared, 1);
    return stream->len;
}

static int own_encode(cf_core *core, cf_leg *leg, const int16_t *pcm, const uint8_t **payload) {
    counter_add(&leg->count.own_encodes, 1);
    *payload = core->payload;
    return encode(core, leg, pcm, core->payload);
}

/* Nobody listens: what it hears when it comes (back) starts clean. */
static void leg_rest(cf_leg *leg) {
    leg->ear_now = leg->deaf ? 0 : CF_GAIN_ONE;
    leg->ear_hold = false;
    if (leg->hears)
        cf_limiter_init(&leg->limiter);
    leg->hears = false;
}

void leg_hear(cf_core *core, cf_leg *leg, int64_t at, uint64_t period) {
    bool sendable = leg_sendable(leg);
    if (!sendable && !leg->taps) {
        leg_rest(leg);
        return;
    }
    leg->hears = true;
    if (sendable && leg_may_join(leg))
        leg_join_stream(leg);
    uint8_t level;
    const int16_t *pcm = leg_mix(core, leg, &level);
    counter_set(&leg->count.level_out, level);
    taps_push(leg->taps, CF_TAP_LEG_OUT, pcm, at);
    if (!sendable)
        return;
    const uint8_t *payload;
    int len = leg->stream ? stream_encode(core, leg, pcm, period, &payload) : own_encode(core, leg, pcm, &payload);
    if (len > 0)
        leg_send(core, leg, payload, (size_t)len, level, period);
}
