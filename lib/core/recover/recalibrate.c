/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running statistics of a batch norm, brought up to date with a pruned network's activations.
 */
#include <math.h>
#include <string.h>

#include "core/recover/numbers.h"
#include "prune/correct.h"

/* Adds to sums[c] what channel c holds, or its squared deviations from center[c]. */
static void add_up(const prune_tensor *activations, const double *center, double *sums)
{
    enum { PART = 256 };
    int64_t channels = activations->shape[1], inner = 1;
    struct pr_walk walk;
    for (int32_t i = 2; i < activations->rank; i++)
        inner *= activations->shape[i];
    pr_walk_start(&walk, activations);
    while (walk.count) {
        double part[PART];
        int64_t count = walk.count < PART ? walk.count : PART;
        pr_read_double(activations->dtype, walk.data, walk.stride, count, part);
        for (int64_t i = 0; i < count; i++) {
            int64_t channel = (walk.position + i) / inner % channels;
            double deviation = center ? part[i] - center[channel] : 0;
            sums[channel] += center ? deviation * deviation : part[i];
        }
        pr_walk_skip(&walk, count);
    }
}

static int32_t refuse_not_finite(const prune_tensor *activations, const double *sums, int64_t channels)
{
    char shape[PR_MAX_SHAPE_TEXT];
    for (int64_t i = 0; i < channels; i++)
        if (!isfinite(sums[i]))
            return pr_fail(PRUNE_E_VALUE,
                           "prune_recalibrate_batch_norm: channel %lld of the activations %s holds NaN or infinity, "
                           "or its squares overflow; every number must be finite",
                           (long long)i, pr_shape_text(shape, activations->rank, activations->shape));
    return PRUNE_OK;
}

/* Moves `running` to `batch`; into `batch`, so that nothing changes before everything is known. */
static int32_t blend(const prune_tensor *running, double *batch, double factor, const char *what)
{
    double *old;
    if (factor == 1) /* NOLINT: exactly */
        return PRUNE_OK;
    PR_TRY(pr_numbers_read(&old, running, "prune_recalibrate_batch_norm", what));
    for (int64_t i = 0; i < running->count; i++)
        batch[i] = (1 - factor) * old[i] + factor * batch[i];
    pr_release(running->context, old);
    return PRUNE_OK;
}

static int32_t check_running(const prune_tensor *running, int64_t channels, const char *what)
{
    char shape[PR_MAX_SHAPE_TEXT];
    if (running->rank != 1 || running->count != channels)
        return pr_fail(PRUNE_E_SHAPE, "prune_recalibrate_batch_norm: %s is %s; it must be [%lld], the channels", what,
                       pr_shape_text(shape, running->rank, running->shape), (long long)channels);
    if (!pr_dtype_is_float(running->dtype))
        return pr_fail(PRUNE_E_DTYPE, "prune_recalibrate_batch_norm: %s is of %s; it must be f32, f16, bf16 or f64",
                       what, prune_dtype_name(running->dtype));
    return PRUNE_OK;
}

static int32_t check_batch(const prune_tensor *activations, int64_t *numbers)
{
    char shape[PR_MAX_SHAPE_TEXT];
    if (activations->rank < 2)
        return pr_fail(PRUNE_E_SHAPE,
                       "prune_recalibrate_batch_norm: activations is %s; it must be samples x channels x anything",
                       pr_shape_text(shape, activations->rank, activations->shape));
    if (!pr_dtype_is_float(activations->dtype))
        return pr_fail(PRUNE_E_DTYPE,
                       "prune_recalibrate_batch_norm: activations is of %s; it must be f32, f16, bf16 or f64",
                       prune_dtype_name(activations->dtype));
    *numbers = activations->shape[1] ? activations->count / activations->shape[1] : 0;
    if (*numbers < 2)
        return pr_fail(PRUNE_E_SHAPE,
                       "prune_recalibrate_batch_norm: activations %s has %lld numbers for each channel; a variance "
                       "needs 2 or more",
                       pr_shape_text(shape, activations->rank, activations->shape), (long long)*numbers);
    return PRUNE_OK;
}

int32_t prune_recalibrate_batch_norm(prune_tensor *mean, prune_tensor *variance, const prune_tensor *activations,
                                     int64_t batch, double momentum)
{
    int64_t numbers = 0;
    PR_REQUIRE(mean);
    PR_REQUIRE(variance);
    PR_REQUIRE(activations);
    if (batch < 1)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: batch is %lld; the first is 1", __func__, (long long)batch);
    if (!(momentum >= 0 && momentum <= 1))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: momentum is %g; it must be 0 (average over all batches) to 1", __func__,
                       momentum);
    PR_TRY(check_batch(activations, &numbers));
    int64_t channels = activations->shape[1];
    PR_TRY(check_running(mean, channels, "mean"));
    PR_TRY(check_running(variance, channels, "variance"));
    double *sums;
    PR_TRY(pr_alloc_zero(activations->context, channels, 2 * sizeof *sums, &sums));
    double *squares = sums + channels, factor = momentum > 0 ? momentum : 1.0 / (double)batch;
    add_up(activations, NULL, sums);
    for (int64_t i = 0; i < channels; i++)
        sums[i] /= (double)numbers;
    add_up(activations, sums, squares);
    for (int64_t i = 0; i < channels; i++)
        squares[i] /= (double)(numbers - 1);
    int32_t status = refuse_not_finite(activations, sums, channels);
    if (!status)
        status = refuse_not_finite(activations, squares, channels);
    if (!status)
        status = blend(mean, sums, factor, "mean");
    if (!status)
        status = blend(variance, squares, factor, "variance");
    if (!status) {
        pr_numbers_write(mean, sums);
        pr_numbers_write(variance, squares);
    }
    pr_release(activations->context, sums);
    return status;
}
