/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Biases and scales that bring back the mean, or mean and variance, of a layer's outputs; folding a batch norm.
 */
#include "prune/correct.h"

#include <math.h>
#include <stddef.h>

#include "core/recover/numbers.h"

static int32_t require_rows(const prune_tensor *weights, int32_t least_rank, const char *function, const char *what)
{
    char shape[PR_MAX_SHAPE_TEXT];
    if (weights->rank >= least_rank)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_SHAPE, "%s: %s is %s; it must have %d axes or more, outputs on axis 0", function, what,
                   pr_shape_text(shape, weights->rank, weights->shape), (int)least_rank);
}

/* How many columns one mean stands for: 1, or the taps of a kernel. */
static int32_t taps_of_a_mean(const prune_tensor *weights, const prune_tensor *means, int64_t groups, int64_t *taps)
{
    int64_t inputs = 0, columns = 0, all_taps = 1;
    for (int32_t i = 2; i < weights->rank; i++)
        all_taps *= weights->shape[i]; /* a part of the tensor's count */
    PR_TRY(pr_mul(weights->shape[1], groups, &inputs));
    PR_TRY(pr_mul(inputs, all_taps, &columns));
    if (means->rank != 1 || (means->count != inputs && means->count != columns)) {
        char text[PR_MAX_SHAPE_TEXT];
        return pr_fail(PRUNE_E_SHAPE,
                       "prune_correct_bias: means is %s; it must be [%lld], one for each input, or [%lld], one for "
                       "each column of im2col",
                       pr_shape_text(text, means->rank, means->shape), (long long)inputs, (long long)columns);
    }
    *taps = means->count == columns ? 1 : all_taps;
    return PRUNE_OK;
}

static void add_lost_means(double *bias, const prune_tensor *weights, const double *before, const double *after,
                           const double *means, int64_t groups, int64_t taps)
{
    int64_t rows = weights->shape[0], columns = rows ? weights->count / rows : 0;
    for (int64_t row = 0; row < rows; row++) {
        const double *mean = means + row / (rows / groups) * (columns / taps);
        double lost = 0;
        for (int64_t i = 0; i < columns; i++)
            lost += (before[row * columns + i] - after[row * columns + i]) * mean[i / taps];
        bias[row] += lost;
    }
}

int32_t prune_correct_bias(prune_tensor *bias, const prune_tensor *before, const prune_tensor *after,
                           const prune_tensor *means, int64_t groups)
{
    int64_t taps = 1;
    PR_REQUIRE(bias);
    PR_REQUIRE(before);
    PR_REQUIRE(after);
    PR_REQUIRE(means);
    PR_TRY(require_rows(before, 2, __func__, "before"));
    if (!pr_same_shape(before->rank, before->shape, after->rank, after->shape)) {
        char a[PR_MAX_SHAPE_TEXT], b[PR_MAX_SHAPE_TEXT];
        return pr_fail(PRUNE_E_SHAPE, "%s: before is %s and after %s; they must have one shape", __func__,
                       pr_shape_text(a, before->rank, before->shape), pr_shape_text(b, after->rank, after->shape));
    }
    if (groups < 1 || before->shape[0] % groups)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: groups is %lld; it must be 1 or more and divide the %lld outputs",
                       __func__, (long long)groups, (long long)before->shape[0]);
    PR_TRY(taps_of_a_mean(before, means, groups, &taps));
    double *b = NULL, *w = NULL, *v = NULL, *m = NULL;
    int32_t status = pr_numbers_vector(&b, bias, before->shape[0], __func__, "bias");
    if (!status)
        status = pr_numbers_read(&w, before, __func__, "before");
    if (!status)
        status = pr_numbers_read(&v, after, __func__, "after");
    if (!status)
        status = pr_numbers_read(&m, means, __func__, "means");
    if (!status) {
        add_lost_means(b, before, w, v, m, groups, taps);
        pr_numbers_write(bias, b);
    }
    pr_release(means->context, m);
    pr_release(after->context, v);
    pr_release(before->context, w);
    pr_release(bias->context, b);
    return status;
}

#define VECTORS 4

/* `count` numbers each of up to four vectors, one after another in *out; `context` gives the memory. */
static int32_t read_vectors(double **out, prune_context *context, const prune_tensor *const vectors[VECTORS],
                            int64_t count, const char *function, const char *const names[VECTORS])
{
    int64_t total = 0;
    double *values;
    for (int i = 0; i < VECTORS; i++) {
        char shape[PR_MAX_SHAPE_TEXT];
        if (vectors[i]->rank != 1 || vectors[i]->count != count)
            return pr_fail(PRUNE_E_SHAPE, "%s: %s is %s; it must be [%lld], one for each output", function, names[i],
                           pr_shape_text(shape, vectors[i]->rank, vectors[i]->shape), (long long)count);
    }
    PR_TRY(pr_mul(count, VECTORS, &total));
    PR_TRY(pr_alloc(context, total, sizeof *values, &values));
    for (int i = 0; i < VECTORS; i++) {
        int32_t status = pr_numbers_read_into(values + i * count, vectors[i], function, names[i]);
        if (status) {
            pr_release(context, values);
            return status;
        }
    }
    *out = values;
    return PRUNE_OK;
}

/* Row o times scale[o], bias[o] to scale[o] (bias[o] - from[o]) + to[o]. */
static int32_t rescale(prune_tensor *weights, prune_tensor *bias, const double *scale, const double *from,
                       const double *to, const char *function)
{
    double *w = NULL, *b = NULL;
    int64_t rows = weights->shape[0], columns = rows ? weights->count / rows : 0;
    int32_t status = pr_numbers_read(&w, weights, function, "weights");
    if (!status)
        status = pr_numbers_vector(&b, bias, rows, function, "bias");
    if (!status) {
        for (int64_t row = 0; row < rows; row++) {
            for (int64_t i = 0; i < columns; i++)
                w[row * columns + i] = w[row * columns + i] * scale[row] + 0.0; /* what is pruned stays +0.0 */
            b[row] = (b[row] - from[row]) * scale[row] + to[row];
        }
        pr_numbers_write(weights, w);
        pr_numbers_write(bias, b);
    }
    pr_release(bias->context, b);
    pr_release(weights->context, w);
    return status;
}

int32_t prune_correct_moments(prune_tensor *weights, prune_tensor *bias, const prune_tensor *mean_before,
                              const prune_tensor *variance_before, const prune_tensor *mean_after,
                              const prune_tensor *variance_after)
{
    static const char *const names[] = {"mean_before", "variance_before", "mean_after", "variance_after"};
    PR_REQUIRE(weights);
    PR_REQUIRE(bias);
    PR_REQUIRE(mean_before);
    PR_REQUIRE(variance_before);
    PR_REQUIRE(mean_after);
    PR_REQUIRE(variance_after);
    PR_TRY(require_rows(weights, 1, __func__, "weights"));
    const prune_tensor *const vectors[] = {mean_before, variance_before, mean_after, variance_after};
    int64_t rows = weights->shape[0];
    double *values;
    PR_TRY(read_vectors(&values, weights->context, vectors, rows, __func__, names));
    double *scale = values + rows, *after = values + 3 * rows;
    int32_t status = PRUNE_OK;
    for (int64_t i = 0; i < rows && !status; i++) {
        if (scale[i] < 0 || after[i] < 0)
            status = pr_fail(PRUNE_E_VALUE,
                             "%s: the variances of output %lld are %g before and %g after; they must "
                             "be 0 or more",
                             __func__, (long long)i, scale[i], after[i]);
        scale[i] = after[i] > 0 ? sqrt(scale[i] / after[i]) : 1;
    }
    if (!status)
        status = rescale(weights, bias, scale, values + 2 * rows, values, __func__);
    pr_release(weights->context, values);
    return status;
}

int32_t prune_fold_batch_norm(prune_tensor *weights, prune_tensor *bias, const prune_tensor *gamma,
                              const prune_tensor *beta, const prune_tensor *mean, const prune_tensor *variance,
                              double epsilon)
{
    static const char *const names[] = {"gamma", "beta", "mean", "variance"};
    PR_REQUIRE(weights);
    PR_REQUIRE(bias);
    PR_REQUIRE(gamma);
    PR_REQUIRE(beta);
    PR_REQUIRE(mean);
    PR_REQUIRE(variance);
    if (!(epsilon >= 0) || isinf(epsilon))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: epsilon is %g; it must be 0 or more", __func__, epsilon);
    PR_TRY(require_rows(weights, 1, __func__, "weights"));
    const prune_tensor *const vectors[] = {gamma, beta, mean, variance};
    int64_t rows = weights->shape[0];
    double *values;
    PR_TRY(read_vectors(&values, weights->context, vectors, rows, __func__, names));
    int32_t status = PRUNE_OK;
    for (int64_t i = 0; i < rows && !status; i++) {
        double spread = values[3 * rows + i] + epsilon;
        if (!(spread > 0))
            status = pr_fail(PRUNE_E_VALUE,
                             "%s: variance %g of channel %lld with epsilon %g makes %g; it must be "
                             "above 0",
                             __func__, values[3 * rows + i], (long long)i, epsilon, spread);
        values[i] /= sqrt(spread);
    }
    if (!status)
        status = rescale(weights, bias, values, values + 2 * rows, values + rows, __func__);
    pr_release(weights->context, values);
    return status;
}
