/* Connections on a media thread that is turned by hand: who may stay, how long, how many, and what becomes of what a
 * slow one is sent. */
#include "core/engine_tcp.h"
#include "tcp_lib.h"
#include "testlib.h"

#include <sys/epoll.h>
#include <sys/resource.h>

static cf_media *media;
static cf_socket *listener;

static void begin(void) {
    media = calloc(1, sizeof *media);
    CHECK_INT(cf_media_init(media, 0, -1, 42), 0);
    media->conns = media->tx.conns = cf_conns_new(media);
    media->now = cf_clock_ns(CLOCK_MONOTONIC);
    listener = calloc(1, sizeof *listener);
    cf_addr addr = lab_addr(1, 0);
    CHECK_INT(cf_tcp_listen(&addr, listener), 0);
    atomic_store(&media->sockets[0], listener);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK_INT(epoll_ctl(media->epoll, EPOLL_CTL_ADD, listener->fd, &event), 0);
    cf_core_room_add(media->core, cf_room_new(&(cf_room_config){.id = 1}), media->now);
}

static void end(void) {
    cf_media_close(media);
    free(media);
}

static cf_leg *join(uint64_t id) {
    cf_leg_config config = browser_config(id);
    cf_leg *leg = cf_leg_new(&config, id);
    CHECK_INT(cf_core_leg_add(media->core, leg, media->now), 0);
    return leg;
}

static void leave(uint64_t id) {
    cf_leg_free(cf_core_leg_remove(media->core, id, false, media->now));
}

/* What has come by now is taken in, and answered. */
static void turn(void) {
    struct epoll_event ready[CF_TURN_EVENTS];
    int n = epoll_wait(media->epoll, ready, CF_TURN_EVENTS, 0);
    cf_media_receive(media, ready, n);
    cf_media_flush(media);
}

static void turn_until(const _Atomic uint64_t *counter, uint64_t value) {
    for (int64_t until = clock_ms() + 5000; cf_counted(counter) != value && clock_ms() < until;)
        turn();
    CHECK_INT(cf_counted(counter), value);
}

static void look_after(int64_t ns) {
    media->now += ns;
    cf_conns_look(media->conns);
}

static cf_conn *only_one(void) {
    CHECK_INT(media->conns->used, 1);
    return &media->conns->conn[0];
}

/* Turns until a frame has come to the browser. */
static uint8_t *answer(stream *s, int *len) {
    uint8_t *frame = NULL;
    for (int i = 0; i < 500 && frame == NULL; i++) {
        turn();
        frame = stream_next(s, len, 10);
        if (*len < 0)
            break;
    }
    return frame;
}

static void test_a_check_makes_the_connection_a_path(void) {
    begin();
    join(30);
    stream s;
    stream_open(&s, 2, &listener->bound, 0);
    stream_check(&s, OUR_UFRAG ":peer");
    int len;
    uint8_t *reply = answer(&s, &len);
    cf_stun_msg msg;
    CHECK(reply != NULL && cf_stun_parse(&msg, reply, (size_t)len) == 0);
    CHECK_INT(msg.type, CF_STUN_BINDING_SUCCESS);
    CHECK(cf_addr_equal(&msg.mapped, &s.addr));
    CHECK(only_one()->proven);
    CHECK_INT(media->conns->fresh, 0);
    look_after(100 * CF_TCP_NEW_NS); /* it stays as long as its leg */
    look_after(CF_TCP_LOOK_NS);
    CHECK_INT(cf_counted(&media->tcp_open), 1);
    CHECK_INT(cf_counted(&media->tcp_refused), 0);
    close(s.fd);
    end();
}

static void test_the_connection_ends_with_its_leg(void) {
    begin();
    join(30);
    stream s;
    stream_open(&s, 2, &listener->bound, 0);
    stream_check(&s, OUR_UFRAG ":peer");
    int len;
    CHECK(answer(&s, &len) != NULL);
    leave(30);
    look_after(CF_TCP_LOOK_NS);
    CHECK_INT(cf_counted(&media->tcp_open), 1); /* another leg may take it over */
    look_after(CF_TCP_LOOK_NS);
    CHECK_INT(cf_counted(&media->tcp_open), 0);
    CHECK(stream_ends(&s, 1000));
    CHECK(cf_conns_deadline(media->conns) == INT64_MAX);
    close(s.fd);
    end();
}

static void test_the_leg_loses_a_path_that_is_closed(void) {
    begin();
    cf_leg *leg = join(30);
    stream s;
    stream_open(&s, 2, &listener->bound, 0);
    stream_check(&s, OUR_UFRAG ":peer");
    int len;
    CHECK(answer(&s, &len) != NULL);
    uint8_t key[16] = {1}, salt[12] = {2};
    cf_srtp *in = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, key, 16, salt, 12);
    cf_srtp *out = cf_srtp_new(CF_SRTP_AEAD_AES_128_GCM, key, 16, salt, 12);
    CHECK_INT(cf_core_leg_keys(media->core, 30, &in, &out), 0);
    cf_leg_stats stats;
    cf_leg_stats_get(leg, &stats);
    CHECK_INT(stats.connected, 1);
    close(s.fd);
    turn_until(&media->tcp_open, 0);
    cf_leg_stats_get(leg, &stats);
    CHECK_INT(stats.connected, 0);
    stream_open(&s, 2, &listener->bound, 0); /* and comes back */
    stream_check(&s, OUR_UFRAG ":peer");
    CHECK(answer(&s, &len) != NULL);
    cf_leg_stats_get(leg, &stats);
    CHECK_INT(stats.connected, 1);
    close(s.fd);
    end();
}

static void refused(const uint8_t *data, size_t len) {
    begin();
    join(30);
    stream s;
    stream_open(&s, 2, &listener->bound, 0);
    stream_send(&s, data, len);
    turn_until(&media->tcp_refused, 1);
    CHECK(stream_ends(&s, 1000));
    CHECK_INT(cf_counted(&media->tcp_open), 0);
    close(s.fd);
    end();
}

static void test_strangers_say_nothing_but_checks(void) {
    uint8_t media_packet[172] = {0x80}, dtls[60] = {22, 254, 253}, text[] = "GET / HTTP/1.1\r\n\r\n", big[2100] = {0};
    refused(media_packet, sizeof media_packet);
    refused(dtls, sizeof dtls);
    refused(text, sizeof text);
    refused(big, sizeof big);
}

/* A browser that has our offer may ask before its answer, and the leg with it, has come. */
static void test_checks_may_come_before_their_leg(void) {
    begin();
    stream s;
    stream_open(&s, 2, &listener->bound, 0);
    for (int i = 0; i < CF_TCP_NEW_FRAMES - 1; i++)
        stream_check(&s, OUR_UFRAG ":peer");
    for (int64_t until = clock_ms() + 5000;
         (media->conns->used == 0 || only_one()->frames < CF_TCP_NEW_FRAMES - 1) && clock_ms() < until;)
        turn();
    join(30);
    stream_check(&s, OUR_UFRAG ":peer");
    int len;
    CHECK(answer(&s, &len) != NULL);
    CHECK(only_one()->proven);
    close(s.fd);
    end();
}

static void test_checks_for_nobody_come_to_an_end(void) {
    begin();
    stream s;
    stream_open(&s, 2, &listener->bound, 0);
    for (int i = 0; i <= CF_TCP_NEW_FRAMES; i++)
        stream_check(&s, "nobody:peer");
    turn_until(&media->tcp_refused, 1);
    CHECK(stream_ends(&s, 1000));
    close(s.fd);
    end();
}

static void test_strangers_stay_for_five_seconds(void) {
    begin();
    stream s;
    stream_open(&s, 2, &listener->bound, 0);
    turn_until(&media->tcp_open, 1);
    only_one()->since = media->now;
    look_after(CF_TCP_NEW_NS - 1);
    CHECK_INT(cf_counted(&media->tcp_open), 1);
    look_after(CF_TCP_LOOK_NS);
    CHECK_INT(cf_counted(&media->tcp_open), 0);
    CHECK_INT(cf_counted(&media->tcp_refused), 1);
    CHECK(stream_ends(&s, 1000));
    close(s.fd);
    end();
}

enum { CROWD = CF_TCP_NEW + 2 };

static void test_strangers_are_few_and_fewer_from_one_host(void) {
    begin();
    static stream crowd[CROWD];
    for (int i = 0; i < CF_TCP_NEW_SOURCE + 1; i++)
        stream_open(&crowd[i], 2, &listener->bound, 0);
    turn_until(&media->tcp_refused, 1);
    CHECK_INT(cf_counted(&media->tcp_open), CF_TCP_NEW_SOURCE);
    CHECK(stream_ends(&crowd[CF_TCP_NEW_SOURCE], 1000)); /* the newest of its host */
    for (int i = CF_TCP_NEW_SOURCE + 1; i < CROWD; i++) {
        stream_open(&crowd[i], (uint8_t)(3 + i / CF_TCP_NEW_SOURCE), &listener->bound, 0);
        turn();
    }
    turn_until(&media->tcp_refused, 2);
    CHECK_INT(cf_counted(&media->tcp_open), CF_TCP_NEW);
    CHECK(stream_ends(&crowd[0], 1000)); /* the oldest of all */
    for (int i = 0; i < CROWD; i++)
        close(crowd[i].fd);
    turn_until(&media->tcp_open, 0);
    end();
}

static void test_a_listener_rests_while_there_are_no_descriptors(void) {
    begin();
    stream s, later;
    stream_open(&s, 2, &listener->bound, 0);
    stream_open(&later, 2, &listener->bound, 0);
    struct rlimit usual, none;
    getrlimit(RLIMIT_NOFILE, &usual);
    none = usual;
    none.rlim_cur = 3;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
    for (int i = 0; i < 100 && !listener->resting; i++)
        turn();
    CHECK(listener->resting);
    struct epoll_event ready[4];
    CHECK_INT(epoll_wait(media->epoll, ready, 4, 0), 0); /* the thread may sleep */
    setrlimit(RLIMIT_NOFILE, &usual);
    look_after(CF_TCP_LOOK_NS);
    CHECK(!listener->resting);
    turn_until(&media->tcp_open, 2);
    close(s.fd);
    close(later.fd);
    end();
}

static void test_what_is_for_a_closed_connection_reaches_no_other(void) {
    begin();
    stream s, other;
    stream_open(&s, 2, &listener->bound, 0);
    turn_until(&media->tcp_open, 1);
    cf_path old = only_one()->path;
    close(s.fd);
    turn_until(&media->tcp_open, 0);
    stream_open(&other, 2, &listener->bound, 0);
    turn_until(&media->tcp_open, 1);
    CHECK(only_one()->path.socket != old.socket);
    uint8_t packet[172] = {0x80};
    cf_media_send(media, &old, packet, sizeof packet);
    cf_media_flush(media);
    CHECK_INT(cf_counted(&media->send_failures), 1);
    int len;
    CHECK(stream_next(&other, &len, 50) == NULL && len == 0);
    close(other.fd);
    end();
}

/* It reads nothing, then everything: whole frames in their order, with a gap where the oldest were dropped. */
static void test_a_slow_reader_gets_whole_frames_and_the_newest(void) {
    enum { SENT = 4000, SIZE = 1000 };
    begin();
    stream s;
    stream_open(&s, 2, &listener->bound, 4096);
    turn_until(&media->tcp_open, 1);
    uint8_t packet[SIZE] = {0x80};
    for (uint32_t i = 1; i <= SENT; i++) {
        cf_put32(packet + 4, i);
        packet[SIZE - 1] = (uint8_t)i;
        cf_media_send(media, &only_one()->path, packet, sizeof packet);
        if (i % 3 == 0)
            cf_media_flush(media);
    }
    cf_media_flush(media);
    uint64_t dropped = cf_counted(&media->send_failures), came = 0, last = 0;
    CHECK(dropped > SENT / 2 && only_one()->out.count == CF_FRAME_QUEUE && only_one()->writing);
    int len;
    for (uint8_t *frame; (frame = answer(&s, &len)) != NULL; came++) {
        CHECK_INT(len, SIZE);
        CHECK(cf_get32(frame + 4) > last && frame[SIZE - 1] == (uint8_t)cf_get32(frame + 4));
        last = cf_get32(frame + 4);
        if (last == SENT)
            break;
    }
    CHECK_INT(last, SENT);
    CHECK_INT(came + 1 + dropped, SENT);
    turn();
    CHECK(!only_one()->writing);
    close(s.fd);
    end();
}

int main(void) {
    RUN(test_a_check_makes_the_connection_a_path);
    RUN(test_the_connection_ends_with_its_leg);
    RUN(test_the_leg_loses_a_path_that_is_closed);
    RUN(test_strangers_say_nothing_but_checks);
    RUN(test_checks_may_come_before_their_leg);
    RUN(test_checks_for_nobody_come_to_an_end);
    RUN(test_strangers_stay_for_five_seconds);
    RUN(test_strangers_are_few_and_fewer_from_one_host);
    RUN(test_a_listener_rests_while_there_are_no_descriptors);
    RUN(test_what_is_for_a_closed_connection_reaches_no_other);
    RUN(test_a_slow_reader_gets_whole_frames_and_the_newest);
    return REPORT();
}
