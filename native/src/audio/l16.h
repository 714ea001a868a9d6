/* L16 (RFC 3551 section 4.5.11): samples as they are, in network order. */
#ifndef CONFEROCORE_AUDIO_L16_H
#define CONFEROCORE_AUDIO_L16_H

#include "conferocore/base.h"

static inline void cf_l16_encode(const int16_t *in, size_t n, uint8_t *out) {
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = (uint8_t)((uint16_t)in[i] >> 8);
        out[2 * i + 1] = (uint8_t)in[i];
    }
}

static inline void cf_l16_decode(const uint8_t *in, size_t n, int16_t *out) {
    for (size_t i = 0; i < n; i++)
        out[i] = (int16_t)(in[2 * i] << 8 | in[2 * i + 1]);
}

#endif
