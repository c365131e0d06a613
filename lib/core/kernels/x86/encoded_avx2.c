/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values in 16 and 8 bits, and N:M of groups up to 16, in AVX2 with F16C.
 */
#include "core/kernels/encodings.h"
#include "core/kernels/tmpl/vec_avx2.h"

#include "core/kernels/tmpl/loops.h"

#define e_load_f16(from) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from)))
#define e_load_bf16(from)                                                                                              \
    _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(from))), 16))
#define e_load_int8(from) _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(from))))
#define e_one_f16(from) _cvtsh_ss(*(from))

/* The columns of one group, again and again, and of them one for each lane by the low bits of its word. */
typedef struct {
    vec low, high; /* high for groups of 16 alone */
} window;

INLINE window w_load(const float *from, const int group_m)
{
    if (group_m == 2)
        return (window){
            _mm256_castpd_ps(_mm256_broadcastsd_pd(_mm_castps_pd(_mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)from)))),
            v_zero()};
    if (group_m == 4)
        return (window){v_four(from), v_zero()};
    return (window){v_load(from), group_m == 8 ? v_zero() : v_load(from + 8)};
}

INLINE vec w_pick(window x, words at, const int group_m)
{
    if (group_m <= 4)
        return _mm256_permutevar_ps(x.low, at);
    return group_m == 8 ? _mm256_permutevar8x32_ps(x.low, at) : pick_of_two(x.low, x.high, at);
}

#define WINDOWS windows_8
#define SET(encoding, name) SET_(encoding, name)
#define SET_(encoding, name) pr_##name##_##encoding##_avx2
#include "core/kernels/tmpl/encodings.h"
