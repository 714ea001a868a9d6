/* The smallest test harness that says where and why: CHECK, RUN, and one line at the end. */
#ifndef CONFEROCORE_TESTLIB_H
#define CONFEROCORE_TESTLIB_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int checks_failed;
static int tests_run;

#define CHECK(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: CHECK(%s)\n", __FILE__, __LINE__, #cond);                                          \
            checks_failed++;                                                                                           \
        }                                                                                                              \
    } while (0)

#define CHECK_INT(got, want)                                                                                           \
    do {                                                                                                               \
        long long g_ = (long long)(got), w_ = (long long)(want);                                                       \
        if (g_ != w_) {                                                                                                \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, g_, w_);                        \
            checks_failed++;                                                                                           \
        }                                                                                                              \
    } while (0)

#define RUN(test)                                                                                                      \
    do {                                                                                                               \
        int before_ = checks_failed;                                                                                   \
        test();                                                                                                        \
        tests_run++;                                                                                                   \
        if (checks_failed != before_)                                                                                  \
            fprintf(stderr, "FAILED %s\n", #test);                                                                     \
    } while (0)

#define REPORT()                                                                                                       \
    (printf("%-28s %d tests, %d failed checks\n", strrchr("/" __FILE__, '/') + 1, tests_run, checks_failed),           \
     checks_failed ? EXIT_FAILURE : EXIT_SUCCESS)

#endif
