/* Who is sent to, and by which keys: addresses that were only signalled, DTLS over a leg's own socket, another key
 * under way. */
#include "testlib.h"

#include "core_fixture.h"

static cf_leg_config unproven_config(void) {
    cf_leg_config config = plain_config(1, 1);
    config.unproven = 1;
    return config;
}

/* Neither media nor reports. */
static void test_an_address_that_was_only_signalled_is_sent_nothing(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 2, 1);
    cf_leg_config config = unproven_config();
    cf_leg *leg = join_as(f, &config, 0);
    voice other = {.id = 2, .hz = 440, .amplitude = 8000};
    run_ms(f, 10000, &other, 1);
    CHECK_INT(stats_of(leg).tx_packets, 0);
    cf_leg_free(cf_core_leg_remove(f->core, 1, true, f->now)); /* not even a goodbye */
    for (int i = 0; i < f->out_count; i++)
        CHECK_INT(f->out[i].path.socket, 2);
    fixture_free(f);
}

static void test_a_word_proves_it(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 2, 1);
    cf_leg_config config = unproven_config();
    join_as(f, &config, 0);
    voice other = {.id = 2, .hz = 440, .amplitude = 8000};
    run_ms(f, 200, &other, 1);
    CHECK_INT(cf_core_leg_prove(f->core, 1), 0);
    CHECK_INT(cf_core_leg_prove(f->core, 9), -ENOENT);
    clear_sent(f);
    run_ms(f, 1000, &other, 1);
    CHECK_INT(count_rtp(f, 1), 50);
    CHECK(heard_tone(f, 1, 440) > 7000);
    fixture_free(f);
}

static void test_a_packet_from_there_proves_it(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = unproven_config();
    cf_leg *leg = join_as(f, &config, 0);
    voice v = {.id = 1, .hz = 440, .amplitude = 8000};
    uint8_t packet[256];
    size_t len = voice_packet(&v, packet, sizeof packet);
    cf_path stranger = {.socket = 1, .remote = addr4(66, 4000)};
    cf_core_receive(f->core, &stranger, packet, len, f->now);
    run_ms(f, 100, NULL, 0);
    CHECK_INT(stats_of(leg).tx_packets, 0);
    run_ms(f, 1000, &v, 1);
    CHECK_INT(stats_of(leg).tx_packets, 50);
    fixture_free(f);
}

/* Another host has to prove itself again, another port of the same one has not. */
static void test_a_move_is_to_be_proved_again(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = unproven_config();
    cf_leg *leg = join_as(f, &config, 0);
    CHECK_INT(cf_core_leg_prove(f->core, 1), 0);
    cf_addr port = addr4(1, 4002), host = addr4(7, 4002), none = {0};
    CHECK_INT(cf_core_leg_remote(f->core, 1, &port, &none), 0);
    run_ms(f, 100, NULL, 0);
    CHECK_INT(stats_of(leg).tx_packets, 5);
    CHECK_INT(cf_core_leg_remote(f->core, 1, &host, &none), 0);
    run_ms(f, 100, NULL, 0);
    CHECK_INT(stats_of(leg).tx_packets, 5);
    fixture_free(f);
}

static cf_srtp *context(uint8_t seed) {
    uint8_t key[16] = {seed}, salt[14] = {2};
    return cf_srtp_new(CF_SRTP_AES128_CM_SHA1_32, key, 16, salt, 14);
}

static void set_keys(fixture *f, uint8_t seed) {
    cf_srtp *inbound = context(seed), *outbound = context(seed);
    CHECK_INT(cf_core_leg_keys(f->core, 1, &inbound, &outbound), 0);
    cf_srtp_free(inbound);
    cf_srtp_free(outbound);
}

static void deliver(fixture *f, const cf_path *path, const uint8_t *data, size_t len) {
    uint8_t copy[SENT_BYTES];
    memcpy(copy, data, len);
    cf_core_receive(f->core, path, copy, len, f->now);
}

static void speak_sealed(fixture *f, voice *v, const cf_path *path, cf_srtp *peer) {
    uint8_t packet[256];
    int len = cf_srtp_protect(peer, packet, voice_packet(v, packet, sizeof packet), sizeof packet);
    CHECK(len > 0);
    deliver(f, path, packet, (size_t)len);
}

static const uint8_t HELLO[] = {22, 254, 255, 0, 0, 1, 2, 3};

/* Until keys are there DTLS is answered where it came from, and where that is teaches nothing about media. */
static void test_dtls_over_a_legs_own_socket(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.dtls = config.symmetric = 1;
    cf_leg *leg = join_as(f, &config, 0);
    cf_path nat = {.socket = 1, .remote = addr4(77, 31000)}, home = plain_path(1);
    uint8_t taken[1500];
    deliver(f, &nat, HELLO, sizeof HELLO);
    CHECK_INT(count_events(f, CF_EVENT_DTLS, 1), 1);
    CHECK_INT(cf_leg_dtls_take(leg, taken, sizeof taken), sizeof HELLO);
    CHECK_INT(cf_core_leg_dtls_send(f->core, 1, HELLO, sizeof HELLO), 0);
    CHECK(f->out_count == 1 && cf_addr_equal(&f->out[0].path.remote, &nat.remote));
    run_ms(f, 100, NULL, 0);
    CHECK_INT(f->out_count, 1); /* no keys: no media */
    set_keys(f, 1);
    cf_srtp *peer = context(1);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    speak_sealed(f, &v, &nat, peer);
    clear_sent(f);
    run_ms(f, 100, NULL, 0);
    CHECK(count_rtp(f, 1) == 5 && cf_addr_equal(&f->out[0].path.remote, &nat.remote));
    deliver(f, &home, HELLO, sizeof HELLO); /* not any more */
    CHECK_INT(stats_of(leg).rx_dropped, 1);
    cf_srtp_free(peer);
    fixture_free(f);
}

static void test_dtls_comes_from_the_signalled_address_only(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.dtls = 1;
    cf_leg *leg = join_as(f, &config, 0);
    cf_path stranger = {.socket = 1, .remote = addr4(66, 4000)}, home = plain_path(1);
    deliver(f, &stranger, HELLO, sizeof HELLO);
    CHECK_INT(stats_of(leg).rx_dropped, 1);
    deliver(f, &home, HELLO, sizeof HELLO);
    CHECK_INT(stats_of(leg).rx_dropped, 1);
    fixture_free(f);
}

/* RTCP on a port of its own would need a handshake of its own: there is none, and nothing is said that nobody could
 * open. */
static void test_dtls_without_mux_has_no_rtcp(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.dtls = 1;
    config.rtcp_socket = 11;
    cf_leg *leg = join_as(f, &config, 0);
    set_keys(f, 1);
    cf_srtp *peer = context(1);
    cf_path home = plain_path(1), reports = {.socket = 11, .remote = addr4(1, 4001)};
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    speak_sealed(f, &v, &home, peer);
    run_ms(f, 10000, NULL, 0);
    CHECK_INT(f->out_count, count_rtp(f, 1));
    CHECK_INT(f->out_count, 500);
    uint8_t report[64] = {0x80, 201, 0, 1, 0, 0, 0, 9};
    deliver(f, &reports, report, 8);
    deliver(f, &reports, HELLO, sizeof HELLO);
    CHECK_INT(stats_of(leg).rx_dropped, 2);
    cf_srtp_free(peer);
    fixture_free(f);
}

/* Who is the client of DTLS speaks first: to a proved address, or not at all. */
static void test_a_hello_goes_to_a_proved_address(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = unproven_config();
    config.dtls = 1;
    join_as(f, &config, 0);
    CHECK_INT(cf_core_leg_dtls_send(f->core, 1, HELLO, sizeof HELLO), -ENOTCONN);
    CHECK_INT(cf_core_leg_prove(f->core, 1), 0);
    CHECK_INT(cf_core_leg_dtls_send(f->core, 1, HELLO, sizeof HELLO), 0);
    CHECK_INT(f->out_count, 1);
    fixture_free(f);
}

static uint32_t ssrc_sent(const fixture *f, int i) {
    return cf_get32(f->out[i].data + 8);
}

/* Under another key another source begins; the peer's own may go on, and is heard. */
static void test_another_key_begins_another_source(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.secure = 1;
    cf_leg *leg = join_as(f, &config, 0);
    cf_path home = plain_path(1);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    for (uint8_t key = 1; key < 3; key++) {
        set_keys(f, key);
        cf_srtp *peer = context(key), *ear = context(key);
        speak_sealed(f, &v, &home, peer);
        run_ms(f, 40, NULL, 0);
        CHECK(f->out_count >= 2 * key);
        sent *last = &f->out[f->out_count - 1];
        uint8_t copy[SENT_BYTES];
        memcpy(copy, last->data, last->len);
        CHECK_INT(cf_srtp_unprotect(ear, copy, last->len), 172);
        cf_srtp_free(peer);
        cf_srtp_free(ear);
    }
    CHECK_INT(stats_of(leg).rx_packets, 2);
    CHECK_INT(stats_of(leg).srtp_failures, 0);
    CHECK(ssrc_sent(f, 0) != ssrc_sent(f, f->out_count - 1));
    fixture_free(f);
}

int main(void) {
    RUN(test_an_address_that_was_only_signalled_is_sent_nothing);
    RUN(test_a_word_proves_it);
    RUN(test_a_packet_from_there_proves_it);
    RUN(test_a_move_is_to_be_proved_again);
    RUN(test_dtls_over_a_legs_own_socket);
    RUN(test_dtls_comes_from_the_signalled_address_only);
    RUN(test_dtls_without_mux_has_no_rtcp);
    RUN(test_a_hello_goes_to_a_proved_address);
    RUN(test_another_key_begins_another_source);
    return REPORT();
}
