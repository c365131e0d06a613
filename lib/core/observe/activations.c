/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Activations: a plane is what one sample has of one channel. Planes are never split between batches, so what is worked
 * out plane by plane does not depend on how the data is cut.
 */
#include <math.h>
#include <stddef.h>

#include "core/observe/observe.h"

#define CHUNK 512

/* What is known of the plane that is going by. */
struct plane {
    int64_t seen;
    double zeros, sum, product; /* product: sum of z dE/dz */
    double mean, squares;       /* of the chunks seen */
};

/* The mean and the squared deviations of two sets together (Chan, Golub and LeVeque 1983). */
void pr_join_moments(double *mean, double *squares, double n, double other_mean, double other_squares, double m)
{
    double difference = other_mean - *mean, total = n + m;
    *mean += difference * (m / total);
    *squares += other_squares + difference * difference * (n * m / total);
}

static void take(struct plane *plane, const double *z, const double *g, int64_t count, double epsilon, int moments)
{
    double zeros = 0, sum = 0, product = 0;
    for (int64_t i = 0; i < count; i++) {
        zeros += fabs(z[i]) <= epsilon;
        sum += z[i];
    }
    for (int64_t i = 0; g && i < count; i++)
        product += z[i] * g[i];
    if (moments) {
        double mean = sum / (double)count, squares = 0;
        for (int64_t i = 0; i < count; i++)
            squares += (z[i] - mean) * (z[i] - mean);
        pr_join_moments(&plane->mean, &plane->squares, (double)plane->seen, mean, squares, (double)count);
    }
    plane->seen += count;
    plane->zeros += zeros;
    plane->sum += sum;
    plane->product += product;
}

static void finish(prune_observations *o, const struct plane *plane, int64_t sample, int64_t channel, double *gates)
{
    double **array = o->array;
    if (array[PR_ACTIVATION_ZEROS]) {
        array[PR_ACTIVATION_ZEROS][channel] += plane->zeros;
        array[PR_ACTIVATION_SUMS][channel] += plane->sum;
    }
    if (array[PR_MOMENT_MEANS]) {
        double before = (double)o->group[PR_ACTIVATIONS].values + (double)sample * (double)plane->seen;
        pr_join_moments(&array[PR_MOMENT_MEANS][channel], &array[PR_MOMENT_SQUARES][channel], before, plane->mean,
                        plane->squares, (double)plane->seen);
    }
    if (array[PR_ACTIVATION_TAYLOR]) {
        array[PR_ACTIVATION_TAYLOR][channel] += fabs(plane->product / (double)plane->seen);
        gates[channel] += plane->product;
    }
}

void pr_observe_activations(prune_observations *observations, const prune_tensor *data, const prune_tensor *gradients,
                            double *gates)
{
    struct pr_walk walk, beside;
    double z[CHUNK], g[CHUNK];
    int64_t channels = data->shape[1], planes = data->shape[0] * channels, size = data->count / planes;
    int moments = observations->array[PR_MOMENT_MEANS] != NULL;
    for (int64_t i = 0; gates && i < channels; i++)
        gates[i] = 0;
    pr_walk_start(&walk, data);
    pr_walk_start(&beside, gradients ? gradients : data);
    for (int64_t number = 0; number < planes; number++) {
        struct plane plane = {0};
        while (plane.seen < size) {
            int64_t count = size - plane.seen < CHUNK ? size - plane.seen : CHUNK;
            pr_take_numbers(&walk, data->dtype, count, z);
            if (gradients)
                pr_take_numbers(&beside, gradients->dtype, count, g);
            take(&plane, z, gradients ? g : NULL, count, observations->epsilon, moments);
        }
        finish(observations, &plane, number / channels, number % channels, gates);
    }
    for (int64_t i = 0; gates && i < channels; i++)
        observations->array[PR_ACTIVATION_GATES][i] += gates[i] * gates[i];
}
