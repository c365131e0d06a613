/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights that are codes, and gaps between them, decoded where they are used; columns of W where X is not 0: AVX2.
 */
#include "core/kernels/tmpl/vec_avx2.h"

#include "core/kernels/encodings.h"
#include "core/kernels/tmpl/loops.h"

/* Eight steps of half a slice. The words of 4-bit numbers hold them all, of 8-bit numbers there are two. */
INLINE vec eight_steps(vec sum, words *at, const float *x, const uint32_t *gaps, const uint32_t *codes,
                       const float *codebook, const int gap_bits, const int code_bits)
{
    const words gap_mask = _mm256_set1_epi32((1 << gap_bits) - 1), code_mask = _mm256_set1_epi32((1 << code_bits) - 1);
    UNROLL for (int s = 0; s < 8; s++)
    {
        words gap = v_words(gaps + s * gap_bits / 32 * PR_LANES), code = v_words(codes + s * code_bits / 32 * PR_LANES);
        gap = _mm256_and_si256(v_shift_right(gap, s * gap_bits % 32), gap_mask);
        code = _mm256_and_si256(v_shift_right(code, s * code_bits % 32), code_mask);
        *at = _mm256_add_epi32(*at, gap);
        vec stored = _mm256_castsi256_ps(_mm256_cmpgt_epi32(code, _mm256_setzero_si256()));
        vec value = code_bits == 4 ? pick_of_two(v_load(codebook), v_load(codebook + 8), code)
                                   : _mm256_mask_i32gather_ps(v_zero(), codebook, code, stored, 4);
        vec picked = _mm256_mask_i32gather_ps(v_zero(), x + s, *at, stored, 4);
        sum = _mm256_blendv_ps(sum, v_fma(value, picked, sum), stored);
    }
    return sum;
}

INLINE void slice(float *sums, const float *x, const uint32_t *gaps, const uint32_t *codes, int64_t steps,
                  const float *codebook, const int gap_bits, const int code_bits)
{
    vec sum[2] = {v_zero(), v_zero()};
    words at[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()}; /* gaps alone: each step moves x on by one */
    for (; steps > 0; steps -= 8, x += 8) {
        UNROLL for (int h = 0; h < 2; h++) sum[h] =
            eight_steps(sum[h], &at[h], x, gaps + h * VL, codes + h * VL, codebook, gap_bits, code_bits);
        gaps += gap_bits / 4 * PR_LANES;
        codes += code_bits / 4 * PR_LANES;
    }
    v_store(sums, sum[0]);
    v_store(sums + VL, sum[1]);
}

void pr_codebook_slice_avx2(float *sums, const float *x, const uint32_t *gaps, const uint32_t *codes, int64_t steps,
                            const float *codebook, int gap_bits, int code_bits)
{
    if (gap_bits == 4 && code_bits == 4)
        slice(sums, x, gaps, codes, steps, codebook, 4, 4);
    else if (gap_bits == 4)
        slice(sums, x, gaps, codes, steps, codebook, 4, 8);
    else if (code_bits == 4)
        slice(sums, x, gaps, codes, steps, codebook, 8, 4);
    else
        slice(sums, x, gaps, codes, steps, codebook, 8, 8);
}

#define MOST_LISTED 256
#define AHEAD 4 /* columns of the list */

/* The list of columns comes first, so that no branch depends on X and the columns to come are known. */
void pr_columns_add_avx2(float *sums, const float *x, int64_t columns, const int64_t *starts, const uint16_t *rows,
                         const float *values)
{
    int32_t list[MOST_LISTED + AHEAD];
    for (int64_t first = 0; first < columns; first += MOST_LISTED) {
        int64_t end = columns - first < MOST_LISTED ? columns - first : MOST_LISTED, count = 0;
        for (int64_t k = 0; k < end; k++) {
            list[count] = (int32_t)k;
            count += x[first + k] != 0;
        }
        for (int i = 0; i < AHEAD; i++)
            list[count + i] = 0;
        for (int64_t i = 0; i < count; i++) {
            const int64_t *start = starts + first + list[i];
            const float one = x[first + list[i]];
            const int64_t ahead = starts[first + list[i + AHEAD]];
            __builtin_prefetch(values + ahead);
            __builtin_prefetch((const char *)(values + ahead) + 64);
            __builtin_prefetch(rows + ahead);
            int64_t e = start[0];
            for (; e + 4 <= start[1]; e += 4)
                UNROLL for (int u = 0; u < 4; u++) sums[rows[e + u]] =
                    __builtin_fmaf(values[e + u], one, sums[rows[e + u]]);
            for (; e < start[1]; e++)
                sums[rows[e]] = __builtin_fmaf(values[e], one, sums[rows[e]]);
        }
    }
}
