/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Values without gaps are brought into their lanes by a permute whose indices a table gives for each eight bits; and
 * layouts of 16 lanes as two halves.
 */
#include "core/kernels/tmpl/vec_avx2.h"

#include "core/kernels/gapless.h"

#define BIT(mask, i) ((mask) >> (i)&1)
#define BITS_BELOW(mask, i)                                                                                            \
    ((i > 0 ? BIT(mask, 0) : 0) + (i > 1 ? BIT(mask, 1) : 0) + (i > 2 ? BIT(mask, 2) : 0) +                            \
     (i > 3 ? BIT(mask, 3) : 0) + (i > 4 ? BIT(mask, 4) : 0) + (i > 5 ? BIT(mask, 5) : 0) +                            \
     (i > 6 ? BIT(mask, 6) : 0))
#define PLACE(mask, i) BIT(mask, i) ? BITS_BELOW(mask, i) : -1
#define PLACES_1(mask)                                                                                                 \
    {                                                                                                                  \
        PLACE(mask, 0), PLACE(mask, 1), PLACE(mask, 2), PLACE(mask, 3), PLACE(mask, 4), PLACE(mask, 5),                \
            PLACE(mask, 6), PLACE(mask, 7)                                                                             \
    }
#define PLACES_4(mask) PLACES_1(mask), PLACES_1((mask) + 1), PLACES_1((mask) + 2), PLACES_1((mask) + 3)
#define PLACES_16(mask) PLACES_4(mask), PLACES_4((mask) + 4), PLACES_4((mask) + 8), PLACES_4((mask) + 12)
#define PLACES_64(mask) PLACES_16(mask), PLACES_16((mask) + 16), PLACES_16((mask) + 32), PLACES_16((mask) + 48)

/* For each mask and lane: which of the values that follow one another is the lane's; -1: none. */
static const int8_t places[256][8] = {PLACES_64(0), PLACES_64(64), PLACES_64(128), PLACES_64(192)};

INLINE words places_of(unsigned mask)
{
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)places[mask]));
}

/* 0 in lanes that have none. */
INLINE vec named(vec v, words place)
{
    return _mm256_blendv_ps(v, v_zero(), _mm256_castsi256_ps(place));
}

/* Where X may not be finite it is taken out as well as the value. */
INLINE vec expand_fma(vec sum, const float *values, unsigned mask, vec x, const int check)
{
    words place = places_of(mask);
    vec value = named(_mm256_permutevar8x32_ps(v_load(values), place), place);
    return v_fma(value, check ? named(x, place) : x, sum);
}

/* Of 32 floats one for each lane, by 5 bits of its word. */
INLINE vec pick_of_four(const vec x[4], words at)
{
    vec odd = _mm256_castsi256_ps(_mm256_slli_epi32(at, 28)), far = _mm256_castsi256_ps(_mm256_slli_epi32(at, 27));
    vec low = _mm256_blendv_ps(_mm256_permutevar8x32_ps(x[0], at), _mm256_permutevar8x32_ps(x[1], at), odd);
    vec high = _mm256_blendv_ps(_mm256_permutevar8x32_ps(x[2], at), _mm256_permutevar8x32_ps(x[3], at), odd);
    return _mm256_blendv_ps(low, high, far);
}

#define STEPS PR_PICK_STEPS(16)
#define BITS PR_PICK_BITS(16)

/* Steps of 16 lanes that share a vector of words, at most STEPS. */
INLINE const float *tight_steps(vec sum[2], const float *x, const uint16_t *starts, const float *values,
                                const uint32_t *positions, const uint16_t *kept, int64_t steps, const int check)
{
    words word[2] = {v_words(positions), v_words(positions + VL)};
    for (int64_t s = 0; s < steps; s++) {
        const float *from = x + starts[s] * (int64_t)(2 * VL);
        const vec window[4] = {v_load(from), v_load(from + VL), v_load(from + 2 * VL), v_load(from + 3 * VL)};
        unsigned low = kept[s] & 255u, high = (unsigned)kept[s] >> 8;
        PR_FETCH(values, PR_FETCH_VALUES);
        sum[0] = expand_fma(sum[0], values, low, pick_of_four(window, word[0]), check);
        values += __builtin_popcount(low);
        sum[1] = expand_fma(sum[1], values, high, pick_of_four(window, word[1]), check);
        values += __builtin_popcount(high);
        word[0] = v_shift_right(word[0], BITS);
        word[1] = v_shift_right(word[1], BITS);
    }
    return values;
}

INLINE void tight_slice(float *sums, const float *x, const uint16_t *starts, const float *values,
                        const uint32_t *positions, const uint16_t *kept, int64_t steps, const int check)
{
    vec sum[2] = {v_zero(), v_zero()};
    for (; steps >= STEPS; steps -= STEPS, starts += STEPS, kept += STEPS, positions += 2 * VL) {
        PR_FETCH(positions, PR_FETCH_WORDS);
        PR_FETCH(starts, PR_FETCH_WORDS);
        PR_FETCH(kept, PR_FETCH_WORDS);
        values = tight_steps(sum, x, starts, values, positions, kept, STEPS, check);
    }
    if (steps > 0)
        tight_steps(sum, x, starts, values, positions, kept, steps, check);
    v_store(sums, sum[0]);
    v_store(sums + VL, sum[1]);
}

void pr_windows_tight_avx2(float *sums, const float *x, const uint16_t *starts, const float *values,
                           const uint32_t *positions, const uint16_t *kept, int64_t steps, int finite)
{
    if (finite)
        tight_slice(sums, x, starts, values, positions, kept, steps, 0);
    else
        tight_slice(sums, x, starts, values, positions, kept, steps, 1);
}

INLINE void windows_slice(float *sums, const float *x, const uint16_t *starts, const float *values,
                          const uint32_t *positions, const uint16_t *kept, int64_t steps, const int check)
{
    vec sum[2] = {v_zero(), v_zero()};
    words word[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int64_t s = 0, left = 0; s < steps; s++, left--, values += 2 * VL) {
        const float *from = x + starts[s] * (int64_t)(2 * VL);
        const vec window[4] = {v_load(from), v_load(from + VL), v_load(from + 2 * VL), v_load(from + 3 * VL)};
        if (left == 0) {
            word[0] = v_words(positions);
            word[1] = v_words(positions + VL);
            positions += 2 * VL;
            left = STEPS;
        }
        vec picked[2] = {pick_of_four(window, word[0]), pick_of_four(window, word[1])};
        UNROLL for (int h = 0; h < 2; h++)
        {
            if (check)
                picked[h] = v_keep(picked[h], (unsigned)kept[s] >> (h * VL) & 255u);
            sum[h] = v_fma(v_load(values + h * VL), picked[h], sum[h]);
            word[h] = v_shift_right(word[h], BITS);
        }
    }
    v_store(sums, sum[0]);
    v_store(sums + VL, sum[1]);
}

void pr_windows_16_avx2(float *sums, const float *x, const uint16_t *starts, const float *values,
                        const uint32_t *positions, const uint16_t *kept, int64_t steps, int finite)
{
    if (finite)
        windows_slice(sums, x, starts, values, positions, kept, steps, 0);
    else
        windows_slice(sums, x, starts, values, positions, kept, steps, 1);
}

/* Each half of the lanes picks out of its half of the chunk. */
void pr_nm24_by_4_16_avx2(float *sums, const float *x, const float *values, const uint32_t *positions, int64_t chunks)
{
    vec sum[4] = {v_zero(), v_zero(), v_zero(), v_zero()};
    words word[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int64_t left = 0; chunks > 0; chunks--, left--, x += 4 * VL, values += 8 * VL) {
        if (left == 0) {
            word[0] = v_words(positions);
            word[1] = v_words(positions + VL);
            positions += 2 * VL;
            left = STEPS;
        }
        UNROLL for (int h = 0; h < 2; h++)
        {
            vec picked = pick_of_two(v_load(x + 2 * h * VL), v_load(x + (2 * h + 1) * VL), word[h]);
            UNROLL for (int r = 0; r < 4; r++) sum[r] = v_fma(v_load(values + (2 * r + h) * VL), picked, sum[r]);
            word[h] = v_shift_right(word[h], BITS);
        }
    }
    v_sum_4(sums, sum[0], sum[1], sum[2], sum[3]);
}

INLINE void bitmap_block(float *sums, const float *x, const uint32_t *masks, const float *values, int64_t blocks,
                         const int check)
{
    vec sum[PR_BITMAP_ROWS];
    UNROLL for (int r = 0; r < PR_BITMAP_ROWS; r++) sum[r] = v_zero();
    for (int64_t b = 0; b < blocks; b++, x += PR_BITMAP_COLUMNS, masks += PR_BITMAP_ROWS) {
        const vec part[4] = {v_load(x), v_load(x + VL), v_load(x + 2 * VL), v_load(x + 3 * VL)};
        PR_FETCH(masks, PR_FETCH_WORDS);
        UNROLL for (int r = 0; r < PR_BITMAP_ROWS; r++)
        {
            uint32_t bits = masks[r];
            PR_FETCH(values, PR_FETCH_VALUES);
            UNROLL for (int p = 0; p < 4; p++)
            {
                unsigned mask = bits >> (p * VL) & 255u;
                sum[r] = expand_fma(sum[r], values, mask, part[p], check);
                values += __builtin_popcount(mask);
            }
        }
    }
    v_sum_4(sums, sum[0], sum[1], sum[2], sum[3]);
    v_sum_4(sums + 4, sum[4], sum[5], sum[6], sum[7]);
}

void pr_bitmap_block_avx2(float *sums, const float *x, const uint32_t *masks, const float *values, int64_t blocks,
                          int finite)
{
    if (finite)
        bitmap_block(sums, x, masks, values, blocks, 0);
    else
        bitmap_block(sums, x, masks, values, blocks, 1);
}
