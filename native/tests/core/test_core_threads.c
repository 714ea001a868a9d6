/* What other threads may do while the media thread works: read counters and taps, take DTLS datagrams. Meant for
 * SAN=thread. */
#include "testlib.h"

#include "conferocore/stun.h"
#include "core/inbox.h"
#include "core/units.h"
#include "core_fixture.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

enum { ROUNDS = 4000, PATIENCE_S = 60 };

struct shared {
    fixture *f;
    cf_leg *leg;
    cf_tap *tap;
    atomic_bool done;
    uint64_t samples, reads;
};

static void *read_everything(void *arg) {
    struct shared *s = arg;
    int16_t pcm[2000];
    uint64_t packets = 0;
    while (!atomic_load(&s->done)) {
        cf_leg_stats leg = stats_of(s->leg);
        CHECK(leg.rx_packets >= packets && core_stats(s->f).ticks <= ROUNDS);
        packets = leg.rx_packets;
        s->samples += cf_tap_read(s->tap, pcm, 2000, NULL);
        s->reads++;
        sched_yield();
    }
    for (size_t n; (n = cf_tap_read(s->tap, pcm, 2000, NULL));)
        s->samples += n;
    return NULL;
}

static void test_counters_and_taps_are_read_while_they_change(void) {
    fixture *f = fixture_new();
    struct shared s = {.f = f, .tap = cf_tap_new(CF_TAP_LEG_OUT, 1000)};
    add_room(f, 1);
    s.leg = join(f, 1, 1);
    join(f, 2, 1);
    CHECK_INT(cf_core_tap(f->core, 2, s.tap), 0);
    pthread_t reader;
    CHECK_INT(pthread_create(&reader, NULL, read_everything, &s), 0);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    for (int i = 0; i < ROUNDS / 4; i++) {
        run_ms(f, 20, &v, 1);
        clear_sent(f);
    }
    atomic_store(&s.done, true);
    pthread_join(reader, NULL);
    CHECK_INT(s.samples + cf_tap_dropped(s.tap), (uint64_t)ROUNDS / 4 * CF_FRAME);
    CHECK(s.reads > 0);
    cf_tap_free(cf_core_untap(f->core, s.tap));
    fixture_free(f);
}

/* The consumer sleeps until it is woken and then drains: whatever was taken in is taken out, in order, without a
 * reminder. */
struct post {
    struct inbox inbox;
    _Atomic int wakes;
    atomic_bool done;
    int taken, disorder;
};

static void drain(struct post *post) {
    uint8_t out[INBOX_BYTES];
    while (inbox_take(&post->inbox, out, sizeof out)) {
        int number;
        memcpy(&number, out, sizeof number);
        post->disorder += number != post->taken;
        post->taken++;
    }
}

static void *consume(void *arg) {
    struct post *post = arg;
    int seen = 0;
    for (;;) {
        bool done = atomic_load(&post->done);
        int wakes = atomic_load(&post->wakes);
        if (wakes != seen)
            drain(post);
        else if (done)
            return NULL;
        else
            sched_yield();
        seen = wakes;
    }
}

static int64_t seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

/* Until enough has been put, however seldom the reader has its turn; a lost wake-up leaves the inbox full for ever. */
static void test_no_wake_up_is_lost(void) {
    struct post *post = calloc(1, sizeof *post);
    inbox_init(&post->inbox);
    pthread_t reader;
    CHECK_INT(pthread_create(&reader, NULL, consume, post), 0);
    int put = 0;
    int64_t until = seconds() + PATIENCE_S;
    for (int64_t i = 0; put < ROUNDS * 5 && seconds() < until; i++) {
        bool wake, taken = inbox_put(&post->inbox, (uint8_t *)&put, sizeof put, i * (SECOND / 50), &wake);
        put += taken;
        if (wake)
            atomic_fetch_add(&post->wakes, 1);
        if (!taken || i % 7 == 0)
            sched_yield();
    }
    atomic_store(&post->done, true);
    pthread_join(reader, NULL);
    CHECK_INT(put, ROUNDS * 5);
    CHECK_INT(post->taken, put);
    CHECK_INT(post->disorder, 0);
    free(post);
}

/* What a leg never needs is never touched: its pages stay the kernel's. */
static void test_datagrams_taken_one_by_one_use_one_slot(void) {
    struct inbox *inbox = malloc(sizeof *inbox);
    uint8_t data[INBOX_BYTES], out[INBOX_BYTES];
    memset(inbox, 0xab, sizeof *inbox);
    inbox_init(inbox);
    for (int i = 0; i < 100; i++) {
        bool wake;
        memset(data, i, sizeof data);
        CHECK(inbox_put(inbox, data, sizeof data, i * SECOND, &wake));
        CHECK_INT(inbox_take(inbox, out, sizeof out), sizeof data);
        CHECK(memcmp(out, data, sizeof data) == 0);
    }
    for (size_t i = 0; i < sizeof inbox->slots - INBOX_BYTES; i++)
        CHECK(inbox->slots[1 + i / INBOX_BYTES][i % INBOX_BYTES] == 0xab);
    free(inbox);
}

/* Full, emptied by halves and filled again: order is kept wherever the datagrams lie. */
static void test_order_is_kept_across_slots(void) {
    struct inbox *inbox = malloc(sizeof *inbox);
    inbox_init(inbox);
    int put = 0, taken = 0, number = 0;
    bool wake;
    for (int round = 0; round < 50; round++) {
        int64_t now = round * SECOND;
        while (inbox_put(inbox, (uint8_t *)&put, sizeof put, now, &wake))
            put++;
        CHECK_INT(put - taken, INBOX_SLOTS);
        for (int i = 0; i <= round % INBOX_SLOTS; i++, taken++) {
            CHECK_INT(inbox_take(inbox, (uint8_t *)&number, sizeof number), sizeof number);
            CHECK_INT(number, taken);
        }
    }
    free(inbox);
}

int main(void) {
    RUN(test_datagrams_taken_one_by_one_use_one_slot);
    RUN(test_order_is_kept_across_slots);
    RUN(test_counters_and_taps_are_read_while_they_change);
    RUN(test_no_wake_up_is_lost);
    return REPORT();
}
