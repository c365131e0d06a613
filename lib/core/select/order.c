/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/order.h"

#include <string.h>

#include "core/granularity/granularity.h"
#include "core/tensor/tensor.h"

#define PR_ORDER(name) extern const struct pr_order_kind pr_order_##name;
#include "core/select/orders.def"
#undef PR_ORDER

/* The kind is the first member of its struct, so that one list serves both. */
const struct pr_kind *const pr_order_kinds[] = {
#define PR_ORDER(name) &pr_order_##name.kind,
#include "core/select/orders.def"
#undef PR_ORDER
};
const int32_t pr_order_kind_count = (int32_t)(sizeof pr_order_kinds / sizeof *pr_order_kinds);

void pr_order_sort(int64_t *channels, int64_t count)
{
    for (int64_t i = 1; i < count; i++)
        for (int64_t j = i; j > 0 && channels[j - 1] > channels[j]; j--) {
            int64_t held = channels[j];
            channels[j] = channels[j - 1];
            channels[j - 1] = held;
        }
}

void pr_order_stand_at(prune_order *order, const int64_t *channels)
{
    int64_t sorted[PR_ORDER_MAX_GROUP];
    for (int64_t group = 0; group < order->groups; group++) {
        int64_t size = pr_order_group_size(order, group);
        int64_t *mine = order->channels + group * order->matrix.group_m;
        memcpy(sorted, channels + group * order->matrix.group_m, (size_t)size * sizeof *sorted);
        pr_order_sort(sorted, size);
        if (memcmp(mine, sorted, (size_t)size * sizeof *sorted) == 0)
            continue;
        memcpy(mine, sorted, (size_t)size * sizeof *sorted);
        order->group_value[group] = pr_order_retained(&order->matrix, mine, size);
        order->touched[group] = 1;
    }
}

double pr_order_value(const prune_order *order)
{
    double sum = 0;
    for (int64_t group = 0; group < order->groups; group++)
        sum += order->group_value[group];
    return sum;
}

void pr_order_note_best(prune_order *order)
{
    double value = pr_order_value(order);
    if (!(value > order->best_value))
        return;
    order->best_value = value;
    memcpy(order->best, order->channels, (size_t)order->matrix.columns * sizeof *order->best);
}

static int32_t start(prune_order *order)
{
    const struct pr_order_matrix *matrix = &order->matrix;
    prune_context *context = order->context;
    if (matrix->group_m > PR_ORDER_MAX_GROUP)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s: groups of %lld channels; at most %d are ordered", order->spec,
                       (long long)matrix->group_m, PR_ORDER_MAX_GROUP);
    order->groups = matrix->columns ? pr_ceil_div(matrix->columns, matrix->group_m) : 0;
    PR_TRY(pr_alloc(context, matrix->columns, sizeof *order->channels, &order->channels));
    PR_TRY(pr_alloc(context, matrix->columns, sizeof *order->best, &order->best));
    PR_TRY(pr_alloc_zero(context, order->groups, sizeof *order->group_value, &order->group_value));
    PR_TRY(pr_alloc_zero(context, order->groups, 1, &order->touched));
    for (int64_t i = 0; i < matrix->columns; i++)
        order->channels[i] = order->best[i] = i;
    for (int64_t group = 0; group < order->groups; group++)
        order->group_value[group] =
            pr_order_retained(matrix, order->channels + group * matrix->group_m, pr_order_group_size(order, group));
    order->before = order->best_value = pr_order_value(order);
    return order->kind->prepare(order);
}

int32_t prune_order_create(prune_order **out, const prune_tensor *weights, const prune_granularity *granularity,
                           const char *spec)
{
    int32_t index;
    struct pr_values values;
    char canonical[PR_MAX_SPEC];
    prune_order *order;
    PR_REQUIRE(out);
    PR_REQUIRE(weights);
    PR_REQUIRE(granularity);
    PR_REQUIRE(spec);
    PR_TRY(pr_spec_parse(spec, "order", pr_order_kinds, pr_order_kind_count, &index, &values));
    const struct pr_order_kind *kind = (const struct pr_order_kind *)pr_order_kinds[index];
    pr_spec_print(canonical, &kind->kind, &values);
    PR_TRY(pr_alloc_zero(weights->context, 1, sizeof *order, &order));
    order->context = prune_context_retain(weights->context);
    order->kind = kind;
    order->values = values;
    int32_t status = pr_copy_text(order->context, canonical, &order->spec);
    if (!status)
        status = pr_order_matrix_make(&order->matrix, weights, granularity);
    if (!status)
        status = start(order);
    if (status) {
        prune_order_free(order);
        return status;
    }
    *out = order;
    return PRUNE_OK;
}

const char *prune_order_spec(const prune_order *order)
{
    return order ? order->spec : NULL;
}

int32_t prune_order_search(prune_order *order, int64_t rounds, int32_t *finished)
{
    PR_REQUIRE(order);
    PR_REQUIRE(finished);
    if (rounds < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %lld rounds; it must be 0 (no limit) or more", __func__,
                       (long long)rounds);
    for (int64_t round = 0; !order->finished && (rounds == 0 || round < rounds); round++)
        PR_TRY(order->kind->round(order));
    *finished = order->finished;
    return PRUNE_OK;
}

const int64_t *prune_order_channels(const prune_order *order)
{
    return order ? order->best : NULL;
}

int64_t prune_order_count(const prune_order *order)
{
    return order ? order->matrix.columns : 0;
}

int32_t prune_order_axis(const prune_order *order)
{
    return order ? order->matrix.axis : 0;
}

int32_t prune_order_retained(const prune_order *order, double *before, double *after, double *all)
{
    PR_REQUIRE(order);
    if (before)
        *before = order->before;
    if (after)
        *after = order->best_value;
    if (all)
        *all = order->matrix.total;
    return PRUNE_OK;
}

void prune_order_free(prune_order *order)
{
    if (!order)
        return;
    prune_context *context = order->context;
    for (int32_t groups = 0; groups <= PR_ORDER_MAX_GROUPS; groups++)
        for (int has_short = 0; has_short < 2; has_short++) {
            pr_release(context, order->deals[groups][has_short].subsets);
            pr_release(context, order->deals[groups][has_short].parts);
        }
    pr_release(context, order->members);
    pr_release(context, order->gain);
    pr_release(context, order->choice);
    pr_release(context, order->fresh);
    pr_release(context, order->touched);
    pr_release(context, order->scratch);
    pr_release(context, order->channels);
    pr_release(context, order->best);
    pr_release(context, order->group_value);
    pr_release(context, order->matrix.magnitude);
    pr_release(context, order->spec);
    pr_release(context, order);
    prune_context_free(context);
}
