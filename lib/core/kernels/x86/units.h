/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Units of four rows: what both instruction sets use.
 */
#ifndef PR_KERNELS_UNITS_H
#define PR_KERNELS_UNITS_H

#include <immintrin.h>

#include "core/kernels/kernels.h"

/* Values stream from memory faster than the CPU foresees. */
#define AHEAD(values, bytes) _mm_prefetch((const char *)(values) + (bytes), _MM_HINT_T0)

typedef __m256 u8_vec;
#define u8_all(value) _mm256_set1_ps(value)
#define u8_load(from) _mm256_loadu_ps(from)
#define u8_store(to, v) _mm256_storeu_ps(to, v)
#define u8_zero() _mm256_setzero_ps()
#define u8_add(a, b) _mm256_add_ps(a, b)
#define u8_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define WIDTH 8
#define U(name) u8_##name
#include "core/kernels/tmpl/units.h"
#undef U
#undef WIDTH

/* One or four columns of X: entries in turns to four sums, because one alone is too few chains. `SUM` is the type of a
 * unit's sums, which are contiguous; SUM_zero, SUM_step, SUM_add and SUM_store work on it. */
#define UNITS_IN_TURNS(name, SUM, TILE)                                                                                \
    static void name(float *sums, const float *x, const struct pr_run *runs, int64_t run_count,                        \
                     const uint8_t *columns, const float *values)                                                      \
    {                                                                                                                  \
        for (int64_t r = 0; r < run_count; r++) {                                                                      \
            SUM sum[4] = {SUM##_zero(), SUM##_zero(), SUM##_zero(), SUM##_zero()};                                     \
            uint32_t e = runs[r].count;                                                                                \
            for (; e >= 4; e -= 4, columns += 4, values += 16) {                                                       \
                AHEAD(values, 3072);                                                                                   \
                UNROLL for (int i = 0; i < 4; i++) sum[i] = SUM##_step(sum[i], x + columns[i] * TILE, values + 4 * i); \
            }                                                                                                          \
            for (; e > 0; e--, values += 4)                                                                            \
                sum[0] = SUM##_step(sum[0], x + *columns++ * TILE, values);                                            \
            SUM##_store(sums + (int64_t)runs[r].row * TILE,                                                            \
                        SUM##_add(SUM##_add(sum[0], sum[1]), SUM##_add(sum[2], sum[3])));                              \
        }                                                                                                              \
    }

#endif
