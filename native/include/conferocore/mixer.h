/* The arithmetic of the mix: gain with ramps, exact sums, exact subtraction of self, level, and the look-ahead limiter.
 */
#ifndef CONFEROCORE_MIXER_H
#define CONFEROCORE_MIXER_H

#include "base.h"
#include "codec.h"

/* Gains are Q14 (16384 = 0 dB), at most +18 dB. out[i] = round(in[i] * gain), halves away from zero, the gain going in
 * a straight line from `from` (before the first sample) to `to` (at the last): no click when somebody is muted.
 * Contributions are 32 bits, so nothing is lost. */
enum { CF_GAIN_ONE = 16384, CF_GAIN_MAX = 130000 };
void cf_mix_gain(int32_t *out, const int16_t *in, size_t n, int32_t from, int32_t to);
void cf_mix_add(int32_t *sum, const int32_t *own, size_t n);
/* sum[i] += round(own[i] * gain), the gain as above; it may be negative here, for taking away. */
void cf_mix_add_gain(int32_t *sum, const int32_t *own, size_t n, int32_t from, int32_t to);
void cf_mix_minus(int32_t *out, const int32_t *sum, const int32_t *own, size_t n);
/* To 16 bits, saturated. */
void cf_mix_narrow(int16_t *out, const int32_t *in, size_t n);

/* RFC 6464 level of a frame: 0 (full scale) to 127 (digital silence and what is near it), in -dBov. */
uint8_t cf_level(const int16_t *pcm, size_t n);
/* Digital silence: not one sample but 0. */
bool cf_silent(const int16_t *pcm, size_t n);

/* Look-ahead limiter. For x = in, C = CF_LIMIT_CEILING, L = CF_LIMIT_AHEAD (the definition that tests/ hold against
 * NumPy):
 *   need[n] = min(1, C / |x[n]|)                gain that this sample needs
 *   rel[n]  = min(need[n], rel[n-1] + (1 - rel[n-1]) * CF_LIMIT_RELEASE)   instant attack, slow release; and 1 as soon
 *             as 1 - rel[n] < CF_LIMIT_REST, where no sample of 16 bits tells the difference
 *   low[n]  = min(rel[n-L] .. rel[n])           seen L samples ahead
 *   gain[n] = mean(low[n-L+1] .. low[n])        straight ramps
 *   out[n]  = round_half_away(x[n-L] * gain[n])
 * Each of the L values in the mean is a minimum over a window that holds rel[n-L], so gain[n] <= need[n-L] and peaks
 * stay at or under C. A signal that never needs it comes out bit-exact, L samples late. State is plain data and can be
 * copied; the way a signal is cut into calls makes no difference: the release is worked out in chunks that are counted
 * from the limiter's first sample. */
enum { CF_LIMIT_AHEAD = 96, CF_LIMIT_CEILING = 32000, CF_LIMIT_CHUNK = 16 };
#define CF_LIMIT_RELEASE (1.0 / 4800.0)
#define CF_LIMIT_REST (1.0 / 1048576.0)
typedef struct cf_limiter {
    int32_t delay[CF_LIMIT_AHEAD]; /* the last L inputs */
    double away[CF_LIMIT_AHEAD];   /* the last L values of 1 - rel */
    double high[CF_LIMIT_AHEAD];   /* the last L values of 1 - low */
    double need[CF_LIMIT_CHUNK];   /* 1 - need of the chunk that is not complete; 0 from `lane` on */
    uint32_t lane;                 /* how many it has */
    double carry;                  /* away at the end of the chunk before */
    uint32_t resting; /* samples since rel has been 1, counted until no window sees anything else: then the fast path */
} cf_limiter;
void cf_limiter_init(cf_limiter *limiter);
/* True once nothing is held back and nothing is still being given back: silence in is silence out. */
bool cf_limiter_rests(const cf_limiter *limiter);
void cf_limiter_run(cf_limiter *limiter, const int32_t *in, int16_t *out, size_t n);

#endif
