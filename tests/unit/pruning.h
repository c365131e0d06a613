/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Short hands for tests of granularities, criteria and selection: everything from spec strings, everything freed.
 */
#ifndef PR_PRUNING_H
#define PR_PRUNING_H

#include <math.h>

#include "testing.h"

#define SHAPE(...) ((const int64_t[]){__VA_ARGS__})

static inline prune_tensor *borrow(const void *data, int32_t dtype, int32_t rank, const int64_t *shape)
{
    prune_tensor *tensor;
    OK(prune_tensor_borrow(&tensor, NULL, (void *)(uintptr_t)data, dtype, rank, shape, NULL));
    return tensor;
}

static inline prune_granularity *cut(const char *spec)
{
    prune_granularity *granularity;
    OK(prune_granularity_create(&granularity, NULL, spec));
    return granularity;
}

static inline prune_scores *score(const prune_tensor *weights, const char *criterion, const char *granularity)
{
    prune_criterion *c;
    prune_granularity *g = cut(granularity);
    prune_scores *scores;
    OK(prune_criterion_create(&c, NULL, criterion));
    OK(prune_criterion_score(&scores, c, weights, NULL, g));
    prune_criterion_free(c);
    prune_granularity_free(g);
    return scores;
}

static inline prune_mask *prune(const prune_tensor *weights, const char *criterion, const char *granularity,
                                int32_t target, double amount)
{
    prune_scores *scores = score(weights, criterion, granularity);
    prune_mask *mask;
    OK(prune_mask_select(&mask, scores, target, amount));
    prune_scores_free(scores);
    return mask;
}

static inline prune_mask *prune_f32(const float *w, int32_t rank, const int64_t *shape, const char *criterion,
                                    const char *granularity, int32_t target, double amount)
{
    prune_tensor *weights = borrow(w, PRUNE_F32, rank, shape);
    prune_mask *mask = prune(weights, criterion, granularity, target, amount);
    prune_tensor_free(weights);
    return mask;
}

static inline int kept(const prune_mask *mask, int64_t index)
{
    int32_t is_kept;
    if (prune_mask_get(mask, index, &is_kept)) /* Check notes every assertion in a file; this is called often */
        ck_abort_msg("%s", prune_error());
    return is_kept;
}

/* "1" kept, "0" pruned, in row-major order; other characters are for the eye. Frees the mask. */
static inline void expect_mask(prune_mask *mask, const char *bits)
{
    int64_t n = 0;
    for (const char *p = bits; *p; p++)
        if (*p == '0' || *p == '1') {
            ck_assert_int_lt(n, prune_mask_count(mask));
            ck_assert_msg(kept(mask, n) == *p - '0', "element %lld is %d where \"%s\" is due", (long long)n,
                          kept(mask, n), bits);
            n++;
        }
    ck_assert_int_eq(n, prune_mask_count(mask));
    prune_mask_free(mask);
}

/* Frees the mask. */
static inline void expect_kept(prune_mask *mask, int64_t count)
{
    ck_assert_int_eq(prune_mask_kept(mask), count);
    prune_mask_free(mask);
}

static inline void expect_same(const prune_mask *a, const prune_mask *b)
{
    int64_t differing, first;
    OK(prune_mask_compare(a, b, &differing, &first));
    if (differing)
        ck_abort_msg("%lld elements differ, the first is %lld", (long long)differing, (long long)first);
}

/* Whether the mask has the pattern, and where it is broken. */
static inline void expect_check(const char *granularity, const prune_mask *mask, int holds, int64_t violation)
{
    prune_granularity *g = cut(granularity);
    int32_t got_holds = 7;
    int64_t got_violation = -7;
    OK(prune_granularity_check(g, mask, &got_holds, &got_violation));
    if (got_holds != holds || got_violation != violation)
        ck_abort_msg("%s: holds %d, violation %lld", granularity, got_holds, (long long)got_violation);
    prune_granularity_free(g);
}

#endif
