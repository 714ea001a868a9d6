/* srtp_window.c: the guess at every edge of the circle, and the replay window against a plain list of what has come. */
#include "net/srtp_window.h"
#include "netlib.h"
#include "testlib.h"
#include <errno.h>

static cf_srtp_window at(uint64_t highest) {
    cf_srtp_window w = {0};
    cf_srtp_window_add(&w, highest);
    return w;
}

static void test_guess_first_is_the_sequence_number(void) {
    cf_srtp_window w = {0};
    CHECK_INT(cf_srtp_window_guess(&w, 0), 0);
    CHECK_INT(cf_srtp_window_guess(&w, 65535), 65535);
}

static void test_guess_table(void) {
    const uint64_t K = 65536;
    struct {
        uint64_t highest;
        uint16_t seq;
        uint64_t want;
    } cases[] = {
        {10, 11, 11},
        {10, 9, 9},
        {65535, 0, K}, /* rolls over */
        {65000, 10, K + 10},
        {K, 65535, 65535}, /* late, from before the roll-over */
        {K + 10, 65000, 65000},
        {5 * K + 3, 65530, 4 * K + 65530},
        {5 * K + 65530, 3, 6 * K + 3},
        {K + 100, 32868, K + 32868},     /* exactly half the circle on: forward */
        {K + 100, 32869, 32869},         /* one more: the past */
        {K + 40000, 7232, K + 7232},     /* exactly half back */
        {K + 40000, 7231, 2 * K + 7231}, /* one more: the next round */
        {K + 32767, 65535, K + 65535},
        {K + 32768, 0, K},
        {2, 65535, 65535}, /* before the first roll-over there is no past */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cf_srtp_window w = at(cases[i].highest);
        CHECK_INT(cf_srtp_window_guess(&w, cases[i].seq), cases[i].want);
    }
}

/* Wherever the highest is, any true index less than half a circle away is guessed. */
static void test_guess_finds_any_near_index(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 1);
    for (int i = 0; i < 100000; i++) {
        uint64_t highest = 40000 + cf_rng_u32(&rng) % 1000000;
        uint64_t index = highest - 32767 + cf_rng_u32(&rng) % 65535;
        cf_srtp_window w = at(highest);
        CHECK_INT(cf_srtp_window_guess(&w, (uint16_t)index), index);
    }
}

static void test_window_edges(void) {
    cf_srtp_window w = at(1000);
    CHECK_INT(cf_srtp_window_check(&w, 1000), -EALREADY);
    CHECK_INT(cf_srtp_window_check(&w, 1001), 0);
    CHECK_INT(cf_srtp_window_check(&w, 1000 - 63), 0);
    CHECK_INT(cf_srtp_window_check(&w, 1000 - 64), 0);
    CHECK_INT(cf_srtp_window_check(&w, 1000 - 127), 0);
    CHECK_INT(cf_srtp_window_check(&w, 1000 - 128), -EALREADY);
    cf_srtp_window_add(&w, 1000 - 127);
    CHECK_INT(cf_srtp_window_check(&w, 1000 - 127), -EALREADY);
    CHECK_INT(cf_srtp_window_check(&w, 1000 - 126), 0);
}

static void test_zero_is_remembered(void) {
    cf_srtp_window w = at(0);
    CHECK_INT(cf_srtp_window_check(&w, 0), -EALREADY);
    CHECK_INT(cf_srtp_window_check(&w, 1), 0);
}

/* Each step width once, with what came before it still known exactly as far as the window reaches. */
static void test_slides(void) {
    const uint64_t steps[] = {1, 2, 63, 64, 65, 127, 128, 129, 100000};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        cf_srtp_window w = at(5000);
        cf_srtp_window_add(&w, 5000 - 3);
        cf_srtp_window_add(&w, 5000 + steps[i]);
        for (uint64_t index = 5000 + steps[i] + 1; index-- > 5000 + steps[i] - 127;) {
            bool came = index == 5000 + steps[i] || index == 5000 || index == 4997;
            CHECK_INT(cf_srtp_window_check(&w, index), came ? -EALREADY : 0);
        }
    }
}

/* The oracle keeps a byte for every index. */
static void test_against_an_oracle(void) {
    static uint8_t came[1 << 20];
    memset(came, 0, sizeof came);
    cf_rng rng;
    cf_rng_seed(&rng, 2);
    cf_srtp_window w = {0};
    uint64_t highest = 0;
    for (int i = 0; i < 300000 && highest < sizeof came - 400; i++) {
        uint32_t r = cf_rng_u32(&rng);
        uint64_t index = r % 50 == 0 ? highest + r / 50 % 300 : highest + 5 - (highest > 200 ? r % 160 : 0);
        bool fresh = i == 0 || index > highest || (highest - index < CF_SRTP_WINDOW && !came[index]);
        CHECK_INT(cf_srtp_window_check(&w, index), fresh ? 0 : -EALREADY);
        if (!fresh)
            continue;
        cf_srtp_window_add(&w, index);
        came[index] = 1;
        highest = index > highest ? index : highest;
        CHECK_INT(w.highest, highest);
    }
    CHECK(highest > 100000);
}

int main(void) {
    RUN(test_guess_first_is_the_sequence_number);
    RUN(test_guess_table);
    RUN(test_guess_finds_any_near_index);
    RUN(test_window_edges);
    RUN(test_zero_is_remembered);
    RUN(test_slides);
    RUN(test_against_an_oracle);
    return REPORT();
}
