/* The core alone in simulated time: what members cost and what they hear, without sockets and clocks. Prints one line
 * of JSON. Usage: bench_core NAME=VALUE..., as bench_load. */
#include "conferocore/core.h"
#include "load/load.h"

#include <unistd.h>

enum { PERIOD = 20000000, SLOT = PERIOD / SLOTS, QUEUE = 4 * EARS_MAX };

typedef struct packet {
    int64_t at;
    int member;
    size_t len;
    uint8_t data[PACKET_MAX];
} packet;

typedef struct bench {
    load load;
    cf_core *core;
    int64_t now, cpu;
    packet queue[QUEUE]; /* for the ears: what they do is not the core's cost */
    int queued;
    uint64_t sent;
} bench;

/* CPU time, as the sum is: others' work on this core is not the core's. */
static int64_t stopwatch(void) {
    return now_ns(CLOCK_THREAD_CPUTIME_ID);
}

static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    bench *b = arg;
    member *m = &b->load.all[path->socket];
    b->sent++;
    if (m->ear != NULL && b->queued == QUEUE)
        fail("more packets for the ears than one slot can have");
    if (m->ear == NULL) {
        member_hear(&b->load, m, (uint8_t *)data, len, b->now); /* reads the header only */
        return;
    }
    packet *p = &b->queue[b->queued++];
    p->at = b->now;
    p->member = (int)path->socket;
    p->len = len < PACKET_MAX ? len : PACKET_MAX;
    memcpy(p->data, data, p->len);
}

static void ears_listen(bench *b) {
    for (int i = 0; i < b->queued; i++) {
        packet *p = &b->queue[i];
        member_hear(&b->load, &b->load.all[p->member], p->data, p->len, p->at);
    }
    b->queued = 0;
}

/* Keys are per member and direction, so that nobody can be taken for somebody else. */
static cf_srtp *srtp_of(const plan *p, int index, int to_core) {
    uint8_t key[32] = {0x10, (uint8_t)to_core}, salt[14] = {0x20, (uint8_t)to_core};
    bool aead = p->profile != CF_SRTP_AES128_CM_SHA1_80;
    cf_put32(key + 4, (uint32_t)index);
    cf_srtp *made =
        cf_srtp_new(p->profile, key, p->profile == CF_SRTP_AEAD_AES_256_GCM ? 32 : 16, salt, aead ? 12 : 14);
    if (made == NULL)
        fail("no SRTP context");
    return made;
}

static cf_path path_of(int index) {
    return (cf_path){.socket = (uint32_t)index, .remote = {{127, 0, 0, 1}, (uint16_t)(1024 + index), 4, 0}};
}

/* What of the members is not the core's: made before its memory is measured. */
static void prepare(bench *b, int index) {
    const plan *p = &b->load.plan;
    member *m = &b->load.all[index];
    m->pt = p->codec == CF_CODEC_OPUS ? 111 : 0;
    m->ext = 1;
    m->joined = true;
    b->load.joined++;
    if (!p->secure)
        return;
    m->mouth = srtp_of(p, index, 1);
    m->hears = srtp_of(p, index, 0);
}

static void add_leg(bench *b, int index) {
    const plan *p = &b->load.plan;
    const member *m = &b->load.all[index];
    cf_leg_config config = {.id = 1 + (uint64_t)index,
                            .room = 1 + (uint64_t)m->room,
                            .kind = CF_LEG_RTP,
                            .tx = {.codec = p->codec, .complexity = -1, .low_delay = p->low_delay},
                            .tx_pt = m->pt,
                            .rx_count = 1,
                            .rx = {{m->pt, p->codec, (int)codec_step(p->codec) * 50}},
                            .playout = {.minimum = p->minimum},
                            .audio_level_ext = 1,
                            .rtp_socket = (uint32_t)index,
                            .rtcp_socket = (uint32_t)index,
                            .remote_rtp = path_of(index).remote};
    cf_leg *leg = cf_leg_new(&config, (uint64_t)index);
    if (leg == NULL || cf_core_leg_add(b->core, leg, 0) < 0)
        fail("cannot add a leg");
    if (!p->secure)
        return;
    cf_srtp *in = srtp_of(p, index, 1), *out = srtp_of(p, index, 0);
    cf_core_leg_keys(b->core, config.id, &in, &out);
}

static long rss_kb(void) {
    long pages = 0, all = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%ld %ld", &all, &pages) != 2)
        fail("no /proc");
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void set_up(bench *b) {
    const plan *p = &b->load.plan;
    cf_core_config config = {.seed = (uint64_t)p->seed,
                             .max_rooms = (size_t)p->rooms,
                             .max_legs = (size_t)p->members,
                             .send = on_send,
                             .arg = b,
                             .stopwatch = stopwatch};
    b->core = cf_core_new(&config);
    if (b->core == NULL)
        fail("no core");
    bool everyone = p->loud == p->talkers && p->talkers > 6;
    for (int r = 0; r < p->rooms; r++) {
        cf_room_config room_config = {.id = 1 + (uint64_t)r, .talkers = everyone ? CF_TALKERS_ALL : p->loud};
        if (cf_core_room_add(b->core, cf_room_new(&room_config), 0) < 0)
            fail("cannot add a room");
    }
    for (int i = 0; i < p->members; i++)
        add_leg(b, i);
}

/* A millisecond: those whose turn it is say something, and every tick that falls due is done. */
static void slot(bench *b, int which) {
    load *l = &b->load;
    static uint8_t said[MEMBERS_MAX / SLOTS + SLOTS][PACKET_MAX];
    static size_t len[MEMBERS_MAX / SLOTS + SLOTS];
    if (l->in_slot[which] > (int)(sizeof len / sizeof *len))
        fail("phases are not spread");
    for (int i = 0; i < l->in_slot[which]; i++)
        len[i] = next_packet(l, l->slots[which][i], b->now, said[i]);
    int64_t before = now_ns(CLOCK_THREAD_CPUTIME_ID);
    while (cf_core_deadline(b->core) <= b->now)
        cf_core_advance(b->core, cf_core_deadline(b->core));
    for (int i = 0; i < l->in_slot[which]; i++) {
        cf_path path = path_of((int)(l->slots[which][i] - l->all));
        if (len[i] > 0)
            cf_core_receive(b->core, &path, said[i], len[i], b->now);
        l->sent += len[i] > 0 && b->now >= l->measure_from;
    }
    b->cpu += now_ns(CLOCK_THREAD_CPUTIME_ID) - before;
    ears_listen(b);
}

static void run_until(bench *b, int64_t end) {
    for (; b->now < end; b->now += SLOT)
        slot(b, (int)(b->now / SLOT % SLOTS));
}

static void print_cost(const bench *b, const cf_core_stats *was, long rss) {
    cf_core_stats is;
    cf_core_stats_get(b->core, &is);
    double cpu = (double)b->cpu, seconds = b->load.plan.seconds;
    const struct {
        const char *name;
        uint64_t ns;
    } shares[] = {{"decode", is.decode_ns - was->decode_ns},
                  {"mix", is.mix_ns - was->mix_ns},
                  {"encode", is.encode_ns - was->encode_ns},
                  {"crypto", is.crypto_ns - was->crypto_ns}};
    printf(", \"cpu_percent\": %.2f, \"times_real_time\": %.1f, \"member_tick_ns\": %.0f, ", cpu / seconds / 1e7,
           seconds * 1e9 / cpu, cpu / seconds / 50 / b->load.plan.members);
    printf("\"encodings_per_tick\": %.2f, \"packets_per_tick\": %.1f, \"shares_percent\": {",
           (double)(is.frames_encoded - was->frames_encoded) / seconds / 50, (double)b->sent / seconds / 50);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++)
        printf("%s\"%s\": %.1f", i > 0 ? ", " : "", shares[i].name, 100 * (double)shares[i].ns / cpu);
    printf("}, \"engine\": {\"frames_decoded\": %llu, \"frames_skipped\": %llu, \"frames_encoded\": %llu}, ",
           (unsigned long long)(is.frames_decoded - was->frames_decoded),
           (unsigned long long)(is.frames_skipped - was->frames_skipped),
           (unsigned long long)(is.frames_encoded - was->frames_encoded));
    printf("\"rss_kb\": {\"engine\": %ld}}\n", rss);
}

int main(int argc, char **argv) {
    static bench b;
    b.load.plan = plan_of(argc, argv);
    load_open(&b.load, false);
    for (int i = 0; i < b.load.plan.members; i++)
        prepare(&b, i);
    long before = rss_kb();
    set_up(&b);
    b.load.measure_from = (int64_t)(b.load.plan.warm * 1e9);
    b.load.end = b.load.measure_from + (int64_t)(b.load.plan.seconds * 1e9);
    run_until(&b, b.load.measure_from);
    cf_core_stats was;
    cf_core_stats_get(b.core, &was);
    b.cpu = 0;
    b.sent = 0;
    run_until(&b, b.load.end);
    report(&b.load);
    print_cost(&b, &was, rss_kb() - before);
    return 0;
}
