/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/mask/mask.h"

/* Words are combined whole: each operation leaves the unused bits of the last word 0. */
enum operation { AND, OR, XOR, ANDNOT };

static int32_t check_same_shape(const char *function, const prune_mask *a, const prune_mask *b)
{
    char one[PR_MAX_SHAPE_TEXT], other[PR_MAX_SHAPE_TEXT];
    if (pr_same_shape(a->rank, a->shape, b->rank, b->shape))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_SHAPE, "%s: masks of shapes %s and %s; they must be equal", function,
                   pr_shape_text(one, a->rank, a->shape), pr_shape_text(other, b->rank, b->shape));
}

static int32_t combine(const char *function, prune_mask **out, const prune_mask *a, const prune_mask *b,
                       enum operation operation)
{
    prune_mask *mask;
    if (!out || !a || !b)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %s is NULL; it must be given", function, !out ? "out" : !a ? "a" : "b");
    PR_TRY(check_same_shape(function, a, b));
    PR_TRY(pr_mask_new(&mask, a->context, a->rank, a->shape, 0));
    for (int64_t i = 0; i < mask->word_count; i++) {
        uint64_t x = a->words[i], y = b->words[i];
        mask->words[i] = operation == AND ? x & y : operation == OR ? x | y : operation == XOR ? x ^ y : x & ~y;
    }
    *out = mask;
    return PRUNE_OK;
}

int32_t prune_mask_and(prune_mask **out, const prune_mask *a, const prune_mask *b)
{
    return combine(__func__, out, a, b, AND);
}

int32_t prune_mask_or(prune_mask **out, const prune_mask *a, const prune_mask *b)
{
    return combine(__func__, out, a, b, OR);
}

int32_t prune_mask_xor(prune_mask **out, const prune_mask *a, const prune_mask *b)
{
    return combine(__func__, out, a, b, XOR);
}

int32_t prune_mask_andnot(prune_mask **out, const prune_mask *a, const prune_mask *b)
{
    return combine(__func__, out, a, b, ANDNOT);
}

int32_t prune_mask_copy(prune_mask **out, const prune_mask *a)
{
    return combine(__func__, out, a, a, OR);
}

int32_t prune_mask_not(prune_mask **out, const prune_mask *a)
{
    prune_mask *mask;
    PR_REQUIRE(out);
    PR_REQUIRE(a);
    PR_TRY(pr_mask_new(&mask, a->context, a->rank, a->shape, 1));
    for (int64_t i = 0; i < mask->word_count; i++)
        mask->words[i] &= ~a->words[i];
    *out = mask;
    return PRUNE_OK;
}

int64_t pr_mask_kept_in(const prune_mask *mask, int64_t begin, int64_t end)
{
    int64_t kept = 0;
    while (begin < end) {
        int64_t count = 64 - (begin & 63); /* to the end of this word */
        count = count < end - begin ? count : end - begin;
        kept += __builtin_popcountll(pr_mask_bits(mask, begin, count));
        begin += count;
    }
    return kept;
}

int64_t prune_mask_kept(const prune_mask *mask)
{
    return mask ? pr_mask_kept_in(mask, 0, mask->count) : 0;
}

int32_t prune_mask_density(const prune_mask *mask, int32_t axis, double *density, int64_t count)
{
    PR_REQUIRE(mask);
    if (axis < 0 || axis >= mask->rank)
        return pr_fail(PRUNE_E_SHAPE, "%s: axis is %d; the mask has axes 0 to %d", __func__, (int)axis,
                       (int)mask->rank - 1);
    if (count != mask->shape[axis])
        return pr_fail(PRUNE_E_SHAPE, "%s: room for %lld numbers; axis %d has %lld", __func__, (long long)count,
                       (int)axis, (long long)mask->shape[axis]);
    if (!density && count)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: density is NULL; it must be given", __func__);

    int64_t outer = 1, inner = 1;
    for (int32_t i = 0; mask->count && i < axis; i++)
        outer *= mask->shape[i];
    for (int32_t i = axis + 1; mask->count && i < mask->rank; i++)
        inner *= mask->shape[i];
    for (int64_t e = 0; e < count; e++) {
        int64_t kept = 0;
        for (int64_t o = 0; mask->count && o < outer; o++)
            kept += pr_mask_kept_in(mask, (o * count + e) * inner, (o * count + e + 1) * inner);
        density[e] = mask->count ? (double)kept / (double)(outer * inner) : 1.0;
    }
    return PRUNE_OK;
}

int32_t prune_mask_compare(const prune_mask *a, const prune_mask *b, int64_t *differing, int64_t *first)
{
    int64_t count = 0, where = -1;
    PR_REQUIRE(a);
    PR_REQUIRE(b);
    PR_TRY(check_same_shape(__func__, a, b));
    for (int64_t i = 0; i < a->word_count; i++) {
        uint64_t difference = a->words[i] ^ b->words[i];
        if (difference && where < 0)
            where = i * 64 + __builtin_ctzll(difference);
        count += __builtin_popcountll(difference);
    }
    if (differing)
        *differing = count;
    if (first)
        *first = where;
    return PRUNE_OK;
}

int32_t pr_mask_fits(const char *function, const prune_mask *mask, const prune_tensor *tensor)
{
    char one[PR_MAX_SHAPE_TEXT], other[PR_MAX_SHAPE_TEXT];
    if (pr_same_shape(mask->rank, mask->shape, tensor->rank, tensor->shape))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_SHAPE, "%s: the mask has shape %s, the tensor %s; they must be equal", function,
                   pr_shape_text(one, mask->rank, mask->shape), pr_shape_text(other, tensor->rank, tensor->shape));
}

/* Zeroes the elements of one run whose bit is not set; all numbers of every type have +0 as zero bytes. */
static void clear_run(const struct pr_walk *walk, const prune_mask *mask)
{
    for (int64_t begin = 0; begin < walk->count; begin += 64) {
        int64_t count = walk->count - begin < 64 ? walk->count - begin : 64;
        uint64_t all = count == 64 ? ~0ULL : (1ULL << count) - 1;
        uint64_t pruned = ~pr_mask_bits(mask, walk->position + begin, count) & all;
        for (; pruned; pruned &= pruned - 1) {
            int64_t i = begin + __builtin_ctzll(pruned);
            memset(walk->data + i * walk->stride * walk->size, 0, (size_t)walk->size);
        }
    }
}

int32_t prune_mask_apply(const prune_mask *mask, prune_tensor *tensor)
{
    PR_REQUIRE(mask);
    PR_REQUIRE(tensor);
    PR_TRY(pr_mask_fits(__func__, mask, tensor));
    struct pr_walk walk;
    for (pr_walk_start(&walk, tensor); walk.count; pr_walk_next(&walk))
        clear_run(&walk, mask);
    return PRUNE_OK;
}
