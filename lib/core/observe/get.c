/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Statistics as tensors: an array, and what is made of its numbers.
 */
#include <math.h>
#include <string.h>

#include "core/observe/observe.h"

enum scale { AS_IS, BY_SAMPLES, BY_BATCHES, BY_VALUES, ROOT };

static const struct {
    int32_t array;
    enum scale scale;
} statistics[] = {
    [PRUNE_OBSERVED_GRAM] = {PR_GRAM, AS_IS},
    [PRUNE_OBSERVED_INPUT_NORMS] = {PR_INPUT_SQUARES, ROOT},
    [PRUNE_OBSERVED_INPUT_MEANS] = {PR_INPUT_SUMS, BY_SAMPLES},
    [PRUNE_OBSERVED_GRADIENT_MEANS] = {PR_GRADIENT_SUMS, BY_SAMPLES},
    [PRUNE_OBSERVED_GRADIENT_SQUARES] = {PR_GRADIENT_SQUARES, BY_SAMPLES},
    [PRUNE_OBSERVED_GRADIENT_MAGNITUDES] = {PR_GRADIENT_MAGNITUDES, BY_SAMPLES},
    [PRUNE_OBSERVED_MOVEMENTS] = {PR_MOVEMENTS, AS_IS},
    [PRUNE_OBSERVED_HESSIAN_DIAGONAL] = {PR_CURVATURE_SUMS, BY_SAMPLES},
    [PRUNE_OBSERVED_ZERO_FRACTIONS] = {PR_ACTIVATION_ZEROS, BY_VALUES},
    [PRUNE_OBSERVED_ACTIVATION_MEANS] = {PR_ACTIVATION_SUMS, BY_VALUES},
    [PRUNE_OBSERVED_MEANS] = {PR_MOMENT_MEANS, AS_IS},
    [PRUNE_OBSERVED_VARIANCES] = {PR_MOMENT_SQUARES, BY_VALUES},
    [PRUNE_OBSERVED_ACTIVATION_TAYLOR] = {PR_ACTIVATION_TAYLOR, BY_SAMPLES},
    [PRUNE_OBSERVED_ACTIVATION_GATES] = {PR_ACTIVATION_GATES, BY_BATCHES},
    [PRUNE_OBSERVED_CHANNEL_SCALES] = {PR_SCALE_SUMS, BY_SAMPLES},
};
#define STATISTICS ((int32_t)(sizeof statistics / sizeof *statistics))

static void make(const prune_observations *o, int32_t statistic, double *out, int64_t length)
{
    const double *array = o->array[statistics[statistic].array];
    const struct pr_observed_group *group = &o->group[pr_observed_rows[statistics[statistic].array].group];
    int64_t by = 1;
    switch (statistics[statistic].scale) {
    case BY_SAMPLES:
        by = group->samples;
        break;
    case BY_BATCHES:
        by = group->batches;
        break;
    case BY_VALUES:
        by = group->values;
        break;
    case AS_IS:
    case ROOT:
        break;
    }
    for (int64_t i = 0; i < length; i++)
        out[i] = statistics[statistic].scale == ROOT ? sqrt(array[i]) : array[i] / (double)by;
}

int32_t prune_observations_get(prune_tensor **out, const prune_observations *observations, int32_t statistic)
{
    prune_tensor *tensor;
    PR_REQUIRE(out);
    PR_REQUIRE(observations);
    if (statistic < 1 || statistic >= STATISTICS)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: statistic is %d; it must be one of PRUNE_OBSERVED_, 1 to %d", __func__,
                       (int)statistic, (int)STATISTICS - 1);
    int32_t array = statistics[statistic].array;
    PR_TRY(pr_observations_require(observations, pr_observed_rows[array].need, __func__));
    const struct pr_observed_group *group = &observations->group[pr_observed_rows[array].group];
    if (array == PR_GRAM) {
        const int64_t shape[] = {group->count, group->count};
        PR_TRY(prune_tensor_create(&tensor, observations->context, PRUNE_F64, 2, shape));
    } else {
        PR_TRY(prune_tensor_create(&tensor, observations->context, PRUNE_F64, group->rank, group->shape));
    }
    make(observations, statistic, prune_tensor_data(tensor), tensor->count);
    *out = tensor;
    return PRUNE_OK;
}
