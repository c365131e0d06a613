/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/alloc.h"
#include "core/mask/mask.h"
#include "core/select/elements.h"
#include "core/select/select.h"
#include "core/tensor/tensor.h"

#define PIECE 4096 /* numbers of one partial sum, so that sums do not depend on how they are read */

/* The sum of (w - centre)^power, power 1 or 2, over all weights. */
static double sum_of(const prune_tensor *weights, double centre, int power)
{
    double row[PIECE], total = 0, part = 0;
    int64_t filled = 0;
    struct pr_walk walk;
    pr_walk_start(&walk, weights);
    while (walk.count) {
        int64_t count = walk.count < PIECE - filled ? walk.count : PIECE - filled;
        pr_read_double(weights->dtype, walk.data, walk.stride, count, row);
        for (int64_t i = 0; i < count; i++) {
            double x = row[i] - centre;
            part += power == 1 ? x : x * x;
        }
        filled += count;
        if (filled == PIECE) {
            total += part;
            part = 0;
            filled = 0;
        }
        pr_walk_skip(&walk, count);
    }
    return total + part;
}

int32_t prune_quality_threshold(const prune_tensor *weights, double quality, double *threshold)
{
    PR_REQUIRE(weights);
    PR_REQUIRE(threshold);
    if (!pr_dtype_is_float(weights->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: weights are %s; they must be f32, f16, bf16 or f64", __func__,
                       prune_dtype_name(weights->dtype));
    if (!(quality >= 0) || isinf(quality))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: quality factor %g; it must be a finite number, 0 or more", __func__,
                       quality);
    PR_TRY(pr_refuse_nan(weights, "weights"));
    double count = (double)weights->count, mean, deviation;
    if (weights->count == 0) {
        *threshold = 0;
        return PRUNE_OK;
    }
    mean = sum_of(weights, 0, 1) / count;
    deviation = sqrt(sum_of(weights, mean, 2) / count);
    if (!isfinite(deviation))
        return pr_fail(PRUNE_E_VALUE, "%s: weights so large have no finite standard deviation", __func__);
    *threshold = quality * deviation;
    return PRUNE_OK;
}

/* The way of all other cases: a score for each element. */
static int32_t by_scores(prune_mask **out, const prune_tensor *weights, const struct pr_grid *grid, int32_t target,
                         double amount)
{
    struct prune_scores scores = {.context = weights->context, .grid = *grid};
    prune_tensor *copy;
    PR_TRY(pr_refuse_nan(weights, "weights"));
    PR_TRY(prune_tensor_convert(&copy, weights, PRUNE_F64));
    double *values = prune_tensor_data(copy);
    for (int64_t i = 0; i < weights->count; i++)
        values[i] = fabs(values[i]);
    scores.values = copy;
    int32_t status = prune_mask_select(out, &scores, target, amount);
    prune_tensor_free(copy);
    return status;
}

/* Straight from f32 weights, where there is such a way; *done says whether it was taken. */
static int32_t directly(prune_mask **out, const prune_tensor *weights, const struct pr_grid *grid, int32_t target,
                        double amount, int *done)
{
    prune_mask *mask;
    const struct pr_target exact = {target, amount, grid->quota, 0, 0};
    int groups = target == PRUNE_QUOTA && pr_has_groups_of_4(grid);
    int elements = target != PRUNE_THRESHOLD && grid->quota == PR_NO_QUOTA && grid->pools == 1;
    *done = 0;
    if (weights->dtype != PRUNE_F32 || !weights->contiguous || grid->kind->solve || !(groups || elements))
        return PRUNE_OK;
    const float *data = prune_tensor_const_data(weights);
    PR_TRY(pr_mask_new(&mask, weights->context, weights->rank, weights->shape, 0));
    int32_t status = PRUNE_OK;
    if (groups)
        *done = pr_groups_of_4(weights->context, data, NULL, weights->count, (int)grid->quota, mask->words);
    else
        status = pr_elements_f32(weights->context, data, weights->count, pr_target_count(&exact, grid->units),
                                 mask->words, done);
    if (status || !*done)
        prune_mask_free(mask);
    else
        *out = mask;
    return status;
}

int32_t prune_mask_magnitude(prune_mask **out, const prune_tensor *weights, const prune_granularity *granularity,
                             int32_t target, double amount)
{
    struct pr_grid grid;
    int done;
    PR_REQUIRE(out);
    PR_REQUIRE(weights);
    PR_REQUIRE(granularity);
    if (!pr_dtype_is_float(weights->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: weights are %s; they must be f32, f16, bf16 or f64", __func__,
                       prune_dtype_name(weights->dtype));
    PR_TRY(pr_grid_make(&grid, granularity, weights->rank, weights->shape));
    if (grid.units != grid.elements)
        return pr_fail(
            PRUNE_E_ARGUMENT,
            "%s: %s has units of several elements; it takes single elements, for others score by a criterion", __func__,
            granularity->spec);
    if (target == PRUNE_QUALITY) {
        PR_TRY(prune_quality_threshold(weights, amount, &amount));
        target = PRUNE_THRESHOLD;
    }
    PR_TRY(pr_check_target(&grid, target, amount));
    PR_TRY(directly(out, weights, &grid, target, amount, &done));
    return done ? PRUNE_OK : by_scores(out, weights, &grid, target, amount);
}
