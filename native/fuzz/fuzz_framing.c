/* Any stream, cut anywhere: the frames are those of the whole stream, in place; and what waits to go out is whole
 * frames in their order, whatever is dropped and however little the stream takes. */
#include "conferocore/framing.h"
#include "fuzzlib.h"
#include <errno.h>

/* RFC 4571 section 2 read plainly: the next frame's length from *at on, 0: none, -EMSGSIZE. */
static int expected(const uint8_t *data, size_t size, size_t *at) {
    while (size - *at >= CF_FRAME_HEAD) {
        size_t len = cf_get16(data + *at);
        if (len > CF_FRAME_MAX)
            return -EMSGSIZE;
        if (size - *at - CF_FRAME_HEAD < len)
            return 0;
        *at += CF_FRAME_HEAD + len;
        if (len > 0)
            return (int)len;
    }
    return 0;
}

static void read_stream(const uint8_t *data, size_t size, size_t step) {
    cf_frame_reader reader = {0};
    size_t want_at = 0;
    for (size_t done = 0; done < size;) {
        size_t n = step < size - done ? step : size - done, at = 0;
        uint8_t *buffer = malloc(CF_FRAME_HEAD + CF_FRAME_MAX + n), *frame;
        size_t have = cf_frame_resume(&reader, buffer);
        HOLDS(have < CF_FRAME_HEAD + CF_FRAME_MAX);
        memcpy(buffer + have, data + done, n);
        done += n;
        int len;
        while ((len = cf_frame_next(&reader, buffer, have + n, &at, &frame)) > 0) {
            inside(frame, (size_t)len, buffer, have + n);
            HOLDS(expected(data, done, &want_at) == len);
            HOLDS(memcmp(frame, data + want_at - (size_t)len, (size_t)len) == 0);
            memset(frame, 0xA5, (size_t)len); /* the core changes it in place */
        }
        size_t rest_at = want_at;
        int want = expected(data, done, &rest_at);
        HOLDS(len == want);
        free(buffer);
        if (len < 0)
            return;
    }
}

/* Puts and takes as the bytes say; numbers in the frames show order and wholeness. */
static void write_stream(const uint8_t *data, size_t size) {
    static cf_frame_queue queue;
    cf_frame_queue_init(&queue);
    uint8_t out[CF_FRAME_HEAD + CF_FRAME_OUT_MAX];
    size_t have = 0, put = 0, dropped = 0, came = 0;
    uint32_t number = 0, last = 0;
    for (size_t i = 0; i + 2 < size; i += 3) {
        size_t len;
        const uint8_t *first = cf_frame_queue_first(&queue, &len);
        if (data[i] & 1) {
            uint8_t frame[CF_FRAME_OUT_MAX] = {data[i + 1]};
            cf_put32(frame + 1, ++number);
            dropped += (size_t)cf_frame_queue_put(&queue, frame, 5 + data[i + 2] * (size_t)6, 0);
            put++;
        } else if (first != NULL) {
            size_t n = 1 + cf_get16(data + i + 1) % len;
            HOLDS(have + len <= sizeof out);
            memcpy(out + have, first, n);
            have += n;
            cf_frame_queue_took(&queue, n);
            if (n < len)
                continue;
            HOLDS(have == CF_FRAME_HEAD + (size_t)cf_get16(out) && cf_get32(out + 3) > last);
            last = cf_get32(out + 3);
            have = 0;
            came++;
        }
        HOLDS(queue.count <= CF_FRAME_QUEUE && came + dropped + queue.count == put);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1)
        return 0;
    read_stream(data + 1, size - 1, 1 + data[0]);
    read_stream(data + 1, size - 1, size);
    write_stream(data + 1, size - 1);
    return 0;
}
