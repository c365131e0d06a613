/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The vector vocabulary in AVX-512: 16 floats.
 */
#ifndef PR_KERNELS_VEC_AVX512_H
#define PR_KERNELS_VEC_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define VL 16
#define MOST_VECTORS 8 /* accumulators of a row */
#define MOST_COLUMNS 4 /* columns of X that share a load of values */

typedef __m512 vec;
typedef __m512i words; /* one 32-bit word for each float */

#define v_zero() _mm512_setzero_ps()
#define v_all(value) _mm512_set1_ps(value)
#define v_load(from) _mm512_loadu_ps(from)
#define v_store(to, v) _mm512_storeu_ps(to, v)
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define v_add(a, b) _mm512_add_ps(a, b)
#define v_mul(a, b) _mm512_mul_ps(a, b)
#define v_words(from) _mm512_loadu_si512(from)
#define v_shift_right(w, bits) _mm512_srli_epi32(w, (unsigned)(bits))
/* Four floats, again and again; and of each four one, by the low two bits of a word. */
#define v_four(from) _mm512_broadcast_f32x4(_mm_loadu_ps(from))
#define v_pick_of_four(v, w) _mm512_permutevar_ps(v, w)

/* Of 32 floats one for each lane, by 5 bits of its word, the `step`-th five; a word holds six of them. */
#define PICK_BITS 5
#define PICK_STEPS 6
#define v_pick_of_two(a, b, w, step) _mm512_permutex2var_ps(a, v_shift_right(w, PICK_BITS *(step)), b)

/* What the bits name, 0 elsewhere. */
#define v_keep(v, bits) _mm512_maskz_mov_ps((__mmask16)(bits), v)

/* The first `count` floats; the rest is neither read nor written, and 0 when loaded. */
static inline vec v_load_some(const float *from, int64_t count)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
}

static inline void v_store_some(float *to, vec v, int64_t count)
{
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), v);
}

/* `least` for what is at most that, `most` for what is above that, NaN for NaN. */
static inline vec v_clamp(vec v, vec least, vec most)
{
    return _mm512_min_ps(most, _mm512_mask_mov_ps(least, _mm512_cmp_ps_mask(v, least, _CMP_NLE_UQ), v));
}

/* Every second float of two. */
static inline vec v_even(vec a, vec b)
{
    const __m512i at = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    return _mm512_permutex2var_ps(a, at, b);
}

static inline float v_sum(vec v)
{
    return _mm512_reduce_add_ps(v);
}

static inline __m256 v_halves(vec v)
{
    return _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
}

/* Four sums at once. */
static inline void v_sum_4(float *to, vec a, vec b, vec c, vec d)
{
    __m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(v_halves(a), v_halves(b)), _mm256_hadd_ps(v_halves(c), v_halves(d)));
    _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1)));
}

#endif
