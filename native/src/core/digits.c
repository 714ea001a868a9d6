/* A leg's digits: heard as events (RFC 4733) or by their sound while something listens, and sent as events. */
#include "bucket.h"
#include "leg.h"
#include "leg_sound.h"
#include "leg_wire.h"
#include "room.h"
#include "state.h"
#include "units.h"

#include <errno.h>
#include <string.h>

enum {
    DIGIT_RATE = 20,  /* digits a second that a leg may tell: no machine dials faster than 12 (ITU-T Q.24) ... */
    DIGIT_BURST = 40, /* ... and at once: no peer can flood the event ring */
    CUT_RAMP = 240,   /* samples: 5 ms, so that cutting does not click */
    VOLUME = 10       /* -dBm0 of what we send */
};

static void digit_tell(cf_core *core, cf_leg *leg, const cf_digit *digit, enum cf_digit_source source, int64_t now) {
    if (!bucket_take(&leg->digit_quota, now, DIGIT_RATE, DIGIT_BURST))
        return;
    cf_event event = event_about(core, CF_EVENT_DIGIT, leg);
    event.value = digit->duration_ms;
    event.count = 1;
    event.ids[0] = source;
    event.levels[0] = digit->volume;
    event.text[0] = digit->digit;
    event_send(core, &event);
}

void leg_event_take(cf_core *core, cf_leg *leg, const cf_rtp *rtp, int clock_rate, int64_t now) {
    cf_digit digits[CF_EVENT_DIGITS];
    if (leg->events.clock_rate != clock_rate && cf_event_receiver_init(&leg->events, clock_rate))
        return;
    int count = cf_event_receive(&leg->events, rtp, now, digits);
    for (int i = 0; i < count; i++)
        digit_tell(core, leg, &digits[i], CF_DIGIT_EVENT, now);
}

void leg_event_timers(cf_core *core, cf_leg *leg, int64_t now) {
    cf_digit digit;
    if (leg->events.open && cf_event_receiver_advance(&leg->events, now, &digit))
        digit_tell(core, leg, &digit, CF_DIGIT_EVENT, now);
}

/* Whoever sends its digits as events may leave their sound in; it would count twice. */
static bool sends_events(const cf_leg *leg) {
    return leg->events.started;
}

static void ramp(int16_t *pcm, bool up) {
    for (int i = 0; i < CUT_RAMP; i++)
        pcm[i] = (int16_t)(pcm[i] * (up ? i + 1 : CUT_RAMP - 1 - i) / CUT_RAMP);
}

/* Takes the digit out of the frame. */
static void cut(cf_leg *leg, int16_t *pcm, bool present) {
    if (present && leg->digit_cut)
        memset(pcm, 0, CF_FRAME * sizeof *pcm);
    else if (present)
        memset(pcm + CUT_RAMP, 0, (CF_FRAME - CUT_RAMP) * sizeof *pcm);
    if (present != leg->digit_cut)
        ramp(pcm, !present);
    leg->digit_cut = present;
}

bool leg_listen(cf_core *core, cf_leg *leg, int16_t *pcm, int64_t now) {
    cf_digit digit;
    if (cf_dtmf_run(leg->dtmf, pcm, CF_FRAME, &digit) && !sends_events(leg))
        digit_tell(core, leg, &digit, CF_DIGIT_SOUND, now);
    bool was = leg->digit_cut;
    cut(leg, pcm, cf_dtmf_present(leg->dtmf));
    return was || leg->digit_cut;
}

void leg_listen_silence(cf_core *core, cf_leg *leg, int64_t now) {
    int16_t silence[CF_FRAME] = {0};
    leg_listen(core, leg, silence, now);
}

int cf_core_leg_listen(cf_core *core, uint64_t id, cf_dtmf **dtmf) {
    cf_leg *leg = leg_by_id(core, id);
    if (!leg)
        return -ENOENT;
    cf_dtmf *old = leg->dtmf;
    leg->dtmf = *dtmf;
    *dtmf = old;
    leg->digit_cut = false;
    room_wake(core, leg->room);
    return 0;
}

int cf_core_leg_digits(cf_core *core, uint64_t id, const char *digits, int duration_ms) {
    cf_leg *leg = leg_by_id(core, id);
    if (!leg)
        return -ENOENT;
    if (!leg->digits_out)
        return -ENOTSUP;
    room_wake(core, leg->room);
    if (leg->digits_out->count + strlen(digits) > CF_EVENT_QUEUE)
        return -ENOSPC; /* all of them or none */
    int result = 0;
    for (; *digits && !result; digits++)
        result = cf_event_send(leg->digits_out, *digits, duration_ms, VOLUME);
    return result;
}

/* In the place of the frame's sound (RFC 4733 section 2.5.1.2). */
bool leg_digit_send(cf_core *core, cf_leg *leg, uint64_t period) {
    cf_event_report report;
    if (!leg->digits_out || !leg->digits_out->count)
        return false;
    leg->room->needed = true; /* also between two of them */
    if (!cf_event_next(leg->digits_out, leg_timestamp(leg, period), (int)(PERIOD / MS), &report))
        return false;
    leg_send_event(core, leg, &report);
    return true;
}
