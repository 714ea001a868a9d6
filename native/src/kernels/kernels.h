/* The loops that the media tick spends its time in, as a table of functions: one table for each instruction set, the
 * plain C one being the truth.
 *
 * All tables give the same bits. Whole numbers do by nature; doubles because every sum and product is made in one order
 * that the C form fixes, without contraction into fused operations. No function allocates, keeps state, asks for
 * alignment or touches memory beyond its arguments. */
#ifndef CONFEROCORE_KERNELS_KERNELS_H
#define CONFEROCORE_KERNELS_KERNELS_H

#include "conferocore/mixer.h"
#include "conferocore/resample.h"

enum {
    CF_FIR_TAPS = CF_RESAMPLE_PHASE_TAPS,
    CF_FIR_UP_BITS = 14,   /* up: a phase sums up to 2^14, without signs to 2.5 times that, which 32 bits hold */
    CF_FIR_DOWN_BITS = 16, /* down: all taps sum up to 2^16 */
    CF_FIR_BLOCK = 160,    /* low-rate samples of one call, at most: 20 ms at 8 kHz */
};

typedef struct cf_kernels {
    const char *name;

    /* mix */
    void (*add)(int32_t *sum, const int32_t *own, size_t n);
    void (*minus)(int32_t *out, const int32_t *sum, const int32_t *own, size_t n);
    void (*widen)(int32_t *out, const int16_t *in, size_t n);
    /* out = in * gain / 2^14, halves away from zero; gain at most CF_GAIN_MAX */
    void (*gain)(int32_t *out, const int16_t *in, size_t n, uint32_t gain);
    /* out[i] = in[i] * (start + step * (i + 1)) / unit, likewise */
    void (*ramp)(int32_t *out, const int16_t *in, size_t n, double start, double step, double unit);
    /* sum[i] += own[i] * (start + step * (i + 1)) / unit, likewise */
    void (*add_ramp)(int32_t *sum, const int32_t *own, size_t n, double start, double step, double unit);
    uint64_t (*energy)(const int16_t *in, size_t n); /* sum of squares */
    bool (*silent)(const int16_t *in, size_t n);     /* all zero */
    /* Saturates to 16 bits; true if any |in| was over the limiter's ceiling. */
    bool (*narrow)(int16_t *out, const int32_t *in, size_t n);

    /* limiter (mixer.h), in terms of away = 1 - rel: 0 is a signal left alone */
    /* away = 1 - C / max(|in|, C): what each sample needs. True if any needs something. */
    bool (*need)(double *away, const int32_t *in, size_t n);
    /* The way back to 0, over whole chunks of CF_LIMIT_CHUNK, starting from `carry`; needs become values of away. loud:
     * false if all needs are 0. */
    void (*release)(double *away, size_t n, double carry, bool loud);
    /* out[i] = max of x[i .. i + AHEAD], for n results; x is used up */
    void (*highest)(double *out, double *x, size_t n);
    /* x[i] = mean of x[i + 1 .. i + AHEAD], for n results */
    void (*mean)(double *x, size_t n);
    /* out = in * (1 - less), halves away from zero */
    void (*scale)(int16_t *out, const int32_t *in, const double *less, size_t n);

    /* resampler: n low-rate samples, n <= CF_FIR_BLOCK */
    /* out[ratio * i + phase] = sum of taps[phase][k] * in[i + k]; in has n + CF_FIR_TAPS - 1 samples */
    void (*fir_up)(int16_t *out, const int16_t *in, size_t n, int ratio, const int16_t (*taps)[CF_FIR_TAPS]);
    /* out[i] = sum of taps[k] * in[ratio * i + k] over ratio * CF_FIR_TAPS taps; in has ratio * (n + CF_FIR_TAPS - 1)
     */
    void (*fir_down)(int16_t *out, const int16_t *in, size_t n, int ratio, const int16_t *taps);

    /* G.711 */
    void (*ulaw_encode)(uint8_t *out, const int16_t *in, size_t n);
    void (*alaw_encode)(uint8_t *out, const int16_t *in, size_t n);
    void (*ulaw_decode)(int16_t *out, const uint8_t *in, size_t n);
    void (*alaw_decode)(int16_t *out, const uint8_t *in, size_t n);
} cf_kernels;

/* Chosen before main: the widest that the machine runs, or what the environment's CONFERO_SIMD names. */
extern const cf_kernels *cf_kernels_now;

/* For tests and benchmarks, while nothing runs: 0, -EINVAL for no such name, -ENOTSUP if this machine cannot. */
int cf_kernels_use(const char *name);
/* The paths that this machine runs, widest first, C last; NULL beyond. */
const cf_kernels *cf_kernels_at(size_t i);
/* What CONFERO_SIMD asked for in vain, or NULL. */
const char *cf_kernels_refused(void);

#endif
