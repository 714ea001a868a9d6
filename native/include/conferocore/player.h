/* Playing recorded sound into a mix: prompts, music, tones. */
#ifndef CONFEROCORE_PLAYER_H
#define CONFEROCORE_PLAYER_H

#include "base.h"
#include "codec.h"
#include "mixer.h"

/* A clip is sound in memory, played by any number of players at once; it is held and let go of in any thread. Players
 * are made and freed in one thread (the control side's), read and steered in another (the media thread). */
/*cdef*/
typedef struct cf_clip cf_clip;
/*end*/
typedef struct cf_player cf_player;

/* Ten minutes at 48 kHz (58 MB): longer sound is a stream, not a prompt. */
enum { CF_CLIP_MAX = 600 * CF_RATE, CF_PLAYER_FADE = 240 }; /* samples: 5 ms */

/*cdef*/
typedef struct cf_player_config {
    int gain_q14; /* 16384 = as it is; 0-130000 */
    int loops;    /* how often it is played; 0: until it is stopped */
} cf_player_config;

/* Copies n samples of 48 kHz mono. NULL: none, more than CF_CLIP_MAX, or no memory. */
cf_clip *cf_clip_new(const int16_t *pcm, size_t n);
void cf_clip_free(cf_clip *clip); /* one holder less; the last one frees it */
size_t cf_clip_samples(const cf_clip *clip);
/*end*/
void cf_clip_keep(cf_clip *clip); /* one more holder */

/* Holds the clip. NULL: a gain or count outside its range, or no memory. */
cf_player *cf_player_new(cf_clip *clip, const cf_player_config *config);
void cf_player_free(cf_player *player);

/* The next frame, which after the end is zeros; returns how many samples are left after it: 0 = ended, INT64_MAX = it
 * plays until it is stopped. It begins with a fade of 5 ms and ends with one; where it loops, the last 5 ms go over
 * into the first: so a loop lasts 5 ms less than its clip. */
int64_t cf_player_next(cf_player *player, int16_t pcm[CF_FRAME]);
void cf_player_stop(cf_player *player);                   /* fades out in the next frame */
void cf_player_gain(cf_player *player, int32_t gain_q14); /* over the next frame; beyond the range: its nearer end */
/* From any thread. */
uint64_t cf_player_position(const cf_player *player); /* samples played */
bool cf_player_ended(const cf_player *player);

#endif
