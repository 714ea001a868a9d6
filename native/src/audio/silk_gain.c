/* The gain of a SILK frame without voice, which follows its loudness while it sounds the same: five symbols of the
 * range coder. */
#include "silk_gain.h"

enum { SYMBOLS = 256 }; /* what each of these distributions sums up to */

/* Distributions of RFC 6716: one bit (VAD and LBRR flag, 4.2.3), the type of a frame without voice (table 9), its
 * gain's upper bits (table 11) and lower bits (table 12). */
static const uint8_t flag[] = {128, 128};
static const uint8_t inactive_type[] = {26, 230};
static const uint8_t inactive_gain[] = {32, 112, 68, 29, 12, 1, 1, 1};
static const uint8_t gain_rest[] = {32, 32, 32, 32, 32, 32, 32, 32};

/* RFC 6716 section 4.1: `rest` is the octet of which a bit is still to be used. */
typedef struct range {
    const uint8_t *at, *end;
    uint32_t size, value, rest;
} range;

static uint32_t next_octet(range *r) {
    return r->at < r->end ? *r->at++ : 0;
}

/* Section 4.1.2.1 */
static void renormalize(range *r) {
    while (r->size <= UINT32_C(1) << 23) {
        uint32_t octets = r->rest << 8;
        r->rest = next_octet(r);
        uint32_t bits = (octets | r->rest) >> 1 & 255;
        r->size <<= 8;
        r->value = ((r->value << 8) + (255 - bits)) & 0x7FFFFFFF;
    }
}

/* Section 4.1.1 */
static range begin(const uint8_t *frame, size_t len) {
    range r = {.at = frame, .end = frame + len, .size = 128};
    r.rest = next_octet(&r);
    r.value = 127 - (r.rest >> 1);
    renormalize(&r);
    return r;
}

/* Section 4.1.2: the symbol whose share the value lies in. */
static int symbol(range *r, const uint8_t *shares) {
    uint32_t unit = r->size / SYMBOLS, place = r->value / unit + 1, low = 0;
    place = SYMBOLS - (place < SYMBOLS ? place : SYMBOLS);
    int k = 0;
    for (; low + shares[k] <= place; k++)
        low += shares[k];
    uint32_t above = unit * (SYMBOLS - low - shares[k]);
    r->value -= above;
    r->size = low > 0 ? unit * shares[k] : r->size - above;
    renormalize(r);
    return k;
}

int cf_silk_gain(const uint8_t *frame, size_t len) {
    range r = begin(frame, len);
    int voice = symbol(&r, flag), redundant = symbol(&r, flag);
    if (voice || redundant)
        return -1;
    symbol(&r, inactive_type);
    int upper = symbol(&r, inactive_gain);
    return upper * 8 + symbol(&r, gain_rest);
}
