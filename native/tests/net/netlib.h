/* Packets for the tests of net/: from hexadecimal text, and placed so that a sanitizer sees any byte read too far. */
#ifndef CONFEROCORE_NETLIB_H
#define CONFEROCORE_NETLIB_H

#include "conferocore/base.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Bytes from hexadecimal digits; blanks are skipped. Returns how many. Aborts on text that is no such thing. */
static inline size_t unhex(uint8_t *out, size_t cap, const char *text) {
    size_t digits = 0;
    for (; *text; text++) {
        if (isspace((unsigned char)*text))
            continue;
        int c = tolower((unsigned char)*text);
        if (!isxdigit(c) || digits / 2 >= cap)
            abort();
        int value = c <= '9' ? c - '0' : c - 'a' + 10;
        out[digits / 2] = (uint8_t)(digits % 2 ? out[digits / 2] | value : value << 4);
        digits++;
    }
    if (digits % 2)
        abort();
    return digits / 2;
}

/* A block of its own that ends exactly with the packet; `offset` bytes precede it. free() the block. */
typedef struct placed {
    uint8_t *block, *data;
} placed;

static inline placed place(const uint8_t *data, size_t len, size_t offset) {
    placed p = {malloc(offset + len + (offset + len == 0)), NULL};
    if (p.block == NULL)
        abort();
    p.data = p.block + offset;
    memcpy(p.data, data, len);
    return p;
}

#endif
