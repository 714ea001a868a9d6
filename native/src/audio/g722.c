/* G.722: the band filters, the quantisers and their tables (names of blocks and tables from ITU-T G.722 sections 3 and
 * 6). */
#include "g722.h"

#include "g722_band.h"
#include "history.h"

#include <math.h>

enum {
    TAPS = CF_G722_PAST + 1, /* of each of the filter's two phases */
    BLOCK = 160,             /* pairs of samples worked on at once: 20 ms */
    LANES = 16,              /* sums carried side by side */
    ROOM = (BLOCK + LANES - 1) / LANES * LANES,
    STEPS = 30,  /* of the lower band's quantiser, on each side of zero */
    LEVELS = 32, /* decision levels, filled up to whole vectors by IDLE that are always passed */
    IDLE = LEVELS - (STEPS - 1),
    REBUILT_MAX = 16383, /* LIMIT: 15 bits */
};

/* The filter's even taps (table 11); its odd ones are the same backwards. */
static const int16_t filter[TAPS] = {3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11};

/* QUANTL: where one step of the lower band goes over into the next, and (QM6) what a step stands for. The lower band is
 * rebuilt for the predictor from four bits only (QM4), so that it does not depend on the mode. */
static const uint16_t levels[LEVELS] = {0,    0,    0,    35,   72,   110,  150,  190,  233,  276, 323,
                                        370,  422,  473,  530,  587,  650,  714,  786,  858,  940, 1023,
                                        1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919};
static const int16_t steps[STEPS] = {136,  432,   728,   1040,  1360,  1688,  2032,  2400,  2776,  3168,
                                     3576, 4008,  4464,  4944,  5456,  6000,  6576,  7192,  7856,  8576,
                                     9360, 10232, 11192, 12280, 13512, 14984, 16704, 19008, 21904, 24808};
static const int16_t coarse[16] = {0,     -20456, -12896, -8968, -6288, -4240, -2584, -1200,
                                   20456, 12896,  8968,   6288,  4240,  2584,  1200,  0};
static const int16_t low_moves[16] = {-60,  3042, 1198, 538, 334, 172, 58,  -30, /* WL(RL42) */
                                      3042, 1198, 538,  334, 172, 58,  -30, -60};
static const cf_g722_law low_law = {.log_max = 18432, .shift = 8};

/* The upper band: one decision level, four outputs (QM2), and WH(RH2). */
enum { HIGH_LEVEL = 564 };
static const int16_t high_outputs[4] = {-7408, -1616, 7408, 1616};
static const int16_t high_moves[4] = {798, -214, 798, -214};
static const cf_g722_law high_law = {.log_max = 22528, .shift = 10};

uint16_t cf_g722_exponents[32];
static int16_t fine[64]; /* QM6 by code word */

/* The code word of a step of either sign. All zeros is no code word (a line's idle), hence the four that are left out.
 */
static unsigned low_code(bool negative, unsigned step) {
    return !negative ? 61 - step : step < 2 ? 63 - step : 33 - step;
}

/* Before main and before any thread: the tables are only read afterwards. */
__attribute__((constructor)) static void fill_tables(void) {
    for (int i = 0; i < 32; i++)
        cf_g722_exponents[i] = (uint16_t)lrint(2048 * exp2(i / 32.0));
    for (int code = 0; code < 4; code++)
        fine[code] = (int16_t)-steps[0];
    for (unsigned step = 0; step < STEPS; step++) {
        fine[low_code(false, step)] = steps[step];
        fine[low_code(true, step)] = (int16_t)-steps[step];
    }
}

void cf_g722_init(cf_g722 *g) {
    *g = (cf_g722){.low.scale = 32, .high.scale = 8};
}

/* acc[i] = the sum of filter[k] * x[i + k], or of the filter backwards, for i < n rounded up to LANES. */
static void convolve(int32_t *restrict acc, const int16_t *restrict x, bool backwards, size_t n) {
    for (size_t i = 0; i < n; i += LANES) {
        int32_t lane[LANES] = {0};
        for (size_t k = 0; k < TAPS; k++) {
            int16_t tap = filter[backwards ? TAPS - 1 - k : k];
            for (size_t j = 0; j < LANES; j++)
                lane[j] += tap * x[i + k + j];
        }
        memcpy(acc + i, lane, sizeof lane);
    }
}

/* QUANTL, but all levels at once: the step is the number of levels that are not above the magnitude. */
static unsigned low_step(int scale, int magnitude) {
    int passed = 0;
    for (int i = 0; i < LEVELS; i++)
        passed += levels[i] * scale >> 12 <= magnitude;
    return (unsigned)(passed - IDLE);
}

static inline unsigned encode_low(cf_g722_band *band, int sample) {
    int error = cf_g722_saturate(sample - band->guess);
    unsigned code = low_code(error < 0, low_step(band->scale, error < 0 ? ~error : error));
    int difference = band->scale * coarse[code >> 2] >> 15;
    cf_g722_rescale(band, low_moves[code >> 2], low_law);
    cf_g722_adapt(band, difference);
    return code;
}

static inline unsigned encode_high(cf_g722_band *band, int sample) {
    int error = cf_g722_saturate(sample - band->guess);
    unsigned code = (error < 0 ? 0 : 2) + ((error < 0 ? ~error : error) < (HIGH_LEVEL * band->scale >> 12));
    int difference = band->scale * high_outputs[code] >> 15;
    cf_g722_rescale(band, high_moves[code], high_law);
    cf_g722_adapt(band, difference);
    return code;
}

static inline int rebuilt(int v) {
    return v > REBUILT_MAX ? REBUILT_MAX : v < -REBUILT_MAX - 1 ? -REBUILT_MAX - 1 : v;
}

static inline int decode_low(cf_g722_band *band, unsigned code) {
    int sample = rebuilt(band->guess + (band->scale * fine[code] >> 15));
    int difference = band->scale * coarse[code >> 2] >> 15;
    cf_g722_rescale(band, low_moves[code >> 2], low_law);
    cf_g722_adapt(band, difference);
    return sample;
}

static inline int decode_high(cf_g722_band *band, unsigned code) {
    int difference = band->scale * high_outputs[code] >> 15;
    int sample = rebuilt(band->guess + difference);
    cf_g722_rescale(band, high_moves[code], high_law);
    cf_g722_adapt(band, difference);
    return sample;
}

static void encode_block(cf_g722 *g, const int16_t *in, size_t n, uint8_t *out) {
    int16_t x[2][CF_G722_PAST + ROOM] = {{0}};
    int32_t a[ROOM], b[ROOM];
    for (int phase = 0; phase < 2; phase++) {
        memcpy(x[phase], g->past[phase], sizeof g->past[phase]);
        for (size_t i = 0; i < n; i++)
            x[phase][CF_G722_PAST + i] = in[2 * i + (size_t)phase];
        cf_remember(g->past[phase], CF_G722_PAST, x[phase] + CF_G722_PAST, n);
    }
    convolve(a, x[1], true, n);
    convolve(b, x[0], false, n);
    cf_g722_band low = g->low, high = g->high; /* in registers */
    for (size_t i = 0; i < n; i++) {
        unsigned code = encode_low(&low, (a[i] + b[i]) >> 14);
        out[i] = (uint8_t)(encode_high(&high, (a[i] - b[i]) >> 14) << 6 | code);
    }
    g->low = low;
    g->high = high;
}

static void decode_block(cf_g722 *g, const uint8_t *in, size_t n, int16_t *out) {
    int16_t x[2][CF_G722_PAST + ROOM] = {{0}};
    int32_t a[ROOM], b[ROOM];
    memcpy(x[0], g->past[0], sizeof g->past[0]);
    memcpy(x[1], g->past[1], sizeof g->past[1]);
    cf_g722_band l = g->low, h = g->high; /* in registers */
    for (size_t i = 0; i < n; i++) {
        int low = decode_low(&l, in[i] & 63), high = decode_high(&h, in[i] >> 6);
        x[0][CF_G722_PAST + i] = (int16_t)(low - high);
        x[1][CF_G722_PAST + i] = (int16_t)(low + high);
    }
    g->low = l;
    g->high = h;
    convolve(a, x[0], true, n);
    convolve(b, x[1], false, n);
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = (int16_t)cf_g722_saturate(a[i] >> 11);
        out[2 * i + 1] = (int16_t)cf_g722_saturate(b[i] >> 11);
    }
    cf_remember(g->past[0], CF_G722_PAST, x[0] + CF_G722_PAST, n);
    cf_remember(g->past[1], CF_G722_PAST, x[1] + CF_G722_PAST, n);
}

void cf_g722_encode(cf_g722 *g, const int16_t *in, size_t n, uint8_t *out) {
    for (size_t left = n, block; left > 0; left -= block, in += 2 * block, out += block) {
        block = left < BLOCK ? left : BLOCK;
        encode_block(g, in, block, out);
    }
}

void cf_g722_decode(cf_g722 *g, const uint8_t *in, size_t n, int16_t *out) {
    for (size_t left = n, block; left > 0; left -= block, in += block, out += 2 * block) {
        block = left < BLOCK ? left : BLOCK;
        decode_block(g, in, block, out);
    }
}
