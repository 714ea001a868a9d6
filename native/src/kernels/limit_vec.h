/* The limiter's passes over the vector vocabulary that the including file has chosen: the sums of limit_c.c, two
 * doublings at a time. */
#include "portable.h"

static bool need(double *away, const int32_t *in, size_t n) {
    vd ceiling = d_all(CF_LIMIT_CEILING), one = d_all(1), most = ceiling;
    size_t i = 0;
    for (; i + D_LANES <= n; i += D_LANES) {
        vd x = d_max(d_abs(d_from(in + i)), ceiling);
        most = d_max(most, x);
        d_store(away + i, d_sub(one, d_div(ceiling, x)));
    }
    double lane[D_LANES];
    d_store(lane, most);
    bool loud = cf_need_c(away + i, in + i, n - i);
    for (int k = 0; k < D_LANES; k++)
        loud |= lane[k] > CF_LIMIT_CEILING;
    return loud;
}

/* From the end to the front, so that what is read has not been changed yet. What reaches over a chunk's beginning is
 * multiplied by 0. The first chunk is left out, because before it there is nothing to read. */
static void spread(double *away, size_t n) {
    for (int s = 0, back = 1; back < CF_LIMIT_CHUNK; s++, back *= 2)
        for (size_t i = n - D_LANES; i >= CF_LIMIT_CHUNK; i -= D_LANES) {
            vd reach = d_load(cf_reach[s] + i % CF_LIMIT_CHUNK);
            d_store(away + i, d_max(d_load(away + i), d_mul(d_load(away + i - back), reach)));
        }
}

/* What a chunk hands on is worked out ahead of its vectors, so that only that waits for the chunk before. Below
 * CF_LIMIT_REST it need not be set to 0 here: what it leads to is smaller still, and is. */
static void release(double *away, size_t n, double carry, bool loud) {
    vd rest = d_all(CF_LIMIT_REST);
    if (n == 0)
        return;
    if (loud)
        spread(away, n);
    cf_release_c(away, CF_LIMIT_CHUNK, carry, loud);
    carry = away[CF_LIMIT_CHUNK - 1];
    for (size_t i = CF_LIMIT_CHUNK; i < n; i += CF_LIMIT_CHUNK) {
        vd before = d_all(carry);
        double faded = carry * cf_decay[CF_LIMIT_CHUNK], last = away[i + CF_LIMIT_CHUNK - 1];
        carry = last > faded ? last : faded;
        for (int k = 0; k < CF_LIMIT_CHUNK; k += D_LANES) {
            vd v = d_max(d_load(away + i + k), d_mul(before, d_load(cf_decay + 1 + k)));
            d_store(away + i + k, d_at_least(v, rest));
        }
    }
}

static inline double larger(double a, double b) {
    return a > b ? a : b;
}

/* x[i] = max of x[i], x[i + w], x[i + 2w], x[i + 3w] */
static inline void highest_of_four(double *x, size_t n, size_t w) {
    size_t i = 0;
    for (; i + D_LANES <= n; i += D_LANES) {
        vd a = d_max(d_load(x + i), d_load(x + i + w)), b = d_max(d_load(x + i + 2 * w), d_load(x + i + 3 * w));
        d_store(x + i, d_max(a, b));
    }
    for (; i < n; i++)
        x[i] = larger(larger(x[i], x[i + w]), larger(x[i + 2 * w], x[i + 3 * w]));
}

static void highest(double *out, double *x, size_t n) {
    highest_of_four(x, n + 93, 1);  /* windows of 4 */
    highest_of_four(x, n + 81, 4);  /* of 16 */
    highest_of_four(x, n + 33, 16); /* of 64 */
    size_t i = 0;
    for (; i + D_LANES <= n; i += D_LANES)
        d_store(out + i, d_max(d_load(x + i), d_load(x + i + 33)));
    for (; i < n; i++)
        out[i] = larger(x[i], x[i + 33]);
}

/* x[i] = y[i] + y[i + w] + y[i + 2w] + y[i + 3w]; y is x or a little ahead of it */
static inline void sum_of_four(double *x, const double *y, size_t n, size_t w) {
    size_t i = 0;
    for (; i + D_LANES <= n; i += D_LANES) {
        vd a = d_add(d_load(y + i), d_load(y + i + w)), b = d_add(d_load(y + i + 2 * w), d_load(y + i + 3 * w));
        d_store(x + i, d_add(a, b));
    }
    for (; i < n; i++)
        x[i] = (y[i] + y[i + w]) + (y[i + 2 * w] + y[i + 3 * w]);
}

static void mean(double *x, size_t n) {
    vd part = d_all(1.0 / CF_LIMIT_AHEAD);
    sum_of_four(x, x + 1, n + 92, 1); /* windows of 4 */
    sum_of_four(x, x, n + 80, 4);     /* of 16 */
    size_t i = 0;
    for (; i + D_LANES <= n; i += D_LANES) {
        vd a = d_add(d_load(x + i), d_load(x + i + 16)), b = d_add(d_load(x + i + 32), d_load(x + i + 48)),
           c = d_add(d_load(x + i + 64), d_load(x + i + 80));
        d_store(x + i, d_mul(d_add(d_add(a, b), c), part));
    }
    for (; i < n; i++)
        x[i] = (((x[i] + x[i + 16]) + (x[i + 32] + x[i + 48])) + (x[i + 64] + x[i + 80])) * (1.0 / CF_LIMIT_AHEAD);
}

static void scale(int16_t *out, const int32_t *in, const double *less, size_t n) {
    vd one = d_all(1);
    size_t i = 0;
    for (; i + D_LANES <= n; i += D_LANES)
        d_round_16(out + i, d_mul(d_from(in + i), d_sub(one, d_load(less + i))));
    cf_scale_c(out + i, in + i, less + i, n - i);
}
