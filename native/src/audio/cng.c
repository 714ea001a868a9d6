/* Comfort noise by its description (RFC 3389): white noise through the all-pole lattice of the reflection coefficients,
 * which is stable whatever they are and while they change. */
#include "conferocore/noise.h"

#include "round.h"

#include <math.h>

enum { GLIDE = 16 };      /* samples between two small changes */
#define GLIDE_PART 0.125F /* of the way to the goal: nine tenths of it in 18 steps, 36 ms at 8 kHz, 18 at 16 */
#define GAIN_PART 0.015F  /* of the gain's way, each sample: nine tenths in 19 ms at 8 kHz, 10 at 16 */
#define QUIET 0.01F       /* gain below which nothing is left of it */
#define SHARPEST 0.99F    /* no room rings longer, and a level needs some dozens of periods to be one */

void cf_cng_init(cf_cng *cng, uint64_t seed) {
    *cng = (cf_cng){.gain = 0};
    cf_rng_seed(&cng->rng, seed);
}

/* The lattice makes white noise louder by the product of 1 / (1 - k^2). */
void cf_cng_set(cf_cng *cng, const cf_cn *cn) {
    bool still = cf_cng_silent(cng);
    double gain = cn->level < CF_CN_SILENCE ? 32768 * pow(10, cn->level / -20.0) : 0;
    for (int i = 0; i < CF_CN_ORDER; i++) {
        float k = i < cn->order ? fmaxf(-SHARPEST, fminf(SHARPEST, cn->reflection[i])) : 0;
        cng->goals[i] = k;
        cng->reflection[i] = still ? k : cng->reflection[i];
        gain *= sqrt(1 - (double)k * k);
    }
    cng->goal = (float)gain;
}

void cf_cng_stop(cf_cng *cng) {
    cng->goal = 0;
}

static float white(cf_rng *rng) {
    return (float)(int32_t)cf_rng_u32(rng) * (1.7320508F / 2147483648.0F); /* uniform, power 1 */
}

/* One sample through the lattice, from the highest order down. */
static float ring(cf_cng *cng, float x) {
    for (int m = CF_CN_ORDER; m > 0; m--) {
        float k = cng->reflection[m - 1];
        x -= k * cng->back[m - 1];
        cng->back[m] = cng->back[m - 1] + k * x;
    }
    cng->back[0] = x;
    return x;
}

static void glide(cf_cng *cng) {
    for (int i = 0; i < CF_CN_ORDER; i++)
        cng->reflection[i] += GLIDE_PART * (cng->goals[i] - cng->reflection[i]);
}

void cf_cng_render(cf_cng *cng, int16_t *out, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i % GLIDE == 0)
            glide(cng);
        cng->gain += GAIN_PART * (cng->goal - cng->gain);
        if (cng->goal == 0 && cng->gain < QUIET)
            cng->gain = 0;
        float v = ring(cng, cng->gain * white(&cng->rng));
        out[i] = (int16_t)(v > INT16_MAX ? INT16_MAX : v < INT16_MIN ? INT16_MIN : cf_round(v));
    }
}
