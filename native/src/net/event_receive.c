/* Receiving digits: reports that are lost, late, doubled or cut into segments become one digit each (RFC 4733
 * section 2.5.2). */
#include "conferocore/event.h"
#include <errno.h>
#include <string.h>

#define LAPSE_NS (CF_EVENT_LAPSE_MS * INT64_C(1000000))

enum {
    RATE_MIN = 8000,
    RATE_MAX = 48000,
    LENGTH_MAX = 0xFFFF,
    OLD_S = 10, /* a beginning so long before the last one is no late packet: the sender has set its clock anew */
};

struct report {
    uint8_t code, volume;
    bool end, marker;
    uint16_t length;
    uint32_t ts;
};

int cf_event_receiver_init(cf_event_receiver *r, int clock_rate) {
    if (clock_rate < RATE_MIN || clock_rate > RATE_MAX)
        return -EINVAL;
    *r = (cf_event_receiver){.clock_rate = clock_rate};
    return 0;
}

/* The open digit has ended: 1, and what it was; 0 if nothing was open or it is no digit. */
static int end(cf_event_receiver *r, cf_digit *out) {
    char digit = r->open ? cf_event_digit(r->code) : 0;
    uint64_t length = (uint32_t)(r->segment - r->begin) + (uint64_t)r->length;
    r->open = false;
    if (!digit)
        return 0;
    *out = (cf_digit){digit, r->volume, (uint32_t)(length * 1000 / (uint32_t)r->clock_rate), r->begin};
    return 1;
}

static void begin(cf_event_receiver *r, const struct report *report) {
    r->open = true;
    r->code = report->code;
    r->volume = report->volume;
    r->begin = r->segment = report->ts;
    r->length = report->length;
}

/* Section 2.5.1.3: a digit longer than 16 bits can say goes on in a segment that begins where the one before ended. A
 * digit pressed again has a pause before it; so a beginning right at the end, or where a full segment ends, is the
 * same digit (its last reports may be lost). */
static bool goes_on(const cf_event_receiver *r, const struct report *report) {
    uint32_t after = report->ts - r->segment;
    return r->started && r->open && !report->marker && report->code == r->code &&
           (after == LENGTH_MAX || (after == r->length && after > LENGTH_MAX / 2));
}

static bool stale(const cf_event_receiver *r, const struct report *report) {
    int32_t after = cf_ts_diff(report->ts, r->segment);
    return r->started && after < 0 && after > -OLD_S * r->clock_rate;
}

static int take(cf_event_receiver *r, const struct report *report, int64_t now, cf_digit *out) {
    int ended = 0;
    if (stale(r, report))
        return 0;
    if (r->started && report->ts == r->segment) {
        if (!r->open || report->code != r->code)
            return 0; /* a copy of what has ended, or two digits at one moment */
        r->length = report->length > r->length ? report->length : r->length;
    } else if (goes_on(r, report)) {
        r->segment = report->ts;
        r->length = report->length;
    } else {
        ended = end(r, out);
        begin(r, report);
    }
    r->started = true;
    r->heard = now;
    return report->end ? ended + end(r, out + ended) : ended;
}

static struct report read_report(const uint8_t *p, uint32_t ts, bool marker) {
    return (struct report){
        .code = p[0], .end = p[1] >> 7, .volume = p[1] & 0x3F, .length = cf_get16(p + 2), .ts = ts, .marker = marker};
}

int cf_event_receive(cf_event_receiver *r, const cf_rtp *rtp, int64_t now, cf_digit out[CF_EVENT_DIGITS]) {
    if (rtp->payload_len < CF_EVENT_PAYLOAD)
        return -EBADMSG;
    if (r->started && r->ssrc != rtp->ssrc)
        r->started = false; /* another clock: what was open ends with the next beginning */
    r->ssrc = rtp->ssrc;
    size_t count = rtp->payload_len / CF_EVENT_PAYLOAD;
    uint32_t ts = rtp->ts;
    int ended = 0;
    for (size_t i = 0; i < count && i < CF_EVENT_REPORTS; i++) {
        struct report report = read_report(rtp->payload + i * CF_EVENT_PAYLOAD, ts, rtp->marker && i == 0);
        ended += take(r, &report, now, out + ended);
        ts += report.length; /* section 2.5.1.5: each begins where the one before ended */
    }
    return ended;
}

int cf_event_receiver_advance(cf_event_receiver *r, int64_t now, cf_digit *out) {
    return now >= cf_event_receiver_deadline(r) ? end(r, out) : 0;
}

int64_t cf_event_receiver_deadline(const cf_event_receiver *r) {
    return r->open ? r->heard + LAPSE_NS : INT64_MAX;
}
