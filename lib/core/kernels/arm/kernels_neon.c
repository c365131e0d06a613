/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_neon.h"

#include "core/kernels/groups.h"
#include "core/kernels/shifted.h"
#include "core/kernels/taps.h"
#include "core/kernels/tmpl/moves.h"
#include "core/kernels/tmpl/products.h"
#include "core/kernels/tmpl/stores.h"
#include "core/kernels/tmpl/transposes.h"

const struct pr_kernels pr_kernels_neon = {
    .pack_x_copy = pack_x_copy,
    .pack_x_transpose = pack_x_transpose,
    .store_y_copy = store_y_copy,
    .store_y_transpose = store_y_transpose,
    .rows_panel = rows_panel,
    .dense_strip = dense_strip,
    .dense_rows = pr_dense_rows_neon,
    .nm24_strip = nm24_strip,
    .all_finite = all_finite,
    .singles_panel = pr_singles_panel_neon,
    .pairs_panel = pr_pairs_panel_neon,
    .quads_panel = pr_quads_panel_neon,
    .taps_rows = pr_taps_rows_neon,
    .dense_shifts = pr_dense_shifts_neon,
    .singles_shifts = pr_singles_shifts_neon,
    .pairs_shifts = pr_pairs_shifts_neon,
    .quads_shifts = pr_quads_shifts_neon,
    .shift_planes = pr_shift_planes_neon,
};
