/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The vector vocabulary in Advanced SIMD of 64-bit Arm: 4 floats, 32 registers.
 */
#ifndef PR_KERNELS_VEC_NEON_H
#define PR_KERNELS_VEC_NEON_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#include "core/kernels/tmpl/loops.h"

#define VL 4
#define MOST_VECTORS 8
#define MOST_COLUMNS 4

typedef float32x4_t vec;
typedef uint32x4_t words;

#define v_zero() vdupq_n_f32(0.0f)
#define v_all(value) vdupq_n_f32(value)
#define v_load(from) vld1q_f32(from)
#define v_store(to, v) vst1q_f32(to, v)
#define v_fma(a, b, c) vfmaq_f32(c, a, b)
#define v_add(a, b) vaddq_f32(a, b)
#define v_mul(a, b) vmulq_f32(a, b)
#define v_words(from) vld1q_u32(from)
#define v_shift_right(w, bits) vshlq_u32(w, vdupq_n_s32(-(int)(bits)))
#define v_four(from) vld1q_f32(from)
#define v_bits(from) vreinterpretq_f32_u32(v_words(from))
#define v_and(a, b) vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), vreinterpretq_u32_f32(b)))

/* The bytes of a float are 4 p to 4 p + 3 of its table. */
static inline vec v_pick_of_four(vec v, words w)
{
    words at = vaddq_u32(vmulq_u32(vandq_u32(w, vdupq_n_u32(3)), vdupq_n_u32(0x04040404)), vdupq_n_u32(0x03020100));
    return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(v), vreinterpretq_u8_u32(at)));
}

/* There are no masked loads: what is not there is not touched. */
static inline vec v_load_some(const float *from, int64_t count)
{
    float four[VL] = {0};
    memcpy(four, from, (size_t)count * sizeof *from);
    return v_load(four);
}

static inline void v_store_some(float *to, vec v, int64_t count)
{
    float four[VL];
    v_store(four, v);
    memcpy(to, four, (size_t)count * sizeof *to);
}

/* Maximum and minimum give NaN for NaN, and +0 is greater than -0. */
static inline vec v_clamp(vec v, vec least, vec most)
{
    return vminq_f32(vmaxq_f32(v, least), most);
}

/* Every second float of two. */
static inline vec v_even(vec a, vec b)
{
    return vuzp1q_f32(a, b);
}

static inline float v_sum(vec v)
{
    return vaddvq_f32(v);
}

static inline void v_sum_4(float *to, vec a, vec b, vec c, vec d)
{
    v_store(to, vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d)));
}

/* Four rows of four. */
INLINE void v_transpose(vec row[VL])
{
    float32x4x2_t low = vtrnq_f32(row[0], row[1]), high = vtrnq_f32(row[2], row[3]);
    row[0] = vcombine_f32(vget_low_f32(low.val[0]), vget_low_f32(high.val[0]));
    row[1] = vcombine_f32(vget_low_f32(low.val[1]), vget_low_f32(high.val[1]));
    row[2] = vcombine_f32(vget_high_f32(low.val[0]), vget_high_f32(high.val[0]));
    row[3] = vcombine_f32(vget_high_f32(low.val[1]), vget_high_f32(high.val[1]));
}

/* The same of four rows in memory. */
INLINE void v_load_turned(vec row[VL], const float *from, int64_t ld)
{
    UNROLL for (int i = 0; i < VL; i++) row[i] = v_load(from + i * ld);
    v_transpose(row);
}

#endif
