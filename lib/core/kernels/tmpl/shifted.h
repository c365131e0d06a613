/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sparse rows against shifts of one run of floats. Include a vocabulary first, and say how many vectors of sums there
 * are registers for: SHIFTED_VECTORS.
 */
#ifndef PR_KERNELS_SHIFTED_H
#define PR_KERNELS_SHIFTED_H

#include "core/kernels/kernels.h"
#include "core/kernels/tmpl/loops.h"

/* `count` vectors of a tile, beginning at `first`, for all runs. */
INLINE void shifted_vectors(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                            const uint32_t *starts, const float *values, int64_t first, const int count)
{
    x += first;
    sums += first;
    for (int64_t r = 0; r < run_count; r++) {
        float *to = sums + runs[r].row * tile;
        vec sum[SHIFTED_VECTORS];
        UNROLL for (int i = 0; i < count; i++) sum[i] = v_load(to + i * VL);
        for (uint32_t e = runs[r].count; e > 0; e--) {
            const float *from = x + *starts++;
            HIDE(from);
            vec value = v_all(*values++);
            UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(value, v_load(from + i * VL), sum[i]);
        }
        UNROLL for (int i = 0; i < count; i++) v_store(to + i * VL, sum[i]);
    }
}

static void shifted_panel(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                          const uint32_t *starts, const float *values)
{
    int64_t vectors = tile / VL, passes = (vectors + SHIFTED_VECTORS - 1) / SHIFTED_VECTORS;
    for (int64_t first = 0; passes > 0; passes--) {
        int64_t count = (vectors + passes - 1) / passes;
        switch (count) {
#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        shifted_vectors(sums, tile, x, runs, run_count, starts, values, first, n);                                     \
        break;
            CASE(1)
            CASE(2)
            CASE(3)
            CASE(4)
            CASE(5)
            CASE(6)
            CASE(7)
            CASE(8)
            CASE(9)
            CASE(10)
            CASE(11)
            CASE(12)
            CASE(13)
            CASE(14)
#undef CASE
        default:
            break;
        }
        first += count * VL;
        vectors -= count;
    }
}

#endif
