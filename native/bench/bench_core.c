/* The core alone in simulated time: what a tick of one room costs. Prints one line of JSON.
 * Usage: bench_core MEMBERS TALKERS opus|pcmu plain|srtp open|quiet SECONDS */
#include "bench_lib.h"
#include "conferocore/core.h"

#include <inttypes.h>

enum {
    MS = 1000000,
    PERIOD = 20 * MS,
    WARM_FRAMES = 100
}; /* ns; two seconds until every encoder is shared that will be */

typedef struct member {
    mouth mouth;
    cf_path path;
    uint8_t packet[PACKET_MAX];
    size_t len;
} member;

typedef struct bench {
    int members, talkers, codec, secure, open;
    cf_core *core;
    member *all;
    ear ears[2]; /* of the first talker and of the last member */
    cf_srtp *ear_srtp[2];
    uint64_t sent;
} bench;

static int ear_of(const bench *b, uint32_t socket) {
    return socket == (uint32_t)b->members - 1 ? 1 : socket == 0 ? 0 : -1;
}

/* Only two listen: what the others do with their packets is not the core's cost. */
static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    bench *b = arg;
    b->sent++;
    int i = ear_of(b, path->socket);
    bool rtcp;
    uint8_t copy[PACKET_MAX];
    if (i < 0 || !cf_rtp_looks_like(data, len, &rtcp) || rtcp)
        return;
    memcpy(copy, data, len);
    int n = b->secure ? cf_srtp_unprotect(b->ear_srtp[i], copy, len) : (int)len;
    cf_rtp rtp;
    if (n > 0 && cf_rtp_parse(&rtp, copy, (size_t)n) == 0)
        ear_hear(&b->ears[i], rtp.payload, rtp.payload_len);
}

static void add_member(bench *b, int i, const voice *says) {
    member *m = &b->all[i];
    m->mouth =
        (mouth){.says = says, .codec = b->codec, .ssrc = 1000 + (uint32_t)i, .quiet = i >= b->talkers && !b->open};
    m->path = (cf_path){.socket = (uint32_t)i, .remote = {{127, 0, 0, 1}, (uint16_t)(1024 + i), 4, 0}};
    cf_leg_config config = {.id = 1 + (uint64_t)i,
                            .room = 1,
                            .kind = CF_LEG_RTP,
                            .tx = codec_params(b->codec),
                            .tx_pt = codec_pt(b->codec),
                            .rx_count = 1,
                            .rx = {{codec_pt(b->codec), b->codec, b->codec == CF_CODEC_OPUS ? 48000 : 8000}},
                            .rtp_socket = (uint32_t)i,
                            .rtcp_socket = (uint32_t)i,
                            .remote_rtp = m->path.remote};
    cf_leg *leg = cf_leg_new(&config, (uint64_t)i);
    if (leg == NULL || cf_core_leg_add(b->core, leg, 0) < 0)
        fail("cannot add a leg");
    if (b->secure) {
        m->mouth.srtp = srtp_of((uint32_t)i, 1);
        cf_srtp *in = srtp_of((uint32_t)i, 1), *out = srtp_of((uint32_t)i, 0);
        cf_core_leg_keys(b->core, config.id, &in, &out);
    }
}

static void set_up(bench *b) {
    cf_core_config config = {.seed = 1, .max_legs = (size_t)b->members, .send = on_send, .arg = b};
    b->core = cf_core_new(&config);
    b->all = calloc((size_t)b->members, sizeof *b->all);
    if (b->core == NULL || b->all == NULL)
        fail("no memory");
    cf_core_room_add(b->core, cf_room_new(&(cf_room_config){.id = 1}), 0);
    const voice *silence = voice_make(b->codec, 0);
    for (int i = 0; i < b->members; i++)
        add_member(b, i, i < b->talkers ? voice_make(b->codec, voice_hertz(i)) : silence);
    for (int i = 0; i < 2; i++) {
        ear_open(&b->ears[i], b->codec);
        b->ear_srtp[i] = srtp_of(i == 0 ? 0 : (uint32_t)b->members - 1, 0);
    }
}

/* One period: everybody's packet, spread over it, and every tick that falls due. Returns the CPU time of the core in
 * ns. */
static int64_t period(bench *b, int64_t start) {
    for (int i = 0; i < b->members; i++)
        b->all[i].len = mouth_packet(&b->all[i].mouth, b->all[i].packet);
    int64_t before = cpu_ns();
    for (int i = 0; i < b->members; i++) {
        int64_t now = start + (int64_t)PERIOD * i / b->members;
        while (cf_core_deadline(b->core) <= now)
            cf_core_advance(b->core, cf_core_deadline(b->core));
        if (b->all[i].len > 0)
            cf_core_receive(b->core, &b->all[i].path, b->all[i].packet, b->all[i].len, now);
    }
    while (cf_core_deadline(b->core) < start + PERIOD)
        cf_core_advance(b->core, cf_core_deadline(b->core));
    return cpu_ns() - before;
}

static void report(const bench *b, int64_t cpu, int periods, uint64_t sent, const cf_core_stats *was) {
    cf_core_stats is;
    cf_core_stats_get(b->core, &is);
    double ticks = (double)(is.ticks - was->ticks);
    double tick_ns = (double)cpu / periods;
    printf(
        "{\"members\": %d, \"talkers\": %d, \"codec\": \"%s\", \"srtp\": %s, \"listeners\": \"%s\", \"ticks\": %.0f, ",
        b->members, b->talkers, b->codec == CF_CODEC_OPUS ? "opus" : "pcmu", b->secure ? "true" : "false",
        b->open ? "open" : "quiet", ticks);
    printf("\"tick_us\": %.1f, \"member_tick_ns\": %.0f, \"realtime_factor\": %.1f, ", tick_ns / 1000,
           tick_ns / b->members, PERIOD / tick_ns);
    printf("\"encodings_per_tick\": %.2f, \"packets_per_tick\": %.2f, ",
           (double)(is.frames_encoded - was->frames_encoded) / ticks, (double)sent / ticks);
    printf("\"listener_hears_db\": %.1f, \"own_voice_db\": %.1f}\n", ear_level(&b->ears[1], voice_hertz(0)),
           ear_level(&b->ears[0], voice_hertz(0)));
}

int main(int argc, char **argv) {
    if (argc != 7)
        fail("usage: bench_core MEMBERS TALKERS opus|pcmu plain|srtp open|quiet SECONDS");
    static bench b;
    b.members = atoi(argv[1]);
    b.talkers = atoi(argv[2]);
    b.codec = codec_named(argv[3]);
    b.secure = strcmp(argv[4], "srtp") == 0;
    b.open = listeners_named(argv[5]);
    int periods = (int)(atof(argv[6]) * 50);
    if (b.members < 2 || b.members > 8192 || b.talkers < 1 || b.talkers >= b.members || periods < 50)
        fail("2 to 8192 members, at least one talker and one listener, at least one second");
    set_up(&b);
    int64_t at = 0, cpu = 0;
    for (int i = 0; i < WARM_FRAMES; i++, at += PERIOD)
        period(&b, at);
    cf_core_stats was;
    cf_core_stats_get(b.core, &was);
    uint64_t sent = b.sent;
    for (int i = 0; i < periods; i++, at += PERIOD)
        cpu += period(&b, at);
    report(&b, cpu, periods, b.sent - sent, &was);
    cf_core_free(b.core);
    return 0;
}
