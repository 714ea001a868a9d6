/* A packet's last and first step: written where the shell sends it from, sealed and opened, and what that costs. */
#include "counter.h"
#include "state.h"

#include <errno.h>
#include <string.h>

/* One packet in so many is timed and counts for all: a prime, so that no leg is always the one. */
enum { METERED = 13 };

uint8_t *core_reserve(cf_core *core) {
    return core->config.reserve ? core->config.reserve(core->config.arg) : core->packet;
}

void core_commit(cf_core *core, const cf_path *path, size_t len) {
    counter_add(&core->count.packets_out, 1);
    if (core->config.reserve)
        core->config.commit(core->config.arg, path, len);
    else
        core->config.send(core->config.arg, path, core->packet, len);
}

static int64_t meter_start(cf_core *core) {
    return core->config.stopwatch && ++core->metered % METERED == 0 ? core->config.stopwatch() : 0;
}

static void meter_stop(cf_core *core, int64_t begin) {
    if (begin != 0)
        counter_add(&core->count.crypto_ns, METERED * (uint64_t)(core->config.stopwatch() - begin));
}

int core_seal(cf_core *core, cf_srtp *srtp, uint8_t *packet, size_t header_len, const uint8_t *payload, size_t len) {
    if (header_len + len > CF_RTP_MAX)
        return -ENOSPC;
    if (!srtp) {
        memcpy(packet + header_len, payload, len);
        return (int)(header_len + len);
    }
    int64_t begin = meter_start(core);
    int total = cf_srtp_protect_from(srtp, packet, header_len, payload, len, PACKET_CAP);
    meter_stop(core, begin);
    return total;
}

int core_open(cf_core *core, cf_srtp *srtp, uint8_t *packet, size_t len, bool rtcp) {
    int64_t begin = meter_start(core);
    int plain = rtcp ? cf_srtcp_unprotect(srtp, packet, len) : cf_srtp_unprotect(srtp, packet, len);
    meter_stop(core, begin);
    return plain;
}
