/* The plain C forms one by one: the truth, and what the vector forms leave their last few samples to. */
#ifndef CONFEROCORE_KERNELS_PORTABLE_H
#define CONFEROCORE_KERNELS_PORTABLE_H

#include "kernels.h"

extern const cf_kernels cf_kernels_c, cf_kernels_sse2, cf_kernels_avx2, cf_kernels_avx512, cf_kernels_neon;

/* Going down, parts of a sum are quartered before they meet: what is left to shift, and its half for rounding. */
enum { CF_FIR_DOWN_SHIFT = CF_FIR_DOWN_BITS - 2, CF_FIR_DOWN_HALF = 1 << (CF_FIR_DOWN_SHIFT - 1) };

/* The release by powers of (1 - CF_LIMIT_RELEASE): cf_decay[k] is the k-th, each the product of the one before. */
extern const double cf_decay[CF_LIMIT_CHUNK + 1];
/* cf_reach[s][i]: 2^s samples' decay, or 0 where the sample so far back is not in the chunk any more. */
extern const double cf_reach[4][CF_LIMIT_CHUNK];

void cf_add_c(int32_t *sum, const int32_t *own, size_t n);
void cf_minus_c(int32_t *out, const int32_t *sum, const int32_t *own, size_t n);
void cf_widen_c(int32_t *out, const int16_t *in, size_t n);
void cf_gain_c(int32_t *out, const int16_t *in, size_t n, uint32_t gain);
void cf_ramp_c(int32_t *out, const int16_t *in, size_t n, double start, double step, double unit);
void cf_add_ramp_c(int32_t *sum, const int32_t *own, size_t n, double start, double step, double unit);
uint64_t cf_energy_c(const int16_t *in, size_t n);
bool cf_silent_c(const int16_t *in, size_t n);
bool cf_narrow_c(int16_t *out, const int32_t *in, size_t n);

bool cf_need_c(double *away, const int32_t *in, size_t n);
void cf_release_c(double *away, size_t n, double carry, bool loud);
void cf_highest_c(double *out, double *x, size_t n);
void cf_mean_c(double *x, size_t n);
void cf_scale_c(int16_t *out, const int32_t *in, const double *less, size_t n);

void cf_fir_up_c(int16_t *out, const int16_t *in, size_t n, int ratio, const int16_t (*taps)[CF_FIR_TAPS]);
void cf_fir_down_c(int16_t *out, const int16_t *in, size_t n, int ratio, const int16_t *taps);

void cf_ulaw_encode_c(uint8_t *out, const int16_t *in, size_t n);
void cf_alaw_encode_c(uint8_t *out, const int16_t *in, size_t n);
void cf_ulaw_decode_c(int16_t *out, const uint8_t *in, size_t n);
void cf_alaw_decode_c(int16_t *out, const uint8_t *in, size_t n);

#endif
