/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups of rows times a panel of X. Include a vocabulary first, and say how many vectors of a tile each takes at once:
 * SINGLE_VECTORS, PAIR_VECTORS, QUAD_VECTORS (three rows of accumulators fewer than there are registers must do).
 */
#ifndef PR_KERNELS_TMPL_GROUPS_H
#define PR_KERNELS_TMPL_GROUPS_H

#include <stddef.h>

#include "core/kernels/groups.h"
#include "core/kernels/tmpl/loops.h"

/* The sums of one row for `count` vectors of the tile. */
INLINE void group_load(vec *sum, const float *from, int start, const int count)
{
    if (start) {
        UNROLL for (int i = 0; i < count; i++) sum[i] = v_zero();
    } else {
        UNROLL for (int i = 0; i < count; i++) sum[i] = v_load(from + i * VL);
    }
}

INLINE void group_store(float *to, const vec *sum, const int count)
{
    UNROLL for (int i = 0; i < count; i++) v_store(to + i * VL, sum[i]);
}

/* Where X meets a column of W: at its place in `starts`, or NULL, one row after another. */
INLINE const float *group_x(const float *x, int64_t ldx, const uint32_t *starts, unsigned column, const int shifted)
{
    return x + (shifted ? (int64_t)starts[column] : column * ldx);
}

/* One value for one row. */
INLINE void group_one(vec *sum, const float *x, const float *value, const int count)
{
    HIDE(x);
    vec one = v_all(*value);
    UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(one, v_load(x + i * VL), sum[i]);
}

INLINE void single_vectors(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts,
                           const uint8_t *items, int64_t item_count, const uint8_t *columns, const float *values,
                           int start, const int shifted, const int count)
{
    for (; item_count > 0; item_count--, items += PR_SINGLE_BYTES) {
        float *to = sums + items[0] * ld;
        unsigned left = items[1];
        vec sum[SINGLE_VECTORS];
        group_load(sum, to, start, count);
        for (; left >= 4; left -= 4, columns += 4, values += 4)
            UNROLL for (int e = 0; e < 4; e++)
                group_one(sum, group_x(x, ldx, starts, columns[e], shifted), values + e, count);
        for (; left > 0; left--)
            group_one(sum, group_x(x, ldx, starts, *columns++, shifted), values++, count);
        group_store(to, sum, count);
    }
}

INLINE void pair_vectors(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts,
                         const uint8_t *items, int64_t item_count, const uint8_t *columns, const float *values,
                         int start, const int shifted, const int count)
{
    for (; item_count > 0; item_count--, items += PR_PAIR_BYTES) {
        float *first = sums + items[0] * ld, *second = sums + items[1] * ld;
        vec a[PAIR_VECTORS], b[PAIR_VECTORS];
        group_load(a, first, start, count);
        group_load(b, second, start, count);
        for (unsigned left = items[2]; left > 0; left--, values += 2) {
            const float *row = group_x(x, ldx, starts, *columns++, shifted);
            HIDE(row);
            vec one = v_all(values[0]), other = v_all(values[1]);
            UNROLL for (int i = 0; i < count; i++)
            {
                vec shared = v_load(row + i * VL);
                a[i] = v_fma(one, shared, a[i]);
                b[i] = v_fma(other, shared, b[i]);
            }
        }
        for (unsigned left = items[3]; left > 0; left--, columns += 2, values += 2) {
            group_one(a, group_x(x, ldx, starts, columns[0], shifted), values, count);
            group_one(b, group_x(x, ldx, starts, columns[1], shifted), values + 1, count);
        }
        group_store(second, b, count);
        for (unsigned left = items[4]; left > 0; left--)
            group_one(a, group_x(x, ldx, starts, *columns++, shifted), values++, count);
        group_store(first, a, count);
    }
}

/* The columns of one class: X is loaded once for all rows that the class touches. */
INLINE const float *quad_class(vec sum[4][QUAD_VECTORS], const float *x, int64_t ldx, const uint32_t *starts,
                               const uint8_t **columns, const float *values, unsigned left, const int rows,
                               const int shifted, const int count)
{
    const int several = (rows & (rows - 1)) != 0;
    for (; left > 0; left--) {
        const float *row = group_x(x, ldx, starts, *(*columns)++, shifted);
        HIDE(row);
        vec shared[QUAD_VECTORS];
        if (several)
            UNROLL for (int i = 0; i < count; i++) shared[i] = v_load(row + i * VL);
        UNROLL for (int r = 0; r < 4; r++)
        {
            if (!(rows >> r & 1))
                continue;
            vec one = v_all(*values++);
            UNROLL for (int i = 0; i < count; i++) sum[r][i] =
                v_fma(one, several ? shared[i] : v_load(row + i * VL), sum[r][i]);
        }
    }
    return values;
}

INLINE void quad_vectors(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts,
                         const uint8_t *items, int64_t item_count, const uint8_t *columns, const float *values,
                         int start, const int shifted, const int count)
{
    for (; item_count > 0; item_count--, items += PR_QUAD_BYTES) {
        vec sum[4][QUAD_VECTORS];
        UNROLL for (int r = 0; r < 4; r++) group_load(sum[r], sums + items[r] * ld, start, count);
        const uint8_t *class = items + 4;
#define CLASS(rows) values = quad_class(sum, x, ldx, starts, &columns, values, *class ++, rows, shifted, count);
        PR_QUAD_ORDER(CLASS)
#undef CLASS
        UNROLL for (int r = 0; r < 4; r++) group_store(sums + items[r] * ld, sum[r], count);
    }
}

/* The tile in pieces of as many vectors as there are registers for. */
#define GROUP_CASE(body, n)                                                                                            \
    case n:                                                                                                            \
        body(sums + at, ld, x + at, ldx, starts, items, item_count, columns, values, start, shifted, n);               \
        break;

#define GROUP_PIECES(body, most)                                                                                       \
    for (int64_t at = 0; at < tile; at += most * VL) {                                                                 \
        switch ((tile - at) / VL) {                                                                                    \
            GROUP_CASES                                                                                                \
        default:                                                                                                       \
            body(sums + at, ld, x + at, ldx, starts, items, item_count, columns, values, start, shifted, most);        \
            break;                                                                                                     \
        }                                                                                                              \
    }

/* X in rows, and X of shifts. */
#define GROUP_PANEL(panel, shifts, body, most)                                                                         \
    void panel(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t tile, const uint8_t *items,               \
               int64_t item_count, const uint8_t *columns, const float *values, int start)                             \
    {                                                                                                                  \
        const uint32_t *const starts = NULL;                                                                           \
        const int shifted = 0;                                                                                         \
        GROUP_PIECES(body, most)                                                                                       \
    }                                                                                                                  \
                                                                                                                       \
    void shifts(float *sums, int64_t ld, const float *x, const uint32_t *starts, int64_t tile, const uint8_t *items,   \
                int64_t item_count, const uint8_t *columns, const float *values, int start)                            \
    {                                                                                                                  \
        const int64_t ldx = 0;                                                                                         \
        const int shifted = 1;                                                                                         \
        GROUP_PIECES(body, most)                                                                                       \
    }

#endif
