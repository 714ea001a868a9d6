/* A core whose ticks are late, as those of a busy machine are: what is heard stays what it was. */
#include "testlib.h"

#include "core_fixture.h"

enum { STEP_MS = 20 };

static cf_leg *join_minimum(fixture *f, uint64_t id) {
    cf_leg_config config = plain_config(id, 1);
    config.playout.minimum = 1;
    return join_as(f, &config, 0);
}

/* The core stands still for some packets, which are stamped as they came; then it makes up for its ticks. */
static void stand_still(fixture *f, int ms, voice *v) {
    for (int t = 0; t < ms; t += STEP_MS) {
        speak(f, v);
        f->now += STEP_MS * MS;
    }
    cf_core_advance(f->core, f->now);
}

static void expect_untouched(int still_ms) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *talker = join_minimum(f, 1);
    join_minimum(f, 2);
    voice v = {.id = 1, .hz = 437, .amplitude = 6000};
    run_ms(f, 3000, &v, 1);
    cf_playout_stats before = stats_of(talker).playout;
    for (int i = 0; i < 10; i++) {
        stand_still(f, still_ms, &v);
        run_ms(f, 300, &v, 1);
    }
    cf_playout_stats after = stats_of(talker).playout;
    CHECK_INT(after.squeezed, before.squeezed);
    CHECK_INT(after.stretched, before.stretched);
    CHECK_INT(after.concealed, before.concealed);
    CHECK_INT(after.lost + after.late + after.overflow, 0);
    CHECK_INT(core_stats(f).late_ticks, 0);
    fixture_free(f);
}

/* A delay is not too long because the tick in which it is looked at comes late. */
static void test_ticks_made_up_for_change_no_delay(void) {
    expect_untouched(40);
    expect_untouched(100);
}

int main(void) {
    RUN(test_ticks_made_up_for_change_no_delay);
    return REPORT();
}
