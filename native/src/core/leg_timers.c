/* What a leg does by the clock, looked at in each tick of its room: time-outs, reports, reminders. */
#include "counter.h"
#include "inbox.h"
#include "leg.h"
#include "leg_sound.h"
#include "leg_wire.h"
#include "room.h"
#include "state.h"
#include "units.h"

enum { CONSENT_MS = 30000 }; /* default consent time-out (RFC 7675 section 5.1) */

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* RFC 7675: without an authenticated check for this long the peer no longer agrees to be sent to. */
static bool consent_lost(const cf_leg *leg, int64_t now) {
    int64_t patience = leg->config.consent_timeout_ms ? leg->config.consent_timeout_ms : CONSENT_MS;
    return now - later(leg->ice.consent_at, leg->alive_since) > patience * MS;
}

static bool media_lost(const cf_leg *leg, int64_t now) {
    int64_t patience = leg->config.media_timeout_ms;
    return patience && now - later(leg->packet_at, leg->alive_since) > patience * MS;
}

static void check_alive(cf_core *core, cf_leg *leg, int64_t now) {
    if (leg->timed_out)
        return;
    leg->timed_out = leg->config.kind == CF_LEG_WEBRTC ? consent_lost(leg, now) : media_lost(leg, now);
    if (leg->timed_out)
        event_leg(core, CF_EVENT_TIMEOUT, leg);
}

/* The first report comes soon after the leg can send: it carries the name and starts the round-trip measurement. */
static void check_report(cf_core *core, cf_leg *leg, int64_t now) {
    if (!leg_sendable(leg)) {
        leg->rtcp_at = 0;
    } else if (!leg->rtcp_at) {
        leg->rtcp_at = now + SECOND / 2 + (int64_t)(cf_rng_unit(&leg->rng) * (double)SECOND);
    } else if (now >= leg->rtcp_at) {
        leg_rtcp_send(core, leg, false, now);
        leg->rtcp_at = now + leg_rtcp_interval(leg);
    }
}

static void note_connected(cf_leg *leg) {
    bool heard_of = leg->config.kind == CF_LEG_WEBRTC || leg->media_seen;
    counter_set(&leg->count.connected, heard_of && leg_sendable(leg));
}

void leg_changed(cf_core *core, cf_leg *leg) {
    note_connected(leg);
    if (leg->room)
        room_wake(core, leg->room);
}

void leg_timers(cf_core *core, cf_leg *leg, int64_t now) {
    check_alive(core, leg, now);
    note_connected(leg);
    check_report(core, leg, now);
    leg_event_timers(core, leg, now);
    if (leg->inbox && inbox_overdue(leg->inbox, now))
        event_leg(core, CF_EVENT_DTLS, leg);
}
