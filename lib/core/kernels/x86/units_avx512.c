/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/x86/units.h"

typedef __m512 u16_vec;
#define u16_all(value) _mm512_set1_ps(value)
#define u16_load(from) _mm512_loadu_ps(from)
#define u16_store(to, v) _mm512_storeu_ps(to, v)
#define u16_zero() _mm512_setzero_ps()
#define u16_add(a, b) _mm512_add_ps(a, b)
#define u16_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define WIDTH 16
#define U(name) u16_##name
#include "core/kernels/tmpl/units.h"

/* Four rows times four columns of X are one vector. */
typedef __m512 four;
#define four_zero() _mm512_setzero_ps()
#define four_add(a, b) _mm512_add_ps(a, b)
#define four_store(to, sum) _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), sum))

INLINE four four_step(four sum, const float *row, const float *values)
{
    const __m512i which = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    __m512 value = _mm512_permutevar_ps(_mm512_broadcast_f32x4(_mm_loadu_ps(values)), which);
    return _mm512_fmadd_ps(value, _mm512_broadcast_f32x4(_mm_loadu_ps(row)), sum);
}

UNITS_IN_TURNS(units_4, four, 4)

/* Four entries in a vector: X comes by masked broadcasts, a load each and no shuffle. */
INLINE __m512 four_of_x(const float *x, const uint8_t *columns)
{
    __m512 one = _mm512_set1_ps(x[columns[0]]);
    one = _mm512_mask_broadcastss_ps(one, 0x00f0, _mm_load_ss(x + columns[1]));
    one = _mm512_mask_broadcastss_ps(one, 0x0f00, _mm_load_ss(x + columns[2]));
    return _mm512_mask_broadcastss_ps(one, 0xf000, _mm_load_ss(x + columns[3]));
}

static void units_1(float *sums, const float *x, const struct pr_run *runs, int64_t run_count, const uint8_t *columns,
                    const float *values)
{
    for (int64_t r = 0; r < run_count; r++) {
        __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
        uint32_t e = runs[r].count;
        for (; e >= 16; e -= 16, columns += 16, values += 64)
            UNROLL for (int i = 0; i < 4; i++)
            {
                AHEAD(values + 16 * i, 3072);
                sum[i] = _mm512_fmadd_ps(_mm512_loadu_ps(values + 16 * i), four_of_x(x, columns + 4 * i), sum[i]);
            }
        for (; e >= 4; e -= 4, columns += 4, values += 16)
            sum[0] = _mm512_fmadd_ps(_mm512_loadu_ps(values), four_of_x(x, columns), sum[0]);
        sum[0] = _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
        __m256 half = _mm256_add_ps(_mm512_castps512_ps256(sum[0]), _mm512_extractf32x8_ps(sum[0], 1));
        __m128 rows = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
        for (; e > 0; e--, values += 4)
            rows = _mm_fmadd_ps(_mm_loadu_ps(values), _mm_set1_ps(x[*columns++]), rows);
        float *to = sums + runs[r].row;
        _mm_storeu_ps(to, _mm_add_ps(_mm_loadu_ps(to), rows));
    }
}

void pr_units_few_avx512(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
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
        u16_units_in_turns(sums, x, runs, run_count, columns, values, 1);
        break;
    }
}

void pr_units_panel_avx512(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                           const uint8_t *columns, const float *values)
{
    int64_t first = 0;
    for (; first + 96 <= tile; first += 96)
        u16_units(sums + first, tile, x + first, runs, run_count, columns, values, 6);
    switch ((tile - first) / 16) {
#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        u16_units(sums + first, tile, x + first, runs, run_count, columns, values, n);                                 \
        break;
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
#undef CASE
    default:
        break;
    }
}
