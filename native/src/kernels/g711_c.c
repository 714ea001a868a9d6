/* ITU-T G.711, as plain C: both companding laws by look-up tables that are filled from the laws' segments before main.
 */
#include "portable.h"

/* A law is eight segments of sixteen steps; each segment's steps are twice as wide as those before it. Both laws look
 * only at the upper bits of a sample: 14 of them in the mu-law, 12 (and the sign) in the A-law. Negative samples are
 * mirrored by one's complement, as the ITU's own tools (G.191) do, so that a sample on the border of two steps goes the
 * same way on both sides. */
enum { ULAW_BITS = 14, ALAW_BITS = 12, ULAW_BIAS = 33, ULAW_TOP = 8191, ALAW_MASK = 0x55, SIGN = 0x80 };

static uint8_t ulaw_codes[1 << ULAW_BITS]; /* by the upper bits of a sample, as an unsigned number */
static uint8_t alaw_codes[1 << ALAW_BITS];
static int16_t ulaw_samples[256];
static int16_t alaw_samples[256];

/* The segment of a magnitude whose first segment ends below `first`. */
static int segment_of(int magnitude, int first) {
    int segment = 0;
    while (magnitude >= first << segment)
        segment++;
    return segment;
}

static uint8_t ulaw_code(int value) {
    int magnitude = (value < 0 ? ~value : value) + ULAW_BIAS;
    if (magnitude > ULAW_TOP)
        magnitude = ULAW_TOP;
    int segment = segment_of(magnitude, 64);
    int step = magnitude >> (segment + 1) & 15;
    return (uint8_t)((value < 0 ? 0 : SIGN) | (~(segment << 4 | step) & 0x7F)); /* all but the sign is sent inverted */
}

static int16_t ulaw_sample(uint8_t code) {
    int segment = ~code >> 4 & 7, step = ~code & 15;
    int magnitude = ((2 * step + ULAW_BIAS) << segment) - ULAW_BIAS;
    return (int16_t)((code & SIGN ? magnitude : -magnitude) * 4);
}

static uint8_t alaw_code(int value) {
    int magnitude = value < 0 ? ~value : value;
    int segment = segment_of(magnitude, 16); /* 0 and 1 have steps of one width */
    int step = segment ? magnitude >> (segment - 1) & 15 : magnitude;
    return (uint8_t)(((value < 0 ? 0 : SIGN) | segment << 4 | step) ^ ALAW_MASK); /* even bits are sent inverted */
}

static int16_t alaw_sample(uint8_t code) {
    int plain = code ^ ALAW_MASK;
    int segment = plain >> 4 & 7, step = plain & 15;
    int magnitude = segment ? (2 * step + 33) << (segment - 1) : 2 * step + 1; /* the middle of the step, in halves */
    return (int16_t)((plain & SIGN ? magnitude : -magnitude) * 8);
}

/* Before main and before any thread: the tables are only read afterwards. */
__attribute__((constructor)) static void fill_tables(void) {
    for (int i = 0; i < 1 << ULAW_BITS; i++)
        ulaw_codes[i] = ulaw_code(i < 1 << (ULAW_BITS - 1) ? i : i - (1 << ULAW_BITS));
    for (int i = 0; i < 1 << ALAW_BITS; i++)
        alaw_codes[i] = alaw_code(i < 1 << (ALAW_BITS - 1) ? i : i - (1 << ALAW_BITS));
    for (int code = 0; code < 256; code++) {
        ulaw_samples[code] = ulaw_sample((uint8_t)code);
        alaw_samples[code] = alaw_sample((uint8_t)code);
    }
}

void cf_ulaw_encode_c(uint8_t *out, const int16_t *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = ulaw_codes[(uint16_t)in[i] >> (16 - ULAW_BITS)];
}

void cf_alaw_encode_c(uint8_t *out, const int16_t *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_codes[(uint16_t)in[i] >> (16 - ALAW_BITS)];
}

void cf_ulaw_decode_c(int16_t *out, const uint8_t *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = ulaw_samples[in[i]];
}

void cf_alaw_decode_c(int16_t *out, const uint8_t *in, size_t n) {
    for (size_t i = 0; i < n; i++)
        out[i] = alaw_samples[in[i]];
}
