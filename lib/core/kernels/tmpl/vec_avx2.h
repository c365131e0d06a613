/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The vector vocabulary in AVX2 and FMA: 8 floats.
 */
#ifndef PR_KERNELS_VEC_AVX2_H
#define PR_KERNELS_VEC_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#include "core/kernels/tmpl/loops.h"

#define VL 8
#define MOST_VECTORS 8
#define MOST_COLUMNS 2

typedef __m256 vec;
typedef __m256i words;

#define v_zero() _mm256_setzero_ps()
#define v_all(value) _mm256_set1_ps(value)
#define v_load(from) _mm256_loadu_ps(from)
#define v_store(to, v) _mm256_storeu_ps(to, v)
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_add(a, b) _mm256_add_ps(a, b)
#define v_mul(a, b) _mm256_mul_ps(a, b)
#define v_words(from) _mm256_loadu_si256((const __m256i *)(from))
#define v_shift_right(w, bits) _mm256_srli_epi32(w, bits)
#define v_four(from) _mm256_broadcast_ps((const __m128 *)(from))
#define v_pick_of_four(v, w) _mm256_permutevar_ps(v, w)

/* Of 16 floats one for each lane, by 4 bits of its word; a word holds eight of them. */
#define PICK_BITS 4
#define PICK_STEPS 8
#define v_pick_of_two(a, b, w, step) pick_of_two(a, b, v_shift_right(w, PICK_BITS *(step)))

static inline vec pick_of_two(vec a, vec b, words at)
{
#ifdef __AVX512VL__ /* these layouts on a CPU that has more */
    return _mm256_permutex2var_ps(a, at, b);
#else
    vec low = _mm256_permutevar8x32_ps(a, at), high = _mm256_permutevar8x32_ps(b, at);
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(at, 28)));
#endif
}

static inline vec v_keep(vec v, unsigned bits)
{
    const __m256i lane = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i named = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)bits), lane), lane);
    return _mm256_and_ps(_mm256_castsi256_ps(named), v);
}

static inline __m256i v_first(int64_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vec v_load_some(const float *from, int64_t count)
{
    return _mm256_maskload_ps(from, v_first(count));
}

static inline void v_store_some(float *to, vec v, int64_t count)
{
    _mm256_maskstore_ps(to, v_first(count), v);
}

/* Words as the floats whose bits they are, and what two have in common. */
#define v_bits(from) _mm256_castsi256_ps(v_words(from))
#define v_and(a, b) _mm256_and_ps(a, b)

/* `min` gives its second operand where either is NaN. */
static inline vec v_clamp(vec v, vec least, vec most)
{
    return _mm256_min_ps(most, _mm256_blendv_ps(least, v, _mm256_cmp_ps(v, least, _CMP_NLE_UQ)));
}

/* Eight rows of eight. */
INLINE void v_transpose(vec row[VL])
{
    vec a[8], b[8];
    UNROLL for (int i = 0; i < 8; i += 2)
    {
        a[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        a[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    UNROLL for (int i = 0; i < 8; i += 4)
    {
        b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
        b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++)
    {
        row[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
        row[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
    }
}

/* The same of eight rows in memory: halves of rows are put together as they are loaded, which spares shuffles. */
INLINE void v_load_turned(vec row[VL], const float *from, int64_t ld)
{
    UNROLL for (int half = 0; half < 2; half++, row += 4, from += 4)
    {
        vec a[4];
        UNROLL for (int i = 0; i < 4; i++) row[i] = _mm256_insertf128_ps(
            _mm256_castps128_ps256(_mm_loadu_ps(from + i * ld)), _mm_loadu_ps(from + (i + 4) * ld), 1);
        UNROLL for (int i = 0; i < 4; i += 2)
        {
            a[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
            a[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
        }
        row[0] = _mm256_shuffle_ps(a[0], a[2], 0x44);
        row[1] = _mm256_shuffle_ps(a[0], a[2], 0xee);
        row[2] = _mm256_shuffle_ps(a[1], a[3], 0x44);
        row[3] = _mm256_shuffle_ps(a[1], a[3], 0xee);
    }
}

/* Every second float of two. */
static inline vec v_even(vec a, vec b)
{
    __m256d halves = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(halves, 0xd8));
}

static inline float v_sum(vec v)
{
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

/* Four sums at once. */
static inline void v_sum_4(float *to, vec a, vec b, vec c, vec d)
{
    vec pairs = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1)));
}

#endif
