/* Rounding as the headers mean it: to the nearest integer, halves away from zero. */
#ifndef CONFEROCORE_AUDIO_ROUND_H
#define CONFEROCORE_AUDIO_ROUND_H

#include <stdint.h>

/* Unlike lround() this is one that compilers vectorise. |v| must stay under 2^31. */
static inline int32_t cf_round(double v) {
    return (int32_t)(v + (v < 0 ? -0.5 : 0.5));
}

#endif
