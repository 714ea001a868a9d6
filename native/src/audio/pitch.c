/* Pitch search by normalised correlation on scaled integers, which the compiler turns into vector multiply-adds. */
#include "pitch.h"

#include <math.h>
#include <stdlib.h>

enum { BITS = 11 };

static int32_t dot(const int16_t *a, const int16_t *b, int n) {
    int32_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

void cf_pitch_scale(const int16_t *in, size_t n, int16_t *out) {
    int peak = 1, shift = 0;
    for (size_t i = 0; i < n; i++) {
        int a = abs(in[i]);
        peak = a > peak ? a : peak;
    }
    while (peak >> shift >= 1 << BITS)
        shift++;
    if (shift > 0) {
        for (size_t i = 0; i < n; i++)
            out[i] = (int16_t)(in[i] / (1 << shift));
        return;
    }
    while (peak << (shift + 1) < 1 << BITS)
        shift++;
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)(in[i] * (1 << shift));
}

cf_pitch cf_pitch_search(const int16_t *x, int way, int lo, int hi, int window) {
    cf_pitch best = {lo, 0};
    double own = dot(x, x, window), score = 0;
    for (int lag = lo; lag <= hi; lag++) {
        const int16_t *other = x + way * lag;
        double cross = dot(x, other, window), power = dot(other, other, window);
        /* signed square of the likeness: no root in the loop */
        double now = power > 0 ? cross * fabs(cross) / power : 0;
        if (now > score) {
            score = now;
            best.lag = lag;
        }
    }
    if (own > 0 && score > 0)
        best.likeness = (float)sqrt(score / own);
    return best;
}
