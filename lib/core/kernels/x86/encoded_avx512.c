/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values in 16 and 8 bits, and N:M of groups up to 16, in AVX-512.
 */
#include "core/kernels/encodings.h"
#include "core/kernels/tmpl/vec_avx512.h"

#include "core/kernels/tmpl/loops.h"

#define e_load_f16(from) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(from)))
#define e_load_bf16(from)                                                                                              \
    _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(from))), 16))
#define e_load_int8(from) _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(from))))
#define e_one_f16(from) _cvtsh_ss(*(from))

/* The columns of one group, again and again, and of them one for each lane by the low bits of its word. */
typedef vec window;

INLINE window w_load(const float *from, const int group_m)
{
    if (group_m == 2)
        return _mm512_castpd_ps(
            _mm512_broadcastsd_pd(_mm_castps_pd(_mm_loadl_pi(_mm_setzero_ps(), (const __m64 *)from))));
    if (group_m == 4)
        return v_four(from);
    if (group_m == 8)
        return _mm512_broadcast_f32x8(_mm256_loadu_ps(from));
    return _mm512_loadu_ps(from);
}

INLINE vec w_pick(window x, words at, const int group_m)
{
    return group_m <= 4 ? _mm512_permutevar_ps(x, at) : _mm512_permutexvar_ps(at, x);
}

#define WINDOWS windows_16
#define SET(encoding, name) SET_(encoding, name)
#define SET_(encoding, name) pr_##name##_##encoding##_avx512
#include "core/kernels/tmpl/encodings.h"
