/* A whole stream through a playout in one call: packets as they arrive, frames as they are played, no clock. */
#include "conferocore/oneshot.h"

#include <errno.h>

static int put(cf_playout *playout, const cf_oneshot_packet *packet, const uint8_t *payloads, size_t bytes) {
    if (packet->at > bytes || packet->len > bytes - packet->at)
        return -EINVAL;
    cf_rtp rtp = {.pt = 0,
                  .seq = packet->seq,
                  .ts = packet->ts,
                  .ssrc = packet->ssrc,
                  .payload = payloads + packet->at,
                  .payload_len = packet->len};
    cf_playout_put(playout, &rtp, -1, packet->arrival); /* what it refuses is in its statistics */
    return 0;
}

static int play(cf_playout *playout, const cf_oneshot_stream *stream, int16_t *out) {
    size_t next = 0;
    for (size_t frame = 0; frame < stream->frames; frame++) {
        int64_t now = stream->start + (int64_t)frame * 20000000;
        for (; next < stream->count && stream->packets[next].arrival <= now; next++) {
            int result = put(playout, &stream->packets[next], stream->payloads, stream->bytes);
            if (result)
                return result;
        }
        cf_playout_get(playout, out + frame * CF_FRAME, now);
    }
    return 0;
}

int cf_oneshot_play(const cf_oneshot_stream *stream, int16_t *out, cf_playout_stats *stats) {
    if (!cf_playout_possible(&stream->config))
        return -EINVAL;
    cf_playout *playout = cf_playout_new(&stream->config);
    if (!playout)
        return -ENOMEM;
    int result = cf_playout_map(playout, 0, stream->codec, stream->clock_rate);
    if (result == 0)
        result = play(playout, stream, out);
    cf_playout_stats_get(playout, stats);
    cf_playout_free(playout);
    return result;
}
