/* What members say: two seconds of tones with tone bursts, or of a quiet room, encoded once for all who say the same.
 */
#include "load.h"

#include <math.h>

enum {
    VOICES_MAX = 512,
    LOWEST_HERTZ = 300,
    PHONE_TONES = 54,
    WIDE_TONES = 160,
    CROWD_HERTZ = 2500,
    FEW = 26,
    ASIDE_HERTZ = 33
};
#define ROOM_AMPLITUDE 8 /* of the noise in a quiet room, -72 dBFS: under a gate, and decoded at full price */

static voice *voices[VOICES_MAX];
static int voice_count;

uint32_t codec_step(int codec) {
    return codec == CF_CODEC_OPUS ? 960 : 160;
}

/* So many tones at once that each is far below the codec's noise of the others, and blocks of 10 ms do not tell them
 * apart. */
bool is_crowd(const plan *p) {
    return p->loud > FEW;
}

/* Multiples of 50 Hz fit the loop, so that the loop has no seam; few talkers get multiples of 100 Hz. The burst's
 * tone is left out. In a crowd the first talker, who is looked for in its own ear, is off the others' raster, where
 * their distortion would be taken for it. */
double talker_hertz(const plan *p, int place) {
    if (place >= p->loud)
        return CROWD_HERTZ;
    int step = is_crowd(p) ? 50 : 100;
    int tones = p->codec == CF_CODEC_OPUS ? WIDE_TONES : PHONE_TONES * 50 / step;
    int hertz = LOWEST_HERTZ + step * (place % tones);
    if (is_crowd(p) && place == 0)
        return LOWEST_HERTZ - ASIDE_HERTZ;
    return hertz >= BURST_HZ - 100 ? hertz + 300 : hertz;
}

/* Those who are not to be mixed are 12 dB quieter. */
double talker_amplitude(const plan *p, int place) {
    double loud = fmin(TALKER_AMPLITUDE, (double)SUM_AMPLITUDE / p->loud);
    return place < p->loud ? loud : loud / 4;
}

/* 2 ms of attack and decay: a burst is no click. */
static double burst_shape(int sample) {
    const int len = BURST_FRAMES * CF_FRAME, edge = CF_RATE / 500;
    if (sample < 0 || sample >= len)
        return 0;
    int from_end = sample < len - 1 - sample ? sample : len - 1 - sample;
    return from_end >= edge ? 1 : 0.5 - 0.5 * cos(M_PI * from_end / edge);
}

static bool burst_begins(const voice *v, int frame) {
    if (v->burst_from < 0)
        return false;
    const int apart = LOOP_FRAMES / BURSTS; /* half a second */
    return frame % apart == 0 && frame / apart % v->bursters == v->burst_from;
}

static int16_t sample_of(const voice *v, int at, cf_rng *rng) {
    const int in_loop = at % (LOOP_FRAMES * CF_FRAME);
    double shape = 0, second = (double)in_loop / CF_RATE;
    for (int frame = in_loop / CF_FRAME, back = 0; back < BURST_FRAMES && frame >= back; back++)
        if (burst_begins(v, frame - back))
            shape = burst_shape(in_loop - (frame - back) * CF_FRAME);
    double noise = v->amplitude > 0 ? 0 : ROOM_AMPLITUDE * (2 * cf_rng_unit(rng) - 1);
    return (int16_t)lrint(v->amplitude * sin(2 * M_PI * (v->hertz * second + v->phase)) +
                          BURST_AMPLITUDE * shape * sin(2 * M_PI * BURST_HZ * second) + noise);
}

static uint8_t level_of(const int16_t *pcm, bool talks) {
    double sum = 0;
    for (int i = 0; i < CF_FRAME; i++)
        sum += (double)pcm[i] * pcm[i];
    double dbov = sum > 0 ? 10 * log10(sum / CF_FRAME / (32768.0 * 32768.0)) : -127;
    return (uint8_t)((talks ? 0x80 : 0) | (int)fmin(127, fmax(0, -dbov)));
}

/* The first loop settles the encoder, the second one is kept. */
static void voice_encode(voice *v, int codec) {
    cf_codec_params params = {.codec = codec, .ptime_ms = 20, .complexity = -1};
    cf_encoder *encoder = cf_encoder_new(&params);
    cf_rng rng;
    cf_rng_seed(&rng, 1);
    if (encoder == NULL)
        fail("no encoder for a voice");
    for (int f = 0; f < 2 * LOOP_FRAMES; f++) {
        int16_t pcm[CF_FRAME];
        for (int i = 0; i < CF_FRAME; i++)
            pcm[i] = sample_of(v, f * CF_FRAME + i, &rng);
        int k = f % LOOP_FRAMES;
        v->len[k] = cf_encoder_once(encoder, pcm, v->payload[k], CF_PAYLOAD_MAX);
        v->level[k] = level_of(pcm, v->amplitude > 0);
        v->burst[k] = burst_begins(v, k);
        if (v->len[k] < 0)
            fail("a voice cannot be encoded");
    }
    cf_encoder_free(encoder);
}

static voice wanted(const plan *p, int place, bool talks) {
    voice v = {.burst_from = -1};
    if (!talks)
        return v;
    v.hertz = talker_hertz(p, place);
    v.amplitude = talker_amplitude(p, place);
    v.phase = fmod(place * 0.7548776662466927, 1); /* tones that begin together would be a train of pulses */
    v.bursters = p->loud < BURSTS ? p->loud : BURSTS;
    v.burst_from = place < v.bursters ? place : -1;
    return v;
}

const voice *voice_of(const plan *p, int place, bool talks) {
    voice v = wanted(p, place, talks);
    for (int i = 0; i < voice_count; i++)
        if (voices[i]->hertz == v.hertz && voices[i]->amplitude == v.amplitude && voices[i]->burst_from == v.burst_from)
            return voices[i];
    if (voice_count == VOICES_MAX)
        fail("too many different voices");
    voice *made = zeroed(1, sizeof *made);
    *made = v;
    voice_encode(made, p->codec);
    return voices[voice_count++] = made;
}
