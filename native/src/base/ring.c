/* The SPSC ring: two free-running indices on their own cache lines, each side keeping a copy of the other's. */
#include "conferocore/ring.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

struct cf_ring {
    size_t mask, slot_size;
    uint8_t *slots;
    /* Producer's line. Indices only grow; index & mask is the slot, head - tail the fill. */
    alignas(CACHE_LINE) _Atomic size_t head;
    size_t tail_seen;
    _Atomic uint64_t dropped;
    /* Consumer's line. */
    alignas(CACHE_LINE) _Atomic size_t tail;
    size_t head_seen;
};

static size_t power_of_two(size_t n) {
    size_t p = 1;
    while (p < n && p <= SIZE_MAX / 4)
        p *= 2;
    return p;
}

cf_ring *cf_ring_new(size_t slots, size_t slot_size) {
    size_t size = power_of_two(slots);
    if (slots == 0 || slot_size == 0 || size < slots)
        return NULL;
    cf_ring *ring = aligned_alloc(CACHE_LINE, sizeof *ring);
    if (ring == NULL)
        return NULL;
    memset(ring, 0, sizeof *ring);
    ring->mask = size - 1;
    ring->slot_size = slot_size;
    ring->slots = calloc(size, slot_size);
    if (ring->slots == NULL) {
        free(ring);
        return NULL;
    }
    return ring;
}

void cf_ring_free(cf_ring *ring) {
    if (ring == NULL)
        return;
    free(ring->slots);
    free(ring);
}

static uint8_t *slot_at(const cf_ring *ring, size_t index) {
    return ring->slots + (index & ring->mask) * ring->slot_size;
}

bool cf_ring_push(cf_ring *ring, const void *slot) {
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (head - ring->tail_seen > ring->mask)
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
    if (head - ring->tail_seen > ring->mask) {
        uint64_t dropped = atomic_load_explicit(&ring->dropped, memory_order_relaxed);
        atomic_store_explicit(&ring->dropped, dropped + 1, memory_order_relaxed);
        return false;
    }
    memcpy(slot_at(ring, head), slot, ring->slot_size);
    atomic_store_explicit(&ring->head, head + 1, memory_order_release);
    return true;
}

bool cf_ring_pop(cf_ring *ring, void *slot) {
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == ring->head_seen)
        ring->head_seen = atomic_load_explicit(&ring->head, memory_order_acquire);
    if (tail == ring->head_seen)
        return false;
    memcpy(slot, slot_at(ring, tail), ring->slot_size);
    atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
    return true;
}

size_t cf_ring_used(const cf_ring *ring) {
    /* Tail first: head can only have grown since, so the difference never wraps below zero. */
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    size_t used = atomic_load_explicit(&ring->head, memory_order_acquire) - tail;
    return used > ring->mask + 1 ? ring->mask + 1 : used;
}

uint64_t cf_ring_dropped(const cf_ring *ring) {
    return atomic_load_explicit(&ring->dropped, memory_order_relaxed);
}
