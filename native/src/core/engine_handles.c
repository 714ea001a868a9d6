/* The control side's tables: which id is which leg or room, and where it lives. Chained, doubled when full. */
#include "engine_internal.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_SIZE = 64 };

/* Ids are often small and consecutive: spread them (the finaliser of SplitMix64). */
static size_t bucket_of(uint64_t id, size_t size) {
    id = (id ^ id >> 30) * 0xbf58476d1ce4e5b9u;
    id = (id ^ id >> 27) * 0x94d049bb133111ebu;
    return (size_t)(id ^ id >> 31) & (size - 1);
}

int cf_table_init(cf_table *table) {
    *table = (cf_table){.buckets = calloc(FIRST_SIZE, sizeof(cf_handle *)), .size = FIRST_SIZE};
    return table->buckets != NULL ? 0 : -ENOMEM;
}

void cf_table_free(cf_table *table) {
    for (size_t b = 0; table->buckets != NULL && b < table->size; b++) {
        for (cf_handle *h = table->buckets[b], *next; h != NULL; h = next) {
            next = h->next;
            free(h);
        }
    }
    free(table->buckets);
    *table = (cf_table){0};
}

void *cf_table_find(const cf_table *table, uint64_t id) {
    cf_handle *h = table->buckets[bucket_of(id, table->size)];
    while (h != NULL && h->id != id)
        h = h->next;
    return h;
}

static int grow(cf_table *table) {
    cf_handle **buckets = calloc(table->size * 2, sizeof(cf_handle *));
    if (buckets == NULL)
        return -ENOMEM;
    for (size_t b = 0; b < table->size; b++) {
        for (cf_handle *h = table->buckets[b], *next; h != NULL; h = next) {
            next = h->next;
            cf_handle **to = &buckets[bucket_of(h->id, table->size * 2)];
            h->next = *to;
            *to = h;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->size *= 2;
    return 0;
}

int cf_table_add(cf_table *table, cf_handle *handle) {
    if (table->count == table->size && grow(table) < 0)
        return -ENOMEM;
    cf_handle **to = &table->buckets[bucket_of(handle->id, table->size)];
    handle->next = *to;
    *to = handle;
    table->count++;
    return 0;
}

void cf_table_remove(cf_table *table, cf_handle *handle) {
    cf_handle **at = &table->buckets[bucket_of(handle->id, table->size)];
    while (*at != handle)
        at = &(*at)->next;
    *at = handle->next;
    table->count--;
}
