/* A browser over TCP and a telephone in one room of a running engine: they hear each other, and neither suffers when
 * the other's connection does. */
#include "conferocore/srtp.h"
#include "tcp_lib.h"
#include "testlib.h"

enum { WINDOW = PHONE_RATE / 2, PHONE = 10, BROWSER = 30 };

static phone telephone, browser; /* of the browser's only sound and numbers */
static stream s;
static cf_srtp *seal, *unseal;
static cf_addr shared;

static cf_engine *start(void) {
    cf_engine *engine = cf_engine_new(1, 42);
    for (uint16_t port = 0; port < 200; port++) {
        shared = lab_addr(1, (uint16_t)(10000 + (getpid() * 64 + 63 + port * 7) % 4900));
        if (cf_engine_listen_shared(engine, 0, &shared) >= 0)
            break;
    }
    CHECK_INT(cf_engine_start(engine), 0);
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 1}), 0);
    phone_open(&telephone, 440, 100);
    CHECK(phone_join(engine, 0, 1, PHONE, &telephone) >= 0);
    return engine;
}

static void browser_joins(cf_engine *engine, int buffer) {
    static const uint8_t KEY[2][16] = {"key to the mixer", "key to member  0"},
                         SALT[2][12] = {"salt of one", "salt of two"};
    cf_leg_config config = browser_config(BROWSER);
    CHECK_INT(cf_engine_leg_add(engine, &config), 0);
    stream_open(&s, 2, &shared, buffer);
    stream_check(&s, OUR_UFRAG ":peer");
    cf_event event;
    CHECK(wait_event(engine, CF_EVENT_ICE_CONNECTED, BROWSER, &event));
    CHECK_INT(cf_engine_leg_keys(engine, BROWSER, CF_SRTP_AEAD_AES_128_GCM, KEY[0], SALT[0], KEY[1], SALT[1]), 0);
    seal = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, KEY[0], 16, SALT[0], 12);
    unseal = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, KEY[1], 16, SALT[1], 12);
    browser = (phone){.hertz = 1000, .ssrc = 200, .seq = 200, .ts = 1400};
}

static void end(cf_engine *engine) {
    cf_engine_free(engine);
    cf_srtp_free(seal);
    cf_srtp_free(unseal);
    seal = unseal = NULL;
    close(s.fd);
    close(telephone.fd);
}

static void browser_speaks(void) {
    uint8_t packet[CF_RTP_HEADER + PHONE_FRAME + CF_SRTP_OVERHEAD]; /* sealed for a browser, plain of a telephone */
    int at = cf_rtp_write(packet, sizeof packet, 0, false, browser.seq++, browser.ts, browser.ssrc, NULL, 0);
    browser.ts += PHONE_FRAME;
    for (int i = 0; i < PHONE_FRAME; i++, browser.phase += 2 * M_PI * browser.hertz / PHONE_RATE)
        packet[at + i] = cf_ulaw_encode((int16_t)(8000 * sin(browser.phase)));
    int len = at + PHONE_FRAME;
    if (seal != NULL)
        len = cf_srtp_protect(seal, packet, (size_t)len, sizeof packet);
    CHECK(len > 0);
    stream_send(&s, packet, (size_t)len);
}

static void browser_listens(void) {
    int len;
    for (uint8_t *frame; (frame = stream_next(&s, &len, 0)) != NULL;) {
        cf_rtp rtp;
        bool rtcp;
        if (!cf_rtp_looks_like(frame, (size_t)len, &rtcp) || rtcp)
            continue;
        if (unseal != NULL)
            len = cf_srtp_unprotect(unseal, frame, (size_t)len);
        CHECK(len > 0);
        if (len <= 0 || cf_rtp_parse(&rtp, frame, (size_t)len) < 0)
            continue;
        browser.received++;
        for (size_t i = 0; i < rtp.payload_len && browser.heard_count < PHONE_HEARD; i++)
            browser.heard[browser.heard_count++] = cf_ulaw_decode(rtp.payload[i]);
    }
}

static void talk(int frames, bool listens) {
    for (int f = 0; f < frames; f++) {
        browser_speaks();
        phones_talk(&telephone, 1, 1);
        if (listens)
            browser_listens();
    }
}

static bool both_hear(void) {
    return phone_hears(&telephone, 1000, WINDOW) > 4000 && phone_hears(&browser, 440, WINDOW) > 4000 &&
           phone_hears(&telephone, 440, WINDOW) < 20 && phone_hears(&browser, 1000, WINDOW) < 20;
}

static void talk_until_both_hear(void) {
    talk(60, true);
    for (int more = 0; more < 10 && !both_hear(); more++)
        talk(30, true);
    CHECK(both_hear());
}

static void test_they_hear_each_other(void) {
    cf_engine *engine = start();
    browser_joins(engine, 0);
    talk_until_both_hear();
    cf_core_stats stats;
    CHECK_INT(cf_engine_stats(engine, 0, &stats), 0);
    CHECK(stats.tcp_open == 1 && stats.tcp_refused == 0 && stats.send_failures == 0);
    end(engine);
}

/* The browser's network stands still for seconds: the telephone hears it all the while, and afterwards all is well. */
static void test_a_connection_that_stands_still_holds_up_nobody(void) {
    cf_engine *engine = start();
    browser_joins(engine, 4096);
    talk_until_both_hear();
    talk(150, false);
    for (int more = 0; more < 10 && phone_hears(&telephone, 1000, WINDOW) < 4000; more++)
        talk(30, false); /* a busy machine tears holes of its own */
    CHECK(phone_hears(&telephone, 1000, WINDOW) > 4000);
    cf_core_stats stats;
    CHECK_INT(cf_engine_stats(engine, 0, &stats), 0);
    CHECK_INT(stats.tcp_open, 1);
    talk_until_both_hear();
    end(engine);
}

static void test_leg_and_connection_end_together(void) {
    cf_engine *engine = start();
    phones_talk(&telephone, 1, 2);
    int before = open_descriptors();
    browser_joins(engine, 0);
    talk(10, true);
    CHECK_INT(cf_engine_leg_remove(engine, BROWSER, 1), 0);
    CHECK(wait_released(engine, 1));
    CHECK(stream_ends(&s, 5000));
    CHECK_INT(open_descriptors(), before + 1); /* our end */
    end(engine);
}

static int symmetric = CF_SYMMETRIC_PORT;

/* A telephone over TCP, in the browser's place: a leg of this socket, whose peer was signalled as `remote`. */
static void second_phone_joins(cf_engine *engine, int number, const cf_addr *remote) {
    cf_leg_config config = {.id = BROWSER,
                            .room = 1,
                            .kind = CF_LEG_RTP,
                            .tx = {.codec = CF_CODEC_PCMU, .ptime_ms = 20},
                            .rx_count = 1,
                            .rx = {{0, CF_CODEC_PCMU, 8000}},
                            .rtp_socket = (uint32_t)number,
                            .rtcp_socket = (uint32_t)number,
                            .remote_rtp = *remote,
                            .symmetric = symmetric,
                            .signalling = lab_addr(2, 5060), /* nothing to strict ones */
                            .cname = "phone"};
    CHECK_INT(cf_engine_leg_add(engine, &config), 0);
    browser = (phone){.hertz = 1000, .ssrc = 200, .seq = 200, .ts = 1400};
}

static void leg_and_socket_go(cf_engine *engine, int number) {
    CHECK_INT(cf_engine_leg_remove(engine, BROWSER, 1), 0);
    CHECK_INT(cf_engine_close_socket(engine, 0, (uint32_t)number), 0);
    CHECK(wait_released(engine, 1));
    CHECK(stream_ends(&s, 5000));
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 2}), 0);
    CHECK_INT(cf_engine_room_remove(engine, 2), 0); /* comes back after the socket */
    CHECK(wait_released(engine, 1));
}

static int listen_for_leg(cf_engine *engine, cf_addr *at) {
    int number = -1;
    for (uint16_t port = 0; number < 0 && port < 200; port++) {
        *at = lab_addr(1, (uint16_t)(10000 + (getpid() * 64 + 31 + port * 7) % 4900));
        number = cf_engine_stream_leg(engine, 0, at, 1);
    }
    CHECK(number >= 0);
    return number;
}

/* Its port was signalled as 9: what it is shows by its connection. */
static void test_a_telephone_connects_to_its_leg(void) {
    cf_engine *engine = start();
    phones_talk(&telephone, 1, 2);
    int before = open_descriptors();
    cf_addr at, discard = lab_addr(2, 9);
    int number = listen_for_leg(engine, &at);
    second_phone_joins(engine, number, &discard);
    stream_open(&s, 2, &at, 0);
    talk_until_both_hear();
    close(s.fd); /* another takes its place, from the same host; the leg is told, as by a re-offer */
    CHECK_INT(cf_engine_leg_remote(engine, BROWSER, &discard, &discard), 0);
    stream_open(&s, 2, &at, 0);
    talk_until_both_hear();
    leg_and_socket_go(engine, number);
    CHECK_INT(open_descriptors(), before + 1); /* our end */
    end(engine);
}

static void a_stranger_is_turned_away(const cf_addr *at) {
    static stream stranger;
    stream_open(&stranger, 3, at, 0);
    CHECK(stream_ends(&stranger, 5000));
    close(stranger.fd);
}

static void test_only_the_signalled_host_comes_in(void) {
    cf_engine *engine = start();
    cf_addr at, discard = lab_addr(2, 9);
    int number = listen_for_leg(engine, &at);
    second_phone_joins(engine, number, &discard);
    a_stranger_is_turned_away(&at);
    stream_open(&s, 2, &at, 0);
    a_stranger_is_turned_away(&at);
    talk_until_both_hear();
    end(engine);
}

/* Behind NAT it may come from where its signalling does, once. */
static void test_who_has_settled_is_not_pushed_aside(void) {
    cf_engine *engine = start();
    cf_addr at, inside = lab_addr(9, 9);
    int number = listen_for_leg(engine, &at);
    symmetric = CF_SYMMETRIC_ALL;
    second_phone_joins(engine, number, &inside);
    symmetric = CF_SYMMETRIC_PORT;
    stream_open(&s, 2, &at, 0);
    talk_until_both_hear();
    a_stranger_is_turned_away(&at);
    talk_until_both_hear();
    end(engine);
}

static void test_a_leg_connects_to_its_telephone(void) {
    cf_engine *engine = start();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cf_addr there = lab_addr(2, 0), here = lab_addr(1, 0);
    struct sockaddr_in name = name_of(&there);
    socklen_t len = sizeof name;
    CHECK_INT(bind(fd, (struct sockaddr *)&name, len), 0);
    CHECK_INT(listen(fd, 4), 0);
    CHECK_INT(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    there.port = ntohs(name.sin_port);
    int number = cf_engine_stream_leg(engine, 0, &here, 0);
    CHECK(number >= 0);
    second_phone_joins(engine, number, &there);
    phones_talk(&telephone, 1, 5); /* what it is sent before there is a connection goes nowhere */
    CHECK_INT(cf_engine_connect(engine, 0, (uint32_t)number, &there), 0);
    s = (stream){.fd = accept(fd, (struct sockaddr *)&name, &len)};
    CHECK(s.fd >= 0 && memcmp(&name.sin_addr, here.ip, 4) == 0);
    talk_until_both_hear();
    cf_core_stats stats;
    CHECK_INT(cf_engine_stats(engine, 0, &stats), 0);
    CHECK_INT(stats.send_failures, 0);
    leg_and_socket_go(engine, number);
    close(fd);
    end(engine);
}

static void test_nobody_is_there_to_connect_to(void) {
    cf_engine *engine = start();
    cf_addr there = lab_addr(2, 9999), here = lab_addr(1, 0), other = {{0}, 9999, 6, 0};
    int number = cf_engine_stream_leg(engine, 0, &here, 0);
    second_phone_joins(engine, number, &there);
    CHECK_INT(cf_engine_connect(engine, 0, (uint32_t)number, &there), 0);
    CHECK_INT(cf_engine_connect(engine, 0, (uint32_t)number, &other), -EAFNOSUPPORT);
    CHECK_INT(cf_engine_connect(engine, 0, 4000, &there), -ENOENT);
    CHECK_INT(cf_engine_connect(engine, 0, (uint32_t)listen_for_leg(engine, &here), &there), -EINVAL);
    cf_core_stats stats = {.tcp_open = 1};
    for (int64_t until = clock_ms() + 5000; stats.tcp_open > 0 && clock_ms() < until;) {
        phones_talk(&telephone, 1, 1);
        CHECK_INT(cf_engine_stats(engine, 0, &stats), 0);
    }
    CHECK_INT(stats.tcp_open, 0);
    s.fd = -1;
    end(engine);
}

int main(void) {
    RUN(test_they_hear_each_other);
    RUN(test_a_connection_that_stands_still_holds_up_nobody);
    RUN(test_leg_and_connection_end_together);
    RUN(test_a_telephone_connects_to_its_leg);
    RUN(test_only_the_signalled_host_comes_in);
    RUN(test_who_has_settled_is_not_pushed_aside);
    RUN(test_a_leg_connects_to_its_telephone);
    RUN(test_nobody_is_there_to_connect_to);
    return REPORT();
}
