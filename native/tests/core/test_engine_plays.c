/* Playing and digits through the engine: numbers, ends that are told, and every clip freed whatever happens. */
#include "engine_lib.h"
#include "testlib.h"

#include "core/engine_internal.h"

#include <errno.h>

static const cf_player_config once = {CF_GAIN_ONE, 1}, for_ever = {CF_GAIN_ONE, 0};

static cf_clip *tone_clip(double hz, size_t n) {
    int16_t *pcm = malloc(n * sizeof *pcm);
    for (size_t i = 0; i < n; i++)
        pcm[i] = (int16_t)(8000 * sin(2 * M_PI * hz * (double)i / 48000));
    cf_clip *clip = cf_clip_new(pcm, n);
    free(pcm);
    return clip;
}

static cf_engine *engine_with(phone *phones, int n) {
    cf_engine *engine = cf_engine_new(1, 5);
    CHECK_INT(cf_engine_room_add(engine, 0, &(cf_room_config){.id = 1}), 0);
    for (int i = 0; i < n; i++) {
        phone_open(&phones[i], 300 + 200 * i, 100 + (uint32_t)i);
        CHECK(phone_join(engine, 0, 1, 10 + (uint64_t)i, &phones[i]) >= 0);
    }
    CHECK_INT(cf_engine_start(engine), 0);
    return engine;
}

static void close_all(cf_engine *engine, phone *phones, int n) {
    cf_engine_free(engine);
    for (int i = 0; i < n; i++)
        close(phones[i].fd);
}

static void test_played_heard_and_told(void) {
    static phone phones[2];
    cf_event event;
    cf_engine *engine = engine_with(phones, 2);
    cf_clip *music = tone_clip(1500, 24000), *prompt = tone_clip(2100, 24000);
    int64_t to_room = cf_engine_room_play(engine, 1, music, &for_ever);
    int64_t to_leg = cf_engine_leg_play(engine, 10, prompt, &(cf_player_config){CF_GAIN_ONE, 3});
    cf_clip_free(music);
    cf_clip_free(prompt);
    CHECK(to_room > 0 && to_leg > to_room);
    phones_talk(phones, 2, 50);
    CHECK(phone_hears(&phones[0], 1500, 4000) > 6000 && phone_hears(&phones[1], 1500, 4000) > 6000);
    CHECK(phone_hears(&phones[0], 2100, 4000) > 6000 && phone_hears(&phones[1], 2100, 4000) < 100);
    CHECK_INT(cf_engine_play_stop(engine, to_room), 0);
    CHECK(wait_event(engine, CF_EVENT_PLAYED, 0, &event) && event.value == (uint64_t)to_room && event.room == 1);
    CHECK(wait_event(engine, CF_EVENT_PLAYED, 10, &event) && event.value == (uint64_t)to_leg);
    CHECK_INT(cf_engine_play_stop(engine, to_room), -ENOENT);
    close_all(engine, phones, 2);
}

static void test_wrong_places(void) {
    phone p;
    cf_event event;
    cf_engine *engine = engine_with(&p, 1);
    cf_clip *clip = tone_clip(500, 960);
    CHECK_INT(cf_engine_room_play(engine, 9, clip, &once), -ENOENT);
    CHECK_INT(cf_engine_leg_play(engine, 9, clip, &once), -ENOENT);
    CHECK_INT(cf_engine_room_play(engine, 1, clip, &(cf_player_config){-1, 1}), -EINVAL);
    CHECK_INT(cf_engine_play_stop(engine, 0), -ENOENT);
    CHECK_INT(cf_engine_play_stop(engine, -5), -ENOENT);
    int64_t last = 0;
    for (int i = 0; i < 9; i++)
        last = cf_engine_leg_play(engine, 10, clip, &for_ever);
    CHECK(wait_event(engine, CF_EVENT_PLAYED, 10, &event) && event.value == (uint64_t)last); /* the ninth */
    CHECK_INT(cf_engine_leg_remove(engine, 10, 0), 0);
    for (int i = 0; i < 8; i++)
        CHECK(wait_event(engine, CF_EVENT_PLAYED, 10, &event)); /* the others, with their leg */
    CHECK(wait_event(engine, CF_EVENT_RELEASED, 10, &event));
    cf_clip_free(clip);
    close_all(engine, &p, 1);
}

/* Nobody reads the events, and they are lost; the numbers do not run out for that. Whatever plays at the end is freed.
 */
static void test_places_are_found_again_when_events_are_lost(void) {
    phone p;
    cf_engine *engine = engine_with(&p, 1);
    cf_clip *clip = tone_clip(500, 100);
    int played = 0;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < CF_ENGINE_PLAYS; i++)
            played += cf_engine_leg_play(engine, 10, clip, &once) > 0;
        usleep(300000);
        if (round % 2) {
            cf_event events[64];
            while (cf_engine_events(engine, events, 64) > 0) /* commands come back, and are told of */
                ;
        }
    }
    CHECK(played >= 2 * CF_ENGINE_PLAYS);
    CHECK(cf_engine_room_play(engine, 1, clip, &for_ever) > 0);
    cf_clip_free(clip);
    close_all(engine, &p, 1);
}

static void test_listening_and_sending(void) {
    phone p;
    cf_engine *engine = engine_with(&p, 1);
    CHECK_INT(cf_engine_leg_listen(engine, 9, 1), -ENOENT);
    for (int i = 0; i < 4; i++)
        CHECK_INT(cf_engine_leg_listen(engine, 10, i % 2 == 0), 0);
    CHECK_INT(cf_engine_leg_listen(engine, 10, 1), 0);
    CHECK_INT(cf_engine_leg_digits(engine, 10, "", 100), -EINVAL);
    CHECK_INT(cf_engine_leg_digits(engine, 10, "1x", 100), -EINVAL);
    CHECK_INT(cf_engine_leg_digits(engine, 10, "1", 39), -EINVAL);
    CHECK_INT(cf_engine_leg_digits(engine, 9, "1", 100), -ENOENT);
    CHECK_INT(cf_engine_leg_digits(engine, 10, "123", 100), 0); /* taken; this phone agreed to no events */
    usleep(100000);
    close_all(engine, &p, 1);
}

int main(void) {
    RUN(test_played_heard_and_told);
    RUN(test_wrong_places);
    RUN(test_places_are_found_again_when_events_are_lost);
    RUN(test_listening_and_sending);
    return REPORT();
}
