/* The SPSC ring alone and between two threads. */
#include "conferocore/ring.h"
#include "testlib.h"

#include <pthread.h>
#include <sched.h>

typedef struct item {
    uint64_t number, check[3];
} item;

static item make_item(uint64_t number) {
    return (item){number, {~number, number * 3, number ^ 0x5aa5}};
}

static bool whole(const item *i) {
    item want = make_item(i->number);
    return memcmp(&want, i, sizeof want) == 0;
}

static void test_first_in_first_out(void) {
    cf_ring *ring = cf_ring_new(4, sizeof(int));
    for (int i = 0; i < 3; i++)
        CHECK(cf_ring_push(ring, &i));
    CHECK_INT(cf_ring_used(ring), 3);
    int got = -1;
    for (int i = 0; i < 3; i++) {
        CHECK(cf_ring_pop(ring, &got));
        CHECK_INT(got, i);
    }
    CHECK(!cf_ring_pop(ring, &got));
    CHECK_INT(cf_ring_used(ring), 0);
    cf_ring_free(ring);
}

static void test_slots_are_rounded_up(void) {
    cf_ring *ring = cf_ring_new(5, 1);
    uint8_t byte = 7;
    int taken = 0;
    while (taken < 100 && cf_ring_push(ring, &byte))
        taken++;
    CHECK_INT(taken, 8);
    cf_ring_free(ring);
}

static void test_full_refuses_and_counts(void) {
    cf_ring *ring = cf_ring_new(2, sizeof(int));
    int one = 1, two = 2, three = 3, got = 0;
    CHECK(cf_ring_push(ring, &one) && cf_ring_push(ring, &two));
    CHECK(!cf_ring_push(ring, &three));
    CHECK(!cf_ring_push(ring, &three));
    CHECK_INT(cf_ring_dropped(ring), 2);
    CHECK(cf_ring_pop(ring, &got));
    CHECK_INT(got, 1);
    CHECK(cf_ring_push(ring, &three));
    CHECK(cf_ring_pop(ring, &got) && got == 2);
    CHECK(cf_ring_pop(ring, &got) && got == 3);
    cf_ring_free(ring);
}

static void test_one_slot(void) {
    cf_ring *ring = cf_ring_new(1, sizeof(int));
    for (int i = 0, got; i < 10; i++) {
        CHECK(cf_ring_push(ring, &i));
        CHECK(!cf_ring_push(ring, &i));
        CHECK(cf_ring_pop(ring, &got) && got == i);
    }
    cf_ring_free(ring);
}

static void test_nonsense_sizes_are_refused(void) {
    CHECK(cf_ring_new(0, 4) == NULL);
    CHECK(cf_ring_new(4, 0) == NULL);
    CHECK(cf_ring_new(SIZE_MAX, 1) == NULL);
    cf_ring_free(NULL);
}

enum { ITEMS = 200000 };

static void *produce(void *arg) {
    for (uint64_t i = 0; i < ITEMS; i++) {
        item next = make_item(i);
        while (!cf_ring_push(arg, &next))
            sched_yield();
    }
    return NULL;
}

static void test_two_threads_lose_and_tear_nothing(void) {
    cf_ring *ring = cf_ring_new(64, sizeof(item));
    pthread_t producer;
    CHECK_INT(pthread_create(&producer, NULL, produce, ring), 0);
    uint64_t want = 0, broken = 0;
    for (item got; want < ITEMS;) {
        if (!cf_ring_pop(ring, &got)) {
            sched_yield();
            continue;
        }
        broken += got.number != want++ || !whole(&got) || cf_ring_used(ring) > 64;
    }
    CHECK_INT(broken, 0);
    CHECK_INT(cf_ring_used(ring), 0);
    pthread_join(producer, NULL);
    cf_ring_free(ring);
}

int main(void) {
    RUN(test_first_in_first_out);
    RUN(test_slots_are_rounded_up);
    RUN(test_full_refuses_and_counts);
    RUN(test_one_slot);
    RUN(test_nonsense_sizes_are_refused);
    RUN(test_two_threads_lose_and_tear_nothing);
    return REPORT();
}
