/* G.711 against the decision values of the recommendation's tables, for every sample and every code. */
#include "../testlib.h"
#include "conferocore/codec.h"

enum { STEPS = 128 };
static int ulaw_borders[STEPS + 1], alaw_borders[STEPS + 1]; /* decision values x0..x128 */

/* G.711 tables 1 and 2: eight segments, each with steps twice as wide as before (in the A-law the first two are alike).
 */
static void make_borders(void) {
    for (int n = 0; n < STEPS; n++) {
        ulaw_borders[n + 1] = ulaw_borders[n] + (n == 0 ? 1 : 2 << n / 16);
        alaw_borders[n + 1] = alaw_borders[n] + (n < 16 ? 2 : 2 << (n / 16 - 1));
    }
}

static int step_of(const int *borders, int magnitude) {
    int n = 0;
    while (n < STEPS - 1 && magnitude >= borders[n + 1])
        n++;
    return n;
}

static void test_borders_end_at_the_laws_full_scale(void) {
    CHECK_INT(ulaw_borders[STEPS], 8159);
    CHECK_INT(alaw_borders[STEPS], 4096);
}

static void test_every_sample_is_encoded_by_its_step(void) {
    for (int v = INT16_MIN; v <= INT16_MAX; v++) {
        int magnitude = v < 0 ? -1 - v : v;
        int u = step_of(ulaw_borders, magnitude / 4), a = step_of(alaw_borders, magnitude / 8);
        CHECK_INT(cf_ulaw_encode((int16_t)v), (v < 0 ? 127 : 255) - u);
        CHECK_INT(cf_alaw_encode((int16_t)v), ((v < 0 ? 0 : 128) + a) ^ 0x55);
    }
}

static void test_every_code_is_decoded_to_the_middle_of_its_step(void) {
    for (int n = 0; n < STEPS; n++) {
        int u = n == 0 ? 0 : (ulaw_borders[n] + ulaw_borders[n + 1]) * 2,
            a = (alaw_borders[n] + alaw_borders[n + 1]) * 4;
        CHECK_INT(cf_ulaw_decode((uint8_t)(255 - n)), u);
        CHECK_INT(cf_ulaw_decode((uint8_t)(127 - n)), -u);
        CHECK_INT(cf_alaw_decode((uint8_t)((128 + n) ^ 0x55)), a);
        CHECK_INT(cf_alaw_decode((uint8_t)(n ^ 0x55)), -a);
    }
}

static void test_well_known_codes(void) {
    CHECK_INT(cf_ulaw_decode(0x00), -32124);
    CHECK_INT(cf_ulaw_decode(0x80), 32124);
    CHECK_INT(cf_ulaw_encode(0), 0xFF);
    CHECK_INT(cf_alaw_decode(0x2A), -32256);
    CHECK_INT(cf_alaw_decode(0xAA), 32256);
    CHECK_INT(cf_alaw_encode(0), 0xD5);
}

static void test_codes_survive_a_second_coding(void) {
    for (int code = 0; code < 256; code++) {
        if (code != 0x7F) /* negative zero comes back as positive zero */
            CHECK_INT(cf_ulaw_encode(cf_ulaw_decode((uint8_t)code)), code);
        CHECK_INT(cf_alaw_encode(cf_alaw_decode((uint8_t)code)), code);
    }
}

int main(void) {
    make_borders();
    RUN(test_borders_end_at_the_laws_full_scale);
    RUN(test_every_sample_is_encoded_by_its_step);
    RUN(test_every_code_is_decoded_to_the_middle_of_its_step);
    RUN(test_well_known_codes);
    RUN(test_codes_survive_a_second_coding);
    return REPORT();
}
