/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small networks and data for the tests of libprune-model.
 */
#ifndef PM_TEST_NETWORKS_H
#define PM_TEST_NETWORKS_H

#include <math.h>

#include "base/rng.h"
#include "prune/model.h"
#include "testing.h"

static inline float *numbers_of(prune_network *network, const char *name)
{
    return prune_tensor_data(prune_network_parameter(network, name));
}

static inline prune_tensor *random_images(int64_t count, int64_t size, uint64_t seed)
{
    struct pr_rng rng;
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, (const int64_t[]){count, size}));
    float *numbers = prune_tensor_data(tensor);
    pr_rng_seed(&rng, seed);
    for (int64_t i = 0; i < count * size; i++)
        numbers[i] = (float)(2 * pr_rng_uniform(&rng) - 1);
    return tensor;
}

static inline prune_tensor *random_labels(int64_t count, int64_t classes, uint64_t seed)
{
    struct pr_rng rng;
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_I64, 1, &count));
    int64_t *numbers = prune_tensor_data(tensor);
    pr_rng_seed(&rng, seed);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = (int64_t)pr_rng_below(&rng, (uint64_t)classes);
    return tensor;
}

/* Gives every parameter, biases too, random numbers. */
static inline void randomize(prune_network *network, uint64_t seed)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, seed);
    for (int32_t i = 0; i < prune_network_parameter_count(network); i++) {
        prune_tensor *tensor = prune_network_parameter(network, prune_network_parameter_name(network, i));
        float *numbers = prune_tensor_data(tensor);
        for (int64_t j = 0; j < prune_tensor_count(tensor); j++)
            numbers[j] = (float)(2 * pr_rng_uniform(&rng) - 1);
    }
}

static inline prune_network *random_mlp(const char *widths, uint64_t seed)
{
    prune_network *network;
    OK(prune_network_create_mlp(&network, NULL, widths));
    randomize(network, seed);
    return network;
}

/* Prunes a parameter at random; `density` of its elements stay. */
static inline void prune_at_random(prune_network *network, const char *name, double density, uint64_t seed)
{
    prune_mask *mask;
    const prune_tensor *tensor = prune_network_parameter(network, name);
    OK(prune_mask_create(&mask, NULL, prune_tensor_rank(tensor), prune_tensor_shape(tensor), 1));
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        OK(prune_mask_set(mask, i, pr_rng_at(seed, (uint64_t)i) < density));
    OK(prune_network_set_mask(network, name, mask));
    prune_mask_free(mask);
}

/* Two heads on a trunk and more: [2, 3] -> flatten -> fc1 (5) = sum -> relu = trunk
 *   head1: trunk -> 4 = out1, which is an output and feeds head4 -> 3 = out4
 *   head2: sum -> 4 = out2 (the sum has two takers)
 *   fc3: trunk -> 3 -> relu -> head3 -> 4 = out3 */
static inline prune_network *branching_network(uint64_t seed)
{
    prune_network *n;
    OK(prune_network_create(&n, NULL));
    OK(prune_network_add_input(n, "x", 2, (const int64_t[]){2, 3}));
    OK(prune_network_add_node(n, "flatten", "flatten", "x", "flat"));
    OK(prune_network_add_node(n, "fc1", "linear:in=6,out=5", "flat", "sum"));
    OK(prune_network_add_node(n, "relu1", "relu", "sum", "trunk"));
    OK(prune_network_add_node(n, "head1", "linear:in=5,out=4", "trunk", "out1"));
    OK(prune_network_add_node(n, "head2", "linear:in=5,out=4", "sum", "out2"));
    OK(prune_network_add_node(n, "fc3", "linear:in=5,out=3", "trunk", "sum3"));
    OK(prune_network_add_node(n, "relu3", "relu", "sum3", "act3"));
    OK(prune_network_add_node(n, "head3", "linear:in=3,out=4", "act3", "out3"));
    OK(prune_network_add_node(n, "head4", "linear:in=4,out=3", "out1", "out4"));
    OK(prune_network_add_output(n, "out1"));
    OK(prune_network_add_output(n, "out2"));
    OK(prune_network_add_output(n, "out3"));
    OK(prune_network_add_output(n, "out4"));
    randomize(n, seed);
    return n;
}

/* The same graph in double. `p` holds weight and bias of fc1, head1, head2, fc3, head3, head4; out4 has 3 numbers, the
 * others 4. */
static inline void linear_double(const double *w, const double *b, const double *x, double *y, int in, int out,
                                 int relu)
{
    for (int r = 0; r < out; r++) {
        double sum = b[r];
        for (int c = 0; c < in; c++)
            sum += w[r * in + c] * x[c];
        y[r] = relu && sum < 0 ? 0 : sum;
    }
}

static inline void branching_double(double *const p[12], const float x[6], double out[4][4])
{
    double input[6], sum[5], trunk[5], act[3];
    for (int i = 0; i < 6; i++)
        input[i] = (double)x[i];
    linear_double(p[0], p[1], input, sum, 6, 5, 0);
    for (int i = 0; i < 5; i++)
        trunk[i] = sum[i] > 0 ? sum[i] : 0;
    linear_double(p[2], p[3], trunk, out[0], 5, 4, 0);
    linear_double(p[4], p[5], sum, out[1], 5, 4, 0);
    linear_double(p[6], p[7], trunk, act, 5, 3, 1);
    linear_double(p[8], p[9], act, out[2], 3, 4, 0);
    linear_double(p[10], p[11], out[0], out[3], 4, 3, 0);
}

#endif
