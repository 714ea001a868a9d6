/* Counters with one writer and any reader, and the tables of those that the statistics show. */
#ifndef CONFEROCORE_CORE_COUNTER_H
#define CONFEROCORE_CORE_COUNTER_H

#include <stdatomic.h>
#include <stdint.h>

/* One writer (the media thread), any reader. */
typedef _Atomic uint64_t counter;

static inline void counter_set(counter *c, uint64_t value) {
    atomic_store_explicit(c, value, memory_order_relaxed);
}
static inline uint64_t counter_get(const counter *c) {
    return atomic_load_explicit(c, memory_order_relaxed);
}
static inline void counter_add(counter *c, uint64_t n) {
    counter_set(c, counter_get(c) + n);
}

/* The fields of the public statistics, as tables: the counters are declared and copied out from them. */
/* clang-format off */
#define LEG_COUNTERS(X)                                                                                                \
    X(rx_packets) X(rx_bytes) X(tx_packets) X(tx_bytes) X(rx_dropped) X(rx_recovered) X(srtp_failures) X(srtp_replays) X(stun_checks)  \
    X(stun_bad) X(dtls_dropped) X(own_encodes) X(shared_frames) X(jitter_us) X(rtt_us) X(remote_lost)                  \
    X(remote_fraction_lost) X(remote_jitter_us) X(level_in) X(level_out) X(level_claimed) X(gated) X(connected)
#define PLAYOUT_COUNTERS(X)                                                                                            \
    X(packets) X(late) X(duplicate) X(lost) X(recovered) X(concealed) X(overflow) X(undecodable) X(stretched)          \
    X(squeezed) X(skipped) X(restarts) X(target_ms) X(delay_ms)
#define CORE_COUNTERS(X)                                                                                               \
    X(ticks) X(late_ticks) X(packets_in) X(packets_out) X(packets_unknown) X(frames_decoded) X(frames_skipped)         \
    X(frames_mixed) X(frames_encoded) X(frames_passed) X(frames_shared) X(decode_ns) X(mix_ns) X(encode_ns) X(tick_ns_max)              \
    X(tick_ns_sum) X(crypto_ns) X(rooms) X(legs) X(rooms_asleep)
/* clang-format on */
#define COUNTER_FIELD(name) counter name;

#endif
