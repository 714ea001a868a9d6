/* A window of 64 slots over the sequence numbers, with one bit for each slot, so that an empty store is looked through
 * in one step. */
#include "store.h"

_Static_assert(CF_PLAYOUT_SLOTS == 64, "one bit of a word for each slot");
_Static_assert(2 * CF_STORE_CHUNKS <= UINT8_MAX, "a chunk's number is one octet; large ones follow the small");

static uint64_t bit(int64_t seq) {
    return UINT64_C(1) << (seq & 63);
}

/* The bits of the window, that of `from` lowest. */
static uint64_t turned(uint64_t bits, int64_t from) {
    unsigned turn = (unsigned)(from & 63);
    return bits >> turn | (turn ? bits << (64 - turn) : 0);
}

static void fill(cf_chunks *chunks, unsigned first) {
    chunks->count = CF_STORE_CHUNKS;
    for (unsigned i = 0; i < CF_STORE_CHUNKS; i++)
        chunks->free[i] = (uint8_t)(first + CF_STORE_CHUNKS - 1 - i);
}

void cf_store_init(cf_store *store, cf_payloads *payloads) {
    store->payloads = payloads;
    cf_store_reset(store, 0);
}

void cf_store_reset(cf_store *store, int64_t next) {
    store->next = next;
    store->used = store->missed = store->passed = 0;
    store->kept_count = 0;
    fill(&store->small, 0);
    fill(&store->large, CF_STORE_CHUNKS);
}

static void release(cf_store *store, const cf_packet *packet) {
    cf_chunks *chunks = packet->chunk < CF_STORE_CHUNKS ? &store->small : &store->large;
    chunks->free[chunks->count++] = packet->chunk;
}

cf_packet *cf_store_first(cf_store *store) {
    if (store->used == 0)
        return NULL;
    return &store->slots[(store->next + __builtin_ctzll(turned(store->used, store->next))) & 63];
}

const cf_packet *cf_store_after(const cf_store *store, int64_t seq) {
    int64_t from = seq + 1 - store->next;
    uint64_t left = from < CF_PLAYOUT_SLOTS ? turned(store->used, store->next) >> from : 0;
    return left ? &store->slots[(seq + 1 + __builtin_ctzll(left)) & 63] : NULL;
}

bool cf_store_has(const cf_store *store, int64_t seq) {
    return seq >= store->next && seq < store->next + CF_PLAYOUT_SLOTS && store->used & bit(seq);
}

cf_packet *cf_store_take_slot(cf_store *store, int64_t seq, size_t len) {
    cf_chunks *chunks = len <= CF_PACKET_SMALL ? &store->small : &store->large;
    cf_packet *packet = &store->slots[seq & 63];
    store->used |= bit(seq);
    store->passed &= ~bit(seq);
    *packet = (cf_packet){.seq = seq, .len = (uint16_t)len, .chunk = chunks->free[--chunks->count]};
    return packet;
}

uint8_t *cf_store_payload(const cf_store *store, const cf_packet *packet) {
    return packet->chunk < CF_STORE_CHUNKS ? store->payloads->small[packet->chunk]
                                           : store->payloads->large[packet->chunk - CF_STORE_CHUNKS];
}

uint32_t cf_store_advance(cf_store *store, int64_t seq) {
    uint32_t missing = 0;
    for (; store->next < seq; store->next++) {
        uint64_t here = bit(store->next);
        bool there = store->used & here, silent = store->passed & here;
        if (there)
            release(store, &store->slots[store->next & 63]);
        store->used &= ~here;
        store->passed &= ~here;
        store->missed &= ~here;
        if (!there && !silent) {
            store->missed |= here;
            missing++;
        }
    }
    return missing;
}

void cf_store_retire(cf_store *store, const cf_packet *packet) {
    uint64_t here = bit(packet->seq);
    if (store->kept_count == CF_STORE_KEPT)
        release(store, &store->kept[CF_STORE_KEPT - 1]);
    else
        store->kept_count++;
    for (int i = CF_STORE_KEPT - 1; i > 0; i--)
        store->kept[i] = store->kept[i - 1];
    store->kept[0] = *packet;
    store->used &= ~here;
    store->missed &= ~here;
    store->next = packet->seq + 1;
}

bool cf_store_was_missed(cf_store *store, int64_t seq) {
    if (seq >= store->next || seq < store->next - CF_PLAYOUT_SLOTS || !(store->missed & bit(seq)))
        return false;
    store->missed &= ~bit(seq);
    return true;
}

void cf_store_pass(cf_store *store, int64_t seq) {
    if (!(store->used & bit(seq)))
        store->passed |= bit(seq);
}

bool cf_store_gap(const cf_store *store, int64_t seq) {
    uint64_t before = (UINT64_C(1) << (seq - store->next)) - 1;
    return ~turned(store->used | store->passed, store->next) & before;
}

bool cf_store_pauses(const cf_store *store) {
    return store->passed & bit(store->next);
}
