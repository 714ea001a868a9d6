/* Redundancy to a leg: how much of it the reported loss asks for, and each payload with earlier ones (RFC 2198). */
#include "leg.h"
#include "leg_wire.h"
#include "state.h"
#include "units.h"

/* Two of the longest intervals between reports: one that happens to say nothing changes nothing */
enum { HOLD_S = 15 };

/* fraction_lost is in 1/256. From 1 % on one earlier payload goes along, which mends single losses; where so much is
 * lost that losses come in pairs, two. */
static int depth_for(uint8_t fraction_lost) {
    enum { SOME = 3, MUCH = 26 };
    return fraction_lost >= MUCH ? 2 : fraction_lost >= SOME ? 1 : 0;
}

void leg_red_note(cf_leg *leg, uint8_t fraction_lost, int64_t now) {
    if (!leg->red_out || leg->config.red != CF_RED_AUTO)
        return;
    int wanted = depth_for(fraction_lost);
    if (wanted < leg->red_depth && now < leg->red_until)
        return;
    if (!leg->red_depth)
        cf_red_sender_init(leg->red_out); /* what was sent before the pause is old */
    leg->red_depth = wanted;
    leg->red_until = now + HOLD_S * SECOND;
}

const uint8_t *leg_red_wrap(cf_core *core, cf_leg *leg, uint32_t ts, const uint8_t *payload, size_t *len, uint8_t *pt) {
    *pt = (uint8_t)leg->config.tx_pt;
    if (!leg->red_out || !leg->red_depth)
        return payload;
    int wrapped = cf_red_send(leg->red_out, leg->red_depth, *pt, ts, payload, *len, core->redundant, CF_PAYLOAD_MAX);
    if (wrapped < 0)
        return payload; /* it fills the packet alone */
    *pt = (uint8_t)leg->config.red_pt;
    *len = (size_t)wrapped;
    return core->redundant;
}
