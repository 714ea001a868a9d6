/* Every kernel over the vocabulary chosen, and their table. The including file sets V_NAME and V_TABLE. */
#include "fir_vec.h"
#include "g711_vec.h"
#include "limit_vec.h"
#include "mix_vec.h"

const cf_kernels V_TABLE = {
    .name = V_NAME,
    .add = add,
    .minus = minus,
    .widen = widen,
    .gain = gain,
    .ramp = ramp,
    .add_ramp = add_ramp,
    .energy = energy,
    .silent = silent,
    .narrow = narrow,
    .need = need,
    .release = release,
    .highest = highest,
    .mean = mean,
    .scale = scale,
    .fir_up = fir_up,
    .fir_down = fir_down,
    .ulaw_encode = ulaw_encode,
    .alaw_encode = alaw_encode,
    .ulaw_decode = ulaw_decode,
    .alaw_decode = alaw_decode,
};
