/* outbox.c: packets are the same whether written into the shell's batch or handed over, and their cryptography is
 * metered. */
#include "testlib.h"

#include "conferocore/srtp.h"
#include "core_fixture.h"

enum { FRAMES = 25 };

/* A shell whose batch is one place, and which hands every datagram on to the fixture that it stands before. */
typedef struct batch {
    fixture *f;
    uint8_t room[CF_DATAGRAM_MAX];
    int reserved, committed;
} batch;

static uint8_t *batch_reserve(void *arg) {
    batch *b = arg;
    b->reserved++;
    return b->room;
}

static void batch_commit(void *arg, const cf_path *path, size_t len) {
    batch *b = arg;
    CHECK(len > 0 && len <= CF_DATAGRAM_MAX);
    b->committed++;
    fixture_send(b->f, path, b->room, len);
}

static void batch_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    fixture_send(((batch *)arg)->f, path, data, len);
}

static int64_t a_microsecond_later(void) {
    static int64_t t = 1;
    return t += 1000;
}

static batch *batch_new(void) {
    batch *b = calloc(1, sizeof *b);
    cf_core_config config = {.seed = 1,
                             .send = batch_send,
                             .reserve = batch_reserve,
                             .commit = batch_commit,
                             .stopwatch = a_microsecond_later,
                             .arg = b};
    b->f = calloc(1, sizeof *b->f);
    b->f->now = 1000 * MS;
    b->f->core = cf_core_new(&config);
    return b;
}

static cf_srtp *key_of(uint8_t id, uint8_t direction) {
    uint8_t key[16] = {id, direction}, salt[12] = {direction, id};
    return cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, key, sizeof key, salt, sizeof salt);
}

static void protect(fixture *f, uint8_t id) {
    cf_srtp *in = key_of(id, 1), *out = key_of(id, 2);
    CHECK_INT(cf_core_leg_keys(f->core, id, &in, &out), 0);
    CHECK(in == NULL && out == NULL);
}

/* Three members, the second one with SRTP, the third one talking and leaving with a BYE at the end. */
static void converse(fixture *f) {
    voice talker = {.id = 3, .hz = 600, .amplitude = 6000};
    add_room(f, 1);
    for (uint64_t id = 1; id <= 3; id++)
        join(f, id, 1);
    protect(f, 2);
    run_ms(f, 20 * FRAMES, &talker, 1);
    cf_leg_free(cf_core_leg_remove(f->core, 3, true, f->now));
}

static void test_packets_are_the_same_either_way(void) {
    fixture *handed = fixture_new();
    batch *b = batch_new();
    converse(handed);
    converse(b->f);
    CHECK(handed->out_count >= 3 * (FRAMES - 1));
    CHECK_INT(b->f->out_count, handed->out_count);
    for (int i = 0; i < handed->out_count; i++) {
        const sent *x = &handed->out[i], *y = &b->f->out[i];
        CHECK(x->len == y->len && memcmp(x->data, y->data, x->len) == 0 && cf_path_equal(&x->path, &y->path));
    }
    CHECK(b->committed >= 3 * (FRAMES - 1) && b->reserved >= b->committed);
    CHECK_INT(core_stats(b->f).packets_out, handed->out_count);
    CHECK(heard_tone(b->f, 1, 600) > 4000);
    fixture_free(handed);
    fixture_free(b->f);
    free(b);
}

/* A stopwatch that goes 1 us per look: one packet in 13 is timed and counts for 13. */
static void test_cryptography_is_metered(void) {
    batch *b = batch_new();
    converse(b->f);
    uint64_t ns = core_stats(b->f).crypto_ns;
    CHECK(ns >= 13000 && ns <= 1000 * (uint64_t)(FRAMES + 13));
    CHECK_INT(ns % 13000, 0);
    fixture_free(b->f);
    free(b);
}

int main(void) {
    RUN(test_packets_are_the_same_either_way);
    RUN(test_cryptography_is_metered);
    return REPORT();
}
