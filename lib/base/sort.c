/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sort.h"

#include <string.h>

void pr_sort_keyed(struct pr_keyed *items, struct pr_keyed *scratch, int64_t count, int bytes)
{
    struct pr_keyed *from = items, *to = scratch;
    for (int shift = 0; shift < 8 * bytes; shift += 8) {
        int64_t start[257] = {0};
        for (int64_t i = 0; i < count; i++)
            start[(from[i].key >> shift & 0xff) + 1]++;
        for (int d = 0; d < 256; d++)
            start[d + 1] += start[d];
        for (int64_t i = 0; i < count; i++)
            to[start[from[i].key >> shift & 0xff]++] = from[i];
        struct pr_keyed *swap = from;
        from = to;
        to = swap;
    }
    if (from != items && count > 0)
        memcpy(items, from, (size_t)count * sizeof *items);
}

uint32_t pr_float_key(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}
