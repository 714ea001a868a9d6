/* Lost packets of the codecs that do not conceal by themselves: the sound goes on, fades, and comes back without a
 * click. */
#include "codeclab.h"

/* Second difference that is no click: 0.4 % of full scale. The wider the band, the less of a corner is smoothed away.
 */
enum { CORNER = 120 };
enum { FIRST = 5, LAST = 10 }; /* of the settings: G.711, G.722, L16 at 8, 16, 24 kHz */

/* Two seconds of a sound with a gap of `lost` frames at half time: the output in `out`. */
static void sound_with_gap(const cf_codec_params *params, const int16_t *sound, int lost) {
    encode_all(params, sound);
    cf_decoder *decoder = decoder_of(params);
    for (int i = 0; i < FRAMES; i++)
        if (i >= 50 && i < 50 + lost)
            cf_decoder_conceal(decoder, out + i * CF_FRAME, CF_FRAME);
        else
            cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out + i * CF_FRAME, CF_FRAME);
    cf_decoder_free(decoder);
}

static void tone_with_gap(const cf_codec_params *params, double hz, int lost) {
    static int16_t tone[SAMPLES];
    test_tone(tone, SAMPLES, hz, CF_RATE, 8000, 0);
    sound_with_gap(params, tone, lost);
}

static void test_it_goes_on_without_a_click(void) {
    for (int s = FIRST; s <= LAST; s++)
        for (int step = 0; step < 8; step++) {
            double hz = 110 * pow(1.37, step);
            tone_with_gap(&settings[s], hz, 1);
            int normal = test_bend(out + 10 * CF_FRAME, 30 * CF_FRAME);
            CHECK(test_bend(out + 49 * CF_FRAME, 4 * CF_FRAME) < normal + normal / 4 + CORNER);
            CHECK(test_amplitude(out + 50 * CF_FRAME, CF_FRAME, hz, CF_RATE) > 8000 * 0.95);
        }
}

/* A voice that swells up to the frame that is lost. */
static void swelling_voice(int16_t *voice, int lost_at) {
    for (int i = 0; i < SAMPLES; i++) {
        double t = (i - lost_at * CF_FRAME) / (double)CF_FRAME, swell = t > 0 ? 1 : exp(t);
        double phase = 2 * TEST_PI * 137 * i / CF_RATE;
        voice[i] = (int16_t)lrint(9000 * swell * (sin(phase) + 0.7 * sin(2 * phase + 1) + 0.4 * sin(3 * phase + 2)));
    }
}

/* Its last period joins neither its own start nor what came before it, unless it is made to. */
static void test_a_swelling_voice_does_not_click(void) {
    static int16_t voice[SAMPLES];
    for (int s = FIRST; s <= LAST; s++)
        for (int lost_at = 40; lost_at < 60; lost_at++) {
            swelling_voice(voice, lost_at);
            encode_all(&settings[s], voice);
            cf_decoder *decoder = decoder_of(&settings[s]);
            for (int i = 0; i < lost_at; i++)
                cf_decoder_decode(decoder, payloads[i], (size_t)lengths[i], out + i * CF_FRAME, CF_FRAME);
            cf_decoder_conceal(decoder, out + lost_at * CF_FRAME, 3 * CF_FRAME);
            cf_decoder_free(decoder);
            int normal = test_bend(out + (lost_at - 1) * CF_FRAME, CF_FRAME);
            CHECK(test_bend(out + lost_at * CF_FRAME - 2, 3 * CF_FRAME) < normal * 2 + CORNER);
        }
}

static void test_it_is_silent_after_60_ms(void) {
    for (int s = FIRST; s <= LAST; s++) {
        tone_with_gap(&settings[s], 440, 10);
        CHECK(test_rms(out + 50 * CF_FRAME, CF_FRAME) > 3000);
        CHECK(test_rms(out + 51 * CF_FRAME, CF_FRAME) > 1000);
        int tail = CF_RATE * 66 / 1000; /* 60 ms and what the resampler still holds */
        CHECK(test_rms(out + 50 * CF_FRAME + tail, (size_t)(10 * CF_FRAME - tail)) == 0);
        CHECK(test_bend(out + 50 * CF_FRAME, 12 * CF_FRAME) < 400);
        CHECK(test_rms(out + 61 * CF_FRAME, CF_FRAME) > 5000);
    }
}

/* A vowel whose 20th harmonic lies above the telephone band: it goes on only if the period is right to the sample. */
static void test_a_wide_voice_stays_wide(void) {
    static int16_t voice[SAMPLES];
    static const int wide[] = {7, 9, 10}; /* G.722, L16 at 16 and 24 kHz */
    for (int i = 0; i < SAMPLES; i++)
        voice[i] =
            (int16_t)lrint(5000 * sin(2 * TEST_PI * 250 * i / CF_RATE) + 3000 * sin(2 * TEST_PI * 1250 * i / CF_RATE) +
                           2000 * sin(2 * TEST_PI * 5000 * i / CF_RATE));
    for (size_t k = 0; k < 3; k++) {
        sound_with_gap(&settings[wide[k]], voice, 1);
        CHECK(test_amplitude(out + 50 * CF_FRAME, CF_FRAME, 5000, CF_RATE) > 2000 * 0.8);
        CHECK(test_amplitude(out + 50 * CF_FRAME, CF_FRAME, 250, CF_RATE) > 5000 * 0.9);
    }
}

/* What G.722 predicts by has stood still in the gap: it is itself again soon. */
static void test_g722_recovers_from_a_gap(void) {
    static int16_t whole[SAMPLES];
    sound_with_gap(&settings[7], speech, 0);
    memcpy(whole, out, sizeof whole);
    for (int lost = 1; lost <= 5; lost += 2) {
        sound_with_gap(&settings[7], speech, lost);
        double error = 0, power = 0;
        for (int i = (55 + lost) * CF_FRAME; i < (65 + lost) * CF_FRAME; i++) { /* from 100 ms after it */
            error += pow(out[i] - whole[i], 2);
            power += pow(whole[i], 2);
        }
        CHECK(error < power / 1000);
    }
}

int main(void) {
    test_babble(speech, SAMPLES, 20000, 1);
    RUN(test_it_goes_on_without_a_click);
    RUN(test_a_swelling_voice_does_not_click);
    RUN(test_it_is_silent_after_60_ms);
    RUN(test_a_wide_voice_stays_wide);
    RUN(test_g722_recovers_from_a_gap);
    return REPORT();
}
