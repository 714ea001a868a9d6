/* Automatic gain of one voice, after agc.h: its level is the mean power of what is speech in it, and only while there
 * is sound does the gain move.
 *
 * Speech is what comes in syllables. A sound that stands out from the quietest of the last one or two seconds is kept
 * on trial until it falls off again: then it was a syllable, and counts. A fan that is switched on does not fall off;
 * it becomes what others must stand out from, and is forgotten. What is louder than the voice counts at once, as it is
 * to be turned down whatever it is. What is far softer is something else: breath, the room, a neighbour. A pause
 * changes nothing. */
#include "conferocore/agc.h"

#include "conferocore/mixer.h"

#include <math.h>

enum {
    SECOND_FRAMES = 50,
    STANDS_OUT = 9,      /* dB over the quietest frame: frames of steady noise differ by less, syllables and the gaps
                          * between them by more */
    KNOWN_FRAMES = 25,   /* speech, 500 ms, before anybody is made louder: a cough is no voice */
    MEMORY_FRAMES = 150, /* speech, 3 s, that the voice's level is the mean of: two or three sentences */
    OTHER_FRAMES = 200,  /* speech, 4 s, that is too soft for the voice, less what is not: then another talks here */
    SILENCE = 127
};
#define RANGE 0.01            /* as powers, 20 dB: from the voice's level down to the ends of its words */
#define RISE 1.006931669      /* a frame: 3 dB a second */
#define FALL 0.972747224      /* 12 dB a second */
#define LEAST 0.251188643     /* -12 dB */
#define AT_REST 1.122018454   /* 1 dB, nobody hears it: so far a gain of one stays one, and packets are passed on */
#define IN_MOTION 1.059253725 /* 0.5 dB: the level of real speech wanders as much */
#define MOST ((double)CF_GAIN_MAX / CF_GAIN_ONE)

static double power_of[SILENCE + 1]; /* mean square of a level in -dBov; no logarithm in the tick */

/* Before main and before any thread: only read afterwards. */
__attribute__((constructor)) static void fill_powers(void) {
    for (int level = 0; level <= SILENCE; level++)
        power_of[level] = pow(10, -level / 10.0);
}

void cf_agc_init(cf_agc *agc, int target_dbov) {
    *agc = (cf_agc){
        .target = power_of[target_dbov ? target_dbov : CF_AGC_TARGET], .loudest = SILENCE, .gain = 1, .goal = 1};
}

/* True if the frame stands out. */
static bool floor_step(cf_agc *agc, uint8_t level) {
    if (agc->at == SECOND_FRAMES) {
        agc->before = agc->quietest;
        agc->quietest = level;
        agc->at = 0;
    }
    agc->at++;
    if (level > agc->quietest)
        agc->quietest = level;
    uint8_t quietest = agc->before > agc->quietest ? agc->before : agc->quietest;
    return quietest - level >= STANDS_OUT;
}

/* True if the frame is this voice's. Who is too soft for it most of the time is another, who is learnt from the start.
 */
static bool is_the_voice(cf_agc *agc, double power) {
    bool soft = agc->known > 0 && power < agc->power * RANGE;
    if (soft)
        agc->others++;
    else if (agc->others > 0)
        agc->others--;
    if (agc->others == OTHER_FRAMES)
        agc->known = agc->others = 0;
    return !soft;
}

static void learn(cf_agc *agc, double power, int frames) {
    agc->known = agc->known + frames < MEMORY_FRAMES ? agc->known + frames : MEMORY_FRAMES;
    agc->power += (power - agc->power) * fmin(1, (double)frames / agc->known);
}

static void burst_forget(cf_agc *agc) {
    agc->burst = 0;
    agc->burst_frames = 0;
    agc->loudest = SILENCE;
}

/* The sound on trial was a syllable if it has fallen off by now. */
static void burst_judge(cf_agc *agc, uint8_t level, bool sounds) {
    bool fallen = level - agc->loudest >= STANDS_OUT;
    if (fallen && agc->burst_frames)
        learn(agc, agc->burst / agc->burst_frames, agc->burst_frames);
    if (fallen || !sounds)
        burst_forget(agc);
}

static void burst_add(cf_agc *agc, uint8_t level, double power) {
    if (level < agc->loudest)
        agc->loudest = level;
    if (agc->known && power > agc->power) {
        learn(agc, power, 1);
    } else {
        agc->burst += power;
        agc->burst_frames++;
    }
}

static bool within(double a, double b, double ratio) {
    return a < b * ratio && b < a * ratio;
}

/* The goal stays while it is about right: a gain at rest costs less than one in motion. */
static void aim(cf_agc *agc) {
    if (!agc->known)
        return;
    double wanted = fmin(fmax(sqrt(agc->target / agc->power), LEAST), MOST);
    if (!within(wanted, agc->goal, agc->goal == 1 ? AT_REST : IN_MOTION))
        agc->goal = within(wanted, 1, IN_MOTION) ? 1 : wanted;
}

static void approach(cf_agc *agc) {
    if (agc->goal < agc->gain)
        agc->gain = fmax(agc->goal, agc->gain * FALL);
    else if (agc->known >= KNOWN_FRAMES)
        agc->gain = fmin(agc->goal, agc->gain * RISE);
}

int32_t cf_agc_step(cf_agc *agc, uint8_t level, bool open) {
    if (level > SILENCE)
        level = SILENCE;
    bool sounds = floor_step(agc, level) && open;
    burst_judge(agc, level, sounds);
    if (sounds && is_the_voice(agc, power_of[level])) {
        burst_add(agc, level, power_of[level]);
        aim(agc);
        approach(agc);
    }
    return (int32_t)lrint(agc->gain * CF_GAIN_ONE);
}
