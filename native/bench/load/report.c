/* What was measured, as one line of JSON. */
#include "load.h"

#include <math.h>

enum { HISTOGRAM_MS = DELAY_MAX_MS };

static int by_value(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static double part(const float *values, size_t n, double of) {
    return n > 0 ? values[(size_t)((double)(n - 1) * of)] : 0;
}

static void print_spread(const char *name, float *values, size_t n) {
    qsort(values, n, sizeof *values, by_value);
    printf("\"%s\": {\"p50\": %.3f, \"p95\": %.3f, \"p99\": %.3f, \"max\": %.3f}, ", name, part(values, n, 0.5),
           part(values, n, 0.95), part(values, n, 0.99), part(values, n, 1));
}

static int64_t schedule_ns(const load *l, const member *m, uint32_t k) {
    return (int64_t)m->clocks[k] * 20 * MS / codec_step(l->plan.codec);
}

/* A member's packets leave by its stream's clock: how much later than the punctual one did each leave? */
static size_t lateness(const load *l, const member *m, float *out) {
    int64_t base = INT64_MAX;
    size_t n = 0;
    for (uint32_t k = 0; k < l->expected; k++)
        if (m->stamps[k] != 0 && m->stamps[k] - schedule_ns(l, m, k) < base)
            base = m->stamps[k] - schedule_ns(l, m, k);
    for (uint32_t k = 0; k < l->expected; k++)
        if (m->stamps[k] != 0)
            out[n++] = (float)(m->stamps[k] - schedule_ns(l, m, k) - base) / MS;
    return n;
}

/* How far the gap between two packets in a row was from what their clock says (the D of RFC 3550 section 6.4.1). */
static size_t jitter(const load *l, const member *m, float *out) {
    size_t n = 0;
    for (uint32_t k = 1; k < l->expected; k++)
        if (m->stamps[k] != 0 && m->stamps[k - 1] != 0) {
            int64_t gap = m->stamps[k] - m->stamps[k - 1];
            out[n++] = (float)fabs((double)(gap - schedule_ns(l, m, k) + schedule_ns(l, m, k - 1)) / MS);
        }
    return n;
}

static uint32_t lost_of(const load *l, const member *m) {
    uint32_t last = 0;
    for (uint32_t k = 0; k < l->expected; k++)
        last = m->stamps[k] != 0 ? k + 1 : last;
    return last - m->received;
}

static void print_packets(load *l) {
    size_t cap = (size_t)l->plan.members * l->expected, late = 0, gaps = 0;
    float *lates = zeroed(cap, sizeof *lates), *jitters = zeroed(cap, sizeof *jitters);
    uint64_t received = 0, lost = 0, doubles = 0;
    int silent = 0;
    for (int i = 0; i < l->plan.members; i++) {
        const member *m = &l->all[i];
        received += m->received;
        doubles += m->doubles;
        lost += lost_of(l, m);
        silent += m->received == 0;
        late += lateness(l, m, lates + late);
        gaps += jitter(l, m, jitters + gaps);
    }
    printf("\"received\": %llu, \"doubles\": %llu, \"lost\": %llu, \"unheard_members\": %d, ",
           (unsigned long long)received, (unsigned long long)doubles, (unsigned long long)lost, silent);
    print_spread("late_ms", lates, late);
    print_spread("jitter_ms", jitters, gaps);
    free(lates);
    free(jitters);
}

static void print_histogram(const load *l) {
    printf("\"delay_histogram\": [");
    for (int ms = 0, i = 0; ms < HISTOGRAM_MS; ms++) {
        size_t n = 0;
        for (; (size_t)i < l->delay_count && l->delays[i] < (float)(ms + 1); i++)
            n++;
        printf(ms == 0 ? "%zu" : ", %zu", n);
    }
    printf("], ");
}

/* Bursts that an ear was to hear: those of others in its room. */
static uint64_t bursts_for(const load *l, const ear *e) {
    uint64_t others = 0;
    for (int i = 0; i < BURSTS; i++)
        others += i != l->all[e->member].says->burst_from ? l->rooms[e->room].measured[i] : 0;
    return others;
}

static void print_delays(load *l) {
    uint64_t said = 0, heard = 0;
    for (int i = 0; i < l->plan.ears && l->ears[i].decoder != NULL; i++) {
        said += bursts_for(l, &l->ears[i]);
        heard += l->ears[i].bursts;
    }
    print_spread("delay_ms", l->delays, l->delay_count);
    print_histogram(l);
    printf("\"bursts_said\": %llu, \"bursts_heard\": %llu, ", (unsigned long long)said, (unsigned long long)heard);
}

static double decibel(double amplitude, double against) {
    return 20 * log10(fmax(amplitude, 1e-2) / against);
}

/* Every selected talker at every ear but its own: the spread of levels against how they were said. */
static void print_levels(const load *l) {
    const plan *p = &l->plan;
    float *levels = zeroed((size_t)p->ears * (size_t)p->loud, sizeof *levels);
    size_t n = 0;
    int most = 0;
    for (int i = 0; i < p->ears && l->ears[i].decoder != NULL; i++) {
        for (int t = 0; t < p->loud; t++)
            if (l->all[l->ears[i].member].place != t)
                levels[n++] = (float)decibel(ear_level(&l->ears[i], talker_hertz(p, t)), talker_amplitude(p, t));
        most = i + 1;
    }
    qsort(levels, n, sizeof *levels, by_value);
    printf("\"ears\": %d, \"heard_db\": {\"least\": %.1f, \"p50\": %.1f, \"most\": %.1f}, ", most, part(levels, n, 0),
           part(levels, n, 0.5), part(levels, n, 1));
    free(levels);
}

/* The first talker's own tone in what it hears, and the noise beside it: the codec's, of the others' voices. */
static void print_own(const load *l) {
    const ear *e = &l->ears[0];
    double hertz = talker_hertz(&l->plan, 0), said = talker_amplitude(&l->plan, 0), beside = 0;
    for (int k = 1; k <= 4; k++)
        beside += ear_level(e, hertz + 4 * k) / 8 + ear_level(e, hertz - 4 * k) / 8;
    double own = decibel(ear_level(e, hertz), said);
    printf("\"own_voice_db\": %.1f, \"own_over_noise_db\": %.1f, ", own, own - decibel(beside, said));
}

/* A gap: the first talker's tone falls by 6 dB for 10 ms; in a crowd all fall by 12 dB against the median
 * for a period of their raster, 20 ms.
 * A click: a second difference three times as large as in all but one of a hundred blocks. */
static double quantile(const float *values, size_t n, double of) {
    float *sorted = zeroed(n + 1, sizeof *sorted);
    memcpy(sorted, values, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_value);
    double found = part(sorted, n, of);
    free(sorted);
    return found;
}

static void print_faults(const load *l) {
    size_t gaps = 0, clicks = 0, blocks = 0;
    for (int i = 0; i < l->plan.ears && l->ears[i].decoder != NULL; i++) {
        const ear *e = &l->ears[i];
        bool crowd = is_crowd(&l->plan), own = l->all[e->member].place == 0 && !crowd;
        double usual = quantile(e->step, e->blocks, 0.99);
        double least = crowd ? quantile(e->tone, e->blocks, 0.5) / 4 : talker_amplitude(&l->plan, 0) / 2;
        for (size_t b = 0; b < e->blocks; b++) {
            clicks += e->step[b] > 3 * usual;
            gaps += !own && e->tone[b] < least && (!crowd || b == 0 || e->tone[b - 1] < least);
        }
        blocks += e->blocks;
    }
    printf("\"blocks\": %zu, \"gaps\": %zu, \"clicks\": %zu, ", blocks, gaps, clicks);
}

void report(load *l) {
    printf("{\"joined\": %d, \"sent\": %llu, \"refused\": %llu, \"held_back\": %llu, "
           "\"srtp_failures\": %llu, "
           "\"consents_lost\": %d, \"closed\": %llu, ",
           l->joined, (unsigned long long)l->sent, (unsigned long long)l->refused, (unsigned long long)l->held_back,
           (unsigned long long)l->srtp_failures, l->consents_lost, (unsigned long long)l->closed);
    print_packets(l);
    print_spread("generator_late_ms", l->own_late, l->own_count);
    printf("\"generator_worst_ms\": %.1f, ", (double)l->worst_late / MS);
    print_delays(l);
    print_levels(l);
    print_own(l);
    print_faults(l);
    printf("\"generator_cpu_percent\": %.1f", l->cpu_percent);
}
