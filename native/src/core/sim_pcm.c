/* PCM that waits for the caller of the simulation. */
#include "sim_internal.h"

#include <stdlib.h>

static int make_room(struct sim_pcm *pcm, size_t n) {
    if (pcm->start + pcm->used + n <= pcm->cap)
        return 0;
    if (pcm->start)
        memmove(pcm->data, pcm->data + pcm->start, pcm->used * sizeof *pcm->data);
    pcm->start = 0;
    if (pcm->used + n <= pcm->cap)
        return 0;
    size_t cap = (pcm->used + n) * 2;
    int16_t *data = realloc(pcm->data, cap * sizeof *data);
    if (!data)
        return -ENOMEM;
    pcm->data = data;
    pcm->cap = cap;
    return 0;
}

int pcm_append(struct sim_pcm *pcm, const int16_t *samples, size_t n) {
    if (pcm->used + n > CF_SIM_KEPT)
        return 0;
    if (make_room(pcm, n))
        return -ENOMEM;
    memcpy(pcm->data + pcm->start + pcm->used, samples, n * sizeof *samples);
    pcm->used += n;
    return 0;
}

size_t pcm_take(struct sim_pcm *pcm, int16_t *out, size_t n) {
    size_t take = n < pcm->used ? n : pcm->used;
    if (take)
        memcpy(out, pcm->data + pcm->start, take * sizeof *out);
    pcm->start += take;
    pcm->used -= take;
    return take;
}
