/* A limit of bytes a second: the time at which all that has passed would have been paid for may lie a burst ahead. */
#ifndef CONFEROCORE_RELAY_GATE_H
#define CONFEROCORE_RELAY_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CF_GATE_SHIFT = 16, CF_GATE_BURST_NS = 250000000, CF_GATE_BURST_BYTES = 65536 };

typedef struct cf_gate {
    uint64_t cost; /* ns of a byte << CF_GATE_SHIFT; 0: no limit */
    int64_t burst; /* ns: a quarter of a second, and no less than the largest datagram */
    _Atomic int64_t paid_at;
} cf_gate;

static inline void cf_gate_init(cf_gate *gate, uint64_t bytes_per_second) {
    uint64_t rate = bytes_per_second;
    gate->cost = rate != 0 ? (UINT64_C(1000000000) << CF_GATE_SHIFT) / rate : 0;
    int64_t largest = (int64_t)(gate->cost * CF_GATE_BURST_BYTES >> CF_GATE_SHIFT);
    gate->burst = largest > CF_GATE_BURST_NS ? largest : CF_GATE_BURST_NS;
    atomic_init(&gate->paid_at, 0);
}

/* May be called by several threads. */
static inline bool cf_gate_pass(cf_gate *gate, int64_t now, uint64_t bytes) {
    if (gate->cost == 0)
        return true;
    int64_t cost = (int64_t)(gate->cost * bytes >> CF_GATE_SHIFT);
    int64_t paid = atomic_load_explicit(&gate->paid_at, memory_order_relaxed);
    for (;;) {
        int64_t from = paid > now ? paid : now;
        if (from + cost - now > gate->burst)
            return false;
        if (atomic_compare_exchange_weak_explicit(&gate->paid_at, &paid, from + cost, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
}

#endif
