/* Sending digits: one report a frame, the last one three times, a pause after it (RFC 4733 section 2.5.1). */
#include "conferocore/event.h"
#include <errno.h>
#include <string.h>

enum { RATE_MIN = 8000, RATE_MAX = 48000, LENGTH_MAX = 0xFFFF, VOLUME_MAX = 63, END = 0x80, COPIES = 2 };

int cf_event_sender_init(cf_event_sender *s, int clock_rate) {
    if (clock_rate < RATE_MIN || clock_rate > RATE_MAX)
        return -EINVAL;
    memset(s, 0, sizeof *s);
    s->clock_rate = clock_rate;
    return 0;
}

int cf_event_send(cf_event_sender *s, char digit, int duration_ms, int volume) {
    int code = cf_event_code(digit);
    if (code < 0 || duration_ms < CF_EVENT_MIN_MS || duration_ms > CF_EVENT_MAX_MS || volume < 0 || volume > VOLUME_MAX)
        return -EINVAL;
    if (s->count == CF_EVENT_QUEUE)
        return -ENOSPC;
    s->queue[(s->head + s->count++) % CF_EVENT_QUEUE] =
        (struct cf_event_waiting){(uint8_t)code, (uint8_t)volume, (uint16_t)duration_ms};
    return 0;
}

void cf_event_sender_clear(cf_event_sender *s) {
    s->count = s->open || s->copies ? 1 : 0;
}

static void write_report(const cf_event_sender *s, bool end, cf_event_report *report) {
    const struct cf_event_waiting *digit = &s->queue[s->head];
    report->ts = s->segment;
    report->payload[0] = digit->code;
    report->payload[1] = (uint8_t)((end ? END : 0) | digit->volume);
    cf_put16(report->payload + 2, (uint16_t)s->length);
}

static uint32_t units(const cf_event_sender *s, uint32_t ms) {
    return ms * (uint32_t)s->clock_rate / 1000;
}

static void pause_step(cf_event_sender *s, int frame_ms) {
    s->pause_ms = (uint16_t)(s->pause_ms > frame_ms ? s->pause_ms - frame_ms : 0);
}

/* Section 2.5.1.4: the last report is sent three times in all; nothing in the copies changes. */
static void copy_end(cf_event_sender *s, cf_event_report *report) {
    write_report(s, true, report);
    if (--s->copies > 0)
        return;
    s->head = (s->head + 1) % CF_EVENT_QUEUE;
    s->count--;
}

/* Section 2.5.1.3: what 16 bits cannot say goes on in a segment of its own, from the next report on. */
static void measure(cf_event_sender *s) {
    if (s->length == LENGTH_MAX)
        s->segment += LENGTH_MAX;
    uint32_t length = units(s, s->sent_ms) - (s->segment - s->begin);
    s->length = length < LENGTH_MAX ? length : LENGTH_MAX;
}

/* The frame that begins now belongs to the digit. */
static void go_on(cf_event_sender *s, uint32_t ts, int frame_ms, cf_event_report *report) {
    int duration = s->queue[s->head].duration_ms;
    report->marker = !s->open; /* section 2.2.2 */
    if (!s->open) {
        s->begin = s->segment = ts;
        s->sent_ms = 0;
        s->length = 0;
    }
    int sent = s->sent_ms + frame_ms;
    s->sent_ms = (uint16_t)(sent < duration ? sent : duration);
    measure(s);
    s->open = s->segment + s->length != s->begin + units(s, (uint32_t)duration);
    if (!s->open) {
        s->copies = COPIES;
        s->pause_ms = CF_EVENT_PAUSE_MS;
    }
    write_report(s, !s->open, report);
}

bool cf_event_next(cf_event_sender *s, uint32_t ts, int frame_ms, cf_event_report *report) {
    report->marker = false;
    if (s->copies > 0) {
        pause_step(s, frame_ms);
        copy_end(s, report);
    } else if (s->pause_ms > 0) {
        pause_step(s, frame_ms);
        return false;
    } else if (s->count > 0) {
        go_on(s, ts, frame_ms, report);
    } else {
        return false;
    }
    return true;
}
