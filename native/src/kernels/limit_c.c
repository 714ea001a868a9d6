/* The limiter's passes (mixer.h), as plain C.
 *
 * Window maximum and window mean are built by doubling: a window of 2w from two windows of w. That is exact bookkeeping
 * without a running sum or a queue, so nothing can drift however long a call lasts. The release, which by its
 * definition depends on the sample before, is a maximum over all needs so far, each faded by its age: within a chunk
 * that too is built by doubling, and only from chunk to chunk a value is handed on. */
#include "portable.h"

#include "audio/round.h"

#include <math.h>
#include <string.h>

enum { AHEAD = CF_LIMIT_AHEAD, CHUNK = CF_LIMIT_CHUNK, CEILING = CF_LIMIT_CEILING };
_Static_assert(AHEAD == 96 && CHUNK == 16, "the windows below are written for it");

#define D1 (1 - CF_LIMIT_RELEASE)
#define D2 (D1 * D1)
#define D3 (D2 * D1)
#define D4 (D3 * D1)
#define D5 (D4 * D1)
#define D6 (D5 * D1)
#define D7 (D6 * D1)
#define D8 (D7 * D1)
#define D9 (D8 * D1)
#define D10 (D9 * D1)
#define D11 (D10 * D1)
#define D12 (D11 * D1)
#define D13 (D12 * D1)
#define D14 (D13 * D1)
#define D15 (D14 * D1)
#define D16 (D15 * D1)
const double cf_decay[CHUNK + 1] = {1, D1, D2, D3, D4, D5, D6, D7, D8, D9, D10, D11, D12, D13, D14, D15, D16};
const double cf_reach[4][CHUNK] = {
    {0, D1, D1, D1, D1, D1, D1, D1, D1, D1, D1, D1, D1, D1, D1, D1},
    {0, 0, D2, D2, D2, D2, D2, D2, D2, D2, D2, D2, D2, D2, D2, D2},
    {0, 0, 0, 0, D4, D4, D4, D4, D4, D4, D4, D4, D4, D4, D4, D4},
    {0, 0, 0, 0, 0, 0, 0, 0, D8, D8, D8, D8, D8, D8, D8, D8},
};

bool cf_need_c(double *away, const int32_t *in, size_t n) {
    int loud = 0;
    for (size_t i = 0; i < n; i++) {
        double x = fabs((double)in[i]);
        loud |= x > CEILING;
        away[i] = 1 - CEILING / (x > CEILING ? x : CEILING);
    }
    return loud;
}

static double larger(double a, double b) {
    return a > b ? a : b;
}

/* Each need reaches on into what comes after it in its chunk. */
static void spread(double *chunk) {
    for (int s = 0, back = 1; back < CHUNK; s++, back *= 2)
        for (int i = CHUNK - 1; i >= back; i--)
            chunk[i] = larger(chunk[i], chunk[i - back] * cf_reach[s][i]);
}

void cf_release_c(double *away, size_t n, double carry, bool loud) {
    for (double *chunk = away; chunk < away + n; chunk += CHUNK) {
        if (loud)
            spread(chunk);
        for (int i = 0; i < CHUNK; i++) {
            double v = larger(chunk[i], carry * cf_decay[i + 1]);
            chunk[i] = v < CF_LIMIT_REST ? 0 : v;
        }
        carry = chunk[CHUNK - 1];
    }
}

void cf_highest_c(double *out, double *x, size_t n) {
    size_t valid = n + AHEAD; /* results of the window so far */
    for (size_t w = 1; w < 64; w *= 2) {
        valid -= w;
        for (size_t i = 0; i < valid; i++)
            x[i] = larger(x[i], x[i + w]);
    }
    for (size_t i = 0; i < n; i++)
        out[i] = larger(x[i], x[i + AHEAD + 1 - 64]);
}

void cf_mean_c(double *x, size_t n) {
    size_t valid = n + AHEAD - 1;
    for (size_t i = 0; i < valid; i++)
        x[i] = x[i + 1];
    for (size_t w = 1; w < 32; w *= 2) {
        valid -= w;
        for (size_t i = 0; i < valid; i++)
            x[i] += x[i + w];
    }
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] + x[i + 32] + x[i + 64]) * (1.0 / AHEAD);
}

void cf_scale_c(int16_t *out, const int32_t *in, const double *less, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)cf_round(in[i] * (1 - less[i]));
}
