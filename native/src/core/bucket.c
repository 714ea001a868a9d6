/* A token bucket: so many a second, so many at once. */
#include "bucket.h"
#include "units.h"

bool bucket_take(struct bucket *bucket, int64_t now, int rate, int burst) {
    int64_t full = burst * SECOND;
    if (!bucket->started) {
        bucket->started = true;
        bucket->level = full;
        bucket->at = now;
    }
    int64_t waited = now - bucket->at;
    bucket->at = now;
    bool fills = waited >= full / rate; /* also keeps the product below in range */
    bucket->level = fills || bucket->level + waited * rate > full ? full : bucket->level + waited * rate;
    if (bucket->level < SECOND)
        return false;
    bucket->level -= SECOND;
    return true;
}
