/* The estimator of transit times: what it waits for, what it forgives, what it forgets, and that it follows a skew. */
#include "../testlib.h"
#include "audio/jitter.h"

#define MS INT64_C(1000000)

static cf_jitter j;
static int64_t now;

/* n packets, 20 ms apart, that all take `transit` ms. */
static void add(int n, double transit) {
    for (int i = 0; i < n; i++, now += 20 * MS)
        cf_jitter_add(&j, (int64_t)(transit * (double)MS), now);
}

static void fresh(int64_t guess) {
    now = 1000 * MS;
    cf_jitter_reset(&j, guess);
}

static double spread_ms(void) {
    return (double)cf_jitter_spread(&j, now) / (double)MS;
}

static void test_the_guess_holds_for_a_second(void) {
    fresh(30 * MS);
    CHECK(spread_ms() == 30);
    add(49, 100);
    CHECK(spread_ms() == 30);
    add(2, 100);
    CHECK(spread_ms() == 0);
    fresh(30 * MS);
    add(10, 100);
    add(1, 190);
    CHECK(spread_ms() == 90); /* more than the guess is believed at once */
}

static void test_up_with_one_burst(void) {
    fresh(0);
    add(400, 50);
    CHECK(spread_ms() == 0);
    add(1, 170);
    add(1, 150);
    add(1, 130);
    CHECK(spread_ms() == 0); /* three in ten seconds are forgiven */
    add(1, 110);
    CHECK(spread_ms() == 60); /* a burst is not */
    add(1, 90);
    CHECK(spread_ms() == 60);
}

static void test_down_when_the_window_has_passed(void) {
    fresh(0);
    add(400, 50);
    add(8, 150);
    add(450, 50);
    CHECK(spread_ms() == 100);
    add(80, 50);
    CHECK(spread_ms() == 0);
}

static void test_the_minimum_follows_too(void) {
    fresh(0);
    add(400, 50);
    add(1, 20);
    CHECK_INT(j.low, 20 * MS);
    CHECK(spread_ms() == 30);
    add(600, 50);
    CHECK_INT(j.low, 50 * MS);
}

static void test_the_origin_of_transit_times_means_nothing(void) {
    double spreads[2];
    for (int side = 0; side < 2; side++) {
        fresh(0);
        double origin = side ? 4e9 : -4e9;
        for (int i = 0; i < 700; i++)
            add(1, origin + i * 37 % 41);
        spreads[side] = spread_ms();
    }
    CHECK(spreads[0] == spreads[1]);
    CHECK(spreads[0] >= 39 && spreads[0] <= 40);
}

static void test_skew_widens_the_window_by_no_more_than_its_length(void) {
    for (int side = -1; side <= 1; side += 2) {
        fresh(0);
        for (int i = 0; i < 50000; i++) { /* 300 ppm: 6 us a packet */
            add(1, side * i * 0.006);
            CHECK(spread_ms() <= 3.2);
        }
        CHECK((double)(j.low) / (double)MS < side * 50000 * 0.006 + 3.3);
    }
}

static void test_an_outage_is_not_counted(void) {
    fresh(0);
    add(400, 50);
    now += 2000 * MS;
    cf_jitter_outage(&j, now);
    for (int transit = 2000; transit > 60; transit -= 20)
        cf_jitter_add(&j, (50 + transit) * MS, now); /* the backlog */
    add(20, 50);
    CHECK(spread_ms() == 0);
    add(5, 120); /* from now on everything counts again */
    CHECK(spread_ms() == 70);
}

static void test_an_outage_that_does_not_end_is_a_new_path(void) {
    fresh(0);
    add(400, 50);
    now += 2000 * MS;
    cf_jitter_outage(&j, now);
    add(30, 800);
    CHECK(spread_ms() == 0);
    CHECK_INT(j.low, 800 * MS);
    CHECK_INT(j.high, 800 * MS);
}

static void test_a_long_pause_keeps_the_spread_alone(void) {
    fresh(0);
    add(400, 50);
    add(20, 90);
    now += 60000 * MS;
    add(1, 3000);
    CHECK_INT(j.low, 3000 * MS);
    CHECK(spread_ms() == 40);
    add(60, 3000);
    CHECK(spread_ms() == 0);
}

int main(void) {
    RUN(test_the_guess_holds_for_a_second);
    RUN(test_up_with_one_burst);
    RUN(test_down_when_the_window_has_passed);
    RUN(test_the_minimum_follows_too);
    RUN(test_the_origin_of_transit_times_means_nothing);
    RUN(test_skew_widens_the_window_by_no_more_than_its_length);
    RUN(test_an_outage_is_not_counted);
    RUN(test_an_outage_that_does_not_end_is_a_new_path);
    RUN(test_a_long_pause_keeps_the_spread_alone);
    return REPORT();
}
