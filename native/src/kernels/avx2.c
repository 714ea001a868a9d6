/* The kernels in AVX2. */
#if defined(__x86_64__)

#include "portable.h" /* before the pragmas: they are for what follows */

#include <immintrin.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2")
#endif

#include "avx2_vec.h"
#define V_NAME "avx2"
#define V_TABLE cf_kernels_avx2
#include "all_vec.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else
typedef int cf_of_another_architecture;
#endif
