/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/quantize/encode.h"

#include <math.h>

const char *pr_encoding_name(int64_t encoding)
{
    static const char *const names[PR_ENCODINGS] = {"f32", "f16", "bf16", "int8"};
    return encoding >= 0 && encoding < PR_ENCODINGS ? names[encoding] : "?";
}

/* Whatever the host's rounding mode is. */
static double round_to_even(double value)
{
    double below = floor(value), rest = value - below;
    return rest > 0.5 || (rest == 0.5 && fmod(below, 2) != 0) ? below + 1 : below;
}

float pr_int8_scale(const float *values, int64_t count)
{
    float most = 0;
    for (int64_t i = 0; i < count; i++)
        most = fabsf(values[i]) > most ? fabsf(values[i]) : most;
    if (most == 0 || isinf(most))
        return 1;
    int exponent;
    double fraction = frexp((double)most / 127, &exponent); /* in [1/2, 1) */
    int bits = exponent < -133 ? exponent + 149 : 16;       /* of a float below the normal ones fewer are left */
    return (float)ldexp(ceil(ldexp(fraction, bits)), exponent - bits);
}

int64_t pr_encode_round(int64_t encoding, float scale, float *values, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        float value = values[i];
        if (encoding == PR_VALUES_F16)
            value = pr_f16_to_float(pr_f16_from_double((double)value));
        else if (encoding == PR_VALUES_BF16)
            value = pr_bf16_to_float(pr_bf16_from_double((double)value));
        else if (encoding == PR_VALUES_INT8)
            value = isinf(value) ? value : (float)round_to_even((double)value / (double)scale) * scale;
        if (isinf(value) && (encoding == PR_VALUES_INT8 || !isinf(values[i])))
            return i;
        values[i] = value;
    }
    return -1;
}
