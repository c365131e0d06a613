/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products whose X is picked by a permute out of a window of two vectors, instead of gathered. Include a
 * vocabulary first.
 */
#ifndef PR_KERNELS_PICKS_H
#define PR_KERNELS_PICKS_H

#include "core/kernels/kernels.h"
#include "core/kernels/tmpl/loops.h"

/* 2:4 with one pattern for 4 rows, lanes along the columns: one pick feeds four rows. */
static void nm24_by_4(float *sums, const float *x, const float *values, const uint32_t *positions, int64_t chunks)
{
    vec sum[4] = {v_zero(), v_zero(), v_zero(), v_zero()};
    for (; chunks >= PICK_STEPS; chunks -= PICK_STEPS, positions += VL) {
        words word = v_words(positions);
        UNROLL for (int s = 0; s < PICK_STEPS; s++, x += 2 * VL, values += 4 * VL)
        {
            vec picked = v_pick_of_two(v_load(x), v_load(x + VL), word, s);
            UNROLL for (int r = 0; r < 4; r++) sum[r] = v_fma(v_load(values + r * VL), picked, sum[r]);
        }
    }
    if (chunks > 0) {
        words word = v_words(positions);
        for (; chunks > 0; chunks--, x += 2 * VL, values += 4 * VL) {
            vec picked = v_pick_of_two(v_load(x), v_load(x + VL), word, 0);
            UNROLL for (int r = 0; r < 4; r++) sum[r] = v_fma(v_load(values + r * VL), picked, sum[r]);
            word = v_shift_right(word, PICK_BITS);
        }
    }
    v_sum_4(sums, sum[0], sum[1], sum[2], sum[3]);
}

INLINE vec window_step(vec sum, const float *from, words word, const int step, const float *values,
                       const uint16_t *kept, const int check)
{
    vec picked = v_pick_of_two(v_load(from), v_load(from + VL), word, step);
    if (check)
        picked = v_keep(picked, *kept);
    return v_fma(v_load(values), picked, sum);
}

/* A slice of VL rows, lanes along the rows. Two chains, because one alone waits for its own additions. */
INLINE void windows_slice(float *sums, const float *x, const uint16_t *starts, const float *values,
                          const uint32_t *positions, const uint16_t *kept, int64_t steps, const int check)
{
    vec sum[2] = {v_zero(), v_zero()};
    int64_t s = 0;
    for (; s + PICK_STEPS <= steps; s += PICK_STEPS, positions += VL, values += PICK_STEPS * VL) {
        words word = v_words(positions);
        UNROLL for (int t = 0; t < PICK_STEPS; t++)
        {
            sum[t % 2] =
                window_step(sum[t % 2], x + starts[s + t] * (int64_t)VL, word, t, values + t * VL, kept + s + t, check);
        }
    }
    if (s < steps) {
        words word = v_words(positions);
        for (; s < steps; s++, values += VL) {
            sum[0] = window_step(sum[0], x + starts[s] * (int64_t)VL, word, 0, values, kept + s, check);
            word = v_shift_right(word, PICK_BITS);
        }
    }
    v_store(sums, v_add(sum[0], sum[1]));
}

static void windows(float *sums, const float *x, const uint16_t *starts, const float *values, const uint32_t *positions,
                    const uint16_t *kept, int64_t steps, int finite)
{
    if (finite)
        windows_slice(sums, x, starts, values, positions, kept, steps, 0);
    else
        windows_slice(sums, x, starts, values, positions, kept, steps, 1);
}

#endif
