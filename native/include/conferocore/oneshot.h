/* The kernels as single calls, for tests and for work outside a conference. */
#ifndef CONFEROCORE_ONESHOT_H
#define CONFEROCORE_ONESHOT_H

#include "base.h"

/*cdef*/
/* legs x frames x CF_FRAME int16 in (each leg's frames in a row), the mix-minus of each leg after its limiter out, in
 * the same order. gains Q14 per leg. 0, -EINVAL (no leg, more than 8192, a gain out of range) or -ENOMEM. */
int cf_oneshot_mix(const int16_t *in, const int32_t *gains, size_t legs, size_t frames, int16_t *out);
/*end*/

#endif
