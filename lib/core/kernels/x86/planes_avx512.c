/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows of whole vectors (or one half at the end) are written aligned, zeros and all: what is outside the image is
 * masked out of the loads. Stores that straddle cache lines would cost more than all the rest.
 */
#include "core/kernels/tmpl/vec_avx512.h"

#include "core/kernels/shifted.h"
#include "core/kernels/tmpl/planes.h"

#define MOST_BLOCKS 8

/* `blocks` vectors of a row, and half of one where `half`. */
INLINE void masked_planes(float *to, int64_t to_step, const float *from, int64_t from_step, int64_t count,
                          const struct pr_shift *shift, const int blocks, const int half)
{
    const struct pr_shift s = *shift;
    __mmask16 inside[MOST_BLOCKS + 1];
    for (int b = 0; b < blocks + half; b++) {
        int64_t low = s.begin - 16 * b, high = s.end - 16 * b;
        low = low < 0 ? 0 : low > 16 ? 16 : low;
        high = high < low ? low : high > 16 ? 16 : high;
        inside[b] = (__mmask16)(((1u << high) - 1) & ~((1u << low) - 1));
    }
    for (int64_t p = 0; p < count; p++) {
        float *row = to + p * to_step;
        const float *x = from + p * from_step - s.begin;
        zero_floats(row, s.top * s.width);
        row += s.top * s.width;
        for (int64_t i = 0; i < s.rows; i++, row += s.width, x += s.ld) {
            UNROLL for (int b = 0; b < blocks; b++) v_store(row + 16 * b, _mm512_maskz_loadu_ps(inside[b], x + 16 * b));
            if (half)
                _mm256_storeu_ps(row + 16 * blocks, _mm256_maskz_loadu_ps((__mmask8)inside[blocks], x + 16 * blocks));
        }
        zero_floats(row, s.bottom * s.width);
    }
}

void pr_shift_planes_avx512(float *to, int64_t to_step, const float *from, int64_t from_step, int64_t count,
                            const struct pr_shift *shift)
{
    int kind = shift->stride == 1 && shift->width % 8 == 0 && shift->width <= 64 ? (int)(shift->width / 8) : 0;
    switch (kind) {
#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        masked_planes(to, to_step, from, from_step, count, shift, n / 2, n % 2);                                       \
        break;
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
#undef CASE
    default:
        shift_planes(to, to_step, from, from_step, count, shift);
        break;
    }
}
