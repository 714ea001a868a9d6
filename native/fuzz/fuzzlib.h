/* What the fuzz targets of net/ share: an assertion that stops, reading every byte of a view, and records out of the
 * input. */
#ifndef CONFEROCORE_FUZZLIB_H
#define CONFEROCORE_FUZZLIB_H

#include "conferocore/base.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLDS(cond)                                                                                                    \
    do {                                                                                                               \
        if (!(cond)) {                                                                                                 \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond);                                  \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A view must lie inside its packet; NULL is no view. */
static inline void inside(const uint8_t *view, size_t view_len, const uint8_t *data, size_t len) {
    HOLDS(view == NULL || (view >= data && view_len <= len && (size_t)(view - data) <= len - view_len));
}

/* A copy in a block of its own, at each of the four alignments in turn, so that a byte read too far is seen. */
typedef struct block {
    uint8_t *base, *data;
} block;

static inline block copy_of(const uint8_t *data, size_t len, size_t room) {
    size_t offset = len % 4;
    block b = {malloc(offset + len + room ? offset + len + room : 1), NULL};
    if (b.base == NULL)
        abort();
    b.data = b.base + offset;
    if (len)
        memcpy(b.data, data, len);
    return b;
}

/* The input as records of [what, which, length, length, bytes ...]; the last may be cut. */
typedef struct record {
    uint8_t what, which;
    const uint8_t *data;
    size_t len;
} record;

static inline bool next_record(record *r, const uint8_t *data, size_t size, size_t *at) {
    if (size - *at < 4)
        return false;
    const uint8_t *p = data + *at;
    *r = (record){.what = p[0], .which = p[1], .data = p + 4, .len = cf_get16(p + 2)};
    if (r->len > size - *at - 4)
        r->len = size - *at - 4;
    *at += 4 + r->len;
    return true;
}

#endif
