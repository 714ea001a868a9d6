/* Any bytes as packets of digits in any order: known digits only, none twice; and whatever a sender is asked to send is
 * heard again. */
#include "conferocore/event.h"
#include "fuzzlib.h"
#include <errno.h>

typedef struct ear {
    cf_event_receiver receiver;
    int64_t now;
    bool any;
    cf_digit last;
} ear;

static void check_digits(ear *e, const cf_digit *digits, int count, bool fresh) {
    for (int i = 0; i < count; i++) {
        HOLDS(cf_event_code(digits[i].digit) >= 0 && digits[i].volume <= 63);
        HOLDS(fresh || !e->any || digits[i].ts != e->last.ts || digits[i].digit != e->last.digit);
        e->last = digits[i];
        e->any = true;
    }
}

/* [which: steps of the clock and of the timestamp] [payload]. */
static void hear(ear *e, const record *r, uint32_t *ts) {
    cf_digit digits[CF_EVENT_DIGITS];
    block b = copy_of(r->data, r->len, 0);
    e->now += (r->which & 0x0F) * INT64_C(20000000);
    static const uint32_t steps[] = {0, 160, 0xffff, 0x8000, 0u - 160, 0x80000000u};
    *ts += steps[(r->which >> 4) % 6];
    cf_rtp rtp = {.payload = b.data, .payload_len = r->len, .ts = *ts, .marker = r->what & 4, .ssrc = r->what & 8};
    /* another clock, or one set back: the same timestamp is another moment */
    bool fresh = rtp.ssrc != e->receiver.ssrc || *ts - e->receiver.segment > 0x7fffffffu;
    check_digits(e, digits, cf_event_receiver_advance(&e->receiver, e->now, digits), false);
    int count = cf_event_receive(&e->receiver, &rtp, e->now, digits);
    HOLDS(count == -EBADMSG ? r->len < CF_EVENT_PAYLOAD : count >= 0 && count <= CF_EVENT_DIGITS);
    check_digits(e, digits, count, fresh);
    e->any &= !fresh;
    HOLDS(cf_event_receiver_deadline(&e->receiver) > e->now);
    free(b.base);
}

/* Each two bytes: a digit's code and tens of milliseconds; what the queue takes comes out at the other end. */
static void send_all(const record *r) {
    cf_event_sender sender;
    cf_event_receiver receiver;
    cf_digit heard[CF_EVENT_DIGITS];
    char want[CF_EVENT_QUEUE];
    int rate = r->which & 1 ? 48000 : 8000, frame = r->which & 2 ? 60 : 20, queued = 0, at = 0;
    HOLDS(cf_event_sender_init(&sender, rate) == 0 && cf_event_receiver_init(&receiver, rate) == 0);
    for (size_t i = 0; i + 2 <= r->len; i += 2)
        if (cf_event_send(&sender, cf_event_digit(r->data[i]), r->data[i + 1] * 10, r->data[i]) == 0)
            want[queued++] = cf_event_digit(r->data[i]);
    uint32_t ts = 0xfffff000u;
    for (int quiet = 0; quiet < 10; ts += (uint32_t)(frame * (rate / 1000))) {
        cf_event_report report;
        bool sent = cf_event_next(&sender, ts, frame, &report);
        quiet = sent ? 0 : quiet + 1;
        cf_rtp rtp = {.payload = report.payload, .payload_len = 4, .ts = report.ts, .marker = report.marker};
        int count = sent ? cf_event_receive(&receiver, &rtp, 0, heard) : 0;
        HOLDS(count >= 0 && count <= 1 && at + count <= queued && (count == 0 || heard[0].digit == want[at]));
        at += count;
    }
    HOLDS(at == queued);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ear e = {.now = 0};
    uint32_t ts = 0xffff0000u;
    size_t at = 0;
    cf_event_receiver_init(&e.receiver, 8000);
    for (record r; next_record(&r, data, size, &at);) {
        if (r.what & 1)
            send_all(&r);
        else
            hear(&e, &r, &ts);
    }
    return 0;
}
