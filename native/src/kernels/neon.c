/* The kernels in Advanced SIMD, which every AArch64 has. */
#if defined(__aarch64__)

#include "neon_vec.h"
#define V_NAME "neon"
#define V_TABLE cf_kernels_neon
#include "all_vec.h"

#else
typedef int cf_of_another_architecture;
#endif
