/* Noise on purpose: what stands for a silent room. Comfort noise payloads (RFC 3389) read, rendered, measured and
 * written at the rate of the wire, and a noise for the mix. All states are plain data. */
#ifndef CONFEROCORE_NOISE_H
#define CONFEROCORE_NOISE_H

#include "base.h"

/* Ten coefficients tell a room's colour as well as a telephone carries it; more are left out, as section 3 allows. */
enum { CF_CN_ORDER = 10, CF_CN_MAX = 1 + CF_CN_ORDER, CF_CN_SILENCE = 127 };

/* What a payload says: RFC 3389 section 3. */
typedef struct cf_cn {
    uint8_t level; /* -dBov */
    uint8_t order;
    float reflection[CF_CN_ORDER]; /* of 1 / (1 + sum of a[i] z^-i) with a[1] = reflection[0] for order 1 */
} cf_cn;

/* 0, or -EBADMSG for an empty payload. */
int cf_cn_parse(cf_cn *cn, const uint8_t *payload, size_t len);
/* The payload's length: 1 + order. */
size_t cf_cn_write(const cf_cn *cn, uint8_t out[CF_CN_MAX]);

/* Renders noise of that level and colour. It goes over to a new description, and from and to silence, within 20 ms or
 * so: no click. */
typedef struct cf_cng {
    cf_rng rng;
    float gain, goal;              /* of white noise with power 1, and where that goes */
    float reflection[CF_CN_ORDER]; /* likewise */
    float goals[CF_CN_ORDER];
    float back[CF_CN_ORDER + 1]; /* the lattice's backward errors of the sample before */
} cf_cng;

void cf_cng_init(cf_cng *cng, uint64_t seed);
void cf_cng_set(cf_cng *cng, const cf_cn *cn);
void cf_cng_stop(cf_cng *cng);
/* n samples at the rate that the coefficients were made for. */
void cf_cng_render(cf_cng *cng, int16_t *out, size_t n);
static inline bool cf_cng_silent(const cf_cng *cng) {
    return cng->gain == 0 && cng->goal == 0;
}

/* Listens to a room's noise and describes it. */
typedef struct cf_cn_meter {
    double power[CF_CN_ORDER + 1]; /* autocorrelation, of a window */
    double mean_square;
    bool heard;
} cf_cn_meter;

void cf_cn_meter_init(cf_cn_meter *meter);
/* A frame of n samples (10-60 ms at 8 or 16 kHz, at most CF_CN_FRAME) without speech. */
enum { CF_CN_FRAME = 960 };
void cf_cn_meter_hear(cf_cn_meter *meter, const int16_t *pcm, size_t n);
/* Of silence, or before anything was heard: level 127 and no coefficients. */
void cf_cn_meter_tell(const cf_cn_meter *meter, cf_cn *cn);

/* A noise for the mix at 48 kHz, between pink and a quiet room: 10 dB a decade less from 100 Hz on, and from 8 kHz
 * on 20. level: -dBov of its RMS, 20 to 127 (127 is silence). */
typedef struct cf_noise {
    cf_rng rng;
    float gain;
    float in[3], out[3]; /* the last values of the filter's sections */
} cf_noise;

enum { CF_NOISE_LOUDEST = 20, CF_NOISE_SILENCE = 127 };
/* -EINVAL for a level beyond those. */
int cf_noise_init(cf_noise *noise, int level, uint64_t seed);
void cf_noise_add(cf_noise *noise, int32_t *sum, size_t n);
/* What an ear at 8 kHz hears of it. Takes a fifth of a millisecond: not for the tick. */
int cf_noise_describe(int level, cf_cn *cn);

#endif
