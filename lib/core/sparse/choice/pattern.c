/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/choice/pattern.h"

#define EACH(width) (UINT64_MAX / ((UINT64_C(1) << (width)) - 1)) /* a 1 in each field of `width` bits */

/* How many bits are set in each field of group_m bits. */
static uint64_t counts(uint64_t bits, int group_m)
{
    bits -= bits >> 1 & EACH(2);
    if (group_m >= 4)
        bits = (bits & EACH(4) * 3) + (bits >> 2 & EACH(4) * 3);
    if (group_m >= 8)
        bits = (bits & EACH(8) * 15) + (bits >> 4 & EACH(8) * 15);
    if (group_m >= 16)
        bits = (bits & EACH(16) * 255) + (bits >> 8 & EACH(16) * 255);
    return bits;
}

int pr_pattern_is_nm(const prune_mask *mask, int64_t rows, int64_t columns, int keep_n, int group_m)
{
    /* Added to a count above keep_n, this reaches the top bit of its field. */
    uint64_t reach = EACH(group_m) * ((UINT64_C(1) << (group_m - 1)) - (uint64_t)keep_n - 1);
    uint64_t top = EACH(group_m) << (group_m - 1);
    for (int64_t row = 0; columns > 0 && row < rows; row++)
        for (int64_t first = 0; first < columns; first += 64) {
            int64_t count = columns - first < 64 ? columns - first : 64;
            uint64_t bits = pr_mask_bits(mask, row * columns + first, count);
            if (keep_n < group_m && (counts(bits, group_m) + reach) & top)
                return 0;
        }
    return 1;
}

int pr_pattern_rows_alike(const prune_mask *mask, int64_t rows, int64_t columns, int64_t unit)
{
    for (int64_t row = 0; columns > 0 && row < rows; row++) {
        int64_t like = row / unit * unit;
        for (int64_t first = 0; row > like && first < columns; first += 64) {
            int64_t count = columns - first < 64 ? columns - first : 64;
            if (pr_mask_bits(mask, row * columns + first, count) != pr_mask_bits(mask, like * columns + first, count))
                return 0;
        }
    }
    return 1;
}
