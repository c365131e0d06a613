/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx512.h"

#include "core/kernels/encodings.h"
#include "core/kernels/few.h"
#include "core/kernels/gapless.h"
#include "core/kernels/groups.h"
#include "core/kernels/masks.h"
#include "core/kernels/sampled.h"
#include "core/kernels/shifted.h"
#include "core/kernels/tmpl/moves.h"
#include "core/kernels/tmpl/picks.h"
#include "core/kernels/tmpl/products.h"
#include "core/kernels/tmpl/stores.h"

const struct pr_kernels pr_kernels_avx512 = {
    .pack_x_copy = pack_x_copy,
    .store_y_copy = store_y_copy,
    .rows_panel = rows_panel,
    .few_rows = pr_few_rows_avx512,
    .few_pairs = pr_few_pairs_avx512,
    .few_nm24 = pr_few_nm24_avx512,
    .dense_strip = dense_strip,
    .dense_tile = pr_dense_tile_avx512,
    .dense_rows = pr_dense_rows_avx512,
    .nm24_strip = nm24_strip,
    .nm24_by_4_8 = pr_nm24_by_4_8_avx512,
    .nm24_by_4_16 = nm24_by_4,
    .units_panel = pr_units_panel_avx512,
    .units_few = pr_units_few_avx512,
    .windows_8 = pr_windows_8_avx512,
    .windows_16 = windows,
    .windows_tight = pr_windows_tight_avx512,
    .bitmap_block = pr_bitmap_block_avx512,
    .all_finite = all_finite,
    .sampled_row = pr_sampled_row_avx512,
    .singles_panel = pr_singles_panel_avx512,
    .pairs_panel = pr_pairs_panel_avx512,
    .quads_panel = pr_quads_panel_avx512,
    .dense_shifts = pr_dense_shifts_avx512,
    .singles_shifts = pr_singles_shifts_avx512,
    .pairs_shifts = pr_pairs_shifts_avx512,
    .quads_shifts = pr_quads_shifts_avx512,
    .shift_planes = pr_shift_planes_avx512,
    PR_ENCODED_TABLE(avx512),
    .codebook_slice = pr_codebook_slice_avx512,
    PR_ENCODED_WINDOWS(16, avx512),
    PR_MASKS_TABLE(avx512),
};
