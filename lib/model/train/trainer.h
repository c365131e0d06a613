/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PM_TRAIN_TRAINER_H
#define PM_TRAIN_TRAINER_H

#include "base/rng.h"
#include "model/train/train.h"
#include "prune/train.h"

struct pm_settings {
    double rate, momentum, weight_decay;
    int64_t batch, epochs;
    int cosine;
    uint64_t seed;
};

struct pm_trained { /* one parameter */
    prune_tensor *gradient, *momentum;
    struct pm_constraint constraint;
};

struct pm_activation { /* one value */
    float *y;          /* samples of one batch; a view shares its input's */
    float *dy;         /* NULL where no parameter lies before it */
    int owned;
    int written; /* dy holds something */
};

struct prune_trainer {
    prune_context *context;
    prune_network *network; /* the caller's */
    struct pm_settings settings;
    struct pr_rng rng;
    int64_t epochs_done, steps_done;
    int32_t input;
    int32_t parameter_count, value_count; /* the network's, which may be freed first */
    struct pm_trained *parameters;
    struct pm_activation *values;
    float *batch;    /* gathered rows of the input */
    int64_t *labels; /* theirs */
};

/* Loss and gradients of `samples` rows; every gradient of the trainer is overwritten. */
double pm_trainer_gradients(prune_trainer *trainer, const float *x, const int64_t *labels, int64_t samples);

#endif
