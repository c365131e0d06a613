/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How values are stored: as they are, in 16 bits, or as whole numbers of 8 bits that a scale of their row multiplies.
 * And the instances that read them narrow and compute in float.
 */
#ifndef PR_KERNELS_ENCODINGS_H
#define PR_KERNELS_ENCODINGS_H

#include <string.h>

#include "core/kernels/kernels.h"

/* Files carry the numbers. */
enum pr_encoding { PR_VALUES_F32, PR_VALUES_F16, PR_VALUES_BF16, PR_VALUES_INT8, PR_ENCODINGS };

static inline int64_t pr_encoding_bytes(int64_t encoding)
{
    return encoding == PR_VALUES_F32 ? 4 : encoding == PR_VALUES_INT8 ? 1 : 2;
}

static inline float pr_decode_f32(float value)
{
    return value;
}

static inline float pr_decode_f16(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits & 0x8000) << 16, exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff, word;
    float value;
    if (exponent == 0) { /* exact: the fraction counts units of 2^-24 */
        value = (float)fraction * 0x1p-24f;
        memcpy(&word, &value, sizeof word);
        word |= sign;
    } else {
        word = sign | (exponent == 0x1f ? 0xff : exponent + 112) << 23 | fraction << 13;
    }
    memcpy(&value, &word, sizeof value);
    return value;
}

static inline float pr_decode_bf16(uint16_t bits)
{
    uint32_t word = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static inline float pr_decode_int8(int8_t value)
{
    return (float)value;
}

/* Columns of a group whose stored positions fill whole words: bits of one, and how many fit. */
static inline int pr_nm_bits(int group_m)
{
    return group_m == 2 ? 1 : group_m == 4 ? 2 : 4;
}

#define PR_ENCODED_INSTANCES(encoding, set)                                                                            \
    extern pr_dense_values_fn pr_dense_strip_##encoding##_##set;                                                       \
    extern pr_nm_strip_fn pr_nm_strip_##encoding##_##set;                                                              \
    extern pr_rows_values_fn pr_rows_panel_##encoding##_##set, pr_rows_dot_##encoding##_##set;                         \
    extern pr_windows_values_fn pr_windows_8_##encoding##_##set, pr_windows_16_##encoding##_##set;
#define PR_ENCODED_SET(set)                                                                                            \
    PR_ENCODED_INSTANCES(f32, set)                                                                                     \
    PR_ENCODED_INSTANCES(f16, set)                                                                                     \
    PR_ENCODED_INSTANCES(bf16, set)                                                                                    \
    PR_ENCODED_INSTANCES(int8, set)
PR_ENCODED_SET(scalar)
PR_ENCODED_SET(avx2)
PR_ENCODED_SET(avx512)

extern pr_columns_fn pr_columns_add_scalar, pr_columns_add_avx2;
extern pr_codebook_fn pr_codebook_slice_scalar, pr_codebook_slice_avx2, pr_codebook_slice_avx512;

/* The `step`-th number of a lane, `bits` wide, lowest first; a slice has 16 lanes. */
static inline uint32_t pr_lane_number(const uint32_t *words, int64_t step, int64_t lane, int bits)
{
    int64_t per_word = 32 / bits;
    return words[step / per_word * PR_LANES + lane] >> (step % per_word * bits) & ((1u << bits) - 1);
}

/* The rows of a table: what all sets have, and the windows of one width. */
#define PR_ENCODED_ROWS(encoding, set)                                                                                 \
    .dense_strip_##encoding = pr_dense_strip_##encoding##_##set,                                                       \
    .nm_strip_##encoding = pr_nm_strip_##encoding##_##set, .rows_panel_##encoding = pr_rows_panel_##encoding##_##set,  \
    .rows_dot_##encoding = pr_rows_dot_##encoding##_##set
#define PR_ENCODED_TABLE(set)                                                                                          \
    .nm_strip_f32 = pr_nm_strip_f32_##set, PR_ENCODED_ROWS(f16, set), PR_ENCODED_ROWS(bf16, set),                      \
    PR_ENCODED_ROWS(int8, set)
#define PR_ENCODED_WINDOWS(lanes, set)                                                                                 \
    .windows_##lanes##_f16 = pr_windows_##lanes##_f16_##set,                                                           \
    .windows_##lanes##_bf16 = pr_windows_##lanes##_bf16_##set,                                                         \
    .windows_##lanes##_int8 = pr_windows_##lanes##_int8_##set

#endif
