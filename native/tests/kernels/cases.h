/* The cases that every kernel is held against its plain C form in: all short lengths and some real ones at the end of a
 * page, others at every alignment, each on noise, on extremes, on rare peaks and on silence. */
#ifndef CONFEROCORE_TESTS_CASES_H
#define CONFEROCORE_TESTS_CASES_H

#include "guard.h"
#include "kernels/kernels.h"
#include "kernels/portable.h"

enum { MOST = 1000, SHORT = 70, ALIGNMENTS = 64, LAST_KIND = 3 };

static const cf_kernels *path; /* under test */
static const cf_kernels *const truth = &cf_kernels_c;
static guard left, right, result;
static cf_rng rng;

static inline int random_within(int lo, int hi) {
    return (int)(lo + (int64_t)(cf_rng_unit(&rng) * ((double)hi - lo + 1)));
}

/* kind 0: noise over the whole range, 1: the ends of it, 2: soft with rare peaks, 3: silence */
static inline int32_t sample(int kind, int32_t lo, int32_t hi) {
    switch (kind) {
    case 0:
        return random_within(lo, hi);
    case 1:
        return random_within(0, 1) ? hi : lo;
    case 2:
        return random_within(0, 40) ? random_within(-300, 300) : random_within(lo, hi);
    default:
        return 0;
    }
}
static inline void fill_16(int16_t *x, size_t n, int kind) {
    for (size_t i = 0; i < n; i++)
        x[i] = (int16_t)sample(kind, INT16_MIN, INT16_MAX);
}
static inline void fill_32(int32_t *x, size_t n, int kind, int32_t lo, int32_t hi) {
    for (size_t i = 0; i < n; i++)
        x[i] = sample(kind, lo, hi);
}

/* f(n, before, kind) for every case: all short lengths at the page's end, odd ones at every alignment, real ones. */
static inline void each_case(void (*f)(size_t n, size_t before, int kind)) {
    static const size_t real[] = {96, 159, 160, 161, 479, 480, 481, 959, 960, 961};
    for (int kind = 0; kind <= LAST_KIND; kind++) {
        for (size_t n = 0; n <= SHORT; n++)
            f(n, 0, kind);
        for (size_t i = 0; i < sizeof real / sizeof *real; i++)
            f(real[i], 0, kind);
        for (size_t before = 0; before < ALIGNMENTS; before++) {
            f(37, before, kind);
            f(131, before, kind);
        }
    }
}

/* Elements, `before` elements from the page's end. */
#define PLACE(guard, type, n, before) ((type *)guard_place(guard, (n) * sizeof(type), (before) * sizeof(type)))
#define CHECK_SAME(got, want, n)                                                                                       \
    do {                                                                                                               \
        CHECK(memcmp(got, want, (n) * sizeof *(got)) == 0);                                                            \
        CHECK(guard_kept(&result));                                                                                    \
        CHECK(guard_kept(&left));                                                                                      \
    } while (0)

#define TEST_CASES(kernel)                                                                                             \
    static void test_##kernel(void) {                                                                                  \
        each_case(kernel##_case);                                                                                      \
    }

/* Runs the tests of one path for every path that this machine has. */
static inline void each_path(void (*tests)(void)) {
    cf_rng_seed(&rng, 11);
    guard_open(&left);
    guard_open(&right);
    guard_open(&result);
    for (size_t i = 0; (path = cf_kernels_at(i)); i++) {
        int before = checks_failed;
        tests();
        if (checks_failed != before)
            fprintf(stderr, "  by %s\n", path->name);
        printf("%s ", path->name);
    }
}

#endif
