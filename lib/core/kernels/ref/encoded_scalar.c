/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values in 16 and 8 bits, and N:M of groups up to 16: what is right.
 */
#include <math.h>

#include "core/kernels/encodings.h"

/* The `step`-th position of a lane within a window of 2 * lanes floats. */
static inline uint32_t window_position(const uint32_t *words, int64_t step, int64_t lane, int lanes)
{
    int64_t word = step / PR_PICK_STEPS(lanes), at = step % PR_PICK_STEPS(lanes);
    return words[word * lanes + lane] >> (PR_PICK_BITS(lanes) * at) & (uint32_t)(2 * lanes - 1);
}

#define INSTANCES(encoding, type)                                                                                      \
    void pr_dense_strip_##encoding##_scalar(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n,           \
                                            const void *stored, int64_t columns, int64_t lanes)                        \
    {                                                                                                                  \
        const type *values = stored;                                                                                   \
        for (int64_t j = 0; j < n; j++) {                                                                              \
            float *sum = sums + j * ld;                                                                                \
            memset(sum, 0, (size_t)lanes * sizeof *sum);                                                               \
            for (int64_t k = 0; k < columns; k++)                                                                      \
                for (int64_t i = 0; i < lanes; i++)                                                                    \
                    sum[i] = fmaf(pr_decode_##encoding(values[k * lanes + i]), x[j * ldx + k], sum[i]);                \
        }                                                                                                              \
    }                                                                                                                  \
    void pr_nm_strip_##encoding##_scalar(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n,              \
                                         const void *stored, const uint32_t *words, int64_t groups, int64_t lanes,     \
                                         int keep_n, int group_m)                                                      \
    {                                                                                                                  \
        const type *values = stored;                                                                                   \
        const int bits = pr_nm_bits(group_m), per_word = 32 / bits;                                                    \
        for (int64_t j = 0; j < n; j++) {                                                                              \
            float *sum = sums + j * ld;                                                                                \
            memset(sum, 0, (size_t)lanes * sizeof *sum);                                                               \
            for (int64_t s = 0; s < keep_n * groups; s++)                                                              \
                for (int64_t i = 0; i < lanes; i++) {                                                                  \
                    int64_t at = words[s / per_word * lanes + i] >> (bits * (s % per_word)) & (uint32_t)(group_m - 1); \
                    sum[i] = fmaf(pr_decode_##encoding(values[s * lanes + i]), x[j * ldx + s / keep_n * group_m + at], \
                                  sum[i]);                                                                             \
                }                                                                                                      \
        }                                                                                                              \
    }                                                                                                                  \
    void pr_rows_panel_##encoding##_scalar(float *sums, int64_t tile, const float *x, const struct pr_run *runs,       \
                                           int64_t run_count, const uint16_t *columns, const void *stored)             \
    {                                                                                                                  \
        const type *values = stored;                                                                                   \
        for (int64_t r = 0; r < run_count; r++) {                                                                      \
            float *sum = sums + runs[r].row * tile;                                                                    \
            for (uint32_t e = 0; e < runs[r].count; e++, columns++, values++)                                          \
                for (int64_t j = 0; j < tile; j++)                                                                     \
                    sum[j] = fmaf(pr_decode_##encoding(*values), x[*columns * tile + j], sum[j]);                      \
        }                                                                                                              \
    }                                                                                                                  \
    void pr_rows_dot_##encoding##_scalar(float *sums, int64_t tile, const float *x, const struct pr_run *runs,         \
                                         int64_t run_count, const uint16_t *columns, const void *stored)               \
    {                                                                                                                  \
        pr_rows_panel_##encoding##_scalar(sums, tile, x, runs, run_count, columns, stored);                            \
    }                                                                                                                  \
    static void windows_##encoding(float *sums, const float *x, const uint16_t *starts, const void *stored,            \
                                   const uint32_t *words, const uint16_t *kept, int64_t steps, int lanes)              \
    {                                                                                                                  \
        const type *values = stored;                                                                                   \
        memset(sums, 0, (size_t)lanes * sizeof *sums);                                                                 \
        for (int64_t s = 0; s < steps; s++)                                                                            \
            for (int i = 0; i < lanes; i++)                                                                            \
                if (kept[s] >> i & 1)                                                                                  \
                    sums[i] = fmaf(pr_decode_##encoding(values[s * lanes + i]),                                        \
                                   x[starts[s] * lanes + (int64_t)window_position(words, s, i, lanes)], sums[i]);      \
    }                                                                                                                  \
    void pr_windows_8_##encoding##_scalar(float *sums, const float *x, const uint16_t *starts, const void *values,     \
                                          const uint32_t *words, const uint16_t *kept, int64_t steps, int finite)      \
    {                                                                                                                  \
        (void)finite;                                                                                                  \
        windows_##encoding(sums, x, starts, values, words, kept, steps, 8);                                            \
    }                                                                                                                  \
    void pr_windows_16_##encoding##_scalar(float *sums, const float *x, const uint16_t *starts, const void *values,    \
                                           const uint32_t *words, const uint16_t *kept, int64_t steps, int finite)     \
    {                                                                                                                  \
        (void)finite;                                                                                                  \
        windows_##encoding(sums, x, starts, values, words, kept, steps, 16);                                           \
    }

INSTANCES(f32, float)
INSTANCES(f16, uint16_t)
INSTANCES(bf16, uint16_t)
INSTANCES(int8, int8_t)

void pr_columns_add_scalar(float *sums, const float *x, int64_t columns, const int64_t *starts, const uint16_t *rows,
                           const float *values)
{
    for (int64_t k = 0; k < columns; k++)
        for (int64_t e = starts[k]; x[k] != 0 && e < starts[k + 1]; e++)
            sums[rows[e]] = fmaf(values[e], x[k], sums[rows[e]]);
}

void pr_codebook_slice_scalar(float *sums, const float *x, const uint32_t *gaps, const uint32_t *codes, int64_t steps,
                              const float *codebook, int gap_bits, int code_bits)
{
    for (int64_t i = 0; i < PR_LANES; i++) {
        int64_t at = -1;
        sums[i] = 0;
        for (int64_t s = 0; s < steps; s++) {
            uint32_t code = pr_lane_number(codes, s, i, code_bits);
            at += pr_lane_number(gaps, s, i, gap_bits) + 1;
            if (code)
                sums[i] = fmaf(codebook[code], x[at], sums[i]);
        }
    }
}
