/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/x86/masks.h"

static inline __m512i magnitudes(const float *values)
{
    _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
    return _mm512_and_si512(_mm512_loadu_si512(values), _mm512_set1_epi32(INT32_MAX));
}

static inline __m512i bits_of(float x)
{
    return _mm512_and_si512(_mm512_castps_si512(_mm512_set1_ps(x)), _mm512_set1_epi32(INT32_MAX));
}

/* ---- groups of four ---- */

int pr_keep_of_4_f32_avx512(uint64_t *words, const float *values, int64_t count, int keep_n)
{
    __m512i most = _mm512_setzero_si512();
    for (int64_t w = 0; w < count; w++) {
        uint64_t near = 0, far = 0;
        for (int i = 0; i < 64; i += 16, values += 16) {
            __m512i x = magnitudes(values);
            most = _mm512_max_epi32(most, x);
            near |= (uint64_t)_mm512_cmpgt_epi32_mask(_mm512_shuffle_epi32(x, 0x24), _mm512_shuffle_epi32(x, 0xf9))
                    << i;
            far |= (uint64_t)_mm512_cmpgt_epi32_mask(_mm512_shuffle_epi32(x, 0x44), _mm512_shuffle_epi32(x, 0xee)) << i;
        }
        words[w] = pr_of_4(near, far, keep_n);
    }
    return _mm512_cmpgt_epi32_mask(most, bits_of(__builtin_inff())) != 0;
}

int pr_keep_of_4_f64_avx512(uint64_t *words, const double *values, int64_t count, int keep_n)
{
    for (int64_t w = 0; w < count; w++) {
        uint64_t near = 0, far = 0;
        for (int i = 0; i < 64; i += 8, values += 8) {
            _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
            __m512d x = _mm512_loadu_pd(values);
            near |= (uint64_t)_mm512_cmp_pd_mask(_mm512_permutex_pd(x, 0x24), _mm512_permutex_pd(x, 0xf9), _CMP_GT_OQ)
                    << i;
            far |= (uint64_t)_mm512_cmp_pd_mask(_mm512_permutex_pd(x, 0x44), _mm512_permutex_pd(x, 0xee), _CMP_GT_OQ)
                   << i;
        }
        words[w] = pr_of_4(near, far, keep_n);
    }
    return 0;
}

/* ---- around a limit ---- */

void pr_split_f32_avx512(struct pr_split *split, float *kept, const float *values, int64_t count, float low, float high)
{
    __m512i least = bits_of(low), last = bits_of(high), most = _mm512_setzero_si512();
    int64_t below = 0, not_above = 0, n = split->between;
    for (; count >= 16; count -= 16, values += 16) {
        __m512i x = magnitudes(values);
        __mmask16 above = _mm512_cmpgt_epi32_mask(x, least);
        __mmask16 between = _mm512_mask_cmple_epi32_mask(above, x, last);
        most = _mm512_max_epi32(most, x);
        below += __builtin_popcount(_mm512_cmplt_epi32_mask(x, least));
        not_above += 16 - __builtin_popcount(above);
        _mm512_storeu_si512(kept + n, _mm512_maskz_compress_epi32(between, x));
        n += __builtin_popcount(between);
    }
    split->below += below;
    split->low += not_above - below;
    split->between = n;
    split->nan |= _mm512_cmpgt_epi32_mask(most, bits_of(__builtin_inff())) != 0;
    pr_split_f32_scalar(split, kept, values, count, low, high);
}

void pr_split_f64_avx512(struct pr_split *split, double *kept, const double *values, int64_t count, double low,
                         double high)
{
    __m512d least = _mm512_set1_pd(low), last = _mm512_set1_pd(high);
    int64_t below = 0, not_above = 0, n = split->between;
    for (; count >= 8; count -= 8, values += 8) {
        _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
        __m512d x = _mm512_loadu_pd(values);
        __mmask8 above = _mm512_cmp_pd_mask(x, least, _CMP_GT_OQ);
        __mmask8 between = _mm512_mask_cmp_pd_mask(above, x, last, _CMP_LE_OQ);
        below += __builtin_popcount(_mm512_cmp_pd_mask(x, least, _CMP_LT_OQ));
        not_above += 8 - __builtin_popcount(above);
        _mm512_storeu_pd(kept + n, _mm512_maskz_compress_pd(between, x));
        n += __builtin_popcount(between);
    }
    split->below += below;
    split->low += not_above - below;
    split->between = n;
    pr_split_f64_scalar(split, kept, values, count, low, high);
}

int64_t pr_keep_above_f32_avx512(uint64_t *words, const float *values, int64_t count, float limit)
{
    __m512i least = bits_of(limit);
    for (int64_t w = 0; w < count; w++) {
        uint64_t above = 0;
        __mmask16 equal = 0;
        for (int i = 0; i < 64; i += 16, values += 16) {
            __m512i x = magnitudes(values);
            above |= (uint64_t)_mm512_cmpgt_epi32_mask(x, least) << i;
            equal |= _mm512_cmpeq_epi32_mask(x, least);
        }
        if (equal)
            return w;
        words[w] = above;
    }
    return count;
}

int64_t pr_keep_above_f64_avx512(uint64_t *words, const double *values, int64_t count, double limit)
{
    __m512d least = _mm512_set1_pd(limit);
    for (int64_t w = 0; w < count; w++) {
        uint64_t above = 0;
        __mmask8 equal = 0;
        for (int i = 0; i < 64; i += 8, values += 8) {
            _mm_prefetch((const char *)values + PR_AHEAD, _MM_HINT_T0);
            __m512d x = _mm512_loadu_pd(values);
            above |= (uint64_t)_mm512_cmp_pd_mask(x, least, _CMP_GT_OQ) << i;
            equal |= _mm512_cmp_pd_mask(x, least, _CMP_EQ_OQ);
        }
        if (equal)
            return w;
        words[w] = above;
    }
    return count;
}
