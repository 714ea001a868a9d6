/* DTLS datagrams of one leg on their way up: one producer (media thread), one consumer. */
#ifndef CONFEROCORE_CORE_INBOX_H
#define CONFEROCORE_CORE_INBOX_H

#include "bucket.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    INBOX_SLOTS = 16,  /* DTLS datagrams that wait for Python: two flights of a fragmented handshake */
    INBOX_BYTES = 1500 /* the longest DTLS datagram */
};

struct inbox {
    _Atomic uint32_t head, tail; /* taken, put: free-running */
    atomic_bool armed;           /* the consumer has seen it empty: the next datagram is worth an event */
    struct bucket quota;
    int64_t told_at; /* last event, ns */
    struct {
        uint16_t len;
        uint16_t slot;
    } entries[INBOX_SLOTS]; /* by number: where each lies */
    /* The producer's own: the slot that was freed last is used first, so that a leg whose datagrams are taken one by
     * one never touches the memory of the others. */
    uint32_t reclaimed; /* entries up to this have given their slots back */
    unsigned free_count;
    uint8_t free_slots[INBOX_SLOTS];
    uint8_t slots[INBOX_SLOTS][INBOX_BYTES];
};
void inbox_init(struct inbox *inbox); /* leaves the slots alone: not even zeros are written there */
bool inbox_put(struct inbox *inbox, const uint8_t *data, size_t len, int64_t now, bool *wake); /* false: dropped */
bool inbox_overdue(struct inbox *inbox, int64_t now); /* something has waited for a second: tell again */
size_t inbox_take(struct inbox *inbox, uint8_t *out, size_t cap);

#endif
