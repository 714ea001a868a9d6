/* The kernels as single calls, for tests and for work outside a conference. */
#ifndef CONFEROCORE_ONESHOT_H
#define CONFEROCORE_ONESHOT_H

#include "base.h"
#include "playout.h"

/*cdef*/
/* legs x frames x CF_FRAME int16 in (each leg's frames in a row), the mix-minus of each leg after its limiter out, in
 * the same order. gains Q14 per leg. 0, -EINVAL (no leg, more than 8192, a gain out of range) or -ENOMEM. */
int cf_oneshot_mix(const int16_t *in, const int32_t *gains, size_t legs, size_t frames, int16_t *out);

/* A packet of a stream; its payload are `len` octets of the stream's payloads, from `at` on. */
typedef struct cf_oneshot_packet {
    int64_t arrival; /* ns */
    uint32_t ts;
    uint32_t ssrc;
    uint32_t at;
    uint16_t len;
    uint16_t seq;
} cf_oneshot_packet;

/* Packets in the order in which they arrive, and when frames are taken: the first at `start`, one each 20 ms. */
typedef struct cf_oneshot_stream {
    cf_playout_config config;
    int codec; /* enum cf_codec */
    int clock_rate;
    const cf_oneshot_packet *packets;
    size_t count;
    const uint8_t *payloads;
    size_t bytes;
    int64_t start; /* ns */
    size_t frames;
} cf_oneshot_stream;

/* frames x CF_FRAME samples at 48 kHz, as a leg's jitter buffer plays them. 0, -EINVAL (a codec or configuration that
 * there is not, a packet beyond the payloads) or -ENOMEM. */
int cf_oneshot_play(const cf_oneshot_stream *stream, int16_t *out, cf_playout_stats *stats);
/*end*/

#endif
