/* Hash tables: chained, with the nodes inside the legs and rooms, so that adding one takes no memory. */
#ifndef CONFEROCORE_CORE_TABLE_H
#define CONFEROCORE_CORE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node {
    struct node *next;
    uint64_t hash;
    void *owner; /* a leg, or a room in rooms_by_id */
    bool linked;
};
struct table {
    struct node **heads;
    size_t mask;
};
int table_init(struct table *table, size_t at_least);
void table_add(struct table *table, struct node *node, uint64_t hash);
void table_remove(struct table *table, struct node *node);
struct node *table_first(const struct table *table, uint64_t hash); /* the next with the same hash: table_next */
struct node *table_next(const struct node *node);

#endif
