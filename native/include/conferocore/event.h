/* Digits as RTP packets (telephone-event, RFC 4733): a receiver that reports each digit once, and a sender. */
#ifndef CONFEROCORE_EVENT_H
#define CONFEROCORE_EVENT_H

#include "base.h"
#include "rtp.h"

enum {
    CF_EVENT_REPORTS = 8,                   /* reports read of one packet (section 2.5.1.5); more are not looked at */
    CF_EVENT_DIGITS = CF_EVENT_REPORTS + 1, /* digits that one packet can end */
    CF_EVENT_QUEUE = 64,                    /* digits waiting to be sent; no number that is dialled is longer */
    CF_EVENT_PAYLOAD = 4,                   /* bytes of a report */
    CF_EVENT_MIN_MS = 40,                   /* shortest digit that a receiver must know (ITU-T Q.24) */
    CF_EVENT_MAX_MS = 10000,                /* longest that is sent: beyond it somebody leans on the key */
    CF_EVENT_PAUSE_MS = 60,                 /* between two digits: the two copies of the last report, and one frame */
    CF_EVENT_LAPSE_MS = 200,                /* without a report a digit has ended: four of the longest usual interval */
};

/* A digit that has ended: 0-9 * # A-D, or ! for a hook flash. */
typedef struct cf_digit {
    char digit;
    uint8_t volume; /* power of the tone, -dBm0 (0-63) */
    uint32_t duration_ms;
    uint32_t ts; /* when it began */
} cf_digit;

/* The character of an event code and back; 0 and -1 for what is no digit. */
char cf_event_digit(uint8_t code);
int cf_event_code(char digit);

/* A digit is known by code and the timestamp of its beginning, which all its reports share. It has ended with the first
 * report that has the E bit; or when another begins; or CF_EVENT_LAPSE_MS after the last report: then its duration is
 * what was reported so far. Whatever comes later of the same beginning, or of an earlier one, is a copy. */
typedef struct cf_event_receiver {
    int clock_rate;
    bool started; /* something has been heard of this SSRC */
    bool open;    /* a digit has begun and not ended */
    uint8_t code, volume;
    uint32_t ssrc;
    uint32_t begin;   /* timestamp of the digit's beginning */
    uint32_t segment; /* of its segment's (section 2.5.1.3): the one that reports carry now */
    uint32_t length;  /* longest duration reported of this segment, timestamp units */
    int64_t heard;    /* when its last report came */
} cf_event_receiver;

int cf_event_receiver_init(cf_event_receiver *receiver, int clock_rate); /* -EINVAL: not 8000-48000 */
/* A packet of the event payload type. Returns how many digits have ended, or -EBADMSG: no whole report. */
int cf_event_receive(cf_event_receiver *receiver, const cf_rtp *rtp, int64_t now, cf_digit out[CF_EVENT_DIGITS]);
/* 1 if the open digit has lapsed by now. */
int cf_event_receiver_advance(cf_event_receiver *receiver, int64_t now, cf_digit *out);
int64_t cf_event_receiver_deadline(const cf_event_receiver *receiver); /* INT64_MAX: nothing open */

/* Digits waiting, and the one that is being sent. */
typedef struct cf_event_sender {
    int clock_rate;
    struct cf_event_waiting {
        uint8_t code, volume;
        uint16_t duration_ms;
    } queue[CF_EVENT_QUEUE];
    uint32_t head, count; /* of the queue */
    bool open;            /* the first of the queue has begun */
    uint8_t copies;       /* of the last report, still to be sent */
    uint16_t pause_ms;    /* until the next may begin */
    uint16_t sent_ms;     /* of the open digit */
    uint32_t begin;       /* its timestamp */
    uint32_t segment;     /* the one that reports carry */
    uint32_t length;      /* reported of this segment */
} cf_event_sender;

/* What to send instead of the frame's audio. */
typedef struct cf_event_report {
    uint32_t ts;
    bool marker;
    uint8_t payload[CF_EVENT_PAYLOAD];
} cf_event_report;

int cf_event_sender_init(cf_event_sender *sender, int clock_rate); /* -EINVAL */
/* -EINVAL: no digit, a duration outside CF_EVENT_MIN_MS..MAX_MS, a volume above 63; -ENOSPC: CF_EVENT_QUEUE wait. */
int cf_event_send(cf_event_sender *sender, char digit, int duration_ms, int volume);
void cf_event_sender_clear(cf_event_sender *sender); /* forgets those that have not begun */
/* Called for each frame of `frame_ms` (1-60) that begins at ts: true if a report goes out instead of its audio. The
 * frame's time counts for pauses and durations either way. */
bool cf_event_next(cf_event_sender *sender, uint32_t ts, int frame_ms, cf_event_report *report);

#endif
