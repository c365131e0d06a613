/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scores in their order: libprune only.
 */
#ifndef PR_CORE_KEY_H
#define PR_CORE_KEY_H

#include <stdint.h>
#include <string.h>

/* A score as an integer that orders as scores do; both zeros are one. pr_gone(), a NaN, comes before every score: it
 * stands for a unit that is gone already. */
static inline uint64_t pr_score_key(double score)
{
    uint64_t bits;
    memcpy(&bits, &score, sizeof bits);
    if (bits == 1ULL << 63)
        bits = 0;
    return bits >> 63 ? ~bits : bits | 1ULL << 63;
}

static inline double pr_key_score(uint64_t key)
{
    uint64_t bits = key >> 63 ? key & ~(1ULL << 63) : ~key;
    double score;
    memcpy(&score, &bits, sizeof score);
    return score;
}

static inline double pr_gone(void)
{
    uint64_t bits = ~0ULL;
    double gone;
    memcpy(&gone, &bits, sizeof gone);
    return gone;
}

/* The k-th smallest (1 <= k <= count) of the keys, which are moved about; *equal is how many of those that equal it
 * are among the k smallest. Linear in count. */
uint64_t pr_kth_key(uint64_t *keys, int64_t count, int64_t k, int64_t *equal);

#endif
