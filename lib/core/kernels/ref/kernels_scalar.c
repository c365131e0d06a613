/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The scalar table: complete, and what "correct" means. Plain loops, one fused multiply-add after another.
 */
#include <math.h>
#include <string.h>

#include "core/kernels/encodings.h"
#include "core/kernels/few.h"
#include "core/kernels/gapless.h"
#include "core/kernels/groups.h"
#include "core/kernels/masks.h"
#include "core/kernels/sampled.h"
#include "core/kernels/shifted.h"
#include "core/kernels/taps.h"

static void pack_x_copy(float *to, int64_t width, const float *from, int64_t ld, int64_t m, int64_t n)
{
    for (int64_t i = 0; i < m; i++) {
        memcpy(to + i * width, from + i * ld, (size_t)n * sizeof *to);
        memset(to + i * width + n, 0, (size_t)(width - n) * sizeof *to);
    }
}

static void pack_x_transpose(float *to, int64_t width, const float *from, int64_t ld, int64_t m, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        for (int64_t i = 0; i < m; i++)
            to[j * width + i] = from[i * ld + j];
        memset(to + j * width + m, 0, (size_t)(width - m) * sizeof *to);
    }
}

static inline float finish(float sum, const struct pr_epilogue_args *e, int64_t i, int64_t j, const float *y)
{
    float scale = e->scale_m ? e->scale_m[i] : e->scale_n ? e->scale_n[j] : e->alpha;
    if (e->bias_m || e->bias_n)
        sum = fmaf(scale, sum, e->bias_m ? e->bias_m[i] : e->bias_n[j]);
    else
        sum = scale * sum;
    if (e->beta != 0.0f)
        sum = fmaf(e->beta, *y, sum);
    if (e->clamp) {
        sum = sum <= e->least ? e->least : sum;
        sum = sum > e->most ? e->most : sum;
    }
    return sum;
}

static void store_y_copy(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                         const struct pr_epilogue_args *epilogue)
{
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++)
            y[i * ldy + j] =
                finish(from[i * ld + j], epilogue, i, j, (epilogue->earlier ? epilogue->earlier : y) + i * ldy + j);
}

static void store_y_transpose(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                              const struct pr_epilogue_args *epilogue)
{
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < m; i++)
            y[j * ldy + i] = finish(from[i * ld + j], epilogue, i, j, y + j * ldy + i);
}

static void rows_panel(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                       const uint16_t *columns, const float *values)
{
    for (int64_t r = 0; r < run_count; r++) {
        float *sum = sums + runs[r].row * tile;
        for (uint32_t e = 0; e < runs[r].count; e++, columns++, values++) {
            const float *row = x + *columns * tile;
            for (int64_t j = 0; j < tile; j++)
                sum[j] = fmaf(*values, row[j], sum[j]);
        }
    }
}

static void dense_strip(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                        int64_t columns, int64_t lanes)
{
    for (int64_t j = 0; j < n; j++) {
        float *sum = sums + j * ld;
        memset(sum, 0, (size_t)lanes * sizeof *sum);
        for (int64_t k = 0; k < columns; k++)
            for (int64_t i = 0; i < lanes; i++)
                sum[i] = fmaf(values[k * lanes + i], x[j * ldx + k], sum[i]);
    }
}

static void nm24_strip(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                       const uint32_t *words, int64_t groups, int64_t lanes)
{
    for (int64_t j = 0; j < n; j++) {
        float *sum = sums + j * ld;
        memset(sum, 0, (size_t)lanes * sizeof *sum);
        for (int64_t s = 0; s < 2 * groups; s++)
            for (int64_t i = 0; i < lanes; i++) {
                uint32_t position = words[s / 16 * lanes + i] >> (2 * (s % 16)) & 3;
                sum[i] = fmaf(values[s * lanes + i], x[j * ldx + s / 2 * 4 + position], sum[i]);
            }
    }
}

/* The `step`-th position of a lane within a window of 2 * lanes floats. */
static inline uint32_t position(const uint32_t *words, int64_t step, int64_t lane, int lanes)
{
    int64_t word = step / PR_PICK_STEPS(lanes), at = step % PR_PICK_STEPS(lanes);
    return words[word * lanes + lane] >> (PR_PICK_BITS(lanes) * at) & (uint32_t)(2 * lanes - 1);
}

static inline void nm24_by_4(float *sums, const float *x, const float *values, const uint32_t *words, int64_t chunks,
                             int lanes)
{
    for (int r = 0; r < 4; r++)
        sums[r] = 0;
    for (int64_t c = 0; c < chunks; c++)
        for (int i = 0; i < lanes; i++) {
            float one = x[c * 2 * lanes + position(words, c, i, lanes)];
            for (int r = 0; r < 4; r++)
                sums[r] = fmaf(values[(c * 4 + r) * lanes + i], one, sums[r]);
        }
}

static void nm24_by_4_8(float *sums, const float *x, const float *values, const uint32_t *words, int64_t chunks)
{
    nm24_by_4(sums, x, values, words, chunks, 8);
}

static void nm24_by_4_16(float *sums, const float *x, const float *values, const uint32_t *words, int64_t chunks)
{
    nm24_by_4(sums, x, values, words, chunks, 16);
}

static inline void windows(float *sums, const float *x, const uint16_t *starts, const float *values,
                           const uint32_t *words, const uint16_t *kept, int64_t steps, int lanes)
{
    memset(sums, 0, (size_t)lanes * sizeof *sums);
    for (int64_t s = 0; s < steps; s++)
        for (int i = 0; i < lanes; i++)
            if (kept[s] >> i & 1)
                sums[i] =
                    fmaf(values[s * lanes + i], x[starts[s] * lanes + (int64_t)position(words, s, i, lanes)], sums[i]);
}

static void windows_8(float *sums, const float *x, const uint16_t *starts, const float *values, const uint32_t *words,
                      const uint16_t *kept, int64_t steps, int finite)
{
    (void)finite;
    windows(sums, x, starts, values, words, kept, steps, 8);
}

static void windows_16(float *sums, const float *x, const uint16_t *starts, const float *values, const uint32_t *words,
                       const uint16_t *kept, int64_t steps, int finite)
{
    (void)finite;
    windows(sums, x, starts, values, words, kept, steps, 16);
}

static int all_finite(const float *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(x[i]))
            return 0;
    return 1;
}

const struct pr_kernels pr_kernels_scalar = {
    .pack_x_copy = pack_x_copy,
    .pack_x_transpose = pack_x_transpose,
    .store_y_copy = store_y_copy,
    .store_y_transpose = store_y_transpose,
    .rows_panel = rows_panel,
    .rows_dot = rows_panel,
    .few_rows = pr_few_rows_scalar,
    .few_pairs = pr_pairs_panel_scalar,
    .few_nm24 = pr_few_nm24_scalar,
    .dense_strip = dense_strip,
    .dense_tile = pr_dense_tile_scalar,
    .dense_rows = pr_dense_rows_scalar,
    .nm24_strip = nm24_strip,
    .nm24_by_4_8 = nm24_by_4_8,
    .nm24_by_4_16 = nm24_by_4_16,
    .units_panel = pr_units_panel_scalar,
    .units_few = pr_units_panel_scalar,
    .windows_8 = windows_8,
    .windows_16 = windows_16,
    .windows_tight = pr_windows_tight_scalar,
    .bitmap_block = pr_bitmap_block_scalar,
    .all_finite = all_finite,
    .sampled_row = pr_sampled_row_scalar,
    .shifted_panel = pr_shifted_panel_scalar,
    .taps_rows = pr_taps_rows_scalar,
    .singles_panel = pr_singles_panel_scalar,
    .pairs_panel = pr_pairs_panel_scalar,
    .quads_panel = pr_quads_panel_scalar,
    .dense_shifts = pr_dense_shifts_scalar,
    .singles_shifts = pr_singles_shifts_scalar,
    .pairs_shifts = pr_pairs_shifts_scalar,
    .quads_shifts = pr_quads_shifts_scalar,
    .shift_planes = pr_shift_planes_scalar,
    .add_overlaps = pr_add_overlaps_scalar,
    PR_ENCODED_TABLE(scalar),
    .codebook_slice = pr_codebook_slice_scalar,
    .columns_add = pr_columns_add_scalar,
    PR_ENCODED_WINDOWS(8, scalar),
    PR_ENCODED_WINDOWS(16, scalar),
    PR_MASKS_TABLE(scalar),
};
