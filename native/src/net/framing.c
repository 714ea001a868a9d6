/* RFC 4571: frames are read in place, and what a slow peer leaves waiting is bounded by dropping whole ones. */
#include "conferocore/framing.h"

#include <errno.h>
#include <string.h>

/* ---- in ---- */

size_t cf_frame_resume(const cf_frame_reader *reader, uint8_t *buffer) {
    memcpy(buffer, reader->part, reader->have);
    return reader->have;
}

static int keep(cf_frame_reader *reader, const uint8_t *rest, size_t len) {
    memcpy(reader->part, rest, len);
    reader->have = (uint16_t)len;
    return 0;
}

int cf_frame_next(cf_frame_reader *reader, uint8_t *buffer, size_t len, size_t *at, uint8_t **frame) {
    for (;;) {
        size_t left = len - *at;
        uint8_t *head = buffer + *at;
        if (left < CF_FRAME_HEAD)
            return keep(reader, head, left);
        size_t size = cf_get16(head);
        if (size > CF_FRAME_MAX)
            return -EMSGSIZE;
        if (left < CF_FRAME_HEAD + size)
            return keep(reader, head, left);
        *at += CF_FRAME_HEAD + size;
        *frame = head + CF_FRAME_HEAD;
        if (size > 0)
            return (int)size;
    }
}

/* ---- out ---- */

void cf_frame_queue_init(cf_frame_queue *queue) {
    queue->count = 0;
    queue->begun = 0;
    for (unsigned i = 0; i < CF_FRAME_QUEUE; i++)
        queue->order[i] = (uint8_t)i;
}

/* RFC 7983 section 7. */
static bool is_media(const cf_frame_queue *queue, unsigned i) {
    uint8_t first = queue->data[queue->order[i]][CF_FRAME_HEAD];
    return first >= 128 && first <= 191;
}

/* Place i becomes the first free one; those behind it move up. */
static void take_out(cf_frame_queue *queue, unsigned i) {
    uint8_t place = queue->order[i];
    memmove(queue->order + i, queue->order + i + 1, queue->count - i - 1);
    queue->order[--queue->count] = place;
}

static bool drop_oldest_media(cf_frame_queue *queue) {
    for (unsigned i = queue->begun > 0; i < queue->count; i++)
        if (is_media(queue, i)) {
            take_out(queue, i);
            return true;
        }
    return false;
}

int cf_frame_queue_put(cf_frame_queue *queue, const uint8_t *data, size_t len, size_t begun) {
    bool full = queue->count == CF_FRAME_QUEUE;
    if (len == 0 || len > CF_FRAME_OUT_MAX || (full && !drop_oldest_media(queue)))
        return 1;
    if (queue->count == 0)
        queue->begun = begun;
    uint8_t place = queue->order[queue->count++];
    queue->len[place] = (uint16_t)(CF_FRAME_HEAD + len);
    cf_put16(queue->data[place], (uint16_t)len);
    memcpy(queue->data[place] + CF_FRAME_HEAD, data, len);
    return full;
}

const uint8_t *cf_frame_queue_first(const cf_frame_queue *queue, size_t *len) {
    if (queue->count == 0)
        return NULL;
    uint8_t place = queue->order[0];
    *len = queue->len[place] - queue->begun;
    return queue->data[place] + queue->begun;
}

void cf_frame_queue_took(cf_frame_queue *queue, size_t n) {
    queue->begun += n;
    if (queue->count > 0 && queue->begun >= queue->len[queue->order[0]]) {
        take_out(queue, 0);
        queue->begun = 0;
    }
}
