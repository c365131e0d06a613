/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/x86/masks.h"

static inline __m256i magnitudes(const float *values)
{
    return _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(const void *)values), _mm256_set1_epi32(INT32_MAX));
}

static inline __m256i bits_of(float x)
{
    return _mm256_and_si256(_mm256_castps_si256(_mm256_set1_ps(x)), _mm256_set1_epi32(INT32_MAX));
}

static inline uint32_t lanes(__m256i mask)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(mask));
}

static inline uint32_t lanes_double(__m256d mask)
{
    return (uint32_t)_mm256_movemask_pd(mask);
}

/* ---- groups of four ---- */

int pr_keep_of_4_f32_avx2(uint64_t *words, const float *values, int64_t count, int keep_n)
{
    __m256i most = _mm256_setzero_si256();
    for (int64_t w = 0; w < count; w++) {
        uint64_t near = 0, far = 0;
        for (int i = 0; i < 64; i += 8, values += 8) {
            _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
            __m256i x = magnitudes(values);
            most = _mm256_max_epi32(most, x);
            near |= (uint64_t)lanes(_mm256_cmpgt_epi32(_mm256_shuffle_epi32(x, 0x24), _mm256_shuffle_epi32(x, 0xf9)))
                    << i;
            far |= (uint64_t)lanes(_mm256_cmpgt_epi32(_mm256_shuffle_epi32(x, 0x44), _mm256_shuffle_epi32(x, 0xee)))
                   << i;
        }
        words[w] = pr_of_4(near, far, keep_n);
    }
    return lanes(_mm256_cmpgt_epi32(most, bits_of(__builtin_inff()))) != 0;
}

int pr_keep_of_4_f64_avx2(uint64_t *words, const double *values, int64_t count, int keep_n)
{
    for (int64_t w = 0; w < count; w++) {
        uint64_t near = 0, far = 0;
        for (int i = 0; i < 64; i += 4, values += 4) {
            _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
            __m256d x = _mm256_loadu_pd(values);
            near |= (uint64_t)lanes_double(
                        _mm256_cmp_pd(_mm256_permute4x64_pd(x, 0x24), _mm256_permute4x64_pd(x, 0xf9), _CMP_GT_OQ))
                    << i;
            far |= (uint64_t)lanes_double(
                       _mm256_cmp_pd(_mm256_permute4x64_pd(x, 0x44), _mm256_permute4x64_pd(x, 0xee), _CMP_GT_OQ))
                   << i;
        }
        words[w] = pr_of_4(near, far, keep_n);
    }
    return 0;
}

/* ---- around a limit ---- */

void pr_split_f32_avx2(struct pr_split *split, float *kept, const float *values, int64_t count, float low, float high)
{
    __m256i least = bits_of(low), last = bits_of(high), most = _mm256_setzero_si256();
    int64_t below = 0, not_above = 0, n = split->between;
    for (; count >= 8; count -= 8, values += 8) {
        _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
        __m256i x = magnitudes(values), above = _mm256_cmpgt_epi32(x, least);
        uint32_t between = lanes(_mm256_andnot_si256(_mm256_cmpgt_epi32(x, last), above));
        most = _mm256_max_epi32(most, x);
        below += __builtin_popcount(lanes(_mm256_cmpgt_epi32(least, x)));
        not_above += 8 - __builtin_popcount(lanes(above));
        for (; between; between &= between - 1)
            kept[n++] = __builtin_fabsf(values[__builtin_ctz(between)]);
    }
    split->below += below;
    split->low += not_above - below;
    split->between = n;
    split->nan |= lanes(_mm256_cmpgt_epi32(most, bits_of(__builtin_inff()))) != 0;
    pr_split_f32_scalar(split, kept, values, count, low, high);
}

void pr_split_f64_avx2(struct pr_split *split, double *kept, const double *values, int64_t count, double low,
                       double high)
{
    __m256d least = _mm256_set1_pd(low), last = _mm256_set1_pd(high);
    int64_t below = 0, not_above = 0, n = split->between;
    for (; count >= 4; count -= 4, values += 4) {
        _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
        __m256d x = _mm256_loadu_pd(values), above = _mm256_cmp_pd(x, least, _CMP_GT_OQ);
        uint32_t between = lanes_double(_mm256_and_pd(above, _mm256_cmp_pd(x, last, _CMP_LE_OQ)));
        below += __builtin_popcount(lanes_double(_mm256_cmp_pd(x, least, _CMP_LT_OQ)));
        not_above += 4 - __builtin_popcount(lanes_double(above));
        for (; between; between &= between - 1)
            kept[n++] = values[__builtin_ctz(between)];
    }
    split->below += below;
    split->low += not_above - below;
    split->between = n;
    pr_split_f64_scalar(split, kept, values, count, low, high);
}

int64_t pr_keep_above_f32_avx2(uint64_t *words, const float *values, int64_t count, float limit)
{
    __m256i least = bits_of(limit);
    for (int64_t w = 0; w < count; w++) {
        uint64_t above = 0;
        __m256i equal = _mm256_setzero_si256();
        for (int i = 0; i < 64; i += 8, values += 8) {
            _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
            __m256i x = magnitudes(values);
            above |= (uint64_t)lanes(_mm256_cmpgt_epi32(x, least)) << i;
            equal = _mm256_or_si256(equal, _mm256_cmpeq_epi32(x, least));
        }
        if (lanes(equal))
            return w;
        words[w] = above;
    }
    return count;
}

int64_t pr_keep_above_f64_avx2(uint64_t *words, const double *values, int64_t count, double limit)
{
    __m256d least = _mm256_set1_pd(limit);
    for (int64_t w = 0; w < count; w++) {
        uint64_t above = 0;
        __m256d equal = _mm256_setzero_pd();
        for (int i = 0; i < 64; i += 4, values += 4) {
            _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
            __m256d x = _mm256_loadu_pd(values);
            above |= (uint64_t)lanes_double(_mm256_cmp_pd(x, least, _CMP_GT_OQ)) << i;
            equal = _mm256_or_pd(equal, _mm256_cmp_pd(x, least, _CMP_EQ_OQ));
        }
        if (lanes_double(equal))
            return w;
        words[w] = above;
    }
    return count;
}
