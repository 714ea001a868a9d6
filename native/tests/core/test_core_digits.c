/* Digits of legs: events told once and not heard, sounds found and cut while something listens, digits sent. */
#include "testlib.h"

#include "conferocore/event.h"
#include "core_fixture.h"

enum { EVENT_PT = 101 };

static cf_leg *join_with_events(fixture *f, uint64_t id) {
    cf_leg_config config = plain_config(id, 1);
    config.rx_count = 2;
    config.rx[1] = (cf_pt_map){EVENT_PT, CF_CODEC_EVENT, 8000};
    config.event_pt = EVENT_PT;
    return join_as(f, &config, 0);
}

static void step(fixture *f, int frames) {
    for (int i = 0; i < frames; i++) {
        f->now += 20 * MS;
        cf_core_advance(f->core, f->now);
    }
}

/* One report in the place of a voice's packet. */
static void press(fixture *f, voice *v, int code, bool end, int length, uint32_t begin) {
    uint8_t packet[32];
    int at =
        cf_rtp_write(packet, sizeof packet, EVENT_PT, length == 160, v->seq++, begin, (uint32_t)v->id + 1000, NULL, 0);
    uint8_t report[] = {(uint8_t)code, (uint8_t)((end ? 0x80 : 0) | 10), (uint8_t)(length >> 8), (uint8_t)length};
    memcpy(packet + at, report, 4);
    v->ts += 160;
    cf_path path = plain_path(v->id);
    cf_core_receive(f->core, &path, packet, (size_t)at + 4, f->now);
}

static const cf_event *digit_event(const fixture *f, int nth) {
    for (int i = 0; i < f->event_count; i++)
        if (f->events[i].type == CF_EVENT_DIGIT && nth-- == 0)
            return &f->events[i];
    return NULL;
}

static void test_an_event_is_told_once_and_costs_no_sound(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    cf_leg *leg = join_with_events(f, 1);
    join(f, 2, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 8000};
    run_ms(f, 1000, &v, 1);
    uint64_t concealed = stats_of(leg).playout.concealed;
    uint32_t begin = v.ts;
    for (int i = 1; i <= 7; i++) {
        press(f, &v, 9, i >= 5, i < 5 ? i * 160 : 800, begin);
        step(f, 1);
    }
    run_ms(f, 1000, &v, 1);
    const cf_event *event = digit_event(f, 0);
    CHECK_INT(count_events(f, CF_EVENT_DIGIT, 1), 1);
    CHECK(event && event->text[0] == '9' && event->value == 100 && event->ids[0] == CF_DIGIT_EVENT);
    CHECK(event && event->levels[0] == 10 && event->room == 1);
    CHECK_INT(stats_of(leg).playout.lost, 0);
    CHECK(stats_of(leg).playout.concealed - concealed < 960); /* a pause is faded into, not bridged */
    CHECK_INT(stats_of(leg).rx_dropped, 0);
    CHECK(stats_of(leg).jitter_us < 100);
    clear_sent(f);
    run_ms(f, 400, &v, 1);
    CHECK(heard_tone(f, 2, 440) > 7000); /* the voice is there again */
    fixture_free(f);
}

static void test_lost_ends_and_floods(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_with_events(f, 1);
    voice v = {.id = 1};
    press(f, &v, 5, false, 160, 1000);
    step(f, 20);
    CHECK_INT(count_events(f, CF_EVENT_DIGIT, 1), 1); /* by the clock */
    for (uint32_t i = 0; i < 2000; i++)
        press(f, &v, 5, true, 400, 10000 + i * 800);
    CHECK(count_events(f, CF_EVENT_DIGIT, 1) <= 1 + 40);
    fixture_free(f);
}

static void add_tones(int16_t *pcm, size_t n, char digit, double amplitude, size_t from) {
    int low, high;
    cf_dtmf_tones(digit, &low, &high);
    for (size_t i = 0; i < n; i++)
        pcm[i] = (int16_t)(amplitude * (sin(2 * M_PI * low * (double)(from + i) / 8000) +
                                        sin(2 * M_PI * high * (double)(from + i) / 8000)));
}

/* A leg that presses a key by its sound for so many packets. */
static void sound(fixture *f, voice *v, char digit, int frames) {
    for (int k = 0; k < frames; k++) {
        uint8_t packet[256];
        int16_t pcm[160];
        int at = cf_rtp_write(packet, sizeof packet, 0, false, v->seq++, v->ts, (uint32_t)v->id + 1000, NULL, 0);
        add_tones(pcm, 160, digit, 5000, (size_t)k * 160);
        for (int i = 0; i < 160; i++)
            packet[at + i] = cf_ulaw_encode(digit ? pcm[i] : 0);
        v->ts += 160;
        cf_path path = plain_path(v->id);
        cf_core_receive(f->core, &path, packet, (size_t)at + 160, f->now);
        step(f, 1);
    }
}

static int listen_to(fixture *f, uint64_t id, bool on) {
    cf_dtmf *dtmf = on ? malloc(sizeof *dtmf) : NULL;
    if (dtmf)
        cf_dtmf_init(dtmf);
    int result = cf_core_leg_listen(f->core, id, &dtmf);
    free(dtmf);
    return result;
}

/* Two ears: leg 2 hears how much of a digit of 200 ms, in amplitude times samples. */
static double heard_of_a_digit(bool listening) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    join(f, 2, 1);
    voice v = {.id = 1, .hz = 440, .amplitude = 8000};
    if (listening)
        CHECK_INT(listen_to(f, 1, true), 0);
    run_ms(f, 600, &v, 1);
    clear_sent(f);
    sound(f, &v, '5', 10);
    int to_2 = count_rtp(f, 2);
    sound(f, &v, 0, 15);
    const cf_event *event = digit_event(f, 0);
    CHECK_INT(count_events(f, CF_EVENT_DIGIT, 1), listening);
    if (listening && event)
        CHECK(event->text[0] == '5' && event->ids[0] == CF_DIGIT_SOUND && labs((long)event->value - 200) <= 10);
    double heard = heard_tone(f, 2, 770) * count_rtp(f, 2) * 20;
    CHECK(to_2 > 0);
    clear_sent(f);
    run_ms(f, 800, &v, 1);
    CHECK(heard_tone(f, 2, 440) > 6000); /* and the voice is heard again */
    fixture_free(f);
    return heard;
}

static void test_sounds_are_found_and_cut_only_while_something_listens(void) {
    double whole = heard_of_a_digit(false), cut = heard_of_a_digit(true);
    CHECK(whole > 5000 * 180);
    CHECK(cut < 5000 * 27); /* of 200 ms at most 25 are heard, and the ramp */
}

static void test_muted_legs_are_listened_to(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    voice v = {.id = 1};
    CHECK_INT(cf_core_leg_mute(f->core, 1, true), 0);
    CHECK_INT(listen_to(f, 1, true), 0);
    sound(f, &v, '#', 5);
    sound(f, &v, 0, 10);
    CHECK_INT(count_events(f, CF_EVENT_DIGIT, 1), 1);
    CHECK_INT(listen_to(f, 1, false), 0);
    sound(f, &v, '#', 5);
    sound(f, &v, 0, 10);
    CHECK_INT(count_events(f, CF_EVENT_DIGIT, 1), 1);
    CHECK_INT(listen_to(f, 77, true), -ENOENT);
    fixture_free(f);
}

/* The only leg is suspended, so nothing is sent and the room sleeps: a key is heard all the same. */
static void test_a_key_wakes_a_room(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join(f, 1, 1);
    voice v = {.id = 1};
    sound(f, &v, 0, 10);
    cf_core_leg_suspend(f->core, 1, true);
    CHECK_INT(listen_to(f, 1, true), 0);
    sound(f, &v, 0, 100);
    CHECK_INT(core_stats(f).rooms_asleep, 1);
    sound(f, &v, '8', 6);
    sound(f, &v, 0, 10);
    CHECK_INT(count_events(f, CF_EVENT_DIGIT, 1), 1);
    fixture_free(f);
}

/* A phone that sends events and leaves the tones in: each digit once. */
static void test_a_digit_in_both_ways_counts_once(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_with_events(f, 1);
    CHECK_INT(listen_to(f, 1, true), 0);
    voice v = {.id = 1};
    press(f, &v, 5, true, 800, v.ts);
    sound(f, &v, '5', 5);
    sound(f, &v, 0, 10);
    CHECK_INT(count_events(f, CF_EVENT_DIGIT, 1), 1);
    fixture_free(f);
}

static void test_digits_are_sent(void) {
    fixture *f = fixture_new();
    add_room(f, 1);
    join_with_events(f, 1);
    join(f, 2, 1);
    CHECK_INT(cf_core_leg_digits(f->core, 2, "1", 100), -ENOTSUP);
    CHECK_INT(cf_core_leg_digits(f->core, 77, "1", 100), -ENOENT);
    CHECK_INT(cf_core_leg_digits(f->core, 1, "12", 5), -EINVAL);
    step(f, 10);
    clear_sent(f);
    CHECK_INT(cf_core_leg_digits(f->core, 1, "1*", 100), 0);
    step(f, 30);
    cf_event_receiver receiver;
    cf_digit digits[CF_EVENT_DIGITS];
    char names[8] = {0};
    int found = 0, events = 0, last_seq = -1;
    cf_event_receiver_init(&receiver, 8000);
    for (int i = 0; i < f->out_count; i++) {
        cf_rtp rtp;
        bool rtcp;
        if (f->out[i].path.socket != 1 || !cf_rtp_looks_like(f->out[i].data, f->out[i].len, &rtcp) || rtcp)
            continue;
        CHECK_INT(cf_rtp_parse(&rtp, f->out[i].data, f->out[i].len), 0);
        CHECK(last_seq < 0 || rtp.seq == (uint16_t)(last_seq + 1)); /* one row of numbers for sound and events */
        last_seq = rtp.seq;
        if (rtp.pt != EVENT_PT)
            continue;
        events++;
        int n = cf_event_receive(&receiver, &rtp, 0, digits);
        for (int k = 0; k < n; k++, found++) {
            names[found] = digits[k].digit;
            CHECK_INT(digits[k].duration_ms, 100);
        }
    }
    CHECK(!strcmp(names, "1*"));
    CHECK_INT(events, 2 * (5 + 2));
    CHECK_INT(count_rtp(f, 1), 30); /* a packet each 20 ms all the time */
    CHECK_INT(cf_core_leg_digits(f->core, 1, "0123456789012345678901234567890123456789012345678901234567890123", 40),
              0);
    CHECK_INT(cf_core_leg_digits(f->core, 1, "1", 40), -ENOSPC);
    fixture_free(f);
}

int main(void) {
    RUN(test_an_event_is_told_once_and_costs_no_sound);
    RUN(test_lost_ends_and_floods);
    RUN(test_sounds_are_found_and_cut_only_while_something_listens);
    RUN(test_muted_legs_are_listened_to);
    RUN(test_a_key_wakes_a_room);
    RUN(test_a_digit_in_both_ways_counts_once);
    RUN(test_digits_are_sent);
    return REPORT();
}
