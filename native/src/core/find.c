/* Whose is it? Rooms and legs by id, by ufrag, by authenticated path and by socket. */
#include "leg.h"
#include "room.h"
#include "state.h"
#include "table.h"

#include <string.h>

/* The finaliser of splitmix64: spreads consecutive ids over the buckets. */
uint64_t hash_u64(uint64_t value) {
    value = (value ^ value >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ value >> 27) * UINT64_C(0x94D049BB133111EB);
    return value ^ value >> 31;
}

/* FNV-1a. */
uint64_t hash_text(const char *text) {
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001B3);
    return hash_u64(hash);
}

/* Salted: nobody outside can choose ports whose entries share a chain. */
uint64_t hash_path(const cf_core *core, const cf_path *path) {
    return hash_u64(cf_addr_hash(&path->remote) ^ path->socket ^ core->config.seed);
}

cf_leg *leg_by_id(const cf_core *core, uint64_t id) {
    for (struct node *n = table_first(&core->legs_by_id, hash_u64(id)); n; n = table_next(n))
        if (((cf_leg *)n->owner)->config.id == id)
            return n->owner;
    return NULL;
}

cf_leg *leg_by_ufrag(const cf_core *core, const char *ufrag) {
    for (struct node *n = table_first(&core->legs_by_ufrag, hash_text(ufrag)); n; n = table_next(n))
        if (!strcmp(((cf_leg *)n->owner)->ice.local_ufrag, ufrag))
            return n->owner;
    return NULL;
}

/* The node is the first member of its path_node (and socket_node), so the one pointer is the other. */
struct path_node *node_by_path(const cf_core *core, const cf_path *path) {
    for (struct node *n = table_first(&core->legs_by_path, hash_path(core, path)); n; n = table_next(n))
        if (cf_path_equal(&((struct path_node *)n)->path, path))
            return (struct path_node *)n;
    return NULL;
}

cf_leg *leg_by_socket(const cf_core *core, uint32_t socket) {
    for (struct node *n = table_first(&core->legs_by_socket, hash_u64(socket)); n; n = table_next(n))
        if (((struct socket_node *)n)->socket == socket)
            return n->owner;
    return NULL;
}

cf_room *room_by_id(const cf_core *core, uint64_t id) {
    for (struct node *n = table_first(&core->rooms_by_id, hash_u64(id)); n; n = table_next(n))
        if (((cf_room *)n->owner)->config.id == id)
            return n->owner;
    return NULL;
}
