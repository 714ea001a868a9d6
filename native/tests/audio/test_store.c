/* The packet store against the plainest model of it: an array of what is there. */
#include "../testlib.h"
#include "audio/store.h"

static cf_store store;
static cf_payloads payloads;

static void open_at(int64_t next) {
    cf_store_init(&store, &payloads);
    cf_store_reset(&store, next);
}

static void test_an_empty_store(void) {
    open_at(1000);
    CHECK(cf_store_first(&store) == NULL);
    CHECK(!cf_store_has(&store, 1000));
    CHECK_INT(cf_store_advance(&store, 1000), 0);
    CHECK_INT(cf_store_advance(&store, 1003), 3);
    CHECK_INT(cf_store_advance(&store, 900), 0);
    CHECK_INT(store.next, 1003);
}

static void test_missed_numbers_are_known_once(void) {
    open_at(1000);
    cf_store_take_slot(&store, 1001, 160);
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
    open_at(0);
    for (int64_t next = 0; next < NUMBERS;) {
        int64_t seq = next + (int64_t)(cf_rng_unit(&rng) * CF_PLAYOUT_SLOTS);
        CHECK_INT(cf_store_has(&store, seq), there[seq]);
        if (!there[seq])
            CHECK_INT(cf_store_take_slot(&store, seq, (size_t)(seq * 37 % CF_PACKET_MAX))->seq, seq);
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

static void test_chunks_are_taken_again_and_never_twice(void) {
    enum { ROUNDS = 3000 };
    cf_rng rng;
    cf_rng_seed(&rng, 6);
    open_at(0);
    uint32_t sizes[2] = {CF_PACKET_SMALL, CF_PACKET_MAX};
    for (int64_t seq = 0; seq < ROUNDS; seq++) {
        size_t len = sizes[cf_rng_unit(&rng) < 0.5];
        cf_packet *packet = cf_store_take_slot(&store, seq, len);
        memset(cf_store_payload(&store, packet), (int)(seq & 0xFF), len);
        if (cf_rng_unit(&rng) < 0.1 || seq - store.next == CF_PLAYOUT_SLOTS - 1)
            while (cf_store_first(&store) && cf_rng_unit(&rng) < 0.98) {
                const cf_packet *first = cf_store_first(&store);
                const uint8_t *payload = cf_store_payload(&store, first);
                CHECK(payload[0] == (first->seq & 0xFF) && payload[first->len - 1] == (first->seq & 0xFF));
                if (cf_rng_unit(&rng) < 0.5)
                    cf_store_retire(&store, first);
                else
                    cf_store_advance(&store, first->seq + 1);
                for (uint32_t i = 0; i < store.kept_count; i++)
                    CHECK(cf_store_payload(&store, &store.kept[i])[0] == (store.kept[i].seq & 0xFF));
            }
    }
    cf_store_advance(&store, ROUNDS);
    CHECK_INT(store.small.count + store.large.count + store.kept_count, 2 * CF_STORE_CHUNKS);
}

static void test_a_calm_stream_touches_few_chunks(void) {
    open_at(0);
    bool touched[2 * CF_STORE_CHUNKS] = {false};
    for (int64_t seq = 0; seq < 1000; seq++) {
        touched[cf_store_take_slot(&store, seq, 160)->chunk] = true;
        if (seq >= 2)
            cf_store_retire(&store, cf_store_first(&store));
    }
    int count = 0;
    for (int i = 0; i < 2 * CF_STORE_CHUNKS; i++)
        count += touched[i];
    CHECK(count <= 3 + CF_STORE_KEPT);
}

static void test_passed_numbers_are_no_gap(void) {
    open_at(60); /* the window lies over the end of the word */
    cf_store_pass(&store, 60);
    cf_store_pass(&store, 61);
    cf_store_take_slot(&store, 63, 10);
    cf_store_pass(&store, 63); /* is there: stays there */
    CHECK(cf_store_pauses(&store));
    CHECK(!cf_store_gap(&store, 62));
    CHECK(cf_store_gap(&store, 63));
    cf_store_pass(&store, 62);
    CHECK(!cf_store_gap(&store, 63));
    CHECK_INT(cf_store_advance(&store, 63), 0);
    CHECK(!cf_store_pauses(&store));
    CHECK(cf_store_first(&store) != NULL);
    CHECK(!cf_store_was_missed(&store, 61));
    CHECK_INT(cf_store_advance(&store, 63 + CF_PLAYOUT_SLOTS), CF_PLAYOUT_SLOTS - 1);
}

int main(void) {
    RUN(test_chunks_are_taken_again_and_never_twice);
    RUN(test_a_calm_stream_touches_few_chunks);
    RUN(test_passed_numbers_are_no_gap);
    RUN(test_an_empty_store);
    RUN(test_missed_numbers_are_known_once);
    RUN(test_any_order_of_any_numbers);
    return REPORT();
}
