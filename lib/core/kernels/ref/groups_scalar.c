/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups of rows, in plain loops: the order of sums that every instance keeps.
 */
#include <math.h>
#include <string.h>

#include "core/kernels/groups.h"

static void begin(float *sums, int64_t ld, int64_t tile, const uint8_t *rows, int count, int start)
{
    for (int r = 0; start && r < count; r++)
        memset(sums + rows[r] * ld, 0, (size_t)tile * sizeof *sums);
}

static void add(float *sum, float value, const float *x, int64_t tile)
{
    for (int64_t j = 0; j < tile; j++)
        sum[j] = fmaf(value, x[j], sum[j]);
}

/* Where X meets a column of W. */
static const float *place(const float *x, int64_t ldx, const uint32_t *starts, int64_t column)
{
    return x + (starts ? (int64_t)starts[column] : column * ldx);
}

static void singles(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts, int64_t tile,
                    const uint8_t *items, int64_t item_count, const uint8_t *columns, const float *values, int start)
{
    for (; item_count > 0; item_count--, items += PR_SINGLE_BYTES) {
        begin(sums, ld, tile, items, 1, start);
        for (int left = items[1]; left > 0; left--)
            add(sums + items[0] * ld, *values++, place(x, ldx, starts, *columns++), tile);
    }
}

static void pairs(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts, int64_t tile,
                  const uint8_t *items, int64_t item_count, const uint8_t *columns, const float *values, int start)
{
    for (; item_count > 0; item_count--, items += PR_PAIR_BYTES) {
        float *first = sums + items[0] * ld, *second = sums + items[1] * ld;
        begin(sums, ld, tile, items, 2, start);
        for (int left = items[2]; left > 0; left--, columns++) {
            add(first, *values++, place(x, ldx, starts, *columns), tile);
            add(second, *values++, place(x, ldx, starts, *columns), tile);
        }
        for (int left = items[3]; left > 0; left--) {
            add(first, *values++, place(x, ldx, starts, *columns++), tile);
            add(second, *values++, place(x, ldx, starts, *columns++), tile);
        }
        for (int left = items[4]; left > 0; left--)
            add(first, *values++, place(x, ldx, starts, *columns++), tile);
    }
}

static void quads(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts, int64_t tile,
                  const uint8_t *items, int64_t item_count, const uint8_t *columns, const float *values, int start)
{
#define CLASS(rows) rows,
    static const uint8_t classes[PR_QUAD_CLASSES] = {PR_QUAD_ORDER(CLASS)};
#undef CLASS
    for (; item_count > 0; item_count--, items += PR_QUAD_BYTES) {
        begin(sums, ld, tile, items, 4, start);
        for (int c = 0; c < PR_QUAD_CLASSES; c++)
            for (int left = items[4 + c]; left > 0; left--, columns++)
                for (int r = 0; r < 4; r++)
                    if (classes[c] >> r & 1)
                        add(sums + items[r] * ld, *values++, place(x, ldx, starts, *columns), tile);
    }
}

#define BOTH(name)                                                                                                     \
    void pr_##name##_panel_scalar(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t tile,                  \
                                  const uint8_t *items, int64_t item_count, const uint8_t *columns,                    \
                                  const float *values, int start)                                                      \
    {                                                                                                                  \
        name(sums, ld, x, ldx, NULL, tile, items, item_count, columns, values, start);                                 \
    }                                                                                                                  \
                                                                                                                       \
    void pr_##name##_shifts_scalar(float *sums, int64_t ld, const float *x, const uint32_t *starts, int64_t tile,      \
                                   const uint8_t *items, int64_t item_count, const uint8_t *columns,                   \
                                   const float *values, int start)                                                     \
    {                                                                                                                  \
        name(sums, ld, x, 0, starts, tile, items, item_count, columns, values, start);                                 \
    }

BOTH(singles)
BOTH(pairs)
BOTH(quads)
#undef BOTH

int64_t pr_add_overlaps_scalar(uint64_t *scores, const uint64_t *masks, int64_t ld, int64_t words, int64_t count,
                               const uint64_t *mask)
{
    int64_t best = 0;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t w = 0; w < words; w++)
            scores[i] += (uint64_t)__builtin_popcountll(mask[w] & masks[w * ld + i]);
        if (scores[i] > scores[best])
            best = i;
    }
    return best;
}
