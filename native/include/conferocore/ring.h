/* A bounded single-producer single-consumer ring of fixed-size slots, lock-free on both sides. */
#ifndef CONFEROCORE_RING_H
#define CONFEROCORE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cf_ring cf_ring;

/* slots is rounded up to a power of two. NULL without memory. */
cf_ring *cf_ring_new(size_t slots, size_t slot_size);
void cf_ring_free(cf_ring *ring);
/* Producer: false and one more in cf_ring_dropped when full. */
bool cf_ring_push(cf_ring *ring, const void *slot);
/* Consumer: false when empty. */
bool cf_ring_pop(cf_ring *ring, void *slot);
size_t cf_ring_used(const cf_ring *ring);
uint64_t cf_ring_dropped(const cf_ring *ring);

#endif
