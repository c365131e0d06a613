/* SPDX-License-Identifier: BSD-2-Clause
 *
 * X in, where rows stay rows, and a look at it. Include a vocabulary first.
 */
#ifndef PR_KERNELS_MOVES_H
#define PR_KERNELS_MOVES_H

#include "core/kernels/kernels.h"

static void pack_x_copy(float *to, int64_t width, const float *from, int64_t ld, int64_t m, int64_t n)
{
    for (int64_t i = 0; i < m; i++, to += width, from += ld) {
        int64_t j = 0;
        for (; j + VL <= n; j += VL)
            v_store(to + j, v_load(from + j));
        if (j < n) {
            vec rest = v_load_some(from + j, n - j);
            if (j + VL <= width) {
                v_store(to + j, rest);
                j += VL;
            } else {
                v_store_some(to + j, rest, n - j);
                j = n;
            }
        }
        for (; j + VL <= width; j += VL)
            v_store(to + j, v_zero());
        if (j < width)
            v_store_some(to + j, v_zero(), width - j);
    }
}

/* x * 0 is 0 for every finite x, NaN for the others. */
static int all_finite(const float *x, int64_t count)
{
    vec zeros[2] = {v_zero(), v_zero()};
    int64_t i = 0;
    for (; i + 2 * VL <= count; i += 2 * VL) {
        zeros[0] = v_fma(v_load(x + i), v_zero(), zeros[0]);
        zeros[1] = v_fma(v_load(x + i + VL), v_zero(), zeros[1]);
    }
    for (; i < count; i += VL)
        zeros[0] = v_fma(v_load_some(x + i, count - i < VL ? count - i : VL), v_zero(), zeros[0]);
    float sum = v_sum(v_add(zeros[0], zeros[1]));
    return sum == 0.0f;
}

#endif
