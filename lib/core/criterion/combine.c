/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scores made of scores.
 */
#include <math.h>

#include "core/criterion/criterion.h"
#include "core/tensor/tensor.h"

static int32_t check_same(const struct pr_grid *a, const struct pr_grid *b)
{
    char ours[PR_MAX_SHAPE_TEXT], theirs[PR_MAX_SHAPE_TEXT];
    int same = pr_same_shape(a->rank, a->shape, b->rank, b->shape) && a->quota == b->quota;
    for (int32_t i = 0; same && i < a->rank; i++)
        same = a->unit[i] == b->unit[i] && a->pool[i] == b->pool[i];
    if (!same)
        return pr_fail(PRUNE_E_SHAPE,
                       "the newer scores are of shape %s with %lld units, the older of %s with %lld; granularity and "
                       "shape must be equal",
                       pr_shape_text(ours, a->rank, a->shape), (long long)a->units,
                       pr_shape_text(theirs, b->rank, b->shape), (long long)b->units);
    return PRUNE_OK;
}

/* by_a * a + by_b * b of every unit. */
static int32_t combine(prune_scores **out, const prune_scores *scores, double by_a, const double *b, double by_b)
{
    const struct pr_grid *grid = &scores->grid;
    const double *a = prune_tensor_const_data(scores->values);
    char place[PR_MAX_SHAPE_TEXT];
    prune_tensor *values;
    PR_TRY(prune_tensor_create(&values, scores->context, PRUNE_F64, grid->rank, grid->extent));
    double *result = prune_tensor_data(values);
    for (int64_t i = 0; i < grid->units; i++) {
        result[i] = by_b == 0 ? by_a * a[i] : by_a * a[i] + by_b * b[i];
        if (isnan(result[i])) {
            prune_tensor_free(values);
            return pr_fail(PRUNE_E_VALUE,
                           "unit %lld, at %s of the grid, has scores of both infinities, whose sum is NaN",
                           (long long)i, pr_index_text(place, grid->rank, grid->extent, i));
        }
    }
    return pr_scores_wrap(out, grid, values);
}

int32_t prune_scores_average(prune_scores **out, const prune_scores *newer, const prune_scores *older, double momentum)
{
    PR_REQUIRE(out);
    PR_REQUIRE(newer);
    PR_REQUIRE(older);
    if (!(momentum >= 0 && momentum < 1))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: momentum is %g; it must be 0 or more and below 1", __func__, momentum);
    PR_TRY(check_same(&newer->grid, &older->grid));
    return combine(out, newer, 1 - momentum, prune_tensor_const_data(older->values), momentum);
}

int32_t prune_scores_charge(prune_scores **out, const prune_scores *scores, const prune_tensor *costs, double weight)
{
    prune_tensor *numbers;
    PR_REQUIRE(out);
    PR_REQUIRE(scores);
    PR_REQUIRE(costs);
    if (!isfinite(weight))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: weight is %g; it must be finite", __func__, weight);
    if (costs->dtype != PRUNE_F32 && costs->dtype != PRUNE_F64)
        return pr_fail(PRUNE_E_DTYPE, "%s: costs are %s; they must be f32 or f64", __func__,
                       prune_dtype_name(costs->dtype));
    if (costs->count != scores->grid.units)
        return pr_fail(PRUNE_E_SHAPE, "%s: %lld costs are given; there are %lld units", __func__,
                       (long long)costs->count, (long long)scores->grid.units);
    PR_TRY(pr_check_finite(costs, "costs"));
    PR_TRY(prune_tensor_convert(&numbers, costs, PRUNE_F64));
    int32_t status = combine(out, scores, 1, prune_tensor_const_data(numbers), -weight);
    prune_tensor_free(numbers);
    return status;
}
