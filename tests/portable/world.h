/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Layers that are the same on every machine: weights with many equal magnitudes, and what data would say about them.
 */
#ifndef PR_TEST_WORLD_H
#define PR_TEST_WORLD_H

#include <math.h>

#include "testing.h"

#include "base/rng.h"

#define STEPS 3   /* gradients, curvatures, batches of activations */
#define SAMPLES 7 /* inputs */
#define NEEDS                                                                                                          \
    (PRUNE_OBSERVE_INPUT_NORMS | PRUNE_OBSERVE_INPUT_MEANS | PRUNE_OBSERVE_GRADIENTS |                                 \
     PRUNE_OBSERVE_GRADIENT_SAMPLES | PRUNE_OBSERVE_HESSIAN_DIAGONAL | PRUNE_OBSERVE_ACTIVATION_ZEROS |                \
     PRUNE_OBSERVE_CHANNEL_SCALES | PRUNE_OBSERVE_MOMENTS | PRUNE_OBSERVE_GRADIENT_MAGNITUDES |                        \
     PRUNE_OBSERVE_MOVEMENTS | PRUNE_OBSERVE_ACTIVATION_GRADIENTS)

enum layer { MATRIX, IMAGES, LARGE, LAYERS }; /* LARGE: enough work for several threads */

static const struct {
    int32_t rank;
    int64_t shape[4];
} sizes[LAYERS] = {{2, {23, 37, 0, 0}}, {4, {12, 10, 3, 3}}, {2, {640, 480, 0, 0}}};

struct world {
    prune_context *context;
    prune_tensor *weights[LAYERS];
    prune_observations *observed[LAYERS][2]; /* with channels along axis 0, and axis 1 */
};

/* About normal. Every third number is a multiple of 1/8. */
static inline float draw(struct pr_rng *rng)
{
    double value = pr_rng_uniform(rng) + pr_rng_uniform(rng);
    value += pr_rng_uniform(rng) - 1.5;
    return (float)(pr_rng_below(rng, 3) ? value : floor(value * 8) / 8);
}

static inline prune_tensor *drawn(prune_context *context, struct pr_rng *rng, int32_t rank, const int64_t *shape,
                                  double shift)
{
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, context, PRUNE_F32, rank, shape));
    float *data = prune_tensor_data(tensor);
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        data[i] = draw(rng) + (float)shift;
    return tensor;
}

static inline void feed(prune_observations *o, int32_t kind, prune_tensor *data, const prune_tensor *other)
{
    if (other)
        OK(prune_observations_feed_pair(o, kind, data, other));
    else
        OK(prune_observations_feed(o, kind, data));
    prune_tensor_free(data);
}

/* By way of a saved block, as observations of another process come. */
static inline prune_observations *reloaded(prune_context *context, prune_observations *o)
{
    prune_tensor *saved;
    OK(prune_observations_save(&saved, o));
    prune_observations_free(o);
    OK(prune_observations_load(&o, context, prune_tensor_data(saved), prune_tensor_count(saved)));
    prune_tensor_free(saved);
    return o;
}

static inline prune_observations *observe(prune_context *context, enum layer layer, const prune_tensor *weights,
                                          int axis)
{
    prune_observations *o;
    struct pr_rng rng;
    int32_t rank = sizes[layer].rank;
    const int64_t *shape = sizes[layer].shape;
    int64_t channels = shape[axis], inputs = prune_tensor_count(weights) / shape[0];
    pr_rng_seed(&rng, 100 + (uint64_t)layer * 2 + (uint64_t)axis);
    OK(prune_observations_create(&o, context, NEEDS));
    feed(o, PRUNE_INPUTS, drawn(context, &rng, 2, (const int64_t[]){SAMPLES, inputs}, 0), NULL);
    for (int step = 0; step < STEPS; step++) {
        const int64_t some[] = {2, channels, 5};
        prune_tensor *z = drawn(context, &rng, 3, some, -0.25), *dz = drawn(context, &rng, 3, some, 0);
        float *activations = prune_tensor_data(z);
        for (int64_t i = 0; i < prune_tensor_count(z); i++)
            activations[i] = activations[i] > 0 ? activations[i] : 0;
        feed(o, PRUNE_ACTIVATIONS, z, dz);
        prune_tensor_free(dz);
        feed(o, PRUNE_GRADIENTS, drawn(context, &rng, rank, shape, 0), weights);
        feed(o, PRUNE_CURVATURES, drawn(context, &rng, rank, shape, 0.5), NULL);
        feed(o, PRUNE_CHANNEL_SCALES, drawn(context, &rng, 1, &channels, 0), NULL);
    }
    return reloaded(context, o);
}

static inline struct world world_create(int32_t threads, uint32_t cpu, int with_large)
{
    struct world w = {0};
    OK(prune_context_create(&w.context));
    OK(prune_context_set_threads(w.context, threads));
    OK(prune_context_set_cpu(w.context, cpu));
    for (int i = 0; i < (with_large ? LAYERS : LARGE); i++) {
        struct pr_rng rng;
        pr_rng_seed(&rng, 1 + (uint64_t)i);
        w.weights[i] = drawn(w.context, &rng, sizes[i].rank, sizes[i].shape, 0);
        for (int axis = 0; axis < 2; axis++)
            w.observed[i][axis] = observe(w.context, (enum layer)i, w.weights[i], axis);
    }
    return w;
}

static inline void world_free(struct world *w)
{
    for (int i = 0; i < LAYERS; i++) {
        prune_tensor_free(w->weights[i]);
        prune_observations_free(w->observed[i][0]);
        prune_observations_free(w->observed[i][1]);
    }
    prune_context_free(w->context);
}

static inline prune_granularity *cut(const struct world *w, const char *spec)
{
    prune_granularity *granularity;
    OK(prune_granularity_create(&granularity, w->context, spec));
    return granularity;
}

static inline prune_scores *score(const struct world *w, enum layer layer, const char *spec, const char *granularity)
{
    prune_criterion *criterion;
    prune_scores *scores;
    prune_granularity *g = cut(w, granularity);
    OK(prune_criterion_create(&criterion, w->context, spec));
    OK(prune_criterion_score(&scores, criterion, w->weights[layer],
                             w->observed[layer][strstr(spec, "channel_axis=1") ? 1 : 0], g));
    prune_criterion_free(criterion);
    prune_granularity_free(g);
    return scores;
}

/* Frees the mask. */
static inline uint64_t hash_of(prune_mask *mask)
{
    uint64_t hash;
    OK(prune_mask_hash(mask, &hash));
    prune_mask_free(mask);
    return hash;
}

#endif
