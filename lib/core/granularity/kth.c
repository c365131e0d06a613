/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/key.h"

#define FEW 24

static void sort_few(uint64_t *keys, int64_t count)
{
    for (int64_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        int64_t j = i;
        for (; j > 0 && keys[j - 1] > key; j--)
            keys[j] = keys[j - 1];
        keys[j] = key;
    }
}

/* By digits of eight bits from the top, going on with the keys that share the digit of the one sought. */
uint64_t pr_kth_key(uint64_t *keys, int64_t count, int64_t k, int64_t *equal)
{
    uint64_t differ = 0;
    for (int64_t i = 1; i < count; i++)
        differ |= keys[i] ^ keys[0];
    for (int shift = 56; shift >= 0 && count > FEW; shift -= 8) {
        int64_t histogram[256] = {0}, kept = 0;
        uint64_t digit = 0;
        if (!(differ >> shift & 255))
            continue;
        for (int64_t i = 0; i < count; i++)
            histogram[keys[i] >> shift & 255]++;
        while (k > histogram[digit])
            k -= histogram[digit++];
        for (int64_t i = 0; i < count; i++)
            if ((keys[i] >> shift & 255) == digit)
                keys[kept++] = keys[i];
        count = kept;
    }
    if (count <= FEW) {
        sort_few(keys, count);
        int64_t below = 0;
        while (keys[below] != keys[k - 1])
            below++;
        *equal = k - below;
        return keys[k - 1];
    }
    *equal = k; /* no digit is left: all are equal */
    return keys[0];
}
