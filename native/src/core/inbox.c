/* A leg's DTLS inbox: a bounded ring with its own quota, so that a flood at one leg delays no other. */
#include "inbox.h"
#include "bucket.h"
#include "counter.h"
#include "units.h"

#include <stddef.h>
#include <string.h>

enum {
    INBOX_RATE = 60, /* DTLS datagrams a second that one leg may hand up ... */
    INBOX_BURST = 40 /* ... and at once */
};

void inbox_init(struct inbox *inbox) {
    memset(inbox, 0, offsetof(struct inbox, slots));
    atomic_init(&inbox->head, 0);
    atomic_init(&inbox->tail, 0);
    atomic_init(&inbox->armed, true);
    while (inbox->free_count < INBOX_SLOTS) {
        inbox->free_slots[inbox->free_count] = (uint8_t)(INBOX_SLOTS - 1 - inbox->free_count);
        inbox->free_count++;
    }
}

static void reclaim(struct inbox *inbox, uint32_t head) {
    for (; inbox->reclaimed != head; inbox->reclaimed++)
        inbox->free_slots[inbox->free_count++] = (uint8_t)inbox->entries[inbox->reclaimed % INBOX_SLOTS].slot;
}

/* *wake: the consumer waits for an event. `armed` and `tail` are sequentially consistent on both sides: either the
 * producer sees that the consumer armed itself, or the consumer's second look sees the datagram; a wake-up is never
 * lost. */
bool inbox_put(struct inbox *inbox, const uint8_t *data, size_t len, int64_t now, bool *wake) {
    *wake = false;
    uint32_t tail = atomic_load_explicit(&inbox->tail, memory_order_relaxed);
    uint32_t head = atomic_load_explicit(&inbox->head, memory_order_acquire);
    if (len > INBOX_BYTES || tail - head >= INBOX_SLOTS || !bucket_take(&inbox->quota, now, INBOX_RATE, INBOX_BURST))
        return false;
    reclaim(inbox, head);
    uint8_t slot = inbox->free_slots[--inbox->free_count]; /* there is one: fewer than INBOX_SLOTS wait */
    memcpy(inbox->slots[slot], data, len);
    inbox->entries[tail % INBOX_SLOTS].len = (uint16_t)len;
    inbox->entries[tail % INBOX_SLOTS].slot = slot;
    atomic_store(&inbox->tail, tail + 1);
    *wake = atomic_exchange(&inbox->armed, false);
    if (*wake)
        inbox->told_at = now;
    return true;
}

/* The event itself may have been lost in a full ring: while something waits it is told again each second. */
bool inbox_overdue(struct inbox *inbox, int64_t now) {
    uint32_t tail = atomic_load_explicit(&inbox->tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&inbox->head, memory_order_acquire) || now - inbox->told_at < SECOND)
        return false;
    inbox->told_at = now;
    return true;
}

static bool inbox_empty(struct inbox *inbox, uint32_t head) {
    if (atomic_load(&inbox->tail) != head)
        return false;
    atomic_store(&inbox->armed, true);
    /* What came between the look and the arming has found it unarmed: look again, and disarm if there is something. */
    return atomic_load(&inbox->tail) == head || !atomic_exchange(&inbox->armed, false);
}

size_t inbox_take(struct inbox *inbox, uint8_t *out, size_t cap) {
    uint32_t head = atomic_load_explicit(&inbox->head, memory_order_relaxed);
    for (; !inbox_empty(inbox, head);) {
        size_t len = inbox->entries[head % INBOX_SLOTS].len;
        if (len <= cap)
            memcpy(out, inbox->slots[inbox->entries[head % INBOX_SLOTS].slot], len);
        atomic_store_explicit(&inbox->head, ++head, memory_order_release);
        if (len <= cap)
            return len;
    }
    return 0;
}
