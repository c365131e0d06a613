/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"
#include "core/tensor/tensor.h"

#define CHUNK 512

enum { BLOCKS };

static const struct pr_parameter parameters[] = {PR_BLOCKS, PR_NORMALIZE, {0}};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_GRADIENT_SAMPLES;
}

/* Of elements from..from+count-1 of the row that begins at unit `first`, along the last axis. */
static void add_products(const prune_tensor *gradient, int64_t position, const double *w, int64_t from, int64_t count,
                         int64_t unit, double *sums)
{
    double g[CHUNK];
    int64_t size = prune_dtype_size(gradient->dtype);
    pr_read_double(gradient->dtype, gradient->data + position * size, 1, count, g);
    for (int64_t i = 0; i < count; i++)
        sums[(from + i) / unit] += pr_times(w[i], g[i]);
}

/* sum of g w of every unit, for one gradient; `weights` are F64 and without gaps. */
static void sum_products(const struct pr_grid *grid, const double *weights, const prune_tensor *gradient, double *sums)
{
    int32_t last = grid->rank - 1;
    int64_t row = last < 0 ? 1 : grid->shape[last], index[PRUNE_MAX_RANK] = {0};
    for (int64_t position = 0; position < grid->elements; position += row) {
        int64_t unit = 0;
        for (int32_t i = 0; i < last; i++)
            unit += index[i] / grid->unit[i] * grid->stride[i];
        for (int64_t from = 0; from < row; from += CHUNK)
            add_products(gradient, position + from, weights + position + from, from,
                         row - from < CHUNK ? row - from : CHUNK, last < 0 ? 1 : grid->unit[last], sums + unit);
        for (int32_t i = last - 1; i >= 0 && ++index[i] == grid->shape[i]; i--)
            index[i] = 0;
    }
}

static int32_t add_squares(const struct pr_scoring *scoring, const double *weights, double *sums, double *scores)
{
    const struct pr_grid *grid = scoring->grid;
    int64_t kept = prune_observations_kept(scoring->observations);
    for (int64_t step = 0; step < kept; step++) {
        for (int64_t i = 0; i < grid->units; i++)
            sums[i] = 0;
        sum_products(grid, weights, pr_observed_gradient(scoring->observations, step), sums);
        for (int64_t i = 0; i < grid->units; i++)
            scores[i] += sums[i] * sums[i] / (double)kept;
    }
    for (int64_t i = 0; i < grid->units; i++)
        if (isnan(scores[i]))
            return pr_fail(
                PRUNE_E_VALUE,
                "criterion taylor-gate: unit %lld has infinite weights of both signs, whose sum is NaN; give "
                "it at most one",
                (long long)i);
    return PRUNE_OK;
}

static int32_t units(const struct pr_scoring *scoring, double *scores)
{
    prune_context *context = scoring->weights->context;
    prune_tensor *weights;
    double *sums;
    PR_TRY(pr_alloc(context, scoring->grid->units, sizeof *sums, &sums));
    int32_t status = prune_tensor_convert(&weights, scoring->weights, PRUNE_F64);
    if (!status) {
        status = add_squares(scoring, prune_tensor_const_data(weights), sums, scores);
        prune_tensor_free(weights);
    }
    pr_release(context, sums);
    return status;
}

static int32_t layer(const struct pr_scoring *scoring, double *scores)
{
    return pr_share_among_blocks(scoring, BLOCKS, scores);
}

const struct pr_criterion_kind pr_criterion_taylor_gate = {
    .kind = {.name = "taylor-gate",
             .help = "first order: (sum of g w)^2 of a unit, averaged over the gradients that are kept",
             .parameters = parameters},
    .needs = needs,
    .units = units,
    .layer = layer,
};
