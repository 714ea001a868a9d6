/* The packet store against the plainest model of it: an array of what is there. */
#include "../testlib.h"
#include "audio/store.h"

static cf_store store;

static void test_an_empty_store(void) {
    cf_store_reset(&store, 1000);
    CHECK(cf_store_first(&store) == NULL);
    CHECK(!cf_store_has(&store, 1000));
    CHECK_INT(cf_store_advance(&store, 1000), 0);
    CHECK_INT(cf_store_advance(&store, 1003), 3);
    CHECK_INT(cf_store_advance(&store, 900), 0);
    CHECK_INT(store.next, 1003);
}

static void test_missed_numbers_are_known_once(void) {
    cf_store_reset(&store, 1000);
    cf_store_take_slot(&store, 1001);
    CHECK_INT(cf_store_advance(&store, 1003), 2);
    CHECK(cf_store_was_missed(&store, 1000));
    CHECK(!cf_store_was_missed(&store, 1000));
    CHECK(!cf_store_was_missed(&store, 1001)); /* it was there */
    CHECK(cf_store_was_missed(&store, 1002));
    CHECK(!cf_store_was_missed(&store, 1003)); /* not yet due */
    CHECK_INT(cf_store_advance(&store, 1004), 1);
    cf_store_advance(&store, 1004 + CF_PLAYOUT_SLOTS);
    CHECK(!cf_store_was_missed(&store, 1003)); /* too long ago */
    CHECK(cf_store_was_missed(&store, 1004));
}

static void test_any_order_of_any_numbers(void) {
    enum { NUMBERS = 5000 };
    static bool there[NUMBERS + CF_PLAYOUT_SLOTS];
    cf_rng rng;
    cf_rng_seed(&rng, 5);
    memset(there, 0, sizeof there);
    cf_store_reset(&store, 0);
    for (int64_t next = 0; next < NUMBERS;) {
        int64_t seq = next + (int64_t)(cf_rng_unit(&rng) * CF_PLAYOUT_SLOTS);
        CHECK_INT(cf_store_has(&store, seq), there[seq]);
        if (!there[seq])
            CHECK_INT(cf_store_take_slot(&store, seq)->seq, seq);
        there[seq] = true;
        int64_t first = next;
        while (first < next + CF_PLAYOUT_SLOTS && !there[first])
            first++;
        CHECK_INT(cf_store_first(&store)->seq, first);
        if (cf_rng_unit(&rng) < 0.5)
            continue;
        int64_t goal = next + (int64_t)(cf_rng_unit(&rng) * cf_rng_unit(&rng) * 2 * CF_PLAYOUT_SLOTS);
        uint32_t missing = 0;
        for (; next < goal && next < NUMBERS; next++)
            missing += !there[next];
        CHECK_INT(cf_store_advance(&store, next), missing);
    }
}

int main(void) {
    RUN(test_an_empty_store);
    RUN(test_missed_numbers_are_known_once);
    RUN(test_any_order_of_any_numbers);
    return REPORT();
}
