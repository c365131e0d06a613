/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values without gaps are expanded into their lanes. The expand is kept from reading memory itself: in that shape it is
 * many times slower on some cores.
 */
#include "core/kernels/tmpl/vec_avx512.h"

#include "core/kernels/gapless.h"
#include "core/kernels/tmpl/loops.h"

INLINE vec expand(const float *values, __mmask16 lanes)
{
    vec loaded = v_load(values);
    __asm__("" : "+v"(loaded));
    return _mm512_maskz_expand_ps(lanes, loaded);
}

/* Lanes that have nothing keep their sums, whatever X is. */
INLINE vec tight_step(vec sum, const float *from, words word, const int step, const float *values, unsigned kept)
{
    vec picked = v_pick_of_two(v_load(from), v_load(from + VL), word, step);
    return _mm512_mask3_fmadd_ps(expand(values, (__mmask16)kept), picked, sum, (__mmask16)kept);
}

void pr_windows_tight_avx512(float *sums, const float *x, const uint16_t *starts, const float *values,
                             const uint32_t *positions, const uint16_t *kept, int64_t steps, int finite)
{
    (void)finite;
    vec sum[2] = {v_zero(), v_zero()};
    int64_t s = 0;
    for (; s + PICK_STEPS <= steps; s += PICK_STEPS, positions += VL) {
        words word = v_words(positions);
        PR_FETCH(positions, PR_FETCH_WORDS);
        PR_FETCH(starts + s, PR_FETCH_WORDS);
        PR_FETCH(kept + s, PR_FETCH_WORDS);
        UNROLL for (int t = 0; t < PICK_STEPS; t++)
        {
            unsigned bits = kept[s + t];
            PR_FETCH(values, PR_FETCH_VALUES);
            sum[t % 2] = tight_step(sum[t % 2], x + starts[s + t] * (int64_t)VL, word, t, values, bits);
            values += __builtin_popcount(bits);
        }
    }
    if (s < steps) {
        words word = v_words(positions);
        for (; s < steps; s++) {
            unsigned bits = kept[s];
            PR_FETCH(values, PR_FETCH_VALUES);
            sum[0] = tight_step(sum[0], x + starts[s] * (int64_t)VL, word, 0, values, bits);
            values += __builtin_popcount(bits);
            word = v_shift_right(word, PICK_BITS);
        }
    }
    v_store(sums, v_add(sum[0], sum[1]));
}

/* Half of a mask straight from memory: compilers take it out of a register, which costs three instructions more. */
INLINE __mmask16 mask_at(const uint32_t *mask, int half)
{
    const char(*bytes)[2] = (const char(*)[2])mask;
    __mmask16 bits;
    __asm__("kmovw %1, %0" : "=k"(bits) : "m"(bytes[half]));
    return bits;
}

/* Where X may not be finite, lanes that have nothing keep their sums. */
INLINE vec bitmap_step(vec sum, const float *values, __mmask16 bits, vec x, const int check)
{
    vec value = expand(values, bits);
    return check ? _mm512_mask3_fmadd_ps(value, x, sum, bits) : v_fma(value, x, sum);
}

INLINE void bitmap_block(float *sums, const float *x, const uint32_t *masks, const float *values, int64_t blocks,
                         const int check)
{
    vec sum[PR_BITMAP_ROWS];
    UNROLL for (int r = 0; r < PR_BITMAP_ROWS; r++) sum[r] = v_zero();
    for (int64_t b = 0; b < blocks; b++, x += PR_BITMAP_COLUMNS, masks += PR_BITMAP_ROWS) {
        vec low = v_load(x), high = v_load(x + VL);
        PR_FETCH(masks, PR_FETCH_WORDS);
        UNROLL for (int r = 0; r < PR_BITMAP_ROWS; r++)
        {
            const float *second = values + __builtin_popcount(masks[r] << 16);
            PR_FETCH(values, PR_FETCH_VALUES);
            sum[r] = bitmap_step(sum[r], values, mask_at(masks + r, 0), low, check);
            sum[r] = bitmap_step(sum[r], second, mask_at(masks + r, 1), high, check);
            values += __builtin_popcount(masks[r]);
        }
    }
    v_sum_4(sums, sum[0], sum[1], sum[2], sum[3]);
    v_sum_4(sums + 4, sum[4], sum[5], sum[6], sum[7]);
}

void pr_bitmap_block_avx512(float *sums, const float *x, const uint32_t *masks, const float *values, int64_t blocks,
                            int finite)
{
    if (finite)
        bitmap_block(sums, x, masks, values, blocks, 0);
    else
        bitmap_block(sums, x, masks, values, blocks, 1);
}
