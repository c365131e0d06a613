/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_neon.h"

#define SINGLE_VECTORS 16
#define PAIR_VECTORS 8
#define QUAD_VECTORS 4
#include "core/kernels/tmpl/groups.h"

#define GROUP_CASES                                                                                                    \
    GROUP_CASE(single_vectors, 4)                                                                                      \
    GROUP_CASE(single_vectors, 8)                                                                                      \
    GROUP_CASE(single_vectors, 12)
GROUP_PANEL(pr_singles_panel_neon, pr_singles_shifts_neon, single_vectors, SINGLE_VECTORS)
#undef GROUP_CASES

#define GROUP_CASES GROUP_CASE(pair_vectors, 4)
GROUP_PANEL(pr_pairs_panel_neon, pr_pairs_shifts_neon, pair_vectors, PAIR_VECTORS)
#undef GROUP_CASES

#define GROUP_CASES
GROUP_PANEL(pr_quads_panel_neon, pr_quads_shifts_neon, quad_vectors, QUAD_VECTORS)
