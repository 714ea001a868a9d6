/* Which table of kernels runs: the widest that processor and system carry, or the one that is asked for. */
#include "portable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
/* These also ask whether the system saves the registers. */
static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2");
}
static bool has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#endif
static bool always(void) { /* SSE2 is part of x86-64, Advanced SIMD of AArch64 */
    return true;
}

static const struct path {
    const char *name;
    const cf_kernels *kernels; /* NULL: of another architecture */
    bool (*runs)(void);
} paths[] = {
#if defined(__x86_64__)
    {"avx512", &cf_kernels_avx512, has_avx512},
    {"avx2", &cf_kernels_avx2, has_avx2},
    {"sse2", &cf_kernels_sse2, always},
    {"neon", NULL, NULL},
#elif defined(__aarch64__)
    {"neon", &cf_kernels_neon, always}, {"avx512", NULL, NULL}, {"avx2", NULL, NULL}, {"sse2", NULL, NULL},
#else
    {"avx512", NULL, NULL},       {"avx2", NULL, NULL}, {"sse2", NULL, NULL}, {"neon", NULL, NULL},
#endif
    {"c", &cf_kernels_c, always},
};
enum { PATHS = sizeof paths / sizeof *paths };

const cf_kernels *cf_kernels_now = &cf_kernels_c; /* until the constructor has run */
static const char *refused;

int cf_kernels_use(const char *name) {
    for (size_t i = 0; i < PATHS; i++) {
        if (strcmp(paths[i].name, name) != 0)
            continue;
        if (!paths[i].kernels || !paths[i].runs())
            return -ENOTSUP;
        cf_kernels_now = paths[i].kernels;
        return 0;
    }
    return -EINVAL;
}

const cf_kernels *cf_kernels_at(size_t i) {
    for (size_t k = 0; k < PATHS; k++)
        if (paths[k].kernels && paths[k].runs() && i-- == 0)
            return paths[k].kernels;
    return NULL;
}

const char *cf_kernels_refused(void) {
    return refused;
}

__attribute__((constructor)) static void choose(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    const char *wanted = getenv("CONFERO_SIMD");
    cf_kernels_now = cf_kernels_at(0);
    if (wanted && *wanted && cf_kernels_use(wanted) != 0)
        refused = wanted;
}
