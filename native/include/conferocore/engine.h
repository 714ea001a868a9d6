/* Real time: media threads with their own sockets around cf_core. Called from one control thread; commands and events
 * cross bounded rings. */
#ifndef CONFEROCORE_ENGINE_H
#define CONFEROCORE_ENGINE_H

#include "core.h"

/*cdef*/
typedef struct cf_engine cf_engine;

/* NULL without memory or descriptors, or if threads is not 1-64. */
cf_engine *cf_engine_new(int threads, uint64_t seed);
/* Stops the threads, closes the sockets, frees everything. NULL is fine. */
void cf_engine_free(cf_engine *engine);
int cf_engine_threads(const cf_engine *engine);
/* Readable when an event waits: for the asyncio loop. */
int cf_engine_fileno(const cf_engine *engine);
/* Binds the shared UDP socket of a thread to one address; several calls per thread (IPv4, IPv6) should use one port.
 * Returns the socket's number or -EADDRINUSE, -EADDRNOTAVAIL, -EACCES ... Wildcard addresses answer from the address
 * that was asked (PKTINFO). */
int cf_engine_bind_shared(cf_engine *engine, int thread, const cf_addr *addr);
/* Listens for WebRTC legs over TCP (RFC 6544, passive; RFC 4571): a thread's first before cf_engine_start. Returns the
 * socket's number; errors as above, -EINVAL, -ENOMEM. */
int cf_engine_listen_shared(cf_engine *engine, int thread, const cf_addr *addr);
/* Binds a socket for one RTP leg. */
int cf_engine_bind_leg(cf_engine *engine, int thread, const cf_addr *addr);
/* A socket for one RTP leg over TCP (RFC 4571): with `listens` it takes the peer's connection at this address, else it
 * connects from there, from any port, when it is told to. One connection carries what the socket is for; a later one
 * takes its place. Needs cf_engine_listen_shared on the thread before (-EINVAL). */
int cf_engine_stream_leg(cf_engine *engine, int thread, const cf_addr *addr, int listens);
/* Begins to connect such a socket; a connection that it has is closed. 0, -EINVAL, -ENOENT, -EAGAIN, or why it cannot
 * be tried; that nobody is there shows by silence. */
int cf_engine_connect(cf_engine *engine, int thread, uint32_t socket, const cf_addr *remote);
/* The descriptor is closed once the media thread has let go of it. -ENOENT, -EBUSY: a leg uses it (remove the leg
 * first; no need to wait for its release). */
int cf_engine_close_socket(cf_engine *engine, int thread, uint32_t socket);
/* The nice value that the media threads take when they start; 0: none. Below 0 needs CAP_SYS_NICE; without it they stay
 * as they are. */
void cf_engine_set_nice(cf_engine *engine, int nice);
int cf_engine_start(cf_engine *engine);

/* Commands: 0, -EINVAL, -ENOENT, -EEXIST, -ENOMEM, or -EAGAIN: too many commands of this thread have not come back yet,
 * call cf_engine_events (a quarter of the 4096 is kept for removals). They take effect at the next turn of the media
 * thread. */
int cf_engine_room_add(cf_engine *engine, int thread, const cf_room_config *config);
int cf_engine_room_remove(cf_engine *engine,
                          uint64_t room); /* -EBUSY: it has legs. CF_EVENT_RELEASED when it is gone */
/* Goes to its room's thread. -ENOSPC; RTP legs: -EBADF no such socket there, -EBUSY another leg's. If the core refuses
 * it after all (a ufrag that is in use), CF_EVENT_RELEASED comes with the errno as its value. */
int cf_engine_leg_add(cf_engine *engine, const cf_leg_config *config);
int cf_engine_leg_remove(cf_engine *engine, uint64_t leg, int bye); /* CF_EVENT_RELEASED when it is gone */
int cf_engine_leg_move(cf_engine *engine, uint64_t leg,
                       uint64_t room); /* -EXDEV: the rooms live on different threads */
int cf_engine_leg_mute(cf_engine *engine, uint64_t leg, int muted);
int cf_engine_leg_deaf(cf_engine *engine, uint64_t leg, int deaf);
int cf_engine_leg_gain(cf_engine *engine, uint64_t leg, int32_t gain_q14);
int cf_engine_leg_ear(cf_engine *engine, uint64_t leg, int32_t gain_q14); /* how loud it hears the room */
int cf_engine_leg_suspend(cf_engine *engine, uint64_t leg, int suspended);
int cf_engine_leg_hold(cf_engine *engine, uint64_t leg, int held);
int cf_engine_leg_aside(cf_engine *engine, uint64_t leg, int aside);
int cf_engine_leg_gate(cf_engine *engine, uint64_t leg, int gate_dbov);
int cf_engine_leg_agc(cf_engine *engine, uint64_t leg, int agc);
/* How loud a listener hears one talker; at most 64 talkers a listener: a pair beyond is dropped. -EINVAL: a gain out of
 * range, or a leg with itself. */
int cf_engine_pair(cf_engine *engine, uint64_t listener, uint64_t talker, int32_t gain_q14);
int cf_engine_unpair(cf_engine *engine, uint64_t listener, uint64_t talker);
int cf_engine_leg_remote(cf_engine *engine, uint64_t leg, const cf_addr *rtp, const cf_addr *rtcp);
int cf_engine_leg_prove(cf_engine *engine, uint64_t leg);
int cf_engine_leg_ice(cf_engine *engine, uint64_t leg, const char *local_ufrag, const char *local_pwd,
                      const char *remote_ufrag);
int cf_engine_leg_keys(cf_engine *engine, uint64_t leg, int profile, const uint8_t *rx_key, const uint8_t *rx_salt,
                       const uint8_t *tx_key, const uint8_t *tx_salt);
int cf_engine_leg_dtls_send(cf_engine *engine, uint64_t leg, const uint8_t *data, size_t len);
int cf_engine_leg_dtls_take(cf_engine *engine, uint64_t leg, uint8_t *out, size_t cap); /* length, 0: empty, -ENOENT */
int cf_engine_leg_stats(cf_engine *engine, uint64_t leg, cf_leg_stats *stats);
int cf_engine_stats(cf_engine *engine, int thread, cf_core_stats *stats);
/* Digits by their sound are found, told (CF_EVENT_DIGIT) and cut from the mix while it is on. */
int cf_engine_leg_listen(cf_engine *engine, uint64_t leg, int on);
/* 1-64 of 0-9 * # A-D !, each 40-10000 ms; dropped if the peer takes no events, or more than 64 would wait. */
int cf_engine_leg_digits(cf_engine *engine, uint64_t leg, const char *digits, int duration_ms);
/* The clip begins at the place's next tick; its number (> 0), which CF_EVENT_PLAYED tells at its end. -ENOENT, -EINVAL,
 * -EAGAIN, -ENOSPC: 1024 play. A ninth at one place has ended at once. The clip may be let go of at once. */
int64_t cf_engine_room_play(cf_engine *engine, uint64_t room, cf_clip *clip, const cf_player_config *config);
int64_t cf_engine_leg_play(cf_engine *engine, uint64_t leg, cf_clip *clip, const cf_player_config *config);
int cf_engine_play_stop(cf_engine *engine, int64_t number); /* -ENOENT: it has ended, or does with its place */
/* A tap's number (>= 0), until cf_engine_untap; it ends by itself when its leg or room goes. -ENOSPC: 256 are in use.
 */
int cf_engine_tap(cf_engine *engine, int point, uint64_t id, int milliseconds);
int cf_engine_tap_read(cf_engine *engine, int tap, int16_t *pcm, size_t n,
                       int64_t *at); /* samples; -ENOENT: ended and empty */
int cf_engine_untap(cf_engine *engine, int tap);
/* Up to n events; also frees what the media threads have handed back. */
int cf_engine_events(cf_engine *engine, cf_event *events, int n);
int64_t cf_engine_now(const cf_engine *engine); /* CLOCK_MONOTONIC ns: the core's time */
const char *cf_build_info(void);                /* one line: library versions and kernels in use */
/*end*/

#endif
