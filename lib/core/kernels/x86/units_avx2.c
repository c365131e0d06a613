/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/x86/units.h"

/* Four rows times four columns of X are two vectors. */
typedef struct {
    __m256 rows[2];
} four;

INLINE four four_zero(void)
{
    return (four){{_mm256_setzero_ps(), _mm256_setzero_ps()}};
}

INLINE four four_step(four sum, const float *row, const float *values)
{
    const __m256i low = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1), high = _mm256_setr_epi32(2, 2, 2, 2, 3, 3, 3, 3);
    __m256 value = _mm256_broadcast_ps((const __m128 *)values), one = _mm256_broadcast_ps((const __m128 *)row);
    return (four){{_mm256_fmadd_ps(_mm256_permutevar_ps(value, low), one, sum.rows[0]),
                   _mm256_fmadd_ps(_mm256_permutevar_ps(value, high), one, sum.rows[1])}};
}

INLINE four four_add(four a, four b)
{
    return (four){{_mm256_add_ps(a.rows[0], b.rows[0]), _mm256_add_ps(a.rows[1], b.rows[1])}};
}

INLINE void four_store(float *to, four sum)
{
    _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), sum.rows[0]));
    _mm256_storeu_ps(to + 8, _mm256_add_ps(_mm256_loadu_ps(to + 8), sum.rows[1]));
}

UNITS_IN_TURNS(units_4, four, 4)

/* One column of X: the four rows of an entry are a vector. */
typedef __m128 one;
#define one_zero() _mm_setzero_ps()
#define one_step(sum, row, values) _mm_fmadd_ps(_mm_loadu_ps(values), _mm_broadcast_ss(row), sum)
#define one_add(a, b) _mm_add_ps(a, b)
#define one_store(to, sum) _mm_storeu_ps(to, _mm_add_ps(_mm_loadu_ps(to), sum))

UNITS_IN_TURNS(units_1, one, 1)

void pr_units_few_avx2(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                       const uint8_t *columns, const float *values)
{
    switch (tile) {
    case 1:
        units_1(sums, x, runs, run_count, columns, values);
        break;
    case 4:
        units_4(sums, x, runs, run_count, columns, values);
        break;
    case 8:
        u8_units_in_turns(sums, x, runs, run_count, columns, values, 1);
        break;
    default:
        u8_units(sums, 16, x, runs, run_count, columns, values, 2);
        break;
    }
}

void pr_units_panel_avx2(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                         const uint8_t *columns, const float *values)
{
    int64_t first = 0;
    for (; tile - first >= 24; first += 24)
        u8_units(sums + first, tile, x + first, runs, run_count, columns, values, 3);
    if (tile - first >= 16)
        u8_units(sums + first, tile, x + first, runs, run_count, columns, values, 2);
    else if (tile - first >= 8)
        u8_units(sums + first, tile, x + first, runs, run_count, columns, values, 1);
}
