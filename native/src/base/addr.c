/* Comparing and hashing transport addresses. */
#include "conferocore/base.h"
#include <string.h>

_Static_assert(sizeof(cf_addr) == 20, "cf_addr has no padding, so that memcmp compares it");

bool cf_addr_equal(const cf_addr *a, const cf_addr *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

bool cf_addr_same_host(const cf_addr *a, const cf_addr *b) {
    return a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

/* The remote address first: it is what differs between two peers on one socket. */
bool cf_path_equal(const cf_path *a, const cf_path *b) {
    return cf_addr_equal(&a->remote, &b->remote) && a->socket == b->socket && cf_addr_equal(&a->local, &b->local);
}

static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}

/* Not keyed: only for tables that hold authenticated or configured addresses, where nobody can choose many keys. */
uint64_t cf_addr_hash(const cf_addr *a) {
    uint64_t high, low;
    uint32_t rest; /* port, family, scope */
    memcpy(&high, a->ip, 8);
    memcpy(&low, a->ip + 8, 8);
    memcpy(&rest, &a->port, 4);
    return mix(mix(mix(high) + low) + rest);
}
