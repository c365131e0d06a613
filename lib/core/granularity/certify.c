/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"
#include "core/mask/mask.h"
#include "prune/check.h"

/* How many pruned elements of one run are not all zero bytes, which +0 is in every type; *first the first of them. */
static int64_t count_run(const struct pr_walk *walk, const prune_mask *mask, int64_t *first)
{
    int64_t found = 0;
    for (int64_t begin = 0; begin < walk->count; begin += 64) {
        int64_t count = walk->count - begin < 64 ? walk->count - begin : 64;
        uint64_t all = count == 64 ? ~0ULL : (1ULL << count) - 1;
        uint64_t pruned = ~pr_mask_bits(mask, walk->position + begin, count) & all;
        for (; pruned; pruned &= pruned - 1) {
            int64_t i = begin + __builtin_ctzll(pruned);
            const char *bytes = walk->data + i * walk->stride * walk->size;
            int zero = 1;
            for (int64_t b = 0; b < walk->size; b++)
                zero &= bytes[b] == 0;
            if (!zero && *first < 0)
                *first = walk->position + i;
            found += !zero;
        }
    }
    return found;
}

int32_t prune_mask_check(const prune_mask *mask, const prune_tensor *weights, int64_t *violations, int64_t *first)
{
    int64_t count = 0, where = -1;
    PR_REQUIRE(mask);
    PR_REQUIRE(weights);
    PR_TRY(pr_mask_fits(__func__, mask, weights));
    struct pr_walk walk;
    for (pr_walk_start(&walk, weights); walk.count; pr_walk_next(&walk))
        count += count_run(&walk, mask, &where);
    if (violations)
        *violations = count;
    if (first)
        *first = where;
    return PRUNE_OK;
}

static uint64_t add_byte(uint64_t hash, uint64_t byte)
{
    return (hash ^ (byte & 0xff)) * 1099511628211u;
}

int32_t prune_mask_hash(const prune_mask *mask, uint64_t *hash)
{
    uint64_t h = 14695981039346656037u;
    PR_REQUIRE(mask);
    PR_REQUIRE(hash);
    h = add_byte(h, (uint64_t)mask->rank);
    for (int32_t i = 0; i < mask->rank; i++)
        for (int shift = 0; shift < 64; shift += 8)
            h = add_byte(h, (uint64_t)mask->shape[i] >> shift);
    for (int64_t byte = 0; byte < pr_ceil_div(mask->count, 8); byte++)
        h = add_byte(h, mask->words[byte / 8] >> (byte % 8 * 8));
    *hash = h;
    return PRUNE_OK;
}

static const char *const patterns[] = {
    "nm:keep_n=1,group_m=2",
    "nm:keep_n=1,group_m=4",
    "nm:keep_n=2,group_m=4",
    "nm:keep_n=4,group_m=8",
    "nm:keep_n=2,group_m=4,axis=0",
    "nm:keep_n=2,group_m=4,unit_rows=4",
    "nm-transposable:keep_n=2,group_m=4",
    "vector:vector=4",
    "block:block=4x1",
    "block:block=4x4",
    "block:block=8x8",
    "block:block=16x16",
    "kernel",
    "pattern",
    "filter",
    "in-channel",
    "balanced:processing_elements=4",
    "balanced:processing_elements=32",
    "bank-balanced:bank=16",
    "bank-balanced:bank=32",
};

int32_t prune_pattern_count(void)
{
    return (int32_t)(sizeof patterns / sizeof *patterns);
}

const char *prune_pattern_spec(int32_t index)
{
    return index >= 0 && index < prune_pattern_count() ? patterns[index] : NULL;
}

int32_t prune_pattern_check(int32_t index, const prune_mask *mask, int32_t *holds, int64_t *violation)
{
    prune_granularity *granularity;
    int32_t it_holds = -1;
    int64_t where = -1;
    PR_REQUIRE(mask);
    if (!prune_pattern_spec(index))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: index is %d; there are patterns 0 to %d", __func__, (int)index,
                       (int)prune_pattern_count() - 1);
    PR_TRY(prune_granularity_create(&granularity, mask->context, patterns[index]));
    int32_t status = prune_granularity_check(granularity, mask, &it_holds, &where);
    prune_granularity_free(granularity);
    if (status && status != PRUNE_E_SHAPE)
        return status;
    if (holds)
        *holds = it_holds;
    if (violation)
        *violation = where;
    return PRUNE_OK;
}
