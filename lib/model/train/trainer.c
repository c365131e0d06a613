/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/train/trainer.h"

#include <math.h>
#include <string.h>

#define STEPS_PER_REPORT 32

enum { RATE, MOMENTUM, WEIGHT_DECAY, BATCH, EPOCHS, DECAY, SEED };

static const struct pr_parameter parameters[] = {
    {"lr", PR_REAL, "0.05", 0, 1e6, NULL, "learning rate at the start, 0 or more"},
    {"momentum", PR_REAL, "0.9", 0, 1, NULL, "momentum, 0 to 1"},
    {"weight_decay", PR_REAL, "1e-4", 0, 1e6, NULL, "times the weight, added to its gradient, 0 or more"},
    {"batch", PR_WHOLE, "64", 1, PM_MAX_EXTENT, NULL, "samples in a step, 1 or more"},
    {"epochs", PR_WHOLE, "10", 1, 1e9, NULL, "passes over the data, 1 or more"},
    {"decay", PR_WORD, "cosine", 0, 0, "cosine|constant", "cosine: the rate falls to 0 over all steps; constant"},
    {"seed", PR_WHOLE, "1", 0, 9007199254740992.0, NULL, "of the order of the samples, 0 to 2^53"},
    {0},
};

static int32_t check_network(const prune_network *network, int32_t *input)
{
    if (prune_network_is_packed(network))
        return pr_fail(PRUNE_E_UNSUPPORTED, "a packed network cannot be trained; train the one it was packed from");
    PR_TRY(pm_single_input(network, "training", input));
    for (int32_t i = 0; i < network->output_count; i++) {
        const struct pm_network_value *value = &network->values[network->outputs[i]];
        if (value->shape.rank != 1)
            return pr_fail(PRUNE_E_SHAPE, "output \"%s\" has rank %d a sample; a loss over classes needs rank 1",
                           value->name, (int)value->shape.rank);
    }
    return PRUNE_OK;
}

static int32_t make_parameter(struct pm_trained *made, prune_context *context, const struct pm_network_parameter *from)
{
    PR_TRY(prune_tensor_create(&made->gradient, context, PRUNE_F32, from->form.rank, from->form.shape));
    PR_TRY(prune_tensor_create(&made->momentum, context, PRUNE_F32, from->form.rank, from->form.shape));
    if (!from->mask)
        return PRUNE_OK;
    PR_TRY(pm_constraint_mask(&made->constraint, context, from->mask));
    return prune_mask_apply(from->mask, from->dense);
}

/* Everything that a step writes, so that steps allocate nothing. Values that come from the input alone, which no
 * parameter can move, have no gradient. */
static int32_t make_values(prune_trainer *trainer)
{
    const prune_network *network = trainer->network;
    int64_t batch = trainer->settings.batch;
    for (int32_t i = 0; i < network->value_count; i++) {
        struct pm_activation *value = &trainer->values[i];
        const struct pm_network_node *node =
            network->values[i].node < 0 ? NULL : &network->nodes[network->values[i].node];
        int64_t numbers = 0;
        if (!node)
            continue;
        if (node->op->role == PM_VIEW) {
            value->y = trainer->values[node->input].y;
            value->dy = trainer->values[node->input].dy;
            continue;
        }
        PR_TRY(pr_mul(batch, network->values[i].shape.count, &numbers));
        PR_TRY(pr_alloc(trainer->context, numbers, sizeof(float), &value->y));
        value->owned = 1;
        if (node->parameter_count || trainer->values[node->input].dy)
            PR_TRY(pr_alloc(trainer->context, numbers, sizeof(float), &value->dy));
    }
    int64_t numbers = 0;
    PR_TRY(pr_mul(batch, network->values[trainer->input].shape.count, &numbers));
    PR_TRY(pr_alloc(trainer->context, numbers, sizeof(float), &trainer->batch));
    return pr_alloc(trainer->context, batch, sizeof *trainer->labels, &trainer->labels);
}

static int32_t set_up(prune_trainer *trainer)
{
    const prune_network *network = trainer->network;
    PR_TRY(
        pr_alloc_zero(trainer->context, network->parameter_count, sizeof *trainer->parameters, &trainer->parameters));
    PR_TRY(pr_alloc_zero(trainer->context, network->value_count, sizeof *trainer->values, &trainer->values));
    for (int32_t i = 0; i < network->parameter_count; i++)
        PR_TRY(make_parameter(&trainer->parameters[i], trainer->context, &network->parameters[i]));
    return make_values(trainer);
}

int32_t prune_trainer_create(prune_trainer **out, prune_network *network, const char *spec)
{
    struct pr_values values;
    prune_trainer *trainer;
    int32_t input;
    PR_REQUIRE(out);
    PR_REQUIRE(network);
    PR_TRY(pr_spec_parse_list(spec, "training", parameters, &values));
    PR_TRY(check_network(network, &input));
    PR_TRY(pr_alloc_zero(network->context, 1, sizeof *trainer, &trainer));
    trainer->context = prune_context_retain(network->context);
    trainer->network = network;
    trainer->input = input;
    trainer->parameter_count = network->parameter_count;
    trainer->value_count = network->value_count;
    trainer->settings = (struct pm_settings){
        .rate = values.real[RATE],
        .momentum = values.real[MOMENTUM],
        .weight_decay = values.real[WEIGHT_DECAY],
        .batch = values.whole[BATCH],
        .epochs = values.whole[EPOCHS],
        .cosine = values.whole[DECAY] == 0,
        .seed = (uint64_t)values.whole[SEED],
    };
    pr_rng_seed(&trainer->rng, trainer->settings.seed);
    int32_t status = set_up(trainer);
    if (status) {
        prune_trainer_free(trainer);
        return status;
    }
    *out = trainer;
    return PRUNE_OK;
}

void prune_trainer_free(prune_trainer *trainer)
{
    if (!trainer)
        return;
    prune_context *context = trainer->context;
    for (int32_t i = 0; trainer->parameters && i < trainer->parameter_count; i++) {
        struct pm_trained *parameter = &trainer->parameters[i];
        prune_tensor_free(parameter->gradient);
        prune_tensor_free(parameter->momentum);
        if (parameter->constraint.kind)
            parameter->constraint.kind->free(context, parameter->constraint.state);
    }
    for (int32_t i = 0; trainer->values && i < trainer->value_count; i++)
        if (trainer->values[i].owned) {
            pr_release(context, trainer->values[i].y);
            pr_release(context, trainer->values[i].dy);
        }
    pr_release(context, trainer->parameters);
    pr_release(context, trainer->values);
    pr_release(context, trainer->batch);
    pr_release(context, trainer->labels);
    pr_release(context, trainer);
    prune_context_free(context);
}

/* The rate at a point of the whole training, 0 to 1. */
static double rate_at(const prune_trainer *trainer, double progress)
{
    const double pi = 3.14159265358979323846;
    if (!trainer->settings.cosine)
        return trainer->settings.rate;
    return progress < 1 ? trainer->settings.rate * 0.5 * (1 + cos(pi * progress)) : 0;
}

/* The loss is known before anything is changed, so a training that diverges stops in front of the step. */
static int32_t step(prune_trainer *trainer, const float *x, const int64_t *labels, int64_t samples, double rate,
                    double *loss)
{
    const prune_network *network = trainer->network;
    double result = pm_trainer_gradients(trainer, x, labels, samples);
    if (!isfinite(result))
        return pr_fail(PRUNE_E_DIVERGED,
                       "the loss is %s at step %lld, in epoch %lld; parameters are as before that step; "
                       "a lower lr may help",
                       isnan(result) ? "NaN" : "infinite", (long long)trainer->steps_done + 1,
                       (long long)trainer->epochs_done + 1);
    for (int32_t i = 0; i < network->parameter_count; i++) {
        const struct pm_network_parameter *parameter = &network->parameters[i];
        const struct pm_trained *trained = &trainer->parameters[i];
        struct pm_sgd sgd = {
            .rate = (float)rate,
            .momentum = (float)trainer->settings.momentum,
            .weight_decay = parameter->form.decays ? (float)trainer->settings.weight_decay : 0.0f,
        };
        pm_update(&sgd, &trained->constraint, prune_tensor_data(parameter->dense), prune_tensor_data(trained->gradient),
                  prune_tensor_data(trained->momentum), prune_tensor_count(parameter->dense));
    }
    trainer->steps_done++;
    *loss = result;
    return PRUNE_OK;
}

/* Images and labels as rows, checked. */
struct rows {
    const float *x;
    const int64_t *labels;
    int64_t count;
    prune_tensor *x_copy, *label_copy;
};

static int32_t open_rows(struct rows *rows, const prune_trainer *trainer, const prune_tensor *images,
                         const prune_tensor *labels)
{
    const prune_network *network = trainer->network;
    int64_t classes = INT64_MAX;
    if (network->value_count != trainer->value_count)
        return pr_fail(PRUNE_E_ARGUMENT, "the network has %d values, %d when the trainer was made; make a new trainer",
                       (int)network->value_count, (int)trainer->value_count);
    for (int32_t i = 0; i < network->output_count; i++) {
        int64_t width = network->values[network->outputs[i]].shape.count;
        classes = width < classes ? width : classes;
    }
    PR_TRY(pm_samples(images, network->values[trainer->input].shape.count, &rows->x, &rows->count, &rows->x_copy));
    int32_t status = pm_labels(labels, rows->count, classes, &rows->labels, &rows->label_copy);
    if (status)
        prune_tensor_free(rows->x_copy);
    return status;
}

static void close_rows(struct rows *rows)
{
    prune_tensor_free(rows->x_copy);
    prune_tensor_free(rows->label_copy);
}

/* Row numbers in a random order (Fisher and Yates). */
static int32_t shuffle(prune_trainer *trainer, int64_t count, int64_t **out)
{
    int64_t *order;
    PR_TRY(pr_alloc(trainer->context, count, sizeof *order, &order));
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)pr_rng_below(&trainer->rng, (uint64_t)i + 1), held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
    *out = order;
    return PRUNE_OK;
}

static int32_t run_epoch(prune_trainer *trainer, const struct rows *rows, const int64_t *order, double *loss)
{
    int64_t batch = trainer->settings.batch, size = trainer->network->values[trainer->input].shape.count;
    int64_t steps = pr_ceil_div(rows->count, batch), done = trainer->epochs_done, epochs = trainer->settings.epochs;
    double total = 0;
    epochs = epochs > done ? epochs : done + 1;
    for (int64_t s = 0; s < steps; s++) {
        int64_t first = s * batch, n = rows->count - first < batch ? rows->count - first : batch;
        double mean = 0, progress = ((double)done + (double)s / (double)steps) / (double)trainer->settings.epochs;
        for (int64_t i = 0; i < n; i++) {
            int64_t row = order[first + i];
            memcpy(trainer->batch + i * size, rows->x + row * size, (size_t)size * sizeof(float));
            trainer->labels[i] = rows->labels[row];
        }
        PR_TRY(step(trainer, trainer->batch, trainer->labels, n, rate_at(trainer, progress), &mean));
        total += mean * (double)n;
        if ((s + 1) % STEPS_PER_REPORT == 0 || s + 1 == steps)
            PR_TRY(prune_context_progress(trainer->context, "training", done * steps + s + 1, epochs * steps));
    }
    *loss = total / (double)rows->count;
    return PRUNE_OK;
}

static int32_t one_epoch(prune_trainer *trainer, const struct rows *rows, double *loss)
{
    int64_t *order;
    if (trainer->settings.cosine && trainer->epochs_done >= trainer->settings.epochs)
        return pr_fail(PRUNE_E_ARGUMENT, "all %lld epochs are done and the rate has come to 0; make a new trainer",
                       (long long)trainer->settings.epochs);
    PR_TRY(shuffle(trainer, rows->count, &order));
    int32_t status = run_epoch(trainer, rows, order, loss);
    pr_release(trainer->context, order);
    trainer->epochs_done += !status;
    return status;
}

int32_t prune_trainer_epoch(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels,
                            double *loss)
{
    struct rows rows;
    double result;
    PR_REQUIRE(trainer);
    PR_REQUIRE(images);
    PR_REQUIRE(labels);
    PR_TRY(open_rows(&rows, trainer, images, labels));
    int32_t status = one_epoch(trainer, &rows, &result);
    close_rows(&rows);
    if (!status && loss)
        *loss = result;
    return status;
}

int32_t prune_trainer_run(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels, double *loss)
{
    struct rows rows;
    double result = 0;
    int32_t status;
    PR_REQUIRE(trainer);
    PR_REQUIRE(images);
    PR_REQUIRE(labels);
    PR_TRY(open_rows(&rows, trainer, images, labels));
    do
        status = one_epoch(trainer, &rows, &result);
    while (!status && trainer->epochs_done < trainer->settings.epochs);
    close_rows(&rows);
    if (!status && loss)
        *loss = result;
    return status;
}

static int32_t one_batch(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels, int steps,
                         double *loss)
{
    struct rows rows;
    double result = 0;
    int32_t status = PRUNE_OK;
    PR_TRY(open_rows(&rows, trainer, images, labels));
    if (rows.count > trainer->settings.batch)
        status = pr_fail(PRUNE_E_SHAPE, "a batch of %lld samples; the trainer was made for at most %lld",
                         (long long)rows.count, (long long)trainer->settings.batch);
    else if (steps)
        status = step(trainer, rows.x, rows.labels, rows.count,
                      rate_at(trainer, (double)trainer->epochs_done / (double)trainer->settings.epochs), &result);
    else
        result = pm_trainer_gradients(trainer, rows.x, rows.labels, rows.count);
    close_rows(&rows);
    if (!status && loss)
        *loss = result;
    return status;
}

int32_t prune_trainer_step(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels, double *loss)
{
    PR_REQUIRE(trainer);
    PR_REQUIRE(images);
    PR_REQUIRE(labels);
    return one_batch(trainer, images, labels, 1, loss);
}

int32_t prune_trainer_backward(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels,
                               double *loss)
{
    PR_REQUIRE(trainer);
    PR_REQUIRE(images);
    PR_REQUIRE(labels);
    return one_batch(trainer, images, labels, 0, loss);
}

const prune_tensor *prune_trainer_gradient(const prune_trainer *trainer, const char *name)
{
    int32_t index = trainer ? pm_find_parameter(trainer->network, name) : -1;
    return index < 0 || index >= trainer->parameter_count ? NULL : trainer->parameters[index].gradient;
}

const prune_tensor *prune_trainer_momentum(const prune_trainer *trainer, const char *name)
{
    int32_t index = trainer ? pm_find_parameter(trainer->network, name) : -1;
    return index < 0 || index >= trainer->parameter_count ? NULL : trainer->parameters[index].momentum;
}
