/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx512.h"

#define SINGLE_VECTORS 8
#define PAIR_VECTORS 8
#define QUAD_VECTORS 6
#include "core/kernels/tmpl/groups.h"

#define GROUP_CASES                                                                                                    \
    GROUP_CASE(single_vectors, 1)                                                                                      \
    GROUP_CASE(single_vectors, 2)                                                                                      \
    GROUP_CASE(single_vectors, 3)                                                                                      \
    GROUP_CASE(single_vectors, 4)                                                                                      \
    GROUP_CASE(single_vectors, 5)                                                                                      \
    GROUP_CASE(single_vectors, 6)                                                                                      \
    GROUP_CASE(single_vectors, 7)
GROUP_PANEL(pr_singles_panel_avx512, pr_singles_shifts_avx512, single_vectors, SINGLE_VECTORS)
#undef GROUP_CASES

#define GROUP_CASES                                                                                                    \
    GROUP_CASE(pair_vectors, 1)                                                                                        \
    GROUP_CASE(pair_vectors, 2)                                                                                        \
    GROUP_CASE(pair_vectors, 3)                                                                                        \
    GROUP_CASE(pair_vectors, 4)                                                                                        \
    GROUP_CASE(pair_vectors, 5)                                                                                        \
    GROUP_CASE(pair_vectors, 6)                                                                                        \
    GROUP_CASE(pair_vectors, 7)
GROUP_PANEL(pr_pairs_panel_avx512, pr_pairs_shifts_avx512, pair_vectors, PAIR_VECTORS)
#undef GROUP_CASES

#define GROUP_CASES                                                                                                    \
    GROUP_CASE(quad_vectors, 1)                                                                                        \
    GROUP_CASE(quad_vectors, 2)                                                                                        \
    GROUP_CASE(quad_vectors, 3)                                                                                        \
    GROUP_CASE(quad_vectors, 4)                                                                                        \
    GROUP_CASE(quad_vectors, 5)
GROUP_PANEL(pr_quads_panel_avx512, pr_quads_shifts_avx512, quad_vectors, QUAD_VECTORS)
