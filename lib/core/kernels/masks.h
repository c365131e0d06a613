/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Masks straight from numbers: weights in f32, of which the magnitude counts, and scores in f64.
 */
#ifndef PR_KERNELS_MASKS_H
#define PR_KERNELS_MASKS_H

#include "core/kernels/kernels.h"

#define PR_SPLIT_SLACK 16 /* numbers beyond those kept that may be overwritten */

struct pr_split {
    int64_t below, low, between; /* how many: below `low`, equal to it, above it and not above `high` */
    int nan;
};

#define PR_MASKS(isa)                                                                                                  \
    extern pr_keep_of_4_f32_fn pr_keep_of_4_f32_##isa;                                                                 \
    extern pr_keep_of_4_f64_fn pr_keep_of_4_f64_##isa;                                                                 \
    extern pr_split_f32_fn pr_split_f32_##isa;                                                                         \
    extern pr_split_f64_fn pr_split_f64_##isa;                                                                         \
    extern pr_keep_above_f32_fn pr_keep_above_f32_##isa;                                                               \
    extern pr_keep_above_f64_fn pr_keep_above_f64_##isa;
PR_MASKS(scalar)
PR_MASKS(avx2)
PR_MASKS(avx512)
#undef PR_MASKS

#define PR_MASKS_TABLE(isa)                                                                                            \
    .keep_of_4_f32 = pr_keep_of_4_f32_##isa, .keep_of_4_f64 = pr_keep_of_4_f64_##isa, .split_f32 = pr_split_f32_##isa, \
    .split_f64 = pr_split_f64_##isa, .keep_above_f32 = pr_keep_above_f32_##isa,                                        \
    .keep_above_f64 = pr_keep_above_f64_##isa

#endif
