/* The kernels in AVX-512. */
#if defined(__x86_64__)

#include "portable.h" /* before the pragmas: they are for what follows */

#include <immintrin.h>
#include <string.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl")
#endif

#include "avx512_vec.h"
#define V_NAME "avx512"
#define V_TABLE cf_kernels_avx512
#include "all_vec.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#else
typedef int cf_of_another_architecture;
#endif
