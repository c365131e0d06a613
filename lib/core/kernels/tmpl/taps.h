/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Depthwise convolution of rows, lanes along a row. Include a vocabulary first, which must have v_and.
 */
#ifndef PR_KERNELS_TMPL_TAPS_H
#define PR_KERNELS_TMPL_TAPS_H

#include <string.h>

#include "core/kernels/taps.h"
#include "core/kernels/tmpl/loops.h"

#define TAP_VECTORS 8

/* `count` vectors of a row, `at` floats into it. */
INLINE void taps_block(const struct pr_taps *taps, const float *x, int64_t at, vec sum[TAP_VECTORS], const int count)
{
    const int32_t *offset = taps->offsets;
    const float *weight = taps->weights;
    const struct pr_tap_group *group = taps->groups, *end = group + taps->group_count;
    x += at;
    UNROLL for (int i = 0; i < count; i++) sum[i] = v_zero();
    for (; group < end; group++) {
        int32_t left = group->count;
        if (group->mask < 0) {
            for (; left > 0; left--) {
                const float *from = x + *offset++;
                vec one = v_all(*weight++);
                HIDE(from);
                UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(one, v_load(from + i * VL), sum[i]);
            }
            continue;
        }
        const uint32_t *bits = taps->masks + group->mask + at;
        vec mask[TAP_VECTORS];
        UNROLL for (int i = 0; i < count; i++) mask[i] = v_bits(bits + i * VL);
        for (; left > 0; left--) {
            const float *from = x + *offset++;
            vec one = v_all(*weight++);
            HIDE(from);
            UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(one, v_and(mask[i], v_load(from + i * VL)), sum[i]);
        }
    }
    vec scale = v_all(taps->scale), bias = v_all(taps->bias);
    UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(scale, sum[i], bias);
    if (taps->clamp) {
        vec least = v_all(taps->least), most = v_all(taps->most);
        UNROLL for (int i = 0; i < count; i++) sum[i] = v_clamp(sum[i], least, most);
    }
}

INLINE void taps_store(const struct pr_taps *taps, float *y, const float *x, int64_t at, const int count)
{
    vec sum[TAP_VECTORS];
    taps_block(taps, x, at, sum, count);
    UNROLL for (int i = 0; i < count; i++) v_store(y + at + i * VL, sum[i]);
}

/* What is left of a row when whole blocks are done, in whole vectors: the last one ends with the row, over numbers that
 * it computes again. */
INLINE void taps_rest(const struct pr_taps *taps, float *y, const float *x, int64_t at, int64_t n)
{
    switch ((n - at) / VL) {
#define CASE(count)                                                                                                    \
    case count:                                                                                                        \
        taps_store(taps, y, x, at, count);                                                                             \
        break;
        CASE(1)
        CASE(2)
        CASE(3)
#if TAP_BLOCK > 4
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
#endif
#undef CASE
    default:
        break;
    }
    if ((n - at) % VL)
        taps_store(taps, y, x, n - VL, 1);
}

/* Whether all taps of 3 x 3 are there: without masks, or all but the middle column with one. */
static inline int is_three_by_three(const struct pr_taps *taps, int *masked)
{
    const struct pr_tap_group *g = taps->groups;
    *masked = taps->group_count == 3 && g[0].mask >= 0;
    return taps->group_count == 3 && g[0].count == 3 && g[1].count == 3 && g[2].count == 3 && g[1].mask < 0 &&
           (g[2].mask >= 0) == *masked;
}

/* A vector at a time, weights in registers. */
INLINE void three_by_three(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, int64_t n,
                           const struct pr_taps *taps, const int masked)
{
    const uint32_t *left = taps->masks + (masked ? taps->groups[0].mask : 0);
    const uint32_t *right = taps->masks + (masked ? taps->groups[2].mask : 0);
    const vec scale = v_all(taps->scale), bias = v_all(taps->bias), least = v_all(taps->least),
              most = v_all(taps->most);
    const int clamp = taps->clamp;
    vec weight[9];
    UNROLL for (int t = 0; t < 9; t++) weight[t] = v_all(taps->weights[t]);
    for (int64_t i = 0; i < rows; i++, y += ldy, x += ldx) {
        const float *from[9];
        UNROLL for (int t = 0; t < 9; t++) from[t] = x + taps->offsets[t];
        for (int64_t at = 0; at < n; at += VL) {
            at = at > n - VL ? n - VL : at;
            vec sum = v_zero();
            UNROLL for (int v = 0; v < 3; v++)
            {
                vec a = v_load(from[3 * v] + at), b = v_load(from[3 * v + 1] + at), c = v_load(from[3 * v + 2] + at);
                if (masked && v != 1) {
                    vec mask = v_bits((v == 0 ? left : right) + at);
                    a = v_and(mask, a), b = v_and(mask, b), c = v_and(mask, c);
                }
                sum = v_fma(weight[3 * v], a, sum);
                sum = v_fma(weight[3 * v + 1], b, sum);
                sum = v_fma(weight[3 * v + 2], c, sum);
            }
            sum = v_fma(scale, sum, bias);
            v_store(y + at, clamp ? v_clamp(sum, least, most) : sum);
        }
    }
}

static void taps_rows(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, int64_t n,
                      const struct pr_taps *taps)
{
    int masked = 0;
    if (n >= VL && is_three_by_three(taps, &masked)) {
        if (masked)
            three_by_three(y, ldy, x, ldx, rows, n, taps, 1);
        else
            three_by_three(y, ldy, x, ldx, rows, n, taps, 0);
        return;
    }
    for (int64_t i = 0; i < rows; i++, y += ldy, x += ldx) {
        if (n < VL) {
            vec sum[TAP_VECTORS];
            taps_block(taps, x, 0, sum, 1);
            v_store_some(y, sum[0], n);
            continue;
        }
        int64_t at = 0;
        for (; at + TAP_BLOCK * VL <= n; at += TAP_BLOCK * VL)
            taps_store(taps, y, x, at, TAP_BLOCK);
        taps_rest(taps, y, x, at, n);
    }
}

#endif
