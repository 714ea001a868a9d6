/* Chains of links that are their owners' own, so that adding one needs no memory. */
#include "keyed.h"

#include "base/lazy.h"

#include <errno.h>

int cf_keyed_init(cf_keyed *table, size_t entries, uint64_t key) {
    size_t size = 64;
    while (size < entries)
        size *= 2;
    *table = (cf_keyed){.buckets = cf_lazy_new(size * sizeof(cf_link *)), .mask = size - 1, .key = key};
    return table->buckets != NULL ? 0 : -ENOMEM;
}

void cf_keyed_free(cf_keyed *table) {
    cf_lazy_free(table->buckets);
    table->buckets = NULL;
}

void cf_keyed_add(cf_keyed *table, cf_link *link, uint64_t hash) {
    cf_link **bucket = &table->buckets[hash & table->mask];
    link->hash = hash;
    link->next = *bucket;
    *bucket = link;
}

void cf_keyed_remove(cf_keyed *table, cf_link *link) {
    cf_link **at = &table->buckets[link->hash & table->mask];
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
}
