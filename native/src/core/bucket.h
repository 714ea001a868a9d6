/* A token bucket: so many a second, so many at once. */
#ifndef CONFEROCORE_CORE_BUCKET_H
#define CONFEROCORE_CORE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    int64_t at;    /* when it was last filled, ns */
    int64_t level; /* tokens * 1 s, in ns of waiting */
    bool started;
};
bool bucket_take(struct bucket *bucket, int64_t now, int rate, int burst);

#endif
