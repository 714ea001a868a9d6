/* What is encoded once and sent often: shared encodings, settled silence, packets that are passed on. */
#ifndef CONFEROCORE_CORE_STREAM_H
#define CONFEROCORE_CORE_STREAM_H

#include "conferocore/codec.h"
#include "conferocore/core.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STREAMS = 8,         /* distinct shared encodings of one room; a leg beyond that has its own encoding */
    SETTLED_FRAMES = 50, /* silent frames after which a stream's encoder says the same again: its last payload is
                          * sent on, and nothing is encoded */
    HUSH_BYTES = 160,    /* the longest payload that is kept for that: 20 ms of G.711 */
    PAST_FRAMES = 3      /* frames of the mix that an encoder is prepared with that was passed by: two are enough */
};

/* Settled silence: its last payload, which is said again. */
struct hush {
    uint32_t silent; /* frames in a row that were digital silence */
    int len;         /* of the payload, 0: none yet */
    uint8_t payload[HUSH_BYTES];
};

/* Packets of a sole voice that are passed on as they are. */
struct pass {
    const cf_leg *voice; /* of the last frame; compared only */
    uint32_t ready;      /* frames in a row that could have been passed on */
};

/* What was mixed last, for encoders that were passed by. */
struct past {
    int16_t pcm[PAST_FRAMES][CF_FRAME];
    int at;          /* the oldest */
    uint64_t period; /* of the newest */
};

/* One encoding for all who hear the same. Its encoder is that of its first listener: a stream exists exactly as long as
 * somebody listens, so no encoder is ever made, kept warm or thrown away for it. */
enum hearing { HEAR_OWN = 0, HEAR_ROOM = 1, HEAR_NOTHING = 2 };
struct stream {
    enum hearing hearing;
    cf_codec_params params;
    cf_leg *first;   /* NULL: the entry is free */
    uint64_t period; /* of the packets that core->made holds for it */
    struct hush hush;
    struct pass pass;
};

const cf_encoded *leg_encode(cf_core *core, cf_leg *leg, const int16_t *pcm, uint64_t period);
void past_keep(struct past *past, const int16_t *pcm, uint64_t period);

#endif
