/* The kernels in SSE2, which every x86-64 has. */
#if defined(__x86_64__)

#include "sse2_vec.h"
#define V_NAME "sse2"
#define V_TABLE cf_kernels_sse2
#include "all_vec.h"

#else
typedef int cf_of_another_architecture;
#endif
