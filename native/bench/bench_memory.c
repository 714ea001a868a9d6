/* What a leg costs in memory: the resident set with few and with many silent listeners of one room, in simulated time.
 * Prints one line of JSON. Usage: bench_memory FEW MANY nothing|silence SECONDS */
#include "bench_lib.h"
#include "conferocore/core.h"

#include <unistd.h>

enum { MS = 1000000, PERIOD = 20 * MS, LEVEL_EXT = 1, TALKERS = 4, SILENT = 127 };

typedef struct member {
    mouth mouth;
    cf_path path;
} member;

static uint64_t sent;

static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    (void)arg, (void)path, (void)data, (void)len;
    sent++;
}

static long resident_bytes(void) {
    long pages = 0, all;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &all, &pages) != 2)
        fail("cannot read the resident set");
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void join(cf_core *core, member *m, int i, const voice *says) {
    m->mouth =
        (mouth){.says = says, .codec = CF_CODEC_OPUS, .ssrc = 1000 + (uint32_t)i, .srtp = srtp_of((uint32_t)i, 1)};
    m->path = (cf_path){.socket = (uint32_t)i, .remote = {{127, 0, 0, 1}, (uint16_t)(1024 + i), 4, 0}};
    cf_leg_config config = {.id = 1 + (uint64_t)i,
                            .room = 1,
                            .kind = CF_LEG_RTP,
                            .secure = 1,
                            .tx = codec_params(CF_CODEC_OPUS),
                            .tx_pt = codec_pt(CF_CODEC_OPUS),
                            .rx_count = 1,
                            .rx = {{codec_pt(CF_CODEC_OPUS), CF_CODEC_OPUS, 48000}},
                            .audio_level_ext = LEVEL_EXT,
                            .rtp_socket = (uint32_t)i,
                            .rtcp_socket = (uint32_t)i,
                            .remote_rtp = m->path.remote};
    cf_leg *leg = cf_leg_new(&config, (uint64_t)i);
    if (leg == NULL || cf_core_leg_add(core, leg, 0) < 0)
        fail("cannot add a leg");
    cf_srtp *in = srtp_of((uint32_t)i, 1), *out = srtp_of((uint32_t)i, 0);
    cf_core_leg_keys(core, config.id, &in, &out);
}

static size_t packet_of(member *m, uint8_t level, uint8_t *out) {
    cf_rtp_ext ext = {.id = LEVEL_EXT, .len = 1, .data = &level};
    const voice *v = m->mouth.says;
    uint32_t frame = m->mouth.frame++;
    int at = cf_rtp_write(out, PACKET_MAX, (uint8_t)codec_pt(CF_CODEC_OPUS), frame == 0, (uint16_t)frame, frame * 960,
                          m->mouth.ssrc, &ext, 1);
    int len = v->len[frame % LOOP_FRAMES];
    memcpy(out + at, v->payload[frame % LOOP_FRAMES], (size_t)len);
    return (size_t)cf_srtp_protect(m->mouth.srtp, out, (size_t)(at + len), PACKET_MAX);
}

int main(int argc, char **argv) {
    if (argc != 5)
        fail("usage: bench_memory FEW MANY nothing|silence SECONDS");
    int few = atoi(argv[1]), many = atoi(argv[2]), silence = strcmp(argv[3], "silence") == 0;
    int periods = (int)(atof(argv[4]) * 50);
    if (few <= TALKERS || many <= few || many > 8192 || periods < 50)
        fail("more than 4 members, then more, up to 8192; at least one second");
    cf_core_config config = {.seed = 1, .send = on_send};
    cf_core *core = cf_core_new(&config);
    member *all = calloc((size_t)many, sizeof *all);
    if (core == NULL || all == NULL)
        fail("no memory");
    cf_core_room_add(core, cf_room_new(&(cf_room_config){.id = 1}), 0);
    const voice *quiet = voice_make(CF_CODEC_OPUS, 0), *tone = voice_make(CF_CODEC_OPUS, 440);
    long before = 0, contexts = 0;
    int64_t at = 0;
    for (int stage = 0, joined = 0; stage < 2; stage++) {
        int members = stage ? many : few;
        /* the members' own contexts are not the engine's */
        for (int i = joined; i < members; i++)
            join(core, &all[i], i, i < TALKERS ? tone : quiet);
        joined = members;
        for (int p = 0; p < periods; p++, at += PERIOD) {
            for (int i = 0; i < members; i++) {
                uint8_t packet[PACKET_MAX];
                if (i >= TALKERS && !silence && all[i].mouth.frame >= FIRST_FRAMES)
                    continue;
                size_t len = packet_of(&all[i], i < TALKERS ? 20 : SILENT, packet);
                cf_core_receive(core, &all[i].path, packet, len, at + (int64_t)PERIOD * i / members);
            }
            cf_core_advance(core, at + PERIOD);
        }
        if (!stage)
            before = resident_bytes();
    }
    long after = resident_bytes();
    for (int i = 0; i < many - few; i++) { /* what as many members' own SRTP contexts take */
        cf_srtp *srtp = srtp_of((uint32_t)i, 1);
        if (srtp == NULL)
            fail("no memory");
    }
    contexts = resident_bytes() - after;
    cf_core_stats stats;
    cf_core_stats_get(core, &stats);
    printf("{\"few\": %d, \"many\": %d, \"silent_listeners\": \"%s\", \"bytes_per_listener\": %ld, "
           "\"encoded\": %llu, \"decoded\": %llu, \"sent\": %llu}\n",
           few, many, argv[3], (after - before - contexts) / (many - few), (unsigned long long)stats.frames_encoded,
           (unsigned long long)stats.frames_decoded, (unsigned long long)sent);
    return 0;
}
