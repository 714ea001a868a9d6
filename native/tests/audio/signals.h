/* Test signals and the measurements that judge them: tones, speech-like noise, and the power of one frequency. */
#ifndef CONFEROCORE_TESTS_SIGNALS_H
#define CONFEROCORE_TESTS_SIGNALS_H

#include "conferocore/base.h"

#include <math.h>
#include <stdlib.h>

#define TEST_PI 3.14159265358979323846

/* n samples of a sine with this amplitude, starting at sample number `from`. */
static inline void test_tone(int16_t *out, size_t n, double hz, double rate, double amplitude, size_t from) {
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)lrint(amplitude * sin(2 * TEST_PI * hz * (double)(from + i) / rate));
}

/* Noise through a slow random envelope and a resonance: loud and soft like speech, but of no language. */
static inline void test_babble(int16_t *out, size_t n, double amplitude, uint64_t seed) {
    cf_rng rng;
    cf_rng_seed(&rng, seed);
    double envelope = 0, goal = 0, a = 0, b = 0, phase = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 4800 == 0)
            goal = cf_rng_unit(&rng) < 0.4 ? 0 : cf_rng_unit(&rng);
        envelope += (goal - envelope) / 960;
        phase += 2 * TEST_PI * 140 / 48000;
        double x = 0.02 * (2 * cf_rng_unit(&rng) - 1) + 0.06 * fmax(0, sin(phase) - 0.8);
        double y = x + 1.94 * a - 0.95 * b;
        b = a;
        a = y;
        out[i] = (int16_t)lrint(fmax(-1, fmin(1, y * envelope)) * amplitude);
    }
}

/* The amplitude of one frequency in n samples, under a Hann window (Goertzel's algorithm). */
static inline double test_amplitude(const int16_t *x, size_t n, double hz, double rate) {
    double w = 2 * TEST_PI * hz / rate, c = 2 * cos(w), s1 = 0, s2 = 0;
    for (size_t i = 0; i < n; i++) {
        double hann = 0.5 - 0.5 * cos(2 * TEST_PI * (double)i / (double)n);
        double s0 = x[i] * hann + c * s1 - s2;
        s2 = s1;
        s1 = s0;
    }
    return 4 * sqrt(fmax(0, s1 * s1 + s2 * s2 - c * s1 * s2)) / (double)n;
}

static inline double test_rms(const int16_t *x, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * x[i];
    return sqrt(sum / (double)n);
}

/* What is left of x when the best-fitting sine of this frequency is taken away, relative to x, in dB (least squares).
 */
static inline double test_residual_db(const int16_t *x, size_t n, double hz, double rate) {
    double w = 2 * TEST_PI * hz / rate, cc = 0, ss = 0, cs = 0, xc = 0, xs = 0, xx = 1e-9;
    double turn_c = cos(w), turn_s = sin(w), c = 1, s = 0;
    for (size_t i = 0; i < n; i++) {
        cc += c * c;
        ss += s * s;
        cs += c * s;
        xc += x[i] * c;
        xs += x[i] * s;
        xx += (double)x[i] * x[i];
        double next = c * turn_c - s * turn_s;
        s = s * turn_c + c * turn_s;
        c = next;
    }
    double det = cc * ss - cs * cs, a = (xc * ss - xs * cs) / det, b = (xs * cc - xc * cs) / det;
    return 10 * log10(fmax(1e-12, (xx - a * xc - b * xs) / xx));
}

/* The largest second difference: what a click is, whatever the signal's level. */
static inline int test_bend(const int16_t *x, size_t n) {
    int bend = 0;
    for (size_t i = 2; i < n; i++) {
        int d = abs(x[i] - 2 * x[i - 1] + x[i - 2]);
        bend = d > bend ? d : bend;
    }
    return bend;
}

#endif
