/* Automatic gain and a gate of its own, leg by leg, as its room hears it. */
#include "testlib.h"

#include "../audio/signals.h"
#include "core_fixture.h"

enum { WIRE = 16000, FRAME = WIRE / 50, L16_PT = 97, SECONDS_MAX = 20, LISTENER = 9 };

/* A member that sends L16, and what it adds to the room. */
typedef struct member {
    uint64_t id;
    const int16_t *says;
    size_t at, len;
    uint16_t seq;
    uint32_t ts;
    cf_tap *tap;
    int16_t adds[SECONDS_MAX * CF_RATE];
    size_t n;
} member;

static cf_leg_config config_of(uint64_t id) {
    cf_leg_config config = plain_config(id, 1);
    config.rx[0] = (cf_pt_map){L16_PT, CF_CODEC_L16, WIRE};
    return config;
}

static member *member_new(fixture *f, const cf_leg_config *config, const int16_t *says, size_t len) {
    member *m = calloc(1, sizeof *m);
    *m = (member){.id = config->id, .says = says, .len = len, .tap = cf_tap_new(CF_TAP_LEG_IN, 1000)};
    join_as(f, config, 0);
    CHECK_INT(cf_core_tap(f->core, m->id, m->tap), 0);
    return m;
}

static void talk(fixture *f, member *m) {
    uint8_t packet[1500];
    int at = cf_rtp_write(packet, sizeof packet, L16_PT, false, m->seq++, m->ts, (uint32_t)m->id + 1000, NULL, 0);
    for (int i = 0; i < FRAME; i++) {
        int16_t x = m->says[m->at++ % m->len];
        packet[at++] = (uint8_t)(x >> 8);
        packet[at++] = (uint8_t)x;
    }
    m->ts += FRAME;
    cf_path path = plain_path(m->id);
    cf_core_receive(f->core, &path, packet, (size_t)at, f->now);
}

static void run(fixture *f, int ms, member *const *members, int count) {
    for (int t = 0; t < ms; t += 20) {
        for (int i = 0; i < count; i++)
            talk(f, members[i]);
        f->now += 20 * MS;
        cf_core_advance(f->core, f->now);
        for (int i = 0; i < count; i++) {
            member *m = members[i];
            int64_t at;
            m->n += cf_tap_read(m->tap, m->adds + m->n, SECONDS_MAX * CF_RATE - m->n, &at);
        }
    }
    clear_sent(f);
}

static void done(fixture *f, member *const *members, int count) {
    for (int i = 0; i < count; i++) {
        cf_tap_free(cf_core_untap(f->core, members[i]->tap));
        free(members[i]);
    }
    fixture_free(f);
}

static double last_rms(const member *m, int ms) {
    size_t n = (size_t)ms * CF_RATE / 1000;
    return test_rms(m->adds + m->n - n, n);
}

static double db_between(double a, double b) {
    return 20 * log10(a / b);
}

static int16_t soft[WIRE * 3], loud[WIRE * 3], hiss[WIRE * 2];

/* Syllables of a tone: 200 ms of it, 100 ms of nothing. Noise of -50 dBov. */
static void make_signals(void) {
    cf_rng rng;
    cf_rng_seed(&rng, 1);
    for (size_t i = 0; i < WIRE * 3; i++) {
        double at = (double)(i % 4800) / 3200, edge = at >= 1 ? 0 : fmin(1, 8 * fmin(at, 1 - at));
        double x = edge * sin(2 * TEST_PI * 500 * (double)i / WIRE);
        soft[i] = (int16_t)lrint(1200 * x);
        loud[i] = (int16_t)lrint(12000 * x);
    }
    for (size_t i = 0; i < WIRE * 2; i++)
        hiss[i] = (int16_t)lrint(32768 * pow(10, -50 / 20.0) * sqrt(3) * (2 * cf_rng_unit(&rng) - 1));
}

static void test_soft_and_loud_are_heard_alike(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config one = config_of(1), two = config_of(2), three = config_of(3);
    one.agc = two.agc = 1;
    member *all[] = {member_new(f, &one, soft, WIRE * 3), member_new(f, &two, loud, WIRE * 3),
                     member_new(f, &three, soft, WIRE * 3)};
    join(f, LISTENER, 1);
    run(f, 10000, all, 3);
    CHECK(fabs(db_between(last_rms(all[0], 3000), last_rms(all[1], 3000))) < 1.5);
    CHECK(db_between(last_rms(all[0], 3000), last_rms(all[2], 3000)) > 6);
    CHECK(fabs(db_between(last_rms(all[2], 3000), test_rms(soft, WIRE * 3))) < 0.2);
    done(f, all, 3);
}

/* On and off while somebody talks: in the end as it came, and nothing clicks. */
static void test_it_comes_and_goes_unheard(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = config_of(1);
    member *m = member_new(f, &config, soft, WIRE * 3);
    join(f, LISTENER, 1);
    run(f, 3000, &m, 1);
    int bend = test_bend(m->adds, m->n);
    CHECK_INT(cf_core_leg_agc(f->core, 1, true), 0);
    run(f, 6000, &m, 1);
    double most = last_rms(m, 1500);
    CHECK_INT(cf_core_leg_agc(f->core, 1, false), 0);
    run(f, 3000, &m, 1);
    CHECK(db_between(most, last_rms(m, 1500)) > 4);
    CHECK(fabs(db_between(last_rms(m, 1500), test_rms(soft, WIRE * 3))) < 0.2);
    CHECK(test_bend(m->adds, m->n) < 1.05 * bend * most / last_rms(m, 1500) + 6);
    done(f, &m, 1);
}

/* Its gain and the automatic one multiply, but not beyond +18 dB. */
static void test_gains_multiply(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config one = config_of(1), two = config_of(2);
    one.agc = two.agc = 1;
    member *all[] = {member_new(f, &one, soft, WIRE * 3), member_new(f, &two, soft, WIRE * 3)};
    join(f, LISTENER, 1);
    CHECK_INT(cf_core_leg_gain(f->core, 2, CF_GAIN_ONE / 2), 0);
    run(f, 8000, all, 2);
    CHECK(fabs(db_between(last_rms(all[0], 1500), last_rms(all[1], 1500)) - 6.02) < 0.1);
    CHECK_INT(cf_core_leg_gain(f->core, 2, CF_GAIN_MAX), 0);
    run(f, 2000, all, 2);
    CHECK(fabs(db_between(last_rms(all[1], 1500), test_rms(soft, WIRE * 3)) - 18) < 0.2);
    done(f, all, 2);
}

static int differing(const int16_t *a, const int16_t *b, size_t n) {
    int count = 0;
    for (size_t i = 0; i < n; i++)
        count += abs(a[i] - b[i]) > 2;
    return count;
}

/* Two say the same, noise and then a word from its middle on, the hardest onset; one has a gate that is above the
 * noise. From 5 ms into its first frame on it adds what the other does: the gate's ramp of 2 ms lies within the fade of
 * a jitter buffer that nobody has listened to. */
static void test_a_gate_of_its_own(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config one = config_of(1), two = config_of(2);
    one.gate_dbov = 45;
    member *all[] = {member_new(f, &one, hiss, WIRE * 2), member_new(f, &two, hiss, WIRE * 2)};
    join(f, LISTENER, 1);
    run(f, 2000, all, 2);
    CHECK(last_rms(all[0], 1000) == 0);
    CHECK(fabs(db_between(last_rms(all[1], 1000), 32768) + 50) < 1);
    size_t from = all[0]->n;
    all[0]->says = all[1]->says = soft;
    all[0]->at = all[1]->at = WIRE / 20;
    run(f, 400, all, 2);
    const int16_t *gated = all[0]->adds, *open = all[1]->adds;
    while (from < all[0]->n - CF_RATE / 10 && !gated[from])
        from++;
    from += CF_RATE / 200 - from % CF_FRAME;
    int least = CF_RATE;
    for (size_t shift = 0; shift <= 4 * CF_FRAME; shift++) {
        int n = differing(gated + from, open + from - 2 * CF_FRAME + shift, CF_RATE / 10);
        least = n < least ? n : least;
    }
    CHECK_INT(least, 0);
    CHECK(test_rms(gated + from, 2 * CF_FRAME) > 400);
    done(f, all, 2);
}

static void test_gates_are_set_and_taken_back(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = config_of(1);
    member *m = member_new(f, &config, hiss, WIRE * 2);
    join(f, LISTENER, 1);
    run(f, 1000, &m, 1);
    CHECK(last_rms(m, 500) > 90);
    CHECK_INT(cf_core_leg_gate(f->core, 1, 45), 0);
    run(f, 400, &m, 1); /* held as long as the room's gate */
    CHECK(last_rms(m, 200) > 90);
    run(f, 1000, &m, 1);
    CHECK(last_rms(m, 500) == 0);
    CHECK_INT(cf_core_leg_gate(f->core, 1, 0), 0);
    run(f, 1000, &m, 1);
    CHECK(last_rms(m, 500) > 90);
    done(f, &m, 1);
}

static void test_what_is_out_of_range_is_refused(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    CHECK_INT(cf_core_leg_gate(f->core, 1, 128), -EINVAL);
    CHECK_INT(cf_core_leg_gate(f->core, 1, -1), -EINVAL);
    CHECK_INT(cf_core_leg_gate(f->core, 2, 50), -ENOENT);
    CHECK_INT(cf_core_leg_agc(f->core, 2, true), -ENOENT);
    cf_leg_config config = plain_config(3, 1);
    config.gate_dbov = 128;
    CHECK(cf_leg_new(&config, 1) == NULL);
    fixture_free(f);
}

int main(void) {
    make_signals();
    RUN(test_soft_and_loud_are_heard_alike);
    RUN(test_it_comes_and_goes_unheard);
    RUN(test_gains_multiply);
    RUN(test_a_gate_of_its_own);
    RUN(test_gates_are_set_and_taken_back);
    RUN(test_what_is_out_of_range_is_refused);
    return REPORT();
}
