/* Time in nanoseconds, and the period of everything. */
#ifndef CONFEROCORE_CORE_UNITS_H
#define CONFEROCORE_CORE_UNITS_H

#include <stdint.h>

#define MS INT64_C(1000000)        /* ns */
#define SECOND INT64_C(1000000000) /* ns */
#define PERIOD (20 * MS)           /* a room's tick, ns */

#endif
