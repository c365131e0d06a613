/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taps of a depthwise convolution: each is a weight and a place in a plane, from which its products run on. Taps that
 * share a mask stand together; a mask says for each product of a row whether x counts (all bits set) or is 0 (none).
 */
#ifndef PR_KERNELS_TAPS_H
#define PR_KERNELS_TAPS_H

#include "core/kernels/kernels.h"

struct pr_tap_group {
    int32_t count;
    int32_t mask; /* where its mask begins; -1 for none */
};

struct pr_taps {
    const struct pr_tap_group *groups;
    int64_t group_count;
    const int32_t *offsets;
    const float *weights;
    const uint32_t *masks;
    float scale, bias;
    int clamp;
    float least, most;
};

/* Floats beyond the last one that a tap names which may be read too. */
#define PR_TAP_SLACK 16

extern pr_taps_fn pr_taps_rows_scalar, pr_taps_rows_avx2, pr_taps_rows_neon;

#endif
