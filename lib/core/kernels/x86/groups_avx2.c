/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx2.h"

#define SINGLE_VECTORS 12
#define PAIR_VECTORS 6
#define QUAD_VECTORS 3
#include "core/kernels/tmpl/groups.h"

#define GROUP_CASES                                                                                                    \
    GROUP_CASE(single_vectors, 2)                                                                                      \
    GROUP_CASE(single_vectors, 4)                                                                                      \
    GROUP_CASE(single_vectors, 6)                                                                                      \
    GROUP_CASE(single_vectors, 8)                                                                                      \
    GROUP_CASE(single_vectors, 10)
GROUP_PANEL(pr_singles_panel_avx2, pr_singles_shifts_avx2, single_vectors, SINGLE_VECTORS)
#undef GROUP_CASES

#define GROUP_CASES                                                                                                    \
    GROUP_CASE(pair_vectors, 2)                                                                                        \
    GROUP_CASE(pair_vectors, 4)
GROUP_PANEL(pr_pairs_panel_avx2, pr_pairs_shifts_avx2, pair_vectors, PAIR_VECTORS)
#undef GROUP_CASES

#define GROUP_CASES                                                                                                    \
    GROUP_CASE(quad_vectors, 1)                                                                                        \
    GROUP_CASE(quad_vectors, 2)
GROUP_PANEL(pr_quads_panel_avx2, pr_quads_shifts_avx2, quad_vectors, QUAD_VECTORS)

/* Bits of each of four words: those of half a byte from a table, then bytes summed. */
static inline __m256i bits_of(__m256i words)
{
    const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2,
                                           2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    __m256i sum = _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(words, low)),
                                  _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(words, 4), low)));
    return _mm256_sad_epu8(sum, _mm256_setzero_si256());
}

int64_t pr_add_overlaps_avx2(uint64_t *scores, const uint64_t *masks, int64_t ld, int64_t words, int64_t count,
                             const uint64_t *mask)
{
    __m256i most = _mm256_setzero_si256();
    uint64_t best = 0, four[4];
    int64_t i = 0, at = 0;
    for (; i + 4 <= count; i += 4) {
        __m256i sum = _mm256_loadu_si256((const __m256i *)(scores + i));
        for (int64_t w = 0; w < words; w++)
            sum = _mm256_add_epi64(
                sum, bits_of(_mm256_and_si256(_mm256_set1_epi64x((long long)mask[w]),
                                              _mm256_loadu_si256((const __m256i *)(masks + w * ld + i)))));
        _mm256_storeu_si256((__m256i *)(scores + i), sum);
        most = _mm256_blendv_epi8(most, sum, _mm256_cmpgt_epi64(sum, most));
    }
    _mm256_storeu_si256((__m256i *)four, most);
    for (int k = 0; k < 4; k++)
        best = four[k] > best ? four[k] : best;
    for (; i < count; i++) {
        for (int64_t w = 0; w < words; w++)
            scores[i] += (uint64_t)__builtin_popcountll(mask[w] & masks[w * ld + i]);
        best = scores[i] > best ? scores[i] : best;
    }
    while (at < count && scores[at] != best)
        at++;
    return at;
}
