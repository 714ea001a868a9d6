/* The table of the plain C forms. */
#include "portable.h"

const cf_kernels cf_kernels_c = {
    .name = "c",
    .add = cf_add_c,
    .minus = cf_minus_c,
    .widen = cf_widen_c,
    .gain = cf_gain_c,
    .ramp = cf_ramp_c,
    .add_ramp = cf_add_ramp_c,
    .energy = cf_energy_c,
    .silent = cf_silent_c,
    .narrow = cf_narrow_c,
    .need = cf_need_c,
    .release = cf_release_c,
    .highest = cf_highest_c,
    .mean = cf_mean_c,
    .scale = cf_scale_c,
    .fir_up = cf_fir_up_c,
    .fir_down = cf_fir_down_c,
    .ulaw_encode = cf_ulaw_encode_c,
    .alaw_encode = cf_alaw_encode_c,
    .ulaw_decode = cf_ulaw_decode_c,
    .alaw_decode = cf_alaw_decode_c,
};
