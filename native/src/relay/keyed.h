/* A hash table of things that hold their own link: sized when it is made, chained, its hash keyed. */
#ifndef CONFEROCORE_RELAY_KEYED_H
#define CONFEROCORE_RELAY_KEYED_H

#include "conferocore/base.h"

typedef struct cf_link {
    struct cf_link *next;
    uint64_t hash;
} cf_link;

typedef struct cf_keyed {
    cf_link **buckets;
    size_t mask;
    uint64_t key;
} cf_keyed;

/* For about so many entries; more only make it slower. -ENOMEM. */
int cf_keyed_init(cf_keyed *table, size_t entries, uint64_t key);
void cf_keyed_free(cf_keyed *table);
void cf_keyed_add(cf_keyed *table, cf_link *link, uint64_t hash);
void cf_keyed_remove(cf_keyed *table, cf_link *link);

/* Of whole 8-byte words. Strangers choose what is looked for, so the key goes through every step. */
static inline uint64_t cf_keyed_hash(const cf_keyed *table, const uint64_t *words, size_t n) {
    uint64_t x = table->key;
    for (size_t i = 0; i < n; i++) {
        x = (x ^ words[i]) * 0xd6e8feb86659fd93u;
        x ^= x >> 32 ^ table->key >> 7;
    }
    x *= 0xd6e8feb86659fd93u;
    return x ^ x >> 32;
}

static inline cf_link *cf_keyed_first(const cf_keyed *table, uint64_t hash) {
    cf_link *link = table->buckets[hash & table->mask];
    while (link != NULL && link->hash != hash)
        link = link->next;
    return link;
}

static inline cf_link *cf_keyed_next(const cf_link *link) {
    uint64_t hash = link->hash;
    for (link = link->next; link != NULL && link->hash != hash;)
        link = link->next;
    return (cf_link *)link;
}

#endif
