/* Datagrams on a stream (RFC 4571 section 2): two bytes of length, then that many bytes. */
#ifndef CONFEROCORE_FRAMING_H
#define CONFEROCORE_FRAMING_H

#include "base.h"

enum {
    CF_FRAME_HEAD = 2,
    CF_FRAME_MAX = 2048,     /* in; a longer one is nothing that we speak */
    CF_FRAME_OUT_MAX = 1536, /* out */
    CF_FRAME_QUEUE = 16      /* out, waiting: a third of a second of 20 ms packets; later they would be late */
};

/* What came of the next frame before the rest of it. */
typedef struct cf_frame_reader {
    uint16_t have;
    uint8_t part[CF_FRAME_HEAD + CF_FRAME_MAX];
} cf_frame_reader;

/* Writes what was kept to `buffer`, which must have room for a whole frame: how much; the stream goes on behind it. */
size_t cf_frame_resume(const cf_frame_reader *reader, uint8_t *buffer);
/* The frame that begins at buffer[*at], in place: its length, with *frame set and *at moved behind it. Frames of length
 * 0 say nothing and are passed over. 0: no whole frame is left, and its beginning is kept. -EMSGSIZE: too long, and
 * nothing can be read after it. */
int cf_frame_next(cf_frame_reader *reader, uint8_t *buffer, size_t len, size_t *at, uint8_t **frame);

/* Frames that the stream could not take yet. Zeroed, it is empty. */
typedef struct cf_frame_queue {
    unsigned count;
    size_t begun; /* bytes of the first that are on their way: it must be finished */
    uint8_t order[CF_FRAME_QUEUE];
    uint16_t len[CF_FRAME_QUEUE]; /* with the head */
    uint8_t data[CF_FRAME_QUEUE][CF_FRAME_HEAD + CF_FRAME_OUT_MAX];
} cf_frame_queue;

void cf_frame_queue_init(cf_frame_queue *queue);
/* Puts a datagram at the end; the stream has taken the first `begun` bytes of its frame already (only of the first). In
 * a full queue the oldest media goes, else the new one is not put in; keys and checks are repeated by their senders,
 * but slowly. How many were dropped: 0 or 1. */
int cf_frame_queue_put(cf_frame_queue *queue, const uint8_t *data, size_t len, size_t begun);
/* What the stream is to be given next, and how much of it the stream has taken. NULL: nothing waits. */
const uint8_t *cf_frame_queue_first(const cf_frame_queue *queue, size_t *len);
void cf_frame_queue_took(cf_frame_queue *queue, size_t n);

#endif
