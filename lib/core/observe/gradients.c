/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Gradients, curvatures and scale factors: one step adds one number to each element.
 */
#include <math.h>

#include "core/observe/observe.h"

#define CHUNK 512

static void add(double *sums, const double *numbers, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        sums[i] += numbers[i];
}

static void add_squares(double *sums, const double *numbers, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        sums[i] += numbers[i] * numbers[i];
}

static void add_magnitudes(double *sums, const double *numbers, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        sums[i] += fabs(numbers[i]);
}

void pr_observe_gradients(prune_observations *observations, const prune_tensor *data, const prune_tensor *weights)
{
    double **array = observations->array, g[CHUNK], w[CHUNK];
    struct pr_walk walk, beside;
    pr_walk_start(&walk, data);
    pr_walk_start(&beside, weights ? weights : data);
    while (walk.count) {
        int64_t at = walk.position, count = data->count - at < CHUNK ? data->count - at : CHUNK;
        pr_take_numbers(&walk, data->dtype, count, g);
        if (array[PR_GRADIENT_SUMS]) {
            add(array[PR_GRADIENT_SUMS] + at, g, count);
            add_squares(array[PR_GRADIENT_SQUARES] + at, g, count);
        }
        if (array[PR_GRADIENT_MAGNITUDES])
            add_magnitudes(array[PR_GRADIENT_MAGNITUDES] + at, g, count);
        if (array[PR_MOVEMENTS] && weights) {
            pr_take_numbers(&beside, weights->dtype, count, w);
            for (int64_t i = 0; i < count; i++)
                array[PR_MOVEMENTS][at + i] -= g[i] * w[i];
        }
    }
}

static void add_tensor(double *sums, const prune_tensor *data)
{
    double numbers[CHUNK];
    struct pr_walk walk;
    pr_walk_start(&walk, data);
    while (sums && walk.count) {
        int64_t at = walk.position, count = data->count - at < CHUNK ? data->count - at : CHUNK;
        pr_take_numbers(&walk, data->dtype, count, numbers);
        add(sums + at, numbers, count);
    }
}

void pr_observe_curvatures(prune_observations *observations, const prune_tensor *data)
{
    add_tensor(observations->array[PR_CURVATURE_SUMS], data);
}

void pr_observe_scales(prune_observations *observations, const prune_tensor *data)
{
    add_tensor(observations->array[PR_SCALE_SUMS], data);
}
