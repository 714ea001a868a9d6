/* A whole mix in one call: the same kernels in the same order as in a room, without packets or time. */
#include "conferocore/oneshot.h"

#include "conferocore/mixer.h"

#include <errno.h>
#include <stdlib.h>

enum { LEGS_MAX = 8192 }; /* so many legs at CF_GAIN_MAX still add up within 32 bits */

typedef struct mix {
    cf_limiter *limiters; /* one for each leg */
    int32_t *own;         /* legs x CF_FRAME: what each adds to this frame */
    int32_t sum[CF_FRAME];
} mix;

static bool gains_are_valid(const int32_t *gains, size_t legs) {
    for (size_t leg = 0; leg < legs; leg++)
        if (gains[leg] < 0 || gains[leg] > CF_GAIN_MAX)
            return false;
    return true;
}

/* in and out: one leg's frame lies `stride` samples after the leg's before. */
static void mix_frame(mix *m, const int16_t *in, const int32_t *gains, size_t legs, size_t stride, int16_t *out) {
    for (size_t i = 0; i < CF_FRAME; i++)
        m->sum[i] = 0;
    for (size_t leg = 0; leg < legs; leg++) {
        cf_mix_gain(m->own + leg * CF_FRAME, in + leg * stride, CF_FRAME, gains[leg], gains[leg]);
        cf_mix_add(m->sum, m->own + leg * CF_FRAME, CF_FRAME);
    }
    for (size_t leg = 0; leg < legs; leg++) {
        int32_t others[CF_FRAME];
        cf_mix_minus(others, m->sum, m->own + leg * CF_FRAME, CF_FRAME);
        cf_limiter_run(&m->limiters[leg], others, out + leg * stride, CF_FRAME);
    }
}

int cf_oneshot_mix(const int16_t *in, const int32_t *gains, size_t legs, size_t frames, int16_t *out) {
    if (legs == 0 || legs > LEGS_MAX || frames > SIZE_MAX / CF_FRAME / LEGS_MAX / sizeof *in ||
        !gains_are_valid(gains, legs))
        return -EINVAL;
    mix *m = malloc(sizeof *m);
    cf_limiter *limiters = calloc(legs, sizeof *limiters);
    int32_t *own = calloc(legs * CF_FRAME, sizeof *own);
    if (m && limiters && own) {
        *m = (mix){.limiters = limiters, .own = own};
        for (size_t leg = 0; leg < legs; leg++)
            cf_limiter_init(&limiters[leg]);
        for (size_t frame = 0; frame < frames; frame++)
            mix_frame(m, in + frame * CF_FRAME, gains, legs, frames * CF_FRAME, out + frame * CF_FRAME);
    }
    int result = m && limiters && own ? 0 : -ENOMEM;
    free(m);
    free(limiters);
    free(own);
    return result;
}
