/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/granularity/granularity.h"
#include "core/mask/mask.h"
#include "prune/check.h"

#define CHUNK 256

/* The change of a layer's weights, row by row: pruned weights to 0, or from `before` to `after`. */
struct change {
    const prune_mask *mask;
    const prune_tensor *before, *after;
    int64_t outputs, columns; /* as a matrix */
    const double *norms;      /* one for `share` neighbouring columns */
    int64_t share;
};

/* Never below the sum that it stands for: `terms` products and sums, each of which may have lost half a unit in its
 * last place, and as many norms. */
static double round_up(double sum, int64_t terms)
{
    return sum > 0 ? sum * (1 + ((double)terms + 8) * 0x1p-52) + (double)terms * 0x1p-1074 : 0;
}

static int32_t refuse_nan(const prune_tensor *tensor, int64_t position)
{
    char place[PR_MAX_SHAPE_TEXT];
    return pr_fail(PRUNE_E_VALUE, "weight %lld, at %s, is NaN; weights must be numbers", (long long)position,
                   pr_index_text(place, tensor->rank, tensor->shape, position));
}

/* The sum of one row, from where the walks stand. */
static int32_t sum_row(const struct change *change, struct pr_walk *before, struct pr_walk *after, double *out)
{
    double was[CHUNK], is[CHUNK], sum = 0;
    for (int64_t column = 0; column < change->columns;) {
        int64_t count = change->columns - column < CHUNK ? change->columns - column : CHUNK;
        int64_t position = before->position;
        count = before->count < count ? before->count : count;
        if (change->after)
            count = after->count < count ? after->count : count;
        pr_read_double(change->before->dtype, before->data, before->stride, count, was);
        pr_walk_skip(before, count);
        if (change->after) {
            pr_read_double(change->after->dtype, after->data, after->stride, count, is);
            pr_walk_skip(after, count);
        }
        for (int64_t i = 0; i < count; i++, column++) {
            if (!change->after)
                is[i] = pr_mask_get(change->mask, position + i) ? was[i] : 0;
            if (was[i] != was[i])
                return refuse_nan(change->before, position + i);
            if (is[i] != is[i])
                return refuse_nan(change->after, position + i);
            if (was[i] != is[i]) /* a weight that stays changes nothing, whatever the norm */
                sum += fabs(was[i] - is[i]) * change->norms[column / change->share];
        }
    }
    *out = round_up(sum, change->columns);
    return PRUNE_OK;
}

static int32_t sum_rows(const struct change *change, double *rows)
{
    struct pr_walk before, after = {0};
    pr_walk_start(&before, change->before);
    if (change->after)
        pr_walk_start(&after, change->after);
    for (int64_t row = 0; row < change->outputs; row++)
        PR_TRY(sum_row(change, &before, &after, &rows[row]));
    return PRUNE_OK;
}

/* The root of the sum of squares, scaled by the largest. */
static double norm_of(const double *rows, int64_t count)
{
    double most = 0, sum = 0;
    for (int64_t i = 0; i < count; i++)
        most = rows[i] > most ? rows[i] : most;
    if (most == 0 || isinf(most))
        return most;
    for (int64_t i = 0; i < count; i++)
        sum += rows[i] / most * (rows[i] / most);
    return round_up(most * sqrt(sum), count + 4);
}

static int32_t read_norms(const prune_tensor *tensor, double *norms)
{
    struct pr_walk walk;
    for (pr_walk_start(&walk, tensor); walk.count; pr_walk_next(&walk))
        pr_read_double(tensor->dtype, walk.data, walk.stride, walk.count, norms + walk.position);
    for (int64_t i = 0; i < tensor->count; i++)
        if (!(norms[i] >= 0))
            return pr_fail(PRUNE_E_VALUE, "input norm %lld is %s; it must be 0 or more", (long long)i,
                           norms[i] < 0 ? "negative" : "NaN");
    return PRUNE_OK;
}

static int32_t check_sizes(const char *function, struct change *change, const prune_tensor *input_norms,
                           const double *rows, int64_t count)
{
    const prune_tensor *w = change->before;
    char text[PR_MAX_SHAPE_TEXT];
    if (!pr_dtype_is_float(w->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: weights are %s; they must be f32, f16, bf16 or f64", function,
                       prune_dtype_name(w->dtype));
    if (input_norms->dtype != PRUNE_F32 && input_norms->dtype != PRUNE_F64)
        return pr_fail(PRUNE_E_DTYPE, "%s: input norms are %s; they must be f32 or f64", function,
                       prune_dtype_name(input_norms->dtype));
    if (w->rank < 2)
        return pr_fail(PRUNE_E_SHAPE, "%s: weights have rank %d; they must have rank 2 or more", function,
                       (int)w->rank);
    change->outputs = w->shape[0];
    change->columns = change->share = 1;
    for (int32_t i = 1; i < w->rank; i++)
        change->columns *= w->shape[i]; /* fits in a tensor that is there */
    for (int32_t i = 2; i < w->rank && input_norms->count != change->columns; i++)
        change->share *= w->shape[i];
    if (input_norms->count != change->columns && input_norms->count != w->shape[1])
        return pr_fail(
            PRUNE_E_SHAPE,
            "%s: %lld input norms for weights of shape %s; there must be %lld, or one for each of %lld channels",
            function, (long long)input_norms->count, pr_shape_text(text, w->rank, w->shape), (long long)change->columns,
            (long long)w->shape[1]);
    if ((rows || count) && count != change->outputs)
        return pr_fail(PRUNE_E_SHAPE, "%s: room for %lld rows; the weights have %lld", function, (long long)count,
                       (long long)change->outputs);
    if (!rows && count)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: rows is NULL; it must be given", function);
    return PRUNE_OK;
}

static int32_t find_bound(const char *function, struct change *change, const prune_tensor *input_norms, double *rows,
                          int64_t count, double *bound)
{
    double *numbers;
    int64_t room = 0;
    prune_context *context = change->before->context;
    PR_TRY(check_sizes(function, change, input_norms, rows, count));
    PR_TRY(pr_add(change->outputs, input_norms->count, &room));
    PR_TRY(pr_alloc(context, room, sizeof *numbers, &numbers));
    double *norms = numbers + change->outputs;
    change->norms = norms;
    int32_t status = read_norms(input_norms, norms);
    if (!status)
        status = sum_rows(change, numbers);
    if (!status) {
        for (int64_t i = 0; i < count; i++)
            rows[i] = numbers[i];
        if (bound)
            *bound = norm_of(numbers, change->outputs);
    }
    pr_release(context, numbers);
    return status;
}

int32_t prune_mask_error_bound(const prune_mask *mask, const prune_tensor *weights, const prune_tensor *input_norms,
                               double *rows, int64_t count, double *bound)
{
    PR_REQUIRE(mask);
    PR_REQUIRE(weights);
    PR_REQUIRE(input_norms);
    PR_TRY(pr_mask_fits(__func__, mask, weights));
    struct change change = {.mask = mask, .before = weights};
    return find_bound(__func__, &change, input_norms, rows, count, bound);
}

int32_t prune_weights_error_bound(const prune_tensor *before, const prune_tensor *after,
                                  const prune_tensor *input_norms, double *rows, int64_t count, double *bound)
{
    char one[PR_MAX_SHAPE_TEXT], other[PR_MAX_SHAPE_TEXT];
    PR_REQUIRE(before);
    PR_REQUIRE(after);
    PR_REQUIRE(input_norms);
    if (!pr_same_shape(before->rank, before->shape, after->rank, after->shape))
        return pr_fail(PRUNE_E_SHAPE, "%s: weights of shapes %s before and %s after; they must be equal", __func__,
                       pr_shape_text(one, before->rank, before->shape),
                       pr_shape_text(other, after->rank, after->shape));
    if (!pr_dtype_is_float(after->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: weights after are %s; they must be f32, f16, bf16 or f64", __func__,
                       prune_dtype_name(after->dtype));
    struct change change = {.before = before, .after = after};
    return find_bound(__func__, &change, input_norms, rows, count, bound);
}
