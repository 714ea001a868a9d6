/* The engine's control side: errors at once, bounds of the rings, and everything released and closed. */
#include "core/engine_internal.h"
#include "core/state.h"
#include "engine_lib.h"
#include "testlib.h"

#include <errno.h>

static cf_leg_config webrtc_leg(uint64_t id, uint64_t room) {
    cf_leg_config config = {.id = id,
                            .room = room,
                            .kind = CF_LEG_WEBRTC,
                            .tx = {.codec = CF_CODEC_PCMU, .ptime_ms = 20},
                            .rx_count = 1,
                            .rx = {{0, CF_CODEC_PCMU, 8000}},
                            .local_pwd = "a password of our own",
                            .cname = "test"};
    snprintf(config.local_ufrag, sizeof config.local_ufrag, "u%llu", (unsigned long long)id);
    return config;
}

static void add_room(cf_engine *engine, int thread, uint64_t id) {
    CHECK_INT(cf_engine_room_add(engine, thread, &(cf_room_config){.id = id}), 0);
}

static void test_number_of_threads(void) {
    CHECK(cf_engine_new(0, 1) == NULL);
    CHECK(cf_engine_new(65, 1) == NULL);
    cf_engine *engine = cf_engine_new(3, 1);
    CHECK_INT(cf_engine_threads(engine), 3);
    CHECK_INT(cf_engine_start(engine), 0);
    CHECK_INT(cf_engine_start(engine), -EALREADY);
    cf_engine_free(engine);
    cf_engine_free(NULL);
}

static void test_wrong_calls_are_refused_at_once(void) {
    cf_engine *engine = cf_engine_new(2, 1);
    add_room(engine, 0, 1);
    add_room(engine, 1, 2);
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 1}), -EEXIST);
    CHECK_INT(cf_engine_room_add(engine, 2, &(cf_room_config){.id = 3}), -EINVAL);
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 0}), -EINVAL);
    CHECK_INT(cf_engine_room_remove(engine, 9), -ENOENT);
    cf_leg_config leg = webrtc_leg(10, 1), nowhere = webrtc_leg(11, 7), strange = webrtc_leg(12, 1);
    strange.tx.codec = 77;
    CHECK_INT(cf_engine_leg_add(engine, &leg), 0);
    CHECK_INT(cf_engine_leg_add(engine, &leg), -EEXIST);
    CHECK_INT(cf_engine_leg_add(engine, &nowhere), -ENOENT);
    CHECK_INT(cf_engine_leg_add(engine, &strange), -EINVAL);
    CHECK_INT(cf_engine_room_remove(engine, 1), -EBUSY);
    CHECK_INT(cf_engine_leg_move(engine, 10, 2), -EXDEV);
    CHECK_INT(cf_engine_leg_move(engine, 10, 3), -ENOENT);
    CHECK_INT(cf_engine_leg_mute(engine, 99, 1), -ENOENT);
    CHECK_INT(cf_engine_leg_gain(engine, 10, -1), -EINVAL);
    CHECK_INT(cf_engine_leg_remote(engine, 10, &(cf_addr){0}, &(cf_addr){0}), -EINVAL); /* not an RTP leg */
    CHECK_INT(cf_engine_leg_ice(engine, 10, "", "pwd", "x"), -EINVAL);
    CHECK_INT(cf_engine_leg_dtls_send(engine, 10, (const uint8_t *)"", 0), -EMSGSIZE);
    CHECK_INT(cf_engine_leg_keys(engine, 10, 0x1234, NULL, NULL, NULL, NULL), -EINVAL);
    CHECK_INT(cf_engine_tap(engine, CF_TAP_LEG_IN, 99, 100), -ENOENT);
    CHECK_INT(cf_engine_tap(engine, 9, 10, 100), -EINVAL);
    CHECK_INT(cf_engine_tap_read(engine, 0, NULL, 0, NULL), -ENOENT);
    CHECK_INT(cf_engine_stats(engine, 5, &(cf_core_stats){0}), -EINVAL);
    cf_engine_free(engine);
}

static void test_a_removed_leg_is_released_and_its_id_free_again(void) {
    cf_engine *engine = cf_engine_new(1, 1);
    CHECK_INT(cf_engine_start(engine), 0);
    add_room(engine, 0, 1);
    cf_leg_config leg = webrtc_leg(10, 1);
    cf_leg_stats stats;
    cf_event event;
    CHECK_INT(cf_engine_leg_add(engine, &leg), 0);
    CHECK_INT(cf_engine_leg_stats(engine, 10, &stats), 0);
    CHECK_INT(cf_engine_leg_remove(engine, 10, 1), 0);
    CHECK_INT(cf_engine_leg_remove(engine, 10, 1), -ENOENT);
    CHECK_INT(cf_engine_leg_stats(engine, 10, &stats), -ENOENT);
    CHECK_INT(cf_engine_leg_add(engine, &leg), -EEXIST); /* not released yet */
    CHECK(wait_event(engine, CF_EVENT_RELEASED, 10, &event));
    CHECK(event.room == 1 && event.value == 0);
    CHECK_INT(cf_engine_leg_add(engine, &leg), 0);
    CHECK_INT(cf_engine_leg_remove(engine, 10, 0), 0);
    CHECK_INT(cf_engine_room_remove(engine, 1), 0); /* its last leg is on the way out: no need to wait */
    CHECK(wait_event(engine, CF_EVENT_RELEASED, 10, &event));
    CHECK(wait_event(engine, CF_EVENT_RELEASED, 0, &event) && event.room == 1 && event.leg == 0);
    CHECK_INT(cf_engine_room_remove(engine, 1), -ENOENT);
    cf_engine_free(engine);
}

static void test_a_leg_that_the_core_refuses_comes_back(void) {
    cf_engine *engine = cf_engine_new(1, 1);
    add_room(engine, 0, 1);
    cf_leg_config first = webrtc_leg(10, 1), twin = webrtc_leg(11, 1), leaver = webrtc_leg(12, 1);
    strcpy(twin.local_ufrag, first.local_ufrag);
    strcpy(leaver.local_ufrag, first.local_ufrag);
    CHECK_INT(cf_engine_leg_add(engine, &first), 0);
    CHECK_INT(cf_engine_leg_add(engine, &twin), 0);
    CHECK_INT(cf_engine_leg_add(engine, &leaver), 0);
    CHECK_INT(cf_engine_leg_remove(engine, 12, 0), 0); /* before anybody knows that it was refused */
    CHECK_INT(cf_engine_start(engine), 0);
    cf_event event;
    CHECK(wait_event(engine, CF_EVENT_RELEASED, 11, &event) && event.value == EEXIST);
    CHECK(wait_event(engine, CF_EVENT_RELEASED, 12, &event) && event.value == EEXIST);
    CHECK_INT(cf_engine_leg_mute(engine, 11, 1), -ENOENT);
    CHECK_INT(cf_engine_leg_mute(engine, 10, 1), 0);
    CHECK_INT(cf_engine_leg_remove(engine, 10, 0), 0);
    CHECK_INT(cf_engine_room_remove(engine, 1), 0);
    CHECK(wait_released(engine, 2));
    cf_engine_free(engine);
}

static void test_commands_are_bounded_and_removals_find_room(void) {
    cf_engine *engine = cf_engine_new(1, 1);
    add_room(engine, 0, 1);
    cf_leg_config leg = webrtc_leg(10, 1);
    CHECK_INT(cf_engine_leg_add(engine, &leg), 0);
    int taken = 2, rc = 0;
    while (taken <= CF_COMMANDS && (rc = cf_engine_leg_mute(engine, 10, taken % 2)) == 0)
        taken++;
    CHECK_INT(rc, -EAGAIN);
    CHECK_INT(taken, CF_COMMANDS - CF_COMMANDS_KEPT);
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 2}), -EAGAIN);
    CHECK_INT(cf_engine_leg_remove(engine, 10, 0), 0);
    CHECK_INT(cf_engine_start(engine), 0);
    CHECK(wait_released(engine, 1));
    CHECK_INT(cf_engine_leg_add(engine, &leg), 0);
    cf_core_stats stats;
    CHECK_INT(cf_engine_stats(engine, 0, &stats), 0);
    CHECK(stats.commands >= (uint64_t)taken);
    cf_engine_free(engine);
}

static void test_freeing_before_the_start_loses_nothing(void) {
    int before = open_descriptors();
    cf_engine *engine = cf_engine_new(2, 1);
    add_room(engine, 0, 1);
    cf_leg_config leg = webrtc_leg(10, 1);
    CHECK_INT(cf_engine_leg_add(engine, &leg), 0);
    CHECK_INT(cf_engine_leg_dtls_send(engine, 10, (const uint8_t *)"\x16", 1), 0);
    CHECK_INT(cf_engine_leg_ice(engine, 10, "again", "another password", "peer"), 0);
    uint8_t key[16] = {1}, salt[14] = {2};
    CHECK_INT(cf_engine_leg_keys(engine, 10, CF_SRTP_AES128_CM_SHA1_80, key, salt, key, salt), 0);
    CHECK(cf_engine_tap(engine, CF_TAP_LEG_OUT, 10, 100) >= 0);
    CHECK(cf_engine_bind_shared(engine, 0, &(cf_addr){{127, 0, 0, 1}, 0, 4, 0}) >= 0);
    cf_engine_free(engine);
    CHECK_INT(open_descriptors(), before);
}

static void test_sockets_are_held_by_their_leg(void) {
    cf_engine *engine = cf_engine_new(1, 1);
    CHECK_INT(cf_engine_start(engine), 0);
    add_room(engine, 0, 1);
    static phone p;
    phone_open(&p, 440, 1);
    int number = phone_join(engine, 0, 1, 10, &p);
    CHECK(number >= 0);
    cf_leg_config second = {.id = 11,
                            .room = 1,
                            .kind = CF_LEG_RTP,
                            .tx = {.codec = CF_CODEC_PCMU},
                            .rx_count = 0,
                            .rtp_socket = (uint32_t)number,
                            .rtcp_socket = (uint32_t)number};
    CHECK_INT(cf_engine_leg_add(engine, &second), -EBUSY);
    second.rtp_socket = 500;
    CHECK_INT(cf_engine_leg_add(engine, &second), -EBADF);
    CHECK_INT(cf_engine_close_socket(engine, 0, (uint32_t)number), -EBUSY);
    CHECK_INT(cf_engine_bind_leg(engine, 0, &p.engine), -EADDRINUSE);
    CHECK_INT(cf_engine_leg_remove(engine, 10, 0), 0);
    CHECK_INT(cf_engine_close_socket(engine, 0, (uint32_t)number), 0);
    CHECK_INT(cf_engine_close_socket(engine, 0, (uint32_t)number), -ENOENT);
    CHECK_INT(cf_engine_room_remove(engine, 1), 0);
    CHECK(wait_released(engine, 2));
    CHECK(cf_engine_bind_leg(engine, 0, &p.engine) >= 0); /* the port is free again */
    close(p.fd);
    cf_engine_free(engine);
}

static void test_socket_bound_before_the_start_can_be_closed(void) {
    cf_engine *engine = cf_engine_new(1, 1);
    int before = open_descriptors();
    int number = cf_engine_bind_shared(engine, 0, &(cf_addr){{127, 0, 0, 1}, 0, 4, 0});
    CHECK(number >= 0);
    CHECK_INT(cf_engine_close_socket(engine, 0, (uint32_t)number), 0);
    CHECK_INT(open_descriptors(), before);
    CHECK_INT(cf_engine_bind_shared(engine, 0, &(cf_addr){{127, 0, 0, 1}, 0, 4, 0}), number);
    CHECK_INT(cf_engine_bind_shared(engine, 1, &(cf_addr){{127, 0, 0, 1}, 0, 4, 0}), -EINVAL);
    cf_engine_free(engine);
}

static void test_tap_ends_with_its_leg(void) {
    cf_engine *engine = cf_engine_new(1, 1);
    CHECK_INT(cf_engine_start(engine), 0);
    add_room(engine, 0, 1);
    cf_leg_config leg = webrtc_leg(10, 1);
    CHECK_INT(cf_engine_leg_add(engine, &leg), 0);
    int on_leg = cf_engine_tap(engine, CF_TAP_LEG_OUT, 10, 1000), on_room = cf_engine_tap(engine, CF_TAP_ROOM, 1, 1000);
    CHECK(on_leg >= 0 && on_room >= 0 && on_leg != on_room);
    int16_t pcm[960];
    int64_t at = 0, until = clock_ms() + 5000;
    int got = 0;
    while (got < 2 * 960 && clock_ms() < until) {
        int n = cf_engine_tap_read(engine, on_room, pcm, 960, &at);
        CHECK(n >= 0);
        got += n;
    }
    CHECK(got >= 2 * 960 && at > 0 && at <= cf_engine_now(engine));
    CHECK_INT(cf_engine_leg_remove(engine, 10, 0), 0);
    CHECK(wait_released(engine, 1));
    int rc;
    while ((rc = cf_engine_tap_read(engine, on_leg, pcm, 960, &at)) > 0)
        ;
    CHECK_INT(rc, -ENOENT);
    CHECK(cf_engine_tap_read(engine, on_room, pcm, 960, &at) >= 0);
    CHECK_INT(cf_engine_untap(engine, on_leg), 0);
    CHECK_INT(cf_engine_untap(engine, on_leg), -ENOENT);
    CHECK_INT(cf_engine_untap(engine, on_room), 0);
    cf_engine_free(engine);
}

static void test_taps_are_bounded(void) {
    cf_engine *engine = cf_engine_new(1, 1);
    add_room(engine, 0, 1);
    for (int i = 0; i < CF_ENGINE_TAPS; i++)
        CHECK_INT(cf_engine_tap(engine, CF_TAP_ROOM, 1, 20), i);
    CHECK_INT(cf_engine_tap(engine, CF_TAP_ROOM, 1, 20), -ENOSPC);
    CHECK_INT(cf_engine_start(engine), 0);
    CHECK_INT(cf_engine_untap(engine, 7), 0);
    CHECK_INT(cf_engine_room_remove(engine, 1), 0); /* ends the others */
    CHECK(wait_released(engine, 1));
    cf_engine_free(engine);
}

/* One media thread's rings, without the thread. */
static void test_full_event_ring_tells_what_was_lost_and_keeps_completions(void) {
    cf_media *media = calloc(1, sizeof *media);
    CHECK_INT(cf_media_init(media, 0, -1, 1), 0);
    for (uint64_t i = 0; i < CF_EVENTS + 5; i++)
        cf_media_event(media, &(cf_event){.type = CF_EVENT_MEDIA, .leg = i});
    CHECK_INT(cf_counted(&media->events_lost), 5);
    for (uint64_t i = 0; i < CF_COMMANDS; i++)
        cf_media_push_done(media, &(cf_command){.id = i});
    CHECK_INT(cf_ring_dropped(media->up), 0);
    cf_up item;
    for (uint64_t i = 0; i < CF_EVENTS; i++)
        CHECK(cf_ring_pop(media->up, &item) && !item.done && item.event.leg == i);
    for (uint64_t i = 0; i < CF_COMMANDS; i++)
        CHECK(cf_ring_pop(media->up, &item) && item.done && item.command.id == i);
    cf_media_event(media, &(cf_event){.type = CF_EVENT_MEDIA, .leg = 77});
    CHECK(cf_ring_pop(media->up, &item) && item.event.type == CF_EVENT_OVERRUN && item.event.value == 5);
    CHECK(cf_ring_pop(media->up, &item) && item.event.leg == 77);
    CHECK(!cf_ring_pop(media->up, &item));
    cf_media_close(media);
    free(media);
}

static void test_the_wall_clock_is_read_once_a_second(void) {
    cf_media *media = calloc(1, sizeof *media);
    CHECK_INT(cf_media_init(media, 0, -1, 1), 0);
    media->now = cf_clock_ns(CLOCK_MONOTONIC);
    int64_t unix_ns = cf_clock_ns(CLOCK_REALTIME), slack = 5000000000;
    cf_media_wall(media);
    CHECK(llabs(media->core->config.wall_offset_ns + media->now - unix_ns) < slack);
    cf_core_wall(media->core, 0); /* as if the clock had been elsewhere */
    media->now += 999 * MS;
    cf_media_wall(media);
    CHECK_INT(media->core->config.wall_offset_ns, 0);
    media->now += MS;
    cf_media_wall(media);
    CHECK(llabs(media->core->config.wall_offset_ns + media->now - unix_ns) < slack);
    cf_media_close(media);
    free(media);
}

static void test_build_info_names_the_libraries(void) {
    CHECK(strstr(cf_build_info(), "libopus") != NULL);
    CHECK(strstr(cf_build_info(), "OpenSSL") != NULL);
    CHECK(strchr(cf_build_info(), '\n') == NULL);
}

int main(void) {
    RUN(test_number_of_threads);
    RUN(test_wrong_calls_are_refused_at_once);
    RUN(test_a_removed_leg_is_released_and_its_id_free_again);
    RUN(test_a_leg_that_the_core_refuses_comes_back);
    RUN(test_commands_are_bounded_and_removals_find_room);
    RUN(test_freeing_before_the_start_loses_nothing);
    RUN(test_sockets_are_held_by_their_leg);
    RUN(test_socket_bound_before_the_start_can_be_closed);
    RUN(test_tap_ends_with_its_leg);
    RUN(test_taps_are_bounded);
    RUN(test_full_event_ring_tells_what_was_lost_and_keeps_completions);
    RUN(test_the_wall_clock_is_read_once_a_second);
    RUN(test_build_info_names_the_libraries);
    return REPORT();
}
