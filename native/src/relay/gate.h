/* A limit of bytes a second: the time at which all that has passed would have been paid for may lie a burst ahead. */
#ifndef CONFEROCORE_RELAY_GATE_H
#define CONFEROCORE_RELAY_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CF_GATE_SHIFT = 16, CF_GATE_BURST_NS = 250000000, CF_GATE_BURST_BYTES = 65536 };

typedef struct cf_gate {
    _Atomic uint64_t cost; /* ns of a byte << CF_GATE_SHIFT; 0: no limit */
    _Atomic int64_t burst; /* ns: a quarter of a second, and no less than the largest datagram */
    _Atomic int64_t paid_at;
} cf_gate;

static inline void cf_gate_init(cf_gate *gate, uint64_t bytes_per_second) {
    uint64_t rate = bytes_per_second;
    uint64_t cost = rate != 0 ? (UINT64_C(1000000000) << CF_GATE_SHIFT) / rate : 0;
    int64_t largest = (int64_t)(cost * CF_GATE_BURST_BYTES >> CF_GATE_SHIFT);
    atomic_store_explicit(&gate->cost, cost, memory_order_relaxed);
    atomic_store_explicit(&gate->burst, largest > CF_GATE_BURST_NS ? largest : CF_GATE_BURST_NS, memory_order_relaxed);
    atomic_store_explicit(&gate->paid_at, 0, memory_order_relaxed);
}

static inline int64_t cf_gate_price(const cf_gate *gate, uint64_t bytes) {
    return (int64_t)(atomic_load_explicit(&gate->cost, memory_order_relaxed) * bytes >> CF_GATE_SHIFT);
}

/* May be called by several threads. */
static inline bool cf_gate_pass(cf_gate *gate, int64_t now, uint64_t bytes) {
    int64_t cost = cf_gate_price(gate, bytes), burst = atomic_load_explicit(&gate->burst, memory_order_relaxed);
    if (cost == 0)
        return true;
    int64_t paid = atomic_load_explicit(&gate->paid_at, memory_order_relaxed);
    for (;;) {
        int64_t from = paid > now ? paid : now;
        if (from + cost - now > burst)
            return false;
        if (atomic_compare_exchange_weak_explicit(&gate->paid_at, &paid, from + cost, memory_order_relaxed,
                                                  memory_order_relaxed))
            return true;
    }
}

/* Bytes of a stream, which cannot be dropped: they have passed, and this is how long (ns) no more should. May be called
 * by several threads. */
static inline int64_t cf_gate_charge(cf_gate *gate, int64_t now, uint64_t bytes) {
    int64_t cost = cf_gate_price(gate, bytes), burst = atomic_load_explicit(&gate->burst, memory_order_relaxed);
    if (cost == 0)
        return 0;
    int64_t paid = atomic_load_explicit(&gate->paid_at, memory_order_relaxed), from;
    do
        from = paid > now ? paid : now;
    while (!atomic_compare_exchange_weak_explicit(&gate->paid_at, &paid, from + cost, memory_order_relaxed,
                                                  memory_order_relaxed));
    int64_t over = from + cost - now - burst;
    return over > 0 ? over : 0;
}

#endif
