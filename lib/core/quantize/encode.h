/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values into narrower encodings and back. Kernels compute with the decoded values, which are floats exactly.
 */
#ifndef PR_CORE_ENCODE_H
#define PR_CORE_ENCODE_H

#include "core/kernels/encodings.h"
#include "core/tensor/tensor.h"

/* "f32", "f16", "bf16", "int8". */
const char *pr_encoding_name(int64_t encoding);

/* The scale of a row in INT8: the largest magnitude / 127, rounded up to 16 bits of significand, so that every product
 * of it and a whole number of 8 bits is a float exactly. 1 for a row of zeros. */
float pr_int8_scale(const float *values, int64_t count);

/* Replaces each value by the nearest one of the encoding, of two the even one; -1, or the index of the first that it
 * cannot hold: beyond its range, or infinite in INT8. */
int64_t pr_encode_round(int64_t encoding, float scale, float *values, int64_t count);

/* Writes the `index`-th stored value; `value` has been rounded. */
static inline void pr_encode_put(void *values, int64_t index, int64_t encoding, float value, float scale)
{
    switch (encoding) {
    case PR_VALUES_F16:
        ((uint16_t *)values)[index] = pr_f16_from_double((double)value);
        break;
    case PR_VALUES_BF16:
        ((uint16_t *)values)[index] = pr_bf16_from_double((double)value);
        break;
    case PR_VALUES_INT8:
        ((int8_t *)values)[index] = (int8_t)(value / scale);
        break;
    default:
        ((float *)values)[index] = value;
    }
}

static inline float pr_encode_get(const void *values, int64_t index, int64_t encoding, float scale)
{
    switch (encoding) {
    case PR_VALUES_F16:
        return pr_decode_f16(((const uint16_t *)values)[index]);
    case PR_VALUES_BF16:
        return pr_decode_bf16(((const uint16_t *)values)[index]);
    case PR_VALUES_INT8:
        return (float)((const int8_t *)values)[index] * scale;
    default:
        return ((const float *)values)[index];
    }
}

#endif
