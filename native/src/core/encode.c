/* Who encodes what a leg is sent: its stream once for all, its own encoder, or nobody, because silence has been said
 * before or because the only voice that it hears has been encoded already, by its sender. */
#include "counter.h"
#include "leg.h"
#include "room.h"
#include "state.h"
#include "stream.h"

#include <string.h>

/* Frames of one undisturbed voice alone before its packets are passed on: 200 ms, no flapping */
enum { PASS_FRAMES = 10 };

/* ---- silence ---- */

static bool hush_step(struct hush *hush, bool silent) {
    hush->silent = silent ? hush->silent + 1 : 0;
    if (!silent)
        hush->len = 0;
    return hush->len > 0;
}

/* Only of packets that are a tick long: others would get out of step. Nor of G.722, whose decoder adapts to what it
 * hears again and again, and its encoder would not: what comes next would be noise. */
static void hush_keep(struct hush *hush, const cf_leg *leg, const cf_encoded *made) {
    if (hush->silent <= SETTLED_FRAMES || leg->config.tx.codec == CF_CODEC_G722 ||
        leg->config.tx.ptime_ms != 1000 / CF_TICKS || made->count != 1 || made->part[0].len > HUSH_BYTES)
        return;
    hush->len = made->part[0].len;
    memcpy(hush->payload, made->payload[0], made->part[0].len);
}

static void one_packet(cf_encoded *made, const uint8_t *payload, size_t len) {
    made->count = 1;
    made->part[0].len = (uint16_t)len;
    made->part[0].offset = 0;
    memcpy(made->payload[0], payload, len);
}

/* ---- passing packets on ---- */

/* The one voice that is heard, if nothing else is: by the room, or by a leg that is heard itself. */
static cf_leg *sole_voice(const cf_core *core, const cf_leg *leg) {
    bool own = !leg->stream && leg->active && !leg->aside;
    int others = core->mixed - own;
    bool as_it_is = leg->ear_now == CF_GAIN_ONE && leg->ear_gain == CF_GAIN_ONE && !leg->pairs && !leg->plays;
    if (others != 1 || core->csrc_count != core->mixed || !as_it_is)
        return NULL;
    for (int i = 0; i < core->csrc_count; i++)
        if (core->csrc_leg[i] != leg)
            return core->csrc_leg[i];
    return NULL;
}

/* Opus alone, whose decoders join whatever comes next: same mode, channels and length, and no richer than what the
 * listener agreed to. G.711 would jump by the delay of the mixing path, and G.722's decoder know nothing of the new
 * encoder. */
static bool fits(const cf_codec_params *tx, const uint8_t *payload, size_t len, int codec) {
    enum { MORE_FRAMES = 0x03, STEREO = 0x04, CELT = 0x80, EMPTY = 2 }; /* RFC 6716 section 3.1 */
    if (codec != CF_CODEC_OPUS || tx->codec != codec || tx->ptime_ms != 1000 / CF_TICKS || len <= EMPTY)
        return false;
    bool celt = payload[0] & CELT, plain = !(payload[0] & (MORE_FRAMES | STEREO));
    return plain && celt == (tx->low_delay != 0) && tx->channels == 1 && tx->rate == CF_RATE &&
           len * 8 * CF_TICKS <= 2 * (size_t)tx->bitrate;
}

/* The voice's packet of this tick, if it may go to this leg as it is. */
static bool packet_of(const cf_leg *voice, const cf_leg *leg, const uint8_t **payload, size_t *len) {
    int codec;
    return voice && voice->verbatim && cf_playout_verbatim(voice->playout, payload, len, &codec) &&
           fits(&leg->config.tx, *payload, *len, codec);
}

/* Begins only after a while with one voice and no disturbance, so that it does not flap; ends at once. */
static bool pass_step(cf_core *core, struct pass *pass, const cf_leg *leg, cf_encoded *made) {
    const uint8_t *payload;
    size_t len;
    const cf_leg *voice = leg->room->config.transcode ? NULL : sole_voice(core, leg);
    bool possible = packet_of(voice, leg, &payload, &len);
    pass->ready = possible && voice == pass->voice ? pass->ready + 1 : possible;
    pass->voice = voice;
    if (pass->ready <= PASS_FRAMES)
        return false;
    one_packet(made, payload, len);
    counter_add(&core->count.frames_passed, 1);
    return true;
}

/* ---- encoders ---- */

/* Packets that were passed on have gone past the encoder. It begins anew, on what was heard last: two or three frames
 * are enough for nobody to hear where it takes over (docs/decisions/009). */
static void encoder_catch_up(cf_leg *leg, const struct past *past, uint64_t period) {
    cf_encoded ignored;
    cf_encoder_reset(leg->encoder);
    if (past->period + 1 != period)
        return;
    for (int i = 0; i < PAST_FRAMES; i++)
        cf_encoder_encode(leg->encoder, past->pcm[(past->at + i) % PAST_FRAMES], &ignored);
}

/* An encoder that has not heard the tick before begins anew, in step with those of its packets' length. */
static void encode(cf_core *core, cf_leg *leg, const int16_t *pcm, const struct past *past, uint64_t period,
                   cf_encoded *made) {
    int64_t begin = core_stopwatch(core);
    if (leg->passed + 1 == period)
        encoder_catch_up(leg, past, period);
    else if (leg->encoded + 1 != period)
        cf_encoder_align(leg->encoder, period);
    leg->encoded = period;
    cf_encoder_encode(leg->encoder, pcm, made);
    counter_add(&core->count.frames_encoded, 1);
    counter_add(&core->count.encode_ns, (uint64_t)(core_stopwatch(core) - begin));
}

void past_keep(struct past *past, const int16_t *pcm, uint64_t period) {
    memcpy(past->pcm[past->at], pcm, sizeof past->pcm[0]);
    past->at = (past->at + 1) % PAST_FRAMES;
    past->period = period;
}

static bool stream_is_silent(const cf_core *core, const struct stream *stream) {
    return stream->hearing == HEAR_NOTHING || core->silent;
}

/* The frame of settled silence is said again without the encoder, whose state and the decoders' are near zero and stay
 * there: nothing is heard when it goes on. */
static void stream_frame(cf_core *core, struct stream *stream, const int16_t *pcm, uint64_t period, cf_encoded *made) {
    cf_leg *first = stream->first;
    bool said = hush_step(&stream->hush, stream_is_silent(core, stream));
    if (stream->hearing == HEAR_ROOM && pass_step(core, &stream->pass, first, made)) {
        first->passed = period;
        return;
    }
    if (said) {
        one_packet(made, stream->hush.payload, (size_t)stream->hush.len);
        return;
    }
    encode(core, first, pcm, &first->room->past, period, made);
    hush_keep(&stream->hush, first, made);
}

/* Encoded once per stream and tick, when its first listener of the tick comes along. */
static const cf_encoded *stream_encode(cf_core *core, cf_leg *leg, const int16_t *pcm, uint64_t period) {
    struct stream *stream = leg->stream;
    cf_encoded *made = &core->made[stream - leg->room->streams];
    if (stream->period != period)
        stream_frame(core, stream, pcm, period, made);
    stream->period = period;
    counter_add(&leg->count.shared_frames, 1);
    counter_add(&core->count.frames_shared, 1);
    return made;
}

/* A talker that hears nobody else is sent the same silence again as well, and one that hears one other that other's
 * packets. */
static const cf_encoded *own_encode(cf_core *core, cf_leg *leg, const int16_t *pcm, uint64_t period) {
    cf_encoded *made = &core->own_made;
    bool said = hush_step(&leg->hush, cf_silent(pcm, CF_FRAME));
    counter_add(&leg->count.own_encodes, 1);
    if (pass_step(core, &leg->pass, leg, made))
        leg->passed = period;
    else if (said)
        one_packet(made, leg->hush.payload, (size_t)leg->hush.len);
    else
        encode(core, leg, pcm, &leg->past, period, made);
    if (leg->encoded == period)
        hush_keep(&leg->hush, leg, made);
    if (leg->pass.ready)
        past_keep(&leg->past, pcm, period);
    return made;
}

const cf_encoded *leg_encode(cf_core *core, cf_leg *leg, const int16_t *pcm, uint64_t period) {
    return leg->stream ? stream_encode(core, leg, pcm, period) : own_encode(core, leg, pcm, period);
}
