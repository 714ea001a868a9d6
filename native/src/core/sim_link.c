/* A link with loss in bursts, delay, jitter, reordering and duplicates, all from one seeded stream of random numbers.
 */
#include "sim_internal.h"

enum { DELAY_MS_MAX = 60000 };

static bool is_share(double x) {
    return x >= 0 && x <= 1;
}

bool link_valid(const cf_sim_link *link) {
    const int times[] = {link->delay_ms, link->jitter_ms, link->reorder_ms};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i] < 0 || times[i] > DELAY_MS_MAX)
            return false;
    return is_share(link->loss) && is_share(link->duplicate) && is_share(link->reorder) && link->burst >= 0 &&
           link->burst <= 1e6;
}

/* Gilbert's two states: in the bad one everything is lost. It is left with 1/burst and entered so often that `loss` is
 * the share of lost packets. Bursts of mean length one and below: every packet for itself. */
static bool lost(struct sim_wire *wire) {
    double loss = wire->link.loss, burst = wire->link.burst, dice = cf_rng_unit(&wire->rng);
    if (burst <= 1 || loss >= 1)
        return dice < loss;
    double leave = 1 / burst, enter = leave * loss / (1 - loss);
    wire->bad = wire->bad ? dice >= leave : dice < enter;
    return wire->bad;
}

static int64_t travel(struct sim_wire *wire) {
    const cf_sim_link *link = &wire->link;
    double ms = link->delay_ms + link->jitter_ms * cf_rng_unit(&wire->rng);
    if (cf_rng_unit(&wire->rng) < link->reorder)
        ms += link->reorder_ms;
    return (int64_t)(ms * (double)MS);
}

int wire_send(struct sim_wire *wire, int64_t now, int64_t arrivals[2]) {
    if (lost(wire))
        return 0;
    arrivals[0] = now + travel(wire);
    if (cf_rng_unit(&wire->rng) >= wire->link.duplicate)
        return 1;
    arrivals[1] = now + travel(wire);
    return 2;
}
