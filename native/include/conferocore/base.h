/* Addresses, codes and the random source that every part of the library shares. */
#ifndef CONFEROCORE_BASE_H
#define CONFEROCORE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All functions that can fail return 0 (or a length) or a negative errno value.
 * Time is signed 64-bit nanoseconds on a clock that the caller owns and that never goes back. */

/*cdef*/
/* An IPv4 or IPv6 transport address. Unused bytes are zero, so that memcmp compares addresses. */
typedef struct cf_addr {
    uint8_t ip[16]; /* network order; IPv4 uses the first four bytes */
    uint16_t port;  /* host order */
    uint8_t family; /* 4, 6, or 0 = none */
    uint8_t scope;  /* always 0 for now; keeps the struct free of padding */
} cf_addr;

/* Where a datagram came from or goes to: which socket, which local and which remote address. */
typedef struct cf_path {
    uint32_t socket; /* the shell's number of the socket */
    cf_addr local;   /* local address (family 0: whatever the socket is bound to) */
    cf_addr remote;
} cf_path;
/*end*/

/* xoshiro256**: seeded, so that simulated runs repeat; never used for keys. */
typedef struct cf_rng {
    uint64_t s[4];
} cf_rng;

void cf_rng_seed(cf_rng *rng, uint64_t seed);
uint64_t cf_rng_next(cf_rng *rng);
uint32_t cf_rng_u32(cf_rng *rng);
double cf_rng_unit(cf_rng *rng); /* uniform in [0, 1) */

bool cf_addr_equal(const cf_addr *a, const cf_addr *b);
bool cf_addr_same_host(const cf_addr *a, const cf_addr *b); /* whatever the ports */
bool cf_path_equal(const cf_path *a, const cf_path *b);
uint64_t cf_addr_hash(const cf_addr *a);

/* Something of `len` bytes will soon be needed: its cache lines are asked for, and nobody waits. */
static inline void cf_warm(const void *p, size_t len) {
    enum { LINE = 64 };
    uintptr_t at = (uintptr_t)p & ~(uintptr_t)(LINE - 1), end = (uintptr_t)p + len;
    for (; at < end; at += LINE)
        __builtin_prefetch((const void *)at);
}

/* Big-endian access at any alignment. */
static inline uint16_t cf_get16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t cf_get32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline void cf_put16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}
static inline void cf_put32(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

#endif
