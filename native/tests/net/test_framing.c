/* framing.c: frames whole, in pieces and too long; and what a slow stream leaves waiting. */
#include "conferocore/framing.h"
#include "testlib.h"
#include <errno.h>

enum { STREAM = 8192 };

static uint8_t stream[STREAM];
static size_t stream_len;

static void add(uint8_t mark, size_t len) {
    cf_put16(stream + stream_len, (uint16_t)len);
    memset(stream + stream_len + CF_FRAME_HEAD, mark, len);
    stream_len += CF_FRAME_HEAD + len;
}

/* Reads the stream in pieces of this size, each into a buffer that ends where it ends: "mark:length " of each frame. */
static const char *read_in_pieces(size_t size) {
    static char text[512];
    cf_frame_reader reader = {0};
    text[0] = 0;
    for (size_t done = 0; done < stream_len;) {
        size_t n = size < stream_len - done ? size : stream_len - done, at = 0;
        uint8_t *buffer = malloc(CF_FRAME_HEAD + CF_FRAME_MAX + n), *frame;
        size_t have = cf_frame_resume(&reader, buffer);
        memcpy(buffer + have, stream + done, n);
        done += n;
        int len;
        while ((len = cf_frame_next(&reader, buffer, have + n, &at, &frame)) > 0) {
            CHECK(frame[len - 1] == frame[0]);
            snprintf(text + strlen(text), sizeof text - strlen(text), "%d:%d ", frame[0], len);
        }
        free(buffer);
        if (len < 0)
            return strcat(text, len == -EMSGSIZE ? "too long" : "?");
    }
    return text;
}

static void test_frames_come_out_whole_however_the_stream_is_cut(void) {
    stream_len = 0;
    add(1, 3);
    add(2, 1);
    add(3, 0); /* says nothing */
    add(4, 300);
    add(5, CF_FRAME_MAX);
    add(6, 20);
    for (size_t size = 1; size <= stream_len; size += size < 400 ? 1 : 97)
        CHECK(!strcmp(read_in_pieces(size), "1:3 2:1 4:300 5:2048 6:20 "));
}

static void test_a_frame_that_is_too_long_ends_the_stream(void) {
    stream_len = 0;
    add(1, 3);
    add(2, CF_FRAME_MAX + 1);
    add(3, 4);
    for (size_t size = 1; size < 20; size++)
        CHECK(!strcmp(read_in_pieces(size), "1:3 too long"));
    CHECK(!strcmp(read_in_pieces(stream_len), "1:3 too long"));
}

static void test_a_beginning_waits_for_its_end(void) {
    stream_len = 0;
    add(1, 100);
    stream_len -= 1;
    CHECK(!strcmp(read_in_pieces(7), ""));
    stream_len = 1;
    CHECK(!strcmp(read_in_pieces(7), ""));
}

static cf_frame_queue queue;

static int put(uint8_t first, uint8_t mark, size_t begun) {
    uint8_t data[40] = {first, mark};
    return cf_frame_queue_put(&queue, data, sizeof data, begun);
}

/* The marks of all that waits, in order, taken in steps of this many bytes. */
static const char *drain(size_t step) {
    static char text[256];
    const uint8_t *data;
    size_t len, got = 0;
    text[0] = 0;
    while ((data = cf_frame_queue_first(&queue, &len)) != NULL) {
        size_t n = step < len ? step : len;
        for (size_t i = 0; i < n; i++, got++)
            if (got % 42 == 3)
                snprintf(text + strlen(text), sizeof text - strlen(text), "%d ", data[i]);
        cf_frame_queue_took(&queue, n);
    }
    CHECK_INT(got % 42, 0);
    return text;
}

enum { MEDIA = 128, CHECKS = 1, DTLS = 22 };

static void test_the_oldest_media_makes_room(void) {
    cf_frame_queue_init(&queue);
    CHECK_INT(put(CHECKS, 1, 0), 0);
    CHECK_INT(put(MEDIA, 2, 0), 0);
    for (uint8_t i = 3; i <= CF_FRAME_QUEUE; i++)
        CHECK_INT(put(MEDIA, i, 0), 0);
    CHECK_INT(put(DTLS, 17, 0), 1);
    CHECK_INT(put(MEDIA, 18, 0), 1);
    CHECK(!strcmp(drain(5), "1 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "));
}

static void test_what_has_begun_is_finished(void) {
    cf_frame_queue_init(&queue);
    for (uint8_t i = 1; i <= CF_FRAME_QUEUE; i++)
        CHECK_INT(put(MEDIA, i, i == 1 ? 10 : 0), 0);
    CHECK_INT(put(MEDIA, 17, 0), 1);
    size_t len;
    CHECK(cf_frame_queue_first(&queue, &len) != NULL && len == 42 - 10);
    cf_frame_queue_took(&queue, len);
    CHECK(!strcmp(drain(1), "3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 "));
}

static void test_without_media_the_new_one_goes(void) {
    cf_frame_queue_init(&queue);
    for (uint8_t i = 1; i <= CF_FRAME_QUEUE; i++)
        CHECK_INT(put(DTLS, i, 0), 0);
    CHECK_INT(put(MEDIA, 17, 0), 1);
    CHECK_INT(put(CHECKS, 18, 0), 1);
    CHECK(!strcmp(drain(100), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 "));
    uint8_t big[CF_FRAME_OUT_MAX + 1] = {MEDIA};
    CHECK_INT(cf_frame_queue_put(&queue, big, sizeof big, 0), 1);
    CHECK_INT(cf_frame_queue_put(&queue, big, sizeof big - 1, 0), 0);
}

int main(void) {
    RUN(test_frames_come_out_whole_however_the_stream_is_cut);
    RUN(test_a_frame_that_is_too_long_ends_the_stream);
    RUN(test_a_beginning_waits_for_its_end);
    RUN(test_the_oldest_media_makes_room);
    RUN(test_what_has_begun_is_finished);
    RUN(test_without_media_the_new_one_goes);
    return REPORT();
}
