/* The engine under traffic on real sockets: telephones hear each other whatever else is going on. */
#include "conferocore/mixer.h"
#include "conferocore/stun.h"
#include "engine_lib.h"
#include "testlib.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum { WINDOW = PHONE_RATE / 2 }; /* half a second */

static phone phones[2];

static cf_engine *start_call(int threads, int thread) {
    cf_engine *engine = cf_engine_new(threads, 42);
    CHECK_INT(cf_engine_start(engine), 0);
    CHECK_INT(cf_engine_room_add(engine, thread, &(cf_room_config){.id = 1}), 0);
    phone_open(&phones[0], 440, 100);
    phone_open(&phones[1], 1000, 200);
    CHECK(phone_join(engine, thread, 1, 10, &phones[0]) >= 0);
    CHECK(phone_join(engine, thread, 1, 20, &phones[1]) >= 0);
    return engine;
}

static void end_call(cf_engine *engine) {
    cf_engine_free(engine);
    close(phones[0].fd);
    close(phones[1].fd);
}

/* 8000 goes in; codec and resampler leave more than half, and nothing of what must not be heard. */
static bool hears(int who, double hertz) {
    return phone_hears(&phones[who], hertz, WINDOW) > 4000;
}
static bool hears_not(int who, double hertz) {
    return phone_hears(&phones[who], hertz, WINDOW) < 20;
}

static bool all_is_well(void) {
    return hears(0, 1000) && hears(1, 440) && hears_not(0, 440) && hears_not(1, 1000);
}
static bool second_is_muted(void) {
    return hears_not(0, 1000) && hears(1, 440);
}
static bool second_is_deaf(void) {
    return hears(0, 1000) && hears_not(1, 440);
}

/* A machine that stands still for a moment tears a hole into any half second: then the next one counts. */
static void talk_until(bool (*heard)(void)) {
    phones_talk(phones, 2, 60);
    for (int more = 0; more < 10 && !heard(); more++)
        phones_talk(phones, 2, 30);
    CHECK(heard());
}

static void test_two_phones_hear_each_other(void) {
    cf_engine *engine = start_call(2, 1);
    talk_until(all_is_well);
    cf_event event;
    CHECK(wait_event(engine, CF_EVENT_MEDIA, 10, &event));
    cf_leg_stats leg;
    CHECK_INT(cf_engine_leg_stats(engine, 10, &leg), 0);
    CHECK(leg.rx_packets > 30 && leg.tx_packets > 30 && leg.connected == 1);
    cf_core_stats used, idle;
    CHECK_INT(cf_engine_stats(engine, 1, &used), 0);
    CHECK_INT(cf_engine_stats(engine, 0, &idle), 0);
    CHECK(used.ticks > 30 && used.packets_in > 60 && used.packets_out > 60 && used.tick_ns_max > 0);
    CHECK(used.tick_ns_sum >= used.tick_ns_max);
    CHECK_INT(idle.ticks, 0);
    cf_core_stats stats;
    CHECK_INT(cf_engine_stats(engine, 1, &stats), 0);
    CHECK(stats.io_ns > 0 && stats.io_ns < INT64_C(60000000000)); /* one call in 13 is timed: hundreds were made */
    CHECK_INT(stats.crypto_ns, 0);                                /* plain RTP */
    CHECK_INT(stats.receive_drops, 0);
    end_call(engine);
}

static void test_mute_and_deaf_are_heard(void) {
    cf_engine *engine = start_call(1, 0);
    CHECK_INT(cf_engine_leg_mute(engine, 20, 1), 0);
    talk_until(second_is_muted);
    CHECK_INT(cf_engine_leg_mute(engine, 20, 0), 0);
    CHECK_INT(cf_engine_leg_deaf(engine, 20, 1), 0);
    talk_until(second_is_deaf);
    end_call(engine);
}

static bool second_is_softer(void) {
    double heard = phone_hears(&phones[0], 1000, WINDOW);
    return heard > 2000 && heard < 4000 && hears(1, 440);
}

/* A tone that comes and goes is a voice, and 8000 is 8 dB more than one has. */
static void test_gate_and_automatic_gain_are_heard(void) {
    cf_engine *engine = start_call(1, 0);
    CHECK_INT(cf_engine_leg_gate(engine, 20, 12), 0);
    talk_until(second_is_muted);
    CHECK_INT(cf_engine_leg_gate(engine, 20, 0), 0);
    CHECK_INT(cf_engine_leg_agc(engine, 20, 1), 0);
    for (int syllable = 0; syllable < 6; syllable++) {
        phones_talk(phones, 2, 20);
        phones_talk(phones, 1, 10);
    }
    talk_until(second_is_softer);
    CHECK_INT(cf_engine_leg_gate(engine, 20, 128), -EINVAL);
    CHECK_INT(cf_engine_leg_agc(engine, 30, 1), -ENOENT);
    end_call(engine);
}

static atomic_bool go_on;

/* All that a shared port may meet: noise, and the beginnings of STUN, DTLS and RTP. */
static void *flood(void *arg) {
    const cf_addr *to = arg;
    cf_addr mine;
    int fd = test_socket(&mine);
    cf_rng rng;
    cf_rng_seed(&rng, 7);
    static const uint8_t first[] = {0x00, 0x01, 20, 22, 0x80, 0x90, 0xc8};
    for (uint64_t n = 0; atomic_load(&go_on); n++) {
        uint8_t data[300];
        for (size_t i = 0; i < sizeof data; i++)
            data[i] = (uint8_t)cf_rng_u32(&rng);
        if (n % 2)
            data[0] = first[n / 2 % sizeof first];
        test_send(fd, to, data, 1 + n % sizeof data);
    }
    close(fd);
    return NULL;
}

static cf_addr bind_shared(cf_engine *engine, int thread) {
    for (uint16_t port = 0;; port++) {
        cf_addr addr = loopback((uint16_t)(10000 + (getpid() * 64 + 63 + port * 7) % 4900));
        if (cf_engine_bind_shared(engine, thread, &addr) >= 0 || port == 200)
            return addr;
    }
}

static void test_a_flood_of_garbage_changes_nothing(void) {
    cf_engine *engine = start_call(1, 0);
    cf_addr shared = bind_shared(engine, 0);
    pthread_t thread;
    atomic_store(&go_on, true);
    CHECK_INT(pthread_create(&thread, NULL, flood, &shared), 0);
    talk_until(all_is_well);
    atomic_store(&go_on, false);
    pthread_join(thread, NULL);
    cf_core_stats stats;
    CHECK_INT(cf_engine_stats(engine, 0, &stats), 0);
    CHECK(stats.packets_unknown > 1000);
    end_call(engine);
}

/* The check names the browser's leg and is authentic: only the place is wrong. */
static void test_a_legs_socket_without_its_leg_takes_nothing(void) {
    cf_engine *engine = start_call(1, 0);
    cf_leg_config browser = {.id = 30,
                             .room = 1,
                             .kind = CF_LEG_WEBRTC,
                             .tx = {.codec = CF_CODEC_PCMU},
                             .rx_count = 1,
                             .rx = {{0, CF_CODEC_PCMU, 8000}},
                             .local_ufrag = "ours",
                             .local_pwd = "a password of our own",
                             .remote_ufrag = "peer"};
    CHECK_INT(cf_engine_leg_add(engine, &browser), 0);
    static phone guest;
    phone_open(&guest, 300, 300);
    CHECK(phone_join(engine, 0, 1, 40, &guest) >= 0);
    CHECK_INT(cf_engine_leg_remove(engine, 40, 0), 0);
    CHECK(wait_released(engine, 1));
    cf_core_stats before, after;
    CHECK_INT(cf_engine_stats(engine, 0, &before), 0);
    uint8_t check[300], txid[12] = {1, 2, 3}, reply[300];
    int len = cf_stun_write_request(check, sizeof check, txid, "ours:peer", browser.local_pwd, 1, true, 5, true);
    CHECK(len > 0);
    test_send(guest.fd, &guest.engine, check, (size_t)len);
    int64_t until = clock_ms() + 5000;
    do
        CHECK_INT(cf_engine_stats(engine, 0, &after), 0);
    while (after.packets_unknown == before.packets_unknown && clock_ms() < until);
    CHECK_INT(after.packets_unknown - before.packets_unknown, 1);
    cf_leg_stats stats;
    CHECK_INT(cf_engine_leg_stats(engine, 30, &stats), 0);
    CHECK_INT(stats.stun_checks + stats.stun_bad, 0);
    CHECK(recv(guest.fd, reply, sizeof reply, 0) < 0 && errno == EAGAIN);
    close(guest.fd);
    end_call(engine);
}

static void test_commands_under_load(void) {
    cf_engine *engine = start_call(1, 0);
    uint8_t key[16] = {1}, salt[12] = {2};
    cf_event events[64];
    for (int round = 0; round < 40; round++) {
        phones_talk(phones, 2, 1);
        for (int i = 0; i < 50; i++) {
            cf_leg_stats stats;
            CHECK_INT(cf_engine_leg_mute(engine, 10, i % 2), 0);
            CHECK_INT(cf_engine_leg_gain(engine, 20, CF_GAIN_ONE / (1 + i % 3)), 0);
            CHECK_INT(cf_engine_leg_stats(engine, 20, &stats), 0);
        }
        CHECK_INT(cf_engine_leg_mute(engine, 10, 0), 0);
        CHECK_INT(cf_engine_leg_gain(engine, 20, CF_GAIN_ONE), 0);
        cf_engine_events(engine, events, 64);
    }
    talk_until(all_is_well);
    for (int i = 0; i < 10; i++) /* each brings the last one's contexts back */
        CHECK_INT(cf_engine_leg_keys(engine, 10, CF_SRTP_AEAD_AES_128_GCM, key, salt, key, salt), 0);
    end_call(engine);
}

static void test_legs_come_and_go_while_others_talk(void) {
    cf_engine *engine = start_call(1, 0);
    phones_talk(phones, 2, 5);
    int before = open_descriptors(), released = 0;
    static phone guest;
    phone_open(&guest, 300, 300);
    for (int i = 0; i < 200; i++) {
        uint64_t id = 1000 + (uint64_t)i;
        int number = phone_join(engine, 0, 1, id, &guest);
        CHECK(number >= 0);
        phone_speak(&guest);
        if (i % 4 == 0)
            phones_talk(phones, 2, 1);
        CHECK_INT(cf_engine_leg_remove(engine, id, 1), 0);
        CHECK_INT(cf_engine_close_socket(engine, 0, (uint32_t)number), 0);
        cf_event event;
        while (cf_engine_events(engine, &event, 1) == 1)
            released += event.type == CF_EVENT_RELEASED;
    }
    CHECK(wait_released(engine, 200 - released));
    close(guest.fd);
    cf_event event;
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 2}), 0);
    CHECK_INT(cf_engine_room_remove(engine, 2), 0); /* comes back after the last socket */
    CHECK(wait_event(engine, CF_EVENT_RELEASED, 0, &event));
    CHECK_INT(open_descriptors(), before);
    cf_core_stats stats;
    CHECK_INT(cf_engine_stats(engine, 0, &stats), 0);
    CHECK_INT(stats.legs, 2);
    talk_until(all_is_well);
    end_call(engine);
}

/* A browser's first steps: an authenticated check, then DTLS both ways over the shared port. */
static void test_ice_and_dtls_through_the_shared_port(void) {
    cf_engine *engine = cf_engine_new(1, 42);
    CHECK_INT(cf_engine_start(engine), 0);
    cf_addr shared = bind_shared(engine, 0), mine;
    int fd = test_socket(&mine);
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 1}), 0);
    cf_leg_config leg = {.id = 30,
                         .room = 1,
                         .kind = CF_LEG_WEBRTC,
                         .tx = {.codec = CF_CODEC_OPUS, .complexity = -1},
                         .tx_pt = 111,
                         .rx_count = 1,
                         .rx = {{111, CF_CODEC_OPUS, 48000}},
                         .local_ufrag = "ours",
                         .local_pwd = "a password of our own",
                         .remote_ufrag = "peer"};
    CHECK_INT(cf_engine_leg_add(engine, &leg), 0);
    uint8_t check[300], out[1500], txid[12] = {1, 2, 3}, dtls[] = {22, 0xfe, 0xfd, 0, 0, 1};
    int len = cf_stun_write_request(check, sizeof check, txid, "ours:peer", leg.local_pwd, 1, true, 5, true);
    CHECK(len > 0);
    cf_event event;
    test_send(fd, &shared, dtls, sizeof dtls); /* before any check: not taken */
    test_send(fd, &shared, check, (size_t)len);
    CHECK(wait_event(engine, CF_EVENT_ICE_CONNECTED, 30, &event));
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%u", mine.port);
    CHECK(strcmp(event.text, address) == 0);
    CHECK_INT(cf_engine_leg_dtls_take(engine, 30, out, sizeof out), 0);
    test_send(fd, &shared, dtls, sizeof dtls);
    CHECK(wait_event(engine, CF_EVENT_DTLS, 30, &event));
    CHECK_INT(cf_engine_leg_dtls_take(engine, 30, out, sizeof out), sizeof dtls);
    CHECK(memcmp(out, dtls, sizeof dtls) == 0);
    CHECK_INT(cf_engine_leg_dtls_take(engine, 30, out, sizeof out), 0);
    CHECK_INT(cf_engine_leg_dtls_send(engine, 30, dtls, sizeof dtls), 0);
    bool answered = false, came = false;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (!(answered && came) && poll(&p, 1, 3000) > 0) {
        ssize_t n = recv(fd, out, sizeof out, 0);
        answered = answered || (n > 20 && out[0] == 1 && out[1] == 1 && memcmp(out + 8, txid, 12) == 0);
        came = came || (n == sizeof dtls && memcmp(out, dtls, sizeof dtls) == 0);
    }
    CHECK(answered && came);
    close(fd);
    cf_engine_free(engine);
}

int main(void) {
    RUN(test_two_phones_hear_each_other);
    RUN(test_mute_and_deaf_are_heard);
    RUN(test_gate_and_automatic_gain_are_heard);
    RUN(test_a_flood_of_garbage_changes_nothing);
    RUN(test_a_legs_socket_without_its_leg_takes_nothing);
    RUN(test_commands_under_load);
    RUN(test_legs_come_and_go_while_others_talk);
    RUN(test_ice_and_dtls_through_the_shared_port);
    return REPORT();
}
