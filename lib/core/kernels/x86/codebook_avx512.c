/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights that are codes, and gaps between them, decoded where they are used: AVX-512.
 */
#include <immintrin.h>

#include "core/kernels/encodings.h"
#include "core/kernels/tmpl/loops.h"

/* Eight steps. The words of 4-bit numbers hold them all, of 8-bit numbers there are two. */
INLINE __m512 eight_steps(__m512 sum, __m512i *at, const float *x, const uint32_t *gaps, const uint32_t *codes,
                          const float *codebook, const int gap_bits, const int code_bits)
{
    const __m512i gap_mask = _mm512_set1_epi32((1 << gap_bits) - 1),
                  code_mask = _mm512_set1_epi32((1 << code_bits) - 1);
    UNROLL for (int s = 0; s < 8; s++)
    {
        __m512i gap = _mm512_loadu_si512(gaps + s * gap_bits / 32 * PR_LANES);
        __m512i code = _mm512_loadu_si512(codes + s * code_bits / 32 * PR_LANES);
        gap = _mm512_and_si512(_mm512_srli_epi32(gap, (unsigned)(s * gap_bits % 32)), gap_mask);
        code = _mm512_and_si512(_mm512_srli_epi32(code, (unsigned)(s * code_bits % 32)), code_mask);
        *at = _mm512_add_epi32(*at, gap);
        __mmask16 stored = _mm512_test_epi32_mask(code, code);
        __m512 value = code_bits == 4 ? _mm512_permutexvar_ps(code, _mm512_loadu_ps(codebook))
                                      : _mm512_mask_i32gather_ps(_mm512_setzero_ps(), stored, code, codebook, 4);
        __m512 picked = _mm512_mask_i32gather_ps(_mm512_setzero_ps(), stored, *at, x + s, 4);
        sum = _mm512_mask3_fmadd_ps(value, picked, sum, stored);
    }
    return sum;
}

INLINE void slice(float *sums, const float *x, const uint32_t *gaps, const uint32_t *codes, int64_t steps,
                  const float *codebook, const int gap_bits, const int code_bits)
{
    __m512 sum = _mm512_setzero_ps();
    __m512i at = _mm512_setzero_si512(); /* gaps alone: each step moves x on by one */
    for (; steps > 0; steps -= 8, x += 8) {
        sum = eight_steps(sum, &at, x, gaps, codes, codebook, gap_bits, code_bits);
        gaps += gap_bits / 4 * PR_LANES;
        codes += code_bits / 4 * PR_LANES;
    }
    _mm512_storeu_ps(sums, sum);
}

void pr_codebook_slice_avx512(float *sums, const float *x, const uint32_t *gaps, const uint32_t *codes, int64_t steps,
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
