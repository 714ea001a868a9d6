/* Buffers that end where a page without access begins, so that reading one byte too far is a crash, and that know what
 * was around what was asked for, so that writing too far is noticed. */
#ifndef CONFEROCORE_TESTS_GUARD_H
#define CONFEROCORE_TESTS_GUARD_H

#include "../testlib.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GUARD_ROOM = 1 << 16, GUARD_FILL = 0xA5 };

typedef struct guard {
    uint8_t *room; /* GUARD_ROOM bytes, then the page without access */
    uint8_t *at;
    size_t bytes;
} guard;

static inline void guard_open(guard *g) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    g->room = mmap(NULL, GUARD_ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (g->room == MAP_FAILED || mprotect(g->room + GUARD_ROOM, page, PROT_NONE) != 0)
        abort();
    memset(g->room, GUARD_FILL, GUARD_ROOM);
}

/* So many bytes, `before` bytes ahead of the forbidden page. */
static inline void *guard_place(guard *g, size_t bytes, size_t before) {
    if (g->at)
        memset(g->at, GUARD_FILL, g->bytes);
    g->bytes = bytes;
    g->at = g->room + GUARD_ROOM - before - bytes;
    return g->at;
}

/* Everything around it is as it was; what is within is forgotten. */
static inline bool guard_kept(guard *g) {
    memset(g->at, GUARD_FILL, g->bytes);
    size_t near = g->bytes + 512;
    uint8_t *from = (size_t)(g->at - g->room) > 256 ? g->at - 256 : g->room;
    for (uint8_t *p = from; p < g->room + GUARD_ROOM && p < from + near; p++)
        if (*p != GUARD_FILL)
            return false;
    return true;
}

#endif
