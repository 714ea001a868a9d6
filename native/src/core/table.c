/* Hash tables whose nodes lie inside what they index: bounded by their owners, no memory taken after set-up. */
#include "table.h"

#include <errno.h>
#include <stdlib.h>

int table_init(struct table *table, size_t at_least) {
    size_t size = 16;
    while (size < at_least)
        size *= 2;
    table->heads = calloc(size, sizeof *table->heads);
    table->mask = size - 1;
    return table->heads ? 0 : -ENOMEM;
}

void table_add(struct table *table, struct node *node, uint64_t hash) {
    struct node **head = &table->heads[hash & table->mask];
    node->hash = hash;
    node->next = *head;
    node->linked = true;
    *head = node;
}

void table_remove(struct table *table, struct node *node) {
    if (!node->linked)
        return;
    struct node **at = &table->heads[node->hash & table->mask];
    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node->next = NULL;
    node->linked = false;
}

static struct node *matching(struct node *node, uint64_t hash) {
    while (node && node->hash != hash)
        node = node->next;
    return node;
}

struct node *table_first(const struct table *table, uint64_t hash) {
    return matching(table->heads[hash & table->mask], hash);
}

struct node *table_next(const struct node *node) {
    return matching(node->next, node->hash);
}
