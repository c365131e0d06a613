/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of W in groups of one, two and four that go through a panel of columns together, so that a load of X serves
 * several rows; and the count by which a packer brings rows together.
 */
#ifndef PR_KERNELS_GROUPS_H
#define PR_KERNELS_GROUPS_H

#include "core/kernels/kernels.h"

#define PR_SINGLE_BYTES 2 /* row, count */
#define PR_PAIR_BYTES 5   /* two rows; columns of both; of each one, in turns; of the first alone */
#define PR_QUAD_BYTES 19  /* four rows; columns of each class of pr_quad_classes */
#define PR_QUAD_CLASSES 15

/* Which of the four rows a class of columns touches (bit r: row r), in the order in which they are stored. */
#define PR_QUAD_ORDER(CLASS)                                                                                           \
    CLASS(15)                                                                                                          \
    CLASS(7)                                                                                                           \
    CLASS(11)                                                                                                          \
    CLASS(13) CLASS(14) CLASS(3) CLASS(12) CLASS(5) CLASS(10) CLASS(6) CLASS(9) CLASS(1) CLASS(2) CLASS(4) CLASS(8)

extern pr_group_fn pr_singles_panel_scalar, pr_pairs_panel_scalar, pr_quads_panel_scalar;
extern pr_group_shifts_fn pr_singles_shifts_scalar, pr_pairs_shifts_scalar, pr_quads_shifts_scalar;
extern pr_group_fn pr_singles_panel_avx2, pr_pairs_panel_avx2, pr_quads_panel_avx2;
extern pr_group_shifts_fn pr_singles_shifts_avx2, pr_pairs_shifts_avx2, pr_quads_shifts_avx2;
extern pr_group_fn pr_singles_panel_avx512, pr_pairs_panel_avx512, pr_quads_panel_avx512;
extern pr_group_shifts_fn pr_singles_shifts_avx512, pr_pairs_shifts_avx512, pr_quads_shifts_avx512;
extern pr_group_fn pr_singles_panel_neon, pr_pairs_panel_neon, pr_quads_panel_neon;
extern pr_group_shifts_fn pr_singles_shifts_neon, pr_pairs_shifts_neon, pr_quads_shifts_neon;
extern pr_overlap_fn pr_add_overlaps_scalar, pr_add_overlaps_avx2;

#endif
