/* What is to happen in simulated time, in order: a binary heap, and the packets under way. */
#include "sim_internal.h"

#include <stdlib.h>

enum { CHUNK = 256 }; /* packets taken from the system at once */

static bool before(const struct sim_event *a, const struct sim_event *b) {
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct sim_event *a, struct sim_event *b) {
    struct sim_event kept = *a;
    *a = *b;
    *b = kept;
}

static int grow(struct sim_queue *queue) {
    size_t cap = queue->cap ? queue->cap * 2 : 256;
    struct sim_event *heap = realloc(queue->heap, cap * sizeof *heap);
    if (!heap)
        return -ENOMEM;
    queue->heap = heap;
    queue->cap = cap;
    return 0;
}

/* Bounded by its users: CF_SIM_PACKETS packets and three events of each member. */
int queue_push(struct sim_queue *queue, const struct sim_event *event) {
    if (queue->count == queue->cap && grow(queue))
        return -ENOMEM;
    size_t at = queue->count++;
    queue->heap[at] = *event;
    queue->heap[at].order = queue->order++;
    for (; at && before(&queue->heap[at], &queue->heap[(at - 1) / 2]); at = (at - 1) / 2)
        swap(&queue->heap[at], &queue->heap[(at - 1) / 2]);
    return 0;
}

static void sift_down(struct sim_queue *queue) {
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < queue->count; child++)
            if (before(&queue->heap[child], &queue->heap[least]))
                least = child;
        if (least == at)
            return;
        swap(&queue->heap[at], &queue->heap[least]);
        at = least;
    }
}

bool queue_pop(struct sim_queue *queue, struct sim_event *event) {
    if (!queue->count)
        return false;
    *event = queue->heap[0];
    queue->heap[0] = queue->heap[--queue->count];
    sift_down(queue);
    return true;
}

int64_t queue_next_at(const struct sim_queue *queue) {
    return queue->count ? queue->heap[0].at : INT64_MAX;
}

static int add_chunk(struct sim_queue *queue) {
    void **chunks = realloc(queue->chunks, (queue->chunk_count + 1) * sizeof *chunks);
    if (!chunks)
        return -ENOMEM;
    queue->chunks = chunks;
    struct sim_packet *block = calloc(CHUNK, sizeof *block);
    if (!block)
        return -ENOMEM;
    chunks[queue->chunk_count++] = block;
    for (size_t i = 0; i < CHUNK; i++)
        queue_packet_done(queue, &block[i]);
    queue->packets += CHUNK;
    return 0;
}

struct sim_packet *queue_packet(struct sim_queue *queue, const uint8_t *data, size_t len) {
    if (!queue->unused && queue->packets < CF_SIM_PACKETS)
        add_chunk(queue);
    struct sim_packet *packet = queue->unused;
    if (!packet || len > SIM_PACKET_BYTES) {
        queue->overflow = true;
        return NULL;
    }
    queue->unused = packet->next;
    memcpy(packet->data, data, len);
    packet->len = len;
    return packet;
}

void queue_packet_done(struct sim_queue *queue, struct sim_packet *packet) {
    packet->next = queue->unused;
    queue->unused = packet;
}

void queue_free(struct sim_queue *queue) {
    for (size_t i = 0; i < queue->chunk_count; i++)
        free(queue->chunks[i]);
    free(queue->chunks);
    free(queue->heap);
}
