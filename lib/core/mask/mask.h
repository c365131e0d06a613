/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The mask from the inside: libprune only.
 */
#ifndef PR_CORE_MASK_H
#define PR_CORE_MASK_H

#include "core/tensor/tensor.h"
#include "prune/mask.h"

/* Bit i % 64 of word i / 64 is element i in row-major order; bits beyond the last element are 0. */
struct prune_mask {
    prune_context *context;
    int32_t rank;
    int64_t shape[PRUNE_MAX_RANK];
    int64_t count, word_count;
    uint64_t *words;
};

/* A mask of a shape that is known to be good; `kept` as in prune_mask_create. */
int32_t pr_mask_new(prune_mask **out, prune_context *context, int32_t rank, const int64_t *shape, int kept);

static inline int pr_mask_get(const prune_mask *mask, int64_t index)
{
    return (int)(mask->words[index >> 6] >> (index & 63) & 1);
}

static inline void pr_mask_keep(prune_mask *mask, int64_t index)
{
    mask->words[index >> 6] |= 1ULL << (index & 63);
}

static inline void pr_mask_drop(prune_mask *mask, int64_t index)
{
    mask->words[index >> 6] &= ~(1ULL << (index & 63));
}

/* Elements index to index + count - 1 as the low bits of a word; count 1 to 64. */
static inline uint64_t pr_mask_bits(const prune_mask *mask, int64_t index, int64_t count)
{
    int64_t word = index >> 6, shift = index & 63;
    uint64_t bits = mask->words[word] >> shift;
    if (shift + count > 64)
        bits |= mask->words[word + 1] << (64 - shift);
    return count == 64 ? bits : bits & ((1ULL << count) - 1);
}

/* How many of elements begin to end - 1 are kept. */
int64_t pr_mask_kept_in(const prune_mask *mask, int64_t begin, int64_t end);

/* PRUNE_E_SHAPE unless mask and tensor have the same shape. */
int32_t pr_mask_fits(const char *function, const prune_mask *mask, const prune_tensor *tensor);

#endif
