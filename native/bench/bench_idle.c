/* What rooms cost in which nobody talks, in simulated time: share of a core for so many rooms, empty or with two silent
 * members each. Prints one line of JSON. Usage: bench_idle ROOMS empty|dtx|muted SECONDS */
#include "bench_lib.h"
#include "conferocore/core.h"

enum { MS = 1000000, WARM_S = 3 };

static uint64_t sent;

static void on_send(void *arg, const cf_path *path, const uint8_t *data, size_t len) {
    (void)arg, (void)path, (void)data, (void)len;
    sent++;
}

static void add_member(cf_core *core, int room, int i, int dtx) {
    uint32_t socket = (uint32_t)(2 * room + i);
    cf_addr remote = {{127, 0, 0, 1}, 4000, 4, 0};
    cf_put16(remote.ip + 2, (uint16_t)room);
    remote.port = (uint16_t)(1024 + i);
    cf_leg_config config = {.id = 1 + socket,
                            .room = 1 + (uint64_t)room,
                            .kind = CF_LEG_RTP,
                            .tx = codec_params(CF_CODEC_OPUS),
                            .tx_pt = codec_pt(CF_CODEC_OPUS),
                            .dtx = dtx,
                            .rx_count = 1,
                            .rx = {{codec_pt(CF_CODEC_OPUS), CF_CODEC_OPUS, 48000}},
                            .rtp_socket = socket,
                            .rtcp_socket = socket,
                            .remote_rtp = remote};
    cf_leg *leg = cf_leg_new(&config, socket);
    if (leg == NULL || cf_core_leg_add(core, leg, 0) < 0)
        fail("cannot add a leg");
}

static int64_t run(cf_core *core, int64_t until) {
    int64_t before = cpu_ns();
    while (cf_core_deadline(core) <= until)
        cf_core_advance(core, cf_core_deadline(core));
    return cpu_ns() - before;
}

int main(int argc, char **argv) {
    if (argc != 4)
        fail("usage: bench_idle ROOMS empty|dtx|muted SECONDS");
    int rooms = atoi(argv[1]), seconds = atoi(argv[3]);
    bool empty = strcmp(argv[2], "empty") == 0, dtx = strcmp(argv[2], "dtx") == 0;
    if (rooms < 1 || rooms > 65535 || seconds < 1 || (!empty && !dtx && strcmp(argv[2], "muted") != 0))
        fail("1 to 65535 rooms, at least a second; empty, dtx or muted");
    cf_core_config config = {.seed = 1, .max_rooms = (size_t)rooms, .max_legs = 2 * (size_t)rooms, .send = on_send};
    cf_core *core = cf_core_new(&config);
    if (core == NULL)
        fail("no memory");
    for (int room = 0; room < rooms; room++) {
        if (cf_core_room_add(core, cf_room_new(&(cf_room_config){.id = 1 + (uint64_t)room}), 0) < 0)
            fail("cannot add a room");
        for (int i = 0; !empty && i < 2; i++)
            add_member(core, room, i, dtx);
    }
    run(core, (int64_t)WARM_S * 1000 * MS);
    uint64_t before = sent;
    int64_t cpu = run(core, (int64_t)(WARM_S + seconds) * 1000 * MS);
    cf_core_stats stats;
    cf_core_stats_get(core, &stats);
    printf("{\"rooms\": %d, \"members\": \"%s\", \"core_percent\": %.3f, \"rooms_asleep\": %llu, "
           "\"packets_per_second\": %.0f}\n",
           rooms, argv[2], (double)cpu / 1e7 / seconds, (unsigned long long)stats.rooms_asleep,
           (double)(sent - before) / seconds);
    cf_core_free(core);
    return 0;
}
