/* WebRTC legs: checks, DTLS inboxes and their quotas, keys, consent, restarts; what is not authenticated changes
 * nothing. */
#include "testlib.h"

#include "conferocore/rtcp.h"
#include "conferocore/stun.h"
#include "core_fixture.h"

static const uint8_t KEY[2][16] = {"key to the mixer", "key to member  0"};
static const uint8_t SALT[2][12] = {"salt of one", "salt of two"};
enum { SHARED_SOCKET = 900 };

static cf_path web_path(uint8_t host, uint16_t port) {
    cf_path path = {.socket = SHARED_SOCKET, .remote = addr4(host, port)};
    return path;
}

static cf_leg_config web_config(uint64_t id) {
    cf_leg_config config = plain_config(id, 1);
    config.kind = CF_LEG_WEBRTC;
    config.remote_rtp = (cf_addr){0};
    snprintf(config.local_ufrag, sizeof config.local_ufrag, "local%d", (int)id);
    snprintf(config.local_pwd, sizeof config.local_pwd, "password-of-leg-number-%d", (int)id);
    snprintf(config.remote_ufrag, sizeof config.remote_ufrag, "far%d", (int)id);
    return config;
}

static cf_leg *join_web(fixture *f, uint64_t id) {
    cf_leg_config config = web_config(id);
    return join_as(f, &config, 0);
}

static void check_with(fixture *f, const cf_leg_config *c, const cf_path *path, bool nominate) {
    static uint8_t txid[12];
    char username[80];
    uint8_t request[CF_STUN_MAX];
    txid[0]++;
    snprintf(username, sizeof username, "%s:%s", c->local_ufrag, c->remote_ufrag);
    int len = cf_stun_write_request(request, sizeof request, txid, username, c->local_pwd, 100, true, 7, nominate);
    CHECK(len > 0);
    cf_core_receive(f->core, path, request, (size_t)len, f->now);
}

static void check_in(fixture *f, uint64_t id, const cf_path *path) {
    cf_leg_config config = web_config(id);
    check_with(f, &config, path, true);
}

static void give_keys(fixture *f, uint64_t id) {
    cf_srtp *inbound = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, KEY[0], 16, SALT[0], 12);
    cf_srtp *outbound = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, KEY[1], 16, SALT[1], 12);
    CHECK_INT(cf_core_leg_keys(f->core, id, &inbound, &outbound), 0);
    cf_srtp_free(inbound);
    cf_srtp_free(outbound);
}

static void speak_over(fixture *f, voice *v, const cf_path *path, cf_srtp *srtp) {
    uint8_t packet[300];
    int len = (int)voice_packet(v, packet, sizeof packet);
    if (srtp)
        len = cf_srtp_protect(srtp, packet, (size_t)len, sizeof packet);
    cf_core_receive(f->core, path, packet, (size_t)len, f->now);
}

static cf_srtp *member_srtp(void) {
    return cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, KEY[0], 16, SALT[0], 12);
}

static void dtls_to(fixture *f, const cf_path *path, uint8_t mark) {
    uint8_t data[40] = {22, 254, 253, mark};
    cf_core_receive(f->core, path, data, sizeof data, f->now);
}

static void test_a_check_connects_once_and_is_answered(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    check_in(f, 1, &path);
    CHECK_INT(count_events(f, CF_EVENT_ICE_CONNECTED, 1), 1);
    CHECK(!strcmp(f->events[0].text, "192.0.2.7:5000"));
    CHECK_INT(f->out_count, 2);
    cf_stun_msg reply;
    CHECK_INT(cf_stun_parse(&reply, f->out[0].data, f->out[0].len), 0);
    CHECK_INT(reply.type, CF_STUN_BINDING_SUCCESS);
    CHECK(cf_path_equal(&f->out[0].path, &path));
    CHECK_INT(stats_of(leg).stun_checks, 2);
    run_ms(f, 20, NULL, 0);
    CHECK_INT(stats_of(leg).connected, 0);
    give_keys(f, 1);
    run_ms(f, 20, NULL, 0);
    CHECK_INT(stats_of(leg).connected, 1);
    fixture_free(f);
}

static void test_wrong_checks_change_nothing(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    cf_path path = web_path(7, 5000);
    cf_leg_config wrong = web_config(1);
    wrong.local_pwd[0] ^= 1;
    check_with(f, &wrong, &path, true);
    cf_leg_config unknown = web_config(2);
    check_with(f, &unknown, &path, true);
    CHECK_INT(count_events(f, CF_EVENT_ICE_CONNECTED, 0), 0);
    CHECK_INT(stats_of(leg).stun_bad, 1);
    CHECK_INT(core_stats(f).packets_unknown, 1);
    dtls_to(f, &path, 1);
    CHECK_INT(count_events(f, CF_EVENT_DTLS, 0), 0);
    CHECK_INT(core_stats(f).packets_unknown, 2);
    fixture_free(f);
}

static void test_dtls_comes_up_in_order_with_one_event(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    for (uint8_t i = 0; i < 5; i++)
        dtls_to(f, &path, i);
    CHECK_INT(count_events(f, CF_EVENT_DTLS, 1), 1);
    uint8_t out[1500];
    for (uint8_t i = 0; i < 5; i++) {
        CHECK_INT(cf_leg_dtls_take(leg, out, sizeof out), 40);
        CHECK_INT(out[3], i);
    }
    dtls_to(f, &path, 9); /* not drained to the end yet: no new event, but it is there */
    CHECK_INT(count_events(f, CF_EVENT_DTLS, 1), 1);
    CHECK_INT(cf_leg_dtls_take(leg, out, sizeof out), 40);
    CHECK_INT(cf_leg_dtls_take(leg, out, sizeof out), 0);
    dtls_to(f, &path, 9);
    CHECK_INT(count_events(f, CF_EVENT_DTLS, 1), 2);
    fixture_free(f);
}

static void test_an_event_that_was_missed_is_told_again(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_web(f, 1);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    dtls_to(f, &path, 1);
    run_ms(f, 3000, NULL, 0);
    int told = count_events(f, CF_EVENT_DTLS, 1);
    CHECK(told >= 3 && told <= 4);
    fixture_free(f);
}

static void test_a_flood_at_one_leg_leaves_the_other_alone(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *victim = join_web(f, 1), *other = join_web(f, 2);
    cf_path paths[2] = {web_path(7, 5000), web_path(8, 5000)};
    check_in(f, 1, &paths[0]);
    check_in(f, 2, &paths[1]);
    uint8_t out[1500];
    int taken = 0;
    for (int i = 0; i < 100000; i++) { /* ten seconds, ten a millisecond; the reader is always at once there */
        f->now += MS / 10;
        dtls_to(f, &paths[0], 1);
        while (cf_leg_dtls_take(victim, out, sizeof out))
            taken++;
    }
    CHECK(taken <= 40 + 600 && taken >= 600);
    CHECK_INT(stats_of(victim).dtls_dropped, 100000 - taken);
    f->event_count = 0;
    for (int i = 0; i < 200; i++) /* and nobody reads: the inbox is full */
        dtls_to(f, &paths[0], 1);
    dtls_to(f, &paths[1], 5);
    CHECK_INT(count_events(f, CF_EVENT_DTLS, 2), 1);
    CHECK_INT(cf_leg_dtls_take(other, out, sizeof out), 40);
    CHECK_INT(stats_of(other).dtls_dropped, 0);
    fixture_free(f);
}

static void test_dtls_out_needs_a_path(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_web(f, 1);
    uint8_t data[2000] = {22};
    CHECK_INT(cf_core_leg_dtls_send(f->core, 1, data, 100), -ENOTCONN);
    CHECK_INT(cf_core_leg_dtls_send(f->core, 5, data, 100), -ENOENT);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    clear_sent(f);
    CHECK_INT(cf_core_leg_dtls_send(f->core, 1, data, 2000), -EMSGSIZE);
    CHECK_INT(cf_core_leg_dtls_send(f->core, 1, data, 100), 0);
    CHECK_INT(f->out_count, 1);
    CHECK(cf_path_equal(&f->out[0].path, &path));
    fixture_free(f);
}

static void test_nothing_is_sent_or_taken_without_keys(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    clear_sent(f);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    for (int i = 0; i < 100; i++) {
        speak_over(f, &v, &path, NULL);
        run_ms(f, 20, NULL, 0);
    }
    CHECK_INT(f->out_count, 0);
    CHECK_INT(stats_of(leg).rx_dropped, 100);
    CHECK_INT(stats_of(leg).rx_packets, 0);
    fixture_free(f);
}

static void test_protected_media_goes_both_ways(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    join(f, 2, 1);
    cf_path path = web_path(7, 5000);
    cf_srtp *srtp = member_srtp();
    check_in(f, 1, &path);
    give_keys(f, 1);
    voice web = {.id = 1, .hz = 440, .amplitude = 5000}, plain = {.id = 2, .hz = 700, .amplitude = 5000};
    for (int i = 0; i < 100; i++) {
        if (i == 50)
            clear_sent(f);
        speak_over(f, &web, &path, srtp);
        run_ms(f, 20, &plain, 1);
    }
    CHECK_INT(stats_of(leg).rx_packets, 100);
    CHECK(fabs(heard_tone(f, 2, 440) - 5000) < 250);
    cf_srtp *receiver = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, KEY[1], 16, SALT[1], 12);
    for (int i = 0; i < f->out_count; i++) { /* opened in place, and counted as socket 1 */
        sent *s = &f->out[i];
        bool rtcp;
        if (s->path.socket != SHARED_SOCKET || !cf_rtp_looks_like(s->data, s->len, &rtcp) || rtcp)
            continue;
        int len = cf_srtp_unprotect(receiver, s->data, s->len);
        CHECK_INT(len, 172);
        s->len = (size_t)(len > 0 ? len : 0);
    }
    CHECK(fabs(heard_tone(f, SHARED_SOCKET, 700) - 5000) < 250);
    CHECK(heard_tone(f, SHARED_SOCKET, 440) < 15);
    cf_srtp_free(receiver);
    cf_srtp_free(srtp);
    fixture_free(f);
}

static void test_forged_and_replayed_packets_are_counted(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    cf_path path = web_path(7, 5000);
    cf_srtp *srtp = member_srtp();
    check_in(f, 1, &path);
    give_keys(f, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    uint8_t packet[300], copy[300];
    size_t len = voice_packet(&v, packet, sizeof packet);
    len = (size_t)cf_srtp_protect(srtp, packet, len, sizeof packet);
    memcpy(copy, packet, len);
    copy[40] ^= 1;
    cf_core_receive(f->core, &path, copy, len, f->now);
    memcpy(copy, packet, len);
    cf_core_receive(f->core, &path, copy, len, f->now);
    memcpy(copy, packet, len);
    cf_core_receive(f->core, &path, copy, len, f->now);
    CHECK_INT(stats_of(leg).srtp_failures, 1);
    CHECK_INT(stats_of(leg).srtp_replays, 1);
    CHECK_INT(stats_of(leg).rx_packets, 1);
    CHECK_INT(count_events(f, CF_EVENT_MEDIA, 1), 1);
    cf_srtp_free(srtp);
    fixture_free(f);
}

static void test_consent_ends_once_and_stops_sending(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = web_config(1);
    config.consent_timeout_ms = 5000;
    cf_leg *leg = join_as(f, &config, 0);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    give_keys(f, 1);
    run_ms(f, 4900, NULL, 0);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), 0);
    run_ms(f, 5000, NULL, 0);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), 1);
    CHECK_INT(stats_of(leg).connected, 0);
    clear_sent(f);
    run_ms(f, 1000, NULL, 0);
    CHECK_INT(f->out_count, 0);
    check_in(f, 1, &path); /* the peer is back: so is the media */
    run_ms(f, 1000, NULL, 0);
    CHECK_INT(count_rtp(f, SHARED_SOCKET), 50);
    fixture_free(f);
}

static void test_a_leg_that_never_connects_times_out(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = web_config(1);
    config.consent_timeout_ms = 2000;
    join_as(f, &config, 0);
    run_ms(f, 10000, NULL, 0);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), 1);
    fixture_free(f);
}

static void test_a_nominated_path_moves_the_media(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    cf_path wifi = web_path(7, 5000), mobile = web_path(9, 6000);
    cf_leg_config config = web_config(1);
    check_in(f, 1, &wifi);
    give_keys(f, 1);
    check_with(f, &config, &mobile, false); /* a check alone moves nothing */
    CHECK_INT(count_events(f, CF_EVENT_ICE_MOVED, 1), 0);
    check_with(f, &config, &mobile, true);
    CHECK_INT(count_events(f, CF_EVENT_ICE_MOVED, 1), 1);
    clear_sent(f);
    run_ms(f, 100, NULL, 0);
    for (int i = 0; i < f->out_count; i++)
        CHECK(cf_path_equal(&f->out[i].path, &mobile));
    cf_srtp *srtp = member_srtp();
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    speak_over(f, &v, &wifi, srtp); /* what is still under way on the old path is taken */
    speak_over(f, &v, &mobile, srtp);
    CHECK_INT(stats_of(leg).rx_packets, 2);
    cf_srtp_free(srtp);
    fixture_free(f);
}

/* As a connection ends: nothing waits for the consent to run out. */
static void test_a_closed_path_leaves_the_media_to_the_other(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    cf_path udp = web_path(7, 5000), tcp = web_path(7, 6000), never = web_path(9, 9000);
    cf_leg_config config = web_config(1);
    check_with(f, &config, &udp, false);
    check_in(f, 1, &tcp);
    give_keys(f, 1);
    CHECK(cf_core_has_path(f->core, &tcp) && cf_core_has_path(f->core, &udp) && !cf_core_has_path(f->core, &never));
    cf_core_path_closed(f->core, &never);
    cf_core_path_closed(f->core, &tcp);
    CHECK(!cf_core_has_path(f->core, &tcp));
    clear_sent(f);
    run_ms(f, 100, NULL, 0);
    CHECK(f->out_count > 0);
    for (int i = 0; i < f->out_count; i++)
        CHECK(cf_path_equal(&f->out[i].path, &udp));
    cf_core_path_closed(f->core, &udp);
    clear_sent(f);
    run_ms(f, 100, NULL, 0);
    CHECK_INT(f->out_count, 0);
    CHECK_INT(stats_of(leg).connected, 0);
    check_in(f, 1, &tcp); /* and comes back */
    run_ms(f, 100, NULL, 0);
    CHECK(f->out_count > 1 && stats_of(leg).connected == 1);
    fixture_free(f);
}

static void test_flapping_paths_do_not_flood_the_events(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_web(f, 1);
    for (int i = 0; i < 2000; i++) {
        cf_path path = web_path(7, (uint16_t)(5000 + i % 2));
        check_in(f, 1, &path);
        clear_sent(f);
    }
    int moved = count_events(f, CF_EVENT_ICE_MOVED, 1);
    CHECK(moved >= 1 && moved <= 10);
    fixture_free(f);
}

static void test_an_ice_restart_keeps_the_old_path_until_the_new_one(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    join_web(f, 2);
    cf_path old = web_path(7, 5000), fresh = web_path(7, 7000);
    check_in(f, 1, &old);
    give_keys(f, 1);
    CHECK_INT(cf_core_leg_ice(f->core, 1, "local2", "password-password-password", "x"), -EEXIST);
    CHECK_INT(cf_core_leg_ice(f->core, 1, "again", "password-password-password", "farther"), 0);
    cf_leg_config config = web_config(1);
    check_with(f, &config, &old, true); /* the old credentials are gone */
    CHECK_INT(core_stats(f).packets_unknown, 1);
    clear_sent(f);
    run_ms(f, 100, NULL, 0);
    CHECK_INT(count_rtp(f, SHARED_SOCKET), 5);
    CHECK(cf_path_equal(&f->out[0].path, &old));
    cf_srtp *srtp = member_srtp();
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    speak_over(f, &v, &old, srtp);
    strcpy(config.local_ufrag, "again");
    strcpy(config.local_pwd, "password-password-password");
    strcpy(config.remote_ufrag, "farther");
    check_with(f, &config, &fresh, true);
    CHECK_INT(count_events(f, CF_EVENT_ICE_CONNECTED, 1), 1);
    CHECK_INT(count_events(f, CF_EVENT_ICE_MOVED, 1), 1);
    speak_over(f, &v, &old, srtp);
    speak_over(f, &v, &fresh, srtp);
    CHECK_INT(stats_of(leg).rx_packets, 3);
    clear_sent(f);
    run_ms(f, 100, NULL, 0);
    CHECK(cf_path_equal(&f->out[0].path, &fresh));
    cf_srtp_free(srtp);
    fixture_free(f);
}

/* Whose DTLS is it? Empties both inboxes: 1 or 2, 0 for nobody's. */
static int owner_of(fixture *f, const cf_path *path, cf_leg *first, cf_leg *second) {
    uint8_t out[1500];
    dtls_to(f, path, 1);
    bool to_first = cf_leg_dtls_take(first, out, sizeof out) > 0,
         to_second = cf_leg_dtls_take(second, out, sizeof out) > 0;
    CHECK(!(to_first && to_second));
    cf_leg_dtls_take(first, out, sizeof out); /* until empty, see core.h */
    cf_leg_dtls_take(second, out, sizeof out);
    return to_first ? 1 : to_second ? 2 : 0;
}

/* A member with credentials of its own forges the address of another one, who checks as seldom as RFC 7675 allows. */
static void test_a_path_in_use_is_not_taken_over(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *victim = join_web(f, 1), *thief = join_web(f, 2);
    cf_path path = web_path(7, 5000);
    for (int i = 0; i < 60; i++) {
        if (i % 6 == 0)
            check_in(f, 1, &path);
        clear_sent(f);
        check_in(f, 2, &path);
        CHECK_INT(f->out_count, 0);
        CHECK_INT(owner_of(f, &path, victim, thief), 1);
        f->now += 1000 * MS;
    }
    CHECK_INT(stats_of(thief).stun_checks, 0);
    CHECK_INT(stats_of(thief).stun_bad, 60);
    CHECK_INT(count_events(f, CF_EVENT_ICE_CONNECTED, 2), 0);
    fixture_free(f);
}

static void test_media_holds_a_path_as_checks_do(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *victim = join_web(f, 1), *thief = join_web(f, 2);
    cf_path path = web_path(7, 5000);
    cf_srtp *srtp = member_srtp();
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    check_in(f, 1, &path);
    give_keys(f, 1);
    for (int i = 0; i < 20; i++) {
        speak_over(f, &v, &path, srtp);
        f->now += 1000 * MS;
        check_in(f, 2, &path);
    }
    CHECK_INT(owner_of(f, &path, victim, thief), 1);
    f->now += 10000 * MS;
    check_in(f, 2, &path);
    CHECK_INT(owner_of(f, &path, victim, thief), 2);
    cf_srtp_free(srtp);
    fixture_free(f);
}

/* A port that was used before: free at once when its leg leaves, and soon after the leg has fallen silent. */
static void test_the_latest_check_owns_a_path_that_nobody_holds(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *first = join_web(f, 1), *second = join_web(f, 2);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    f->now += 9900 * MS;
    check_in(f, 2, &path);
    CHECK_INT(owner_of(f, &path, first, second), 1);
    f->now += 100 * MS;
    check_in(f, 2, &path);
    CHECK_INT(owner_of(f, &path, first, second), 2);
    leave(f, 2);
    dtls_to(f, &path, 1);
    CHECK_INT(core_stats(f).packets_unknown, 1);
    f->now += MS;
    check_in(f, 1, &path);
    CHECK_INT(owner_of(f, &path, first, first), 1);
    fixture_free(f);
}

/* A browser that comes again without a fresh ICE agent: its port and its credentials stay, only our leg is another. */
static void test_a_fresh_leg_of_the_same_agent_takes_over_at_once(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = web_config(2);
    strcpy(config.remote_ufrag, "far1");
    cf_leg *first = join_web(f, 1), *second = join_as(f, &config, 0);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    f->now += MS;
    check_with(f, &config, &path, true);
    CHECK_INT(owner_of(f, &path, first, second), 2);
    fixture_free(f);
}

/* What is still under way on a path from before an ICE restart is held like any other. */
static void test_a_path_from_before_a_restart_is_held(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *first = join_web(f, 1), *second = join_web(f, 2);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    CHECK_INT(cf_core_leg_ice(f->core, 1, "again", "password-password-password", "farther"), 0);
    check_in(f, 2, &path);
    CHECK_INT(owner_of(f, &path, first, second), 1);
    fixture_free(f);
}

static void test_garbage_on_the_shared_socket(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_web(f, 1);
    cf_path known = web_path(7, 5000), stranger = web_path(66, 666);
    check_in(f, 1, &known);
    give_keys(f, 1);
    cf_rng rng;
    cf_rng_seed(&rng, 5);
    uint8_t data[1500];
    for (int i = 0; i < 20000; i++) {
        size_t len = cf_rng_u32(&rng) % sizeof data;
        for (size_t k = 0; k < len; k++)
            data[k] = (uint8_t)cf_rng_u32(&rng);
        cf_core_receive(f->core, i % 2 ? &known : &stranger, data, len, f->now);
        if (i % 100 == 0)
            run_ms(f, 20, NULL, 0);
        clear_sent(f);
    }
    cf_leg_stats stats = stats_of(leg);
    CHECK_INT(stats.rx_packets, 0);
    CHECK(stats.srtp_failures > 1000 && stats.rx_dropped > 1000 && stats.dtls_dropped > 100);
    CHECK(core_stats(f).packets_unknown >= 10000);
    CHECK_INT(stats.connected, 1);
    fixture_free(f);
}

/* A leg that had timed out is sent to again from the restart on, also in a room that has fallen asleep meanwhile. */
static void test_an_ice_restart_wakes_a_room(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_web(f, 1);
    cf_path path = web_path(7, 5000);
    check_in(f, 1, &path);
    give_keys(f, 1);
    run_ms(f, 34000, NULL, 0);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), 1);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    CHECK_INT(cf_core_leg_ice(f->core, 1, "again", "another-password-of-the-leg", "far1"), 0);
    clear_sent(f);
    run_ms(f, 1000, NULL, 0);
    CHECK_INT(f->out_count > 45, 1);
    fixture_free(f);
}

int main(void) {
    RUN(test_a_check_connects_once_and_is_answered);
    RUN(test_wrong_checks_change_nothing);
    RUN(test_dtls_comes_up_in_order_with_one_event);
    RUN(test_an_event_that_was_missed_is_told_again);
    RUN(test_a_flood_at_one_leg_leaves_the_other_alone);
    RUN(test_dtls_out_needs_a_path);
    RUN(test_nothing_is_sent_or_taken_without_keys);
    RUN(test_protected_media_goes_both_ways);
    RUN(test_forged_and_replayed_packets_are_counted);
    RUN(test_consent_ends_once_and_stops_sending);
    RUN(test_a_leg_that_never_connects_times_out);
    RUN(test_a_nominated_path_moves_the_media);
    RUN(test_a_closed_path_leaves_the_media_to_the_other);
    RUN(test_flapping_paths_do_not_flood_the_events);
    RUN(test_an_ice_restart_keeps_the_old_path_until_the_new_one);
    RUN(test_a_path_in_use_is_not_taken_over);
    RUN(test_media_holds_a_path_as_checks_do);
    RUN(test_the_latest_check_owns_a_path_that_nobody_holds);
    RUN(test_a_fresh_leg_of_the_same_agent_takes_over_at_once);
    RUN(test_a_path_from_before_a_restart_is_held);
    RUN(test_garbage_on_the_shared_socket);
    RUN(test_an_ice_restart_wakes_a_room);
    return REPORT();
}
