/* A window of 64 slots over the sequence numbers, with one bit for each slot, so that an empty store is looked through
 * in one step. */
#include "store.h"

_Static_assert(CF_PLAYOUT_SLOTS == 64, "one bit of a word for each slot");

static uint64_t bit(int64_t seq) {
    return UINT64_C(1) << (seq & 63);
}

void cf_store_reset(cf_store *store, int64_t next) {
    store->next = next;
    store->used = 0;
    store->missed = 0;
}

cf_packet *cf_store_first(cf_store *store) {
    if (store->used == 0)
        return NULL;
    unsigned turn = (unsigned)(store->next & 63);
    uint64_t from_next = store->used >> turn | (turn ? store->used << (64 - turn) : 0);
    return &store->slots[(store->next + __builtin_ctzll(from_next)) & 63];
}

bool cf_store_has(const cf_store *store, int64_t seq) {
    return seq >= store->next && seq < store->next + CF_PLAYOUT_SLOTS && store->used & bit(seq);
}

cf_packet *cf_store_take_slot(cf_store *store, int64_t seq) {
    cf_packet *packet = &store->slots[seq & 63];
    store->used |= bit(seq);
    packet->seq = seq;
    return packet;
}

uint32_t cf_store_advance(cf_store *store, int64_t seq) {
    uint32_t missing = 0;
    for (; store->next < seq; store->next++) {
        uint64_t here = bit(store->next);
        if (store->used & here) {
            store->used &= ~here;
            store->missed &= ~here;
        } else {
            store->missed |= here;
            missing++;
        }
    }
    return missing;
}

bool cf_store_was_missed(cf_store *store, int64_t seq) {
    if (seq >= store->next || seq < store->next - CF_PLAYOUT_SLOTS || !(store->missed & bit(seq)))
        return false;
    store->missed &= ~bit(seq);
    return true;
}
