/* RTP legs: whose packets are taken, where ours go, reports both ways, time-outs. */
#include "testlib.h"

#include "conferocore/rtcp.h"
#include "core_fixture.h"

static void speak_from(fixture *f, voice *v, const cf_path *path) {
    uint8_t packet[256];
    size_t len = voice_packet(v, packet, sizeof packet);
    cf_core_receive(f->core, path, packet, len, f->now);
}

static void test_only_the_signalled_address_is_taken(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join(f, 1, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    cf_path wrong_port = plain_path(1), wrong_host = plain_path(1), right = plain_path(1);
    wrong_port.remote.port++;
    wrong_host.remote.ip[3]++;
    speak_from(f, &v, &wrong_port);
    speak_from(f, &v, &wrong_host);
    speak_from(f, &v, &right);
    CHECK_INT(stats_of(leg).rx_packets, 1);
    CHECK_INT(stats_of(leg).rx_dropped, 2);
    CHECK_INT(count_events(f, CF_EVENT_MEDIA, 1), 1);
    fixture_free(f);
}

static cf_leg *join_symmetric(fixture *f, cf_addr signalled, cf_addr signalling) {
    cf_leg_config config = plain_config(1, 1);
    config.symmetric = CF_SYMMETRIC_ALL;
    config.remote_rtp = signalled;
    config.signalling = signalling;
    return join_as(f, &config, 0);
}

static cf_path from(uint8_t host, uint16_t port) {
    return (cf_path){.socket = 1, .remote = addr4(host, port)};
}

static void speak_often(fixture *f, voice *v, const cf_path *path, int packets) {
    for (int i = 0; i < packets; i++)
        speak_from(f, v, path);
}

static void test_symmetric_rtp_learns_once_and_locks(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_symmetric(f, (cf_addr){0}, addr4(77, 5060));
    run_ms(f, 100, NULL, 0);
    CHECK_INT(f->out_count, 0); /* nobody knows where to */
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    cf_path nat = from(77, 31000), thief = from(66, 1234);
    uint8_t garbage[] = {0x80, 96, 0, 1};
    cf_core_receive(f->core, &thief, garbage, sizeof garbage, f->now); /* not valid: not learnt */
    uint8_t bye[60];
    size_t bye_len = 0;
    CHECK_INT(cf_rtcp_write_rr(bye, sizeof bye, &bye_len, 1001, NULL, 0), 0);
    CHECK_INT(cf_rtcp_write_bye(bye, sizeof bye, &bye_len, 1001), 0);
    cf_core_receive(f->core, &thief, bye, bye_len, f->now); /* a stranger ends no call */
    CHECK_INT(count_events(f, CF_EVENT_BYE, 0), 0);
    speak_from(f, &v, &nat);
    speak_often(f, &v, &thief, 10);
    CHECK_INT(stats_of(leg).rx_packets, 1);
    run_ms(f, 100, NULL, 0);
    CHECK_INT(count_rtp(f, 1), 5);
    CHECK(cf_addr_equal(&f->out[0].path.remote, &nat.remote));
    cf_addr moved = addr4(5, 5000), none = {0};
    cf_path path_of_moved = from(5, 5000);
    CHECK_INT(cf_core_leg_remote(f->core, 1, &moved, &none), 0); /* re-INVITE: learns anew */
    clear_sent(f);
    run_ms(f, 20, NULL, 0);
    CHECK(cf_addr_equal(&f->out[0].path.remote, &moved));
    speak_often(f, &v, &thief, 4);
    CHECK_INT(stats_of(leg).rx_packets, 1);
    path_of_moved.remote.port = 5002;
    speak_from(f, &v, &path_of_moved);
    CHECK_INT(stats_of(leg).rx_packets, 2);
    fixture_free(f);
}

static void test_the_signalled_host_is_believed_at_once_on_any_port(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_symmetric(f, addr4(77, 4000), (cf_addr){0});
    voice v = {.id = 1, .hz = 440, .amplitude = 4000}, other = {.id = 9, .hz = 600, .amplitude = 4000};
    cf_path nat = from(77, 31000), thief = from(66, 1234);
    speak_often(f, &other, &thief, 3);
    speak_from(f, &v, &nat);
    speak_often(f, &other, &thief, 10);
    CHECK_INT(stats_of(leg).rx_packets, 1);
    CHECK_INT(stats_of(leg).rx_dropped, 13);
    run_ms(f, 20, NULL, 0);
    CHECK(cf_addr_equal(&f->out[0].path.remote, &nat.remote));
    fixture_free(f);
}

/* However many its packets are: in the clear nothing tells a stranger's from the peer's. */
static void test_no_other_host_is_believed(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_symmetric(f, addr4(1, 4000), addr4(2, 5060));
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    cf_path thief = from(66, 4000), relay = from(2, 9000), home = from(1, 4000);
    speak_often(f, &v, &thief, 100);
    CHECK_INT(stats_of(leg).rx_packets, 0);
    speak_from(f, &v, &relay); /* where the signalling comes from */
    CHECK_INT(stats_of(leg).rx_packets, 1);
    speak_often(f, &v, &home, 10); /* settled: not even the signalled one any more */
    CHECK_INT(stats_of(leg).rx_packets, 1);
    run_ms(f, 20, NULL, 0);
    CHECK(cf_addr_equal(&f->out[0].path.remote, &relay.remote));
    fixture_free(f);
}

/* The host of the signalling counts where the leg is symmetric, and nowhere else. */
static void test_the_host_of_the_signalling_is_nothing_to_a_strict_leg(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.signalling = addr4(77, 5060);
    cf_leg *leg = join_as(f, &config, 0);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    cf_path nat = from(77, 31000);
    speak_often(f, &v, &nat, 10);
    CHECK_INT(stats_of(leg).rx_packets, 0);
    fixture_free(f);
}

/* What SRTP has authenticated comes from the peer, wherever that is. */
static void test_a_secure_peer_is_believed_at_once(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.symmetric = config.secure = 1;
    cf_leg *leg = join_as(f, &config, 0);
    uint8_t key[16] = {1}, salt[14] = {2}, packet[300];
    cf_srtp *inbound = cf_srtp_new(CF_SRTP_AES128_CM_SHA1_80, key, 16, salt, 14);
    cf_srtp *outbound = cf_srtp_new(CF_SRTP_AES128_CM_SHA1_80, key, 16, salt, 14);
    cf_srtp *peer = cf_srtp_new(CF_SRTP_AES128_CM_SHA1_80, key, 16, salt, 14);
    CHECK_INT(cf_core_leg_keys(f->core, 1, &inbound, &outbound), 0);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    cf_path thief = from(66, 1234), nat = from(77, 31000);
    speak_often(f, &v, &thief, 10);
    CHECK_INT(stats_of(leg).rx_packets, 0);
    size_t len = voice_packet(&v, packet, sizeof packet);
    int sealed = cf_srtp_protect(peer, packet, len, sizeof packet);
    CHECK(sealed > 0);
    cf_core_receive(f->core, &nat, packet, (size_t)sealed, f->now);
    CHECK_INT(stats_of(leg).rx_packets, 1);
    cf_srtp_free(peer);
    fixture_free(f);
}

static void test_what_is_not_agreed_is_dropped_and_counted(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join(f, 1, 1);
    cf_path path = plain_path(1);
    uint8_t packet[200] = {0};
    int at = cf_rtp_write(packet, sizeof packet, 96, false, 1, 0, 5, NULL, 0); /* payload type */
    cf_core_receive(f->core, &path, packet, (size_t)at + 160, f->now);
    uint8_t truncated[] = {0x9F, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9};
    cf_core_receive(f->core, &path, truncated, sizeof truncated, f->now);
    uint8_t dtls[] = {22, 254, 253, 0}, stun[20] = {0, 1};
    cf_core_receive(f->core, &path, dtls, sizeof dtls, f->now);
    cf_core_receive(f->core, &path, stun, sizeof stun, f->now);
    CHECK_INT(stats_of(leg).rx_dropped, 4);
    cf_core_receive(f->core, &path, packet, 0, f->now);
    CHECK_INT(core_stats(f).packets_unknown, 1);
    run_ms(f, 20, NULL, 0);
    f->out[0].path = path; /* our own packet comes back: a loop */
    cf_core_receive(f->core, &path, f->out[0].data, f->out[0].len, f->now);
    CHECK_INT(stats_of(leg).rx_dropped, 5);
    CHECK_INT(stats_of(leg).rx_packets, 0);
    fixture_free(f);
}

static void test_a_secure_leg_waits_for_its_keys(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.secure = 1;
    cf_leg *leg = join_as(f, &config, 0);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    run_ms(f, 200, &v, 1);
    CHECK_INT(f->out_count, 0);
    CHECK_INT(stats_of(leg).rx_packets, 0);
    uint8_t key[16] = {1}, salt[14] = {2};
    cf_srtp *inbound = cf_srtp_new(CF_SRTP_AES128_CM_SHA1_80, key, 16, salt, 14);
    cf_srtp *outbound = cf_srtp_new(CF_SRTP_AES128_CM_SHA1_80, key, 16, salt, 14);
    CHECK_INT(cf_core_leg_keys(f->core, 1, &inbound, &outbound), 0);
    CHECK(!inbound && !outbound);
    run_ms(f, 200, &v, 1);
    CHECK_INT(count_rtp(f, 1), 10);
    CHECK_INT(f->out[0].len, 172 + 10);
    CHECK_INT(stats_of(leg).srtp_failures, 10);
    fixture_free(f);
}

struct seen {
    int srs, rrs, names, byes;
    cf_rtcp_sr sr;
    cf_rtcp_report report;
};

static void on_sr(void *arg, const cf_rtcp_sr *sr) {
    struct seen *seen = arg;
    seen->srs++;
    seen->sr = *sr;
}

static void on_report(void *arg, uint32_t sender, const cf_rtcp_report *block) {
    (void)sender;
    struct seen *seen = arg;
    seen->rrs++;
    seen->report = *block;
}

static void on_cname(void *arg, uint32_t ssrc, const uint8_t *text, size_t len) {
    (void)ssrc;
    struct seen *seen = arg;
    seen->names += len == 4 && !memcmp(text, "test", 4);
}

static void on_bye(void *arg, uint32_t ssrc) {
    (void)ssrc;
    ((struct seen *)arg)->byes++;
}

static struct seen read_reports(const fixture *f, uint32_t socket) {
    struct seen seen = {0};
    cf_rtcp_visitor visitor = {.arg = &seen, .sr = on_sr, .report = on_report, .cname = on_cname, .bye = on_bye};
    for (int i = 0; i < f->out_count; i++) {
        bool rtcp;
        if (f->out[i].path.socket == socket && cf_rtp_looks_like(f->out[i].data, f->out[i].len, &rtcp) && rtcp)
            CHECK_INT(cf_rtcp_parse(f->out[i].data, f->out[i].len, &visitor), 0);
    }
    return seen;
}

static void test_reports_go_out_and_say_what_was_received(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    for (int i = 0; i < 10; i++) {
        run_ms(f, 90, &v, 1);
        v.seq = (uint16_t)(v.seq + 1); /* one of six is lost */
        v.ts += 160;
        run_ms(f, 20, NULL, 0);
    }
    run_ms(f, 18800, &v, 1);
    struct seen seen = read_reports(f, 1);
    CHECK(seen.srs >= 3 && seen.srs <= 8); /* 20 s at 2.5-7.5 s, the first after half to one and a half */
    CHECK_INT(seen.rrs, seen.srs);
    CHECK_INT(seen.names, seen.srs);
    CHECK_INT(seen.report.ssrc, 1001);
    CHECK_INT(seen.report.lost, 10);
    CHECK_INT(seen.byes, 0);
    CHECK(seen.sr.packets > 500 && seen.sr.octets == seen.sr.packets * 160);
    fixture_free(f);
}

static void test_report_timestamps_and_ntp_run_together(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    cf_rtcp_sr first = {0};
    for (int i = 0; i < 3000; i++) {
        run_ms(f, 20, NULL, 0);
        struct seen seen = read_reports(f, 1);
        clear_sent(f);
        if (seen.srs && !first.ntp)
            first = seen.sr;
        if (!seen.srs || first.ntp == seen.sr.ntp)
            continue;
        double seconds = (double)(int64_t)(seen.sr.ntp - first.ntp) / 4294967296.0;
        CHECK(fabs((double)(seen.sr.rtp_ts - first.rtp_ts) - 8000 * seconds) < 2);
    }
    CHECK(first.ntp != 0);
    fixture_free(f);
}

static void test_a_peers_report_gives_loss_and_round_trip(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join(f, 1, 1);
    run_ms(f, 3000, NULL, 0);
    struct seen seen = read_reports(f, 1);
    CHECK(seen.srs >= 1);
    uint32_t middle = (uint32_t)(seen.sr.ntp >> 16);
    int64_t ntp_ns = (int64_t)(seen.sr.ntp >> 32) * 1000 * MS + (int64_t)((seen.sr.ntp & 0xFFFFFFFF) * 1000 * MS >> 32);
    int64_t sent_at = ntp_ns - INT64_C(2208988800) * 1000 * MS;
    cf_rtcp_report block = {.ssrc = seen.sr.ssrc, .fraction_lost = 25, .lost = 17, .lsr = middle, .dlsr = 65536 / 10};
    f->now = sent_at + 350 * MS + 8000 * MS; /* held 100 ms, and 8.25 s under way */
    uint8_t packet[200];
    size_t len = 0;
    CHECK_INT(cf_rtcp_write_rr(packet, sizeof packet, &len, 1001, &block, 1), 0);
    cf_path path = plain_path(1);
    cf_core_receive(f->core, &path, packet, len, f->now);
    CHECK_INT(stats_of(leg).remote_lost, 17);
    CHECK_INT(stats_of(leg).remote_fraction_lost, 25);
    CHECK(abs((int)stats_of(leg).rtt_us - 8250000) < 1000);
    fixture_free(f);
}

/* From the next report on; a round trip over the change is nothing that was measured. */
static void test_the_wall_clock_may_be_set(void) {
    const int64_t hour = 3600 * 1000 * MS;
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join(f, 1, 1);
    run_ms(f, 3000, NULL, 0);
    struct seen before = read_reports(f, 1);
    CHECK_INT(before.srs, 1);
    clear_sent(f);
    cf_core_wall(f->core, hour);
    run_ms(f, 8000, NULL, 0);
    struct seen after = read_reports(f, 1);
    CHECK(after.srs >= 1);
    double seconds = (double)(after.sr.ntp - before.sr.ntp) / 4294967296.0;
    CHECK(seconds > 3600 + 2 && seconds < 3600 + 11);
    const uint64_t asked[] = {before.sr.ntp, after.sr.ntp};
    for (int i = 0; i < 2; i++) {
        uint8_t packet[200];
        size_t len = 0;
        cf_rtcp_report block = {.ssrc = after.sr.ssrc, .lsr = (uint32_t)(asked[i] >> 16)};
        CHECK_INT(cf_rtcp_write_rr(packet, sizeof packet, &len, 1001, &block, 1), 0);
        cf_path path = plain_path(1);
        cf_core_receive(f->core, &path, packet, len, f->now);
        CHECK((stats_of(leg).rtt_us > 0) == (i == 1));
    }
    fixture_free(f);
}

static void test_bye_is_told_and_said(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    run_ms(f, 200, &v, 1);
    uint8_t packet[200];
    size_t len = 0;
    CHECK_INT(cf_rtcp_write_rr(packet, sizeof packet, &len, 1001, NULL, 0), 0);
    CHECK_INT(cf_rtcp_write_bye(packet, sizeof packet, &len, 1001), 0);
    cf_path path = plain_path(1);
    for (int i = 0; i < 1000; i++)
        cf_core_receive(f->core, &path, packet, len, f->now);
    int told = count_events(f, CF_EVENT_BYE, 1);
    CHECK(told >= 1 && told <= 10);
    clear_sent(f);
    cf_leg_free(cf_core_leg_remove(f->core, 1, true, f->now));
    CHECK_INT(read_reports(f, 1).byes, 1);
    CHECK_INT(read_reports(f, 1).names, 1);
    fixture_free(f);
}

/* Without rtcp-mux: reports leave through the RTCP socket to the next port, and come in only there. */
static void test_rtcp_on_a_port_of_its_own(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.rtcp_socket = 101;
    cf_leg *leg = join_as(f, &config, 0);
    run_ms(f, 3000, NULL, 0);
    CHECK(read_reports(f, 101).srs >= 1);
    CHECK_INT(read_reports(f, 1).srs, 0);
    for (int i = 0; i < f->out_count; i++)
        CHECK_INT(f->out[i].path.remote.port, f->out[i].path.socket == 101 ? 4001 : 4000);
    uint8_t packet[200];
    size_t len = 0;
    cf_rtcp_report block = {.ssrc = read_reports(f, 101).sr.ssrc, .lost = 4};
    CHECK_INT(cf_rtcp_write_rr(packet, sizeof packet, &len, 1001, &block, 1), 0);
    cf_path rtp = plain_path(1), rtcp = {.socket = 101, .remote = addr4(1, 4001)};
    cf_core_receive(f->core, &rtp, packet, len, f->now);
    CHECK_INT(stats_of(leg).remote_lost, 0);
    CHECK_INT(stats_of(leg).rx_dropped, 1);
    cf_core_receive(f->core, &rtcp, packet, len, f->now);
    CHECK_INT(stats_of(leg).remote_lost, 4);
    fixture_free(f);
}

static void test_silence_on_the_line_times_out_once(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.media_timeout_ms = 2000;
    join_as(f, &config, 0);
    join(f, 2, 1); /* without a time-out */
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    run_ms(f, 5000, &v, 1);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 0), 0);
    run_ms(f, 10000, NULL, 0);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), 1);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 2), 0);
    run_ms(f, 100, &v, 1); /* back again, and gone again */
    run_ms(f, 10000, NULL, 0);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), 2);
    fixture_free(f);
}

/* A re-INVITE that ends a hold: silence is counted from there, and what was told before the hold is told again. */
static void test_a_new_address_starts_the_time_out_afresh(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.media_timeout_ms = 2000;
    join_as(f, &config, 0);
    voice v = {.id = 1, .hz = 440, .amplitude = 4000};
    run_ms(f, 1000, &v, 1);
    for (int hold = 1; hold <= 2; hold++) {
        run_ms(f, 5000, NULL, 0);
        CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), hold);
        CHECK_INT(cf_core_leg_remote(f->core, 1, &config.remote_rtp, &(cf_addr){0}), 0);
        run_ms(f, 1900, NULL, 0);
        CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), hold);
    }
    run_ms(f, 200, NULL, 0);
    CHECK_INT(count_events(f, CF_EVENT_TIMEOUT, 1), 3);
    fixture_free(f);
}

static void test_extensions_carry_mid_until_known_and_level(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg_config config = plain_config(1, 1);
    config.audio_level_ext = 3;
    config.mid_ext = 4;
    strcpy(config.mid, "audio");
    cf_leg *leg = join_as(f, &config, 0);
    run_ms(f, 20, NULL, 0);
    cf_rtp rtp;
    size_t len = 0;
    CHECK_INT(cf_rtp_parse(&rtp, f->out[0].data, f->out[0].len), 0);
    const uint8_t *mid = cf_rtp_ext_find(&rtp, 4, &len);
    CHECK(mid && len == 5 && !memcmp(mid, "audio", 5));
    const uint8_t *level = cf_rtp_ext_find(&rtp, 3, &len);
    CHECK(level && len == 1 && *level == 127);
    cf_rtcp_report block = {.ssrc = rtp.ssrc};
    uint8_t packet[200];
    size_t at = 0;
    CHECK_INT(cf_rtcp_write_rr(packet, sizeof packet, &at, 1001, &block, 1), 0);
    cf_path path = plain_path(1);
    cf_core_receive(f->core, &path, packet, at, f->now);
    uint8_t claim = 0x80 | 33;
    cf_rtp_ext ext = {.id = 3, .len = 1, .data = &claim};
    int head = cf_rtp_write(packet, sizeof packet, 0, false, 1, 0, 5, &ext, 1);
    memset(packet + head, 0xFF, 160);
    cf_core_receive(f->core, &path, packet, (size_t)head + 160, f->now);
    CHECK_INT(stats_of(leg).level_claimed, 33);
    clear_sent(f);
    run_ms(f, 20, NULL, 0);
    CHECK_INT(cf_rtp_parse(&rtp, f->out[0].data, f->out[0].len), 0);
    CHECK(cf_rtp_ext_find(&rtp, 4, &len) == NULL);
    CHECK(cf_rtp_ext_find(&rtp, 3, &len) != NULL);
    fixture_free(f);
}

int main(void) {
    RUN(test_only_the_signalled_address_is_taken);
    RUN(test_symmetric_rtp_learns_once_and_locks);
    RUN(test_the_signalled_host_is_believed_at_once_on_any_port);
    RUN(test_no_other_host_is_believed);
    RUN(test_the_host_of_the_signalling_is_nothing_to_a_strict_leg);
    RUN(test_a_secure_peer_is_believed_at_once);
    RUN(test_what_is_not_agreed_is_dropped_and_counted);
    RUN(test_a_secure_leg_waits_for_its_keys);
    RUN(test_reports_go_out_and_say_what_was_received);
    RUN(test_report_timestamps_and_ntp_run_together);
    RUN(test_a_peers_report_gives_loss_and_round_trip);
    RUN(test_the_wall_clock_may_be_set);
    RUN(test_bye_is_told_and_said);
    RUN(test_rtcp_on_a_port_of_its_own);
    RUN(test_silence_on_the_line_times_out_once);
    RUN(test_a_new_address_starts_the_time_out_afresh);
    RUN(test_extensions_carry_mid_until_known_and_level);
    return REPORT();
}
