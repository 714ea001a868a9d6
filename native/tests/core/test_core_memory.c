/* Memory: nothing is taken or given back while packets come and rooms tick; and whoever runs out of it at set-up leaves
 * nothing behind. The allocator is watched in the plain build; sanitizers bring their own and watch the same steps in
 * their way. */
#include "testlib.h"

#include "conferocore/sim.h"
#include "conferocore/stun.h"
#include "core_fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { WATCHED = 0 };
static volatile long calls, live, fail_at;
#else
enum { WATCHED = 1 };
static volatile long calls, live, fail_at; /* fail_at: the number of the call that fails, 0: none */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *p);

static bool refuse(void) {
    return ++calls == fail_at;
}

void *malloc(size_t size) {
    void *p = refuse() ? NULL : __libc_malloc(size);
    live += p != NULL;
    return p;
}

void *calloc(size_t n, size_t size) {
    void *p = refuse() ? NULL : __libc_calloc(n, size);
    live += p != NULL;
    return p;
}

void *realloc(void *old, size_t size) {
    void *p = refuse() ? NULL : __libc_realloc(old, size);
    live += p != NULL && old == NULL;
    return p;
}

void free(void *p) {
    calls += p != NULL;
    live -= p != NULL;
    __libc_free(p);
}
#endif

static void check_in(fixture *f, const cf_leg_config *config, const cf_path *path) {
    uint8_t request[CF_STUN_MAX], txid[12] = {1};
    int len = cf_stun_write_request(request, sizeof request, txid, "local:far", config->local_pwd, 1, true, 2, true);
    cf_core_receive(f->core, path, request, (size_t)len, f->now);
}

static cf_srtp *srtp_new(void) {
    uint8_t key[16] = {1}, salt[12] = {2};
    return cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, key, 16, salt, 12);
}

static cf_leg_config web_config(void) {
    cf_leg_config config = plain_config(3, 1);
    config.kind = CF_LEG_WEBRTC;
    config.tx = (cf_codec_params){.codec = CF_CODEC_OPUS, .complexity = 0};
    strcpy(config.local_ufrag, "local");
    strcpy(config.local_pwd, "a password of twenty-two");
    strcpy(config.remote_ufrag, "far");
    return config;
}

/* Three members of every kind talk in turns, one moves, one goes deaf, garbage comes: the whole life of a room. */
static void one_second(fixture *f, const cf_leg_config *web, const cf_path *path, cf_srtp *srtp, voice *voices) {
    uint8_t packet[300], garbage[50] = {20, 1, 2};
    for (int t = 0; t < 50; t++) {
        int len = (int)voice_packet(&voices[2], packet, sizeof packet);
        len = cf_srtp_protect(srtp, packet, (size_t)len, sizeof packet);
        cf_core_receive(f->core, path, packet, (size_t)len, f->now);
        cf_core_receive(f->core, path, garbage, sizeof garbage, f->now);
        garbage[0] = (uint8_t)(garbage[0] * 7 + 1);
        run_ms(f, 20, voices, t % 3);
        cf_core_leg_mute(f->core, 3, t % 10 < 5);
        cf_core_leg_deaf(f->core, 2, t % 20 < 10);
        cf_core_leg_move(f->core, 1, 1 + (uint64_t)(t / 25));
    }
    check_in(f, web, path);
    clear_sent(f);
    f->event_count = 0;
}

static void test_packets_and_ticks_take_no_memory(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    add_room(f, 2);
    cf_leg_config web = web_config();
    cf_path path = {.socket = 900, .remote = addr4(9, 9000)};
    cf_srtp *srtp = srtp_new(), *inbound = srtp_new(), *outbound = srtp_new();
    join(f, 1, 1);
    join(f, 2, 1);
    join_as(f, &web, 0);
    check_in(f, &web, &path);
    CHECK_INT(cf_core_leg_keys(f->core, 3, &inbound, &outbound), 0);
    voice voices[] = {{.id = 1, .hz = 440, .amplitude = 4000},
                      {.id = 2, .hz = 620, .amplitude = 4000},
                      {.id = 3, .hz = 830, .amplitude = 4000}};
    one_second(f, &web, &path, srtp, voices);
    long before = calls;
    for (int i = 0; i < 20; i++)
        one_second(f, &web, &path, srtp, voices);
    cf_leg *gone = cf_core_leg_remove(f->core, 1, true, f->now);
    CHECK_INT(calls - before, 0);
    CHECK(core_stats(f).ticks > 1000);
    cf_leg_free(gone);
    cf_srtp_free(srtp);
    fixture_free(f);
}

static void *make_core(void) {
    cf_core_config config = {.send = fixture_send};
    return cf_core_new(&config);
}
static void free_core(void *p) {
    cf_core_free(p);
}

static void *make_room(void) {
    cf_room_config config = {.id = 1};
    return cf_room_new(&config);
}
static void free_room(void *p) {
    cf_room_free(p);
}

static void *make_leg(void) {
    cf_leg_config config = web_config();
    return cf_leg_new(&config, 1);
}
static void free_leg(void *p) {
    cf_leg_free(p);
}

static void *make_tap(void) {
    return cf_tap_new(CF_TAP_ROOM, 100);
}
static void free_tap(void *p) {
    cf_tap_free(p);
}

static void free_sim(void *p) {
    cf_sim_free(p);
}

/* A member with SRTP that talks for a while: NULL as soon as anything in it says that there is no memory. */
static void *make_sim(void) {
    int16_t pcm[100] = {1000};
    cf_sim_member member = {.codec = {.codec = CF_CODEC_PCMU}, .srtp_profile = CF_SRTP_AEAD_AES_128_GCM};
    cf_sim *sim = cf_sim_new(1, NULL);
    if (sim && cf_sim_add(sim, &member) == 0 && !cf_sim_tap(sim, 0, CF_TAP_LEG_OUT) &&
        !cf_sim_say(sim, 0, pcm, 100, 1) && !cf_sim_run(sim, 100))
        return sim;
    cf_sim_free(sim);
    return NULL;
}

static void fails_cleanly(void *(*make)(void), void (*drop)(void *)) {
    drop(make()); /* what libraries keep for ever is taken now */
    bool made = false;
    for (long n = 1; n < 2000 && !made; n++) {
        long before = live;
        calls = 0;
        fail_at = n;
        void *p = make();
        fail_at = 0;
        made = p != NULL;
        drop(p);
        CHECK_INT(live - before, 0);
    }
    CHECK(made); /* with memory enough it comes about */
}

static void test_running_out_of_memory_leaves_nothing_behind(void) {
    fails_cleanly(make_core, free_core);
    fails_cleanly(make_room, free_room);
    fails_cleanly(make_leg, free_leg);
    fails_cleanly(make_tap, free_tap);
    fails_cleanly(make_sim, free_sim);
}

static void test_the_watch_is_awake(void) {
    long before = calls;
    void *volatile p = malloc(10);
    CHECK_INT(calls - before, WATCHED);
    free(p);
}

int main(void) {
    RUN(test_the_watch_is_awake);
    RUN(test_packets_and_ticks_take_no_memory);
    RUN(test_running_out_of_memory_leaves_nothing_behind);
    return REPORT();
}
