/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/network/runner.h"

#include <cblas.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A product of one sample, both ways. The bias comes first and sgemv adds to it. */
static void run_sgemv(const struct pm_network_step *step, const float *x, float *y)
{
    memcpy(y, step->parameters[1], (size_t)step->out * sizeof *y);
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)step->out, (int)step->in, 1, step->parameters[0], (int)step->in, x, 1,
                1, y, 1);
    if (step->relu)
        for (int64_t i = 0; i < step->out; i++)
            y[i] = y[i] <= 0 ? 0.0f : y[i];
}

static int32_t run_step(const struct pm_network_step *step, const float *x, float *y, int64_t samples)
{
    switch (step->how) {
    case PM_BY_PACKED:
        return prune_packed_run_batch(step->packed, y, step->out, x, step->in, samples, step->epilogue);
    case PM_BY_SGEMV:
        run_sgemv(step, x, y);
        return PRUNE_OK;
    case PM_BY_SGEMM:
        pm_matrix_product(step->parameters[0], step->parameters[1], x, y, samples, step->in, step->out, step->relu);
        return PRUNE_OK;
    default:
        break;
    }
    struct pm_pass pass = {
        .attributes = &step->node->attributes,
        .samples = samples,
        .in = step->in,
        .out = step->out,
        .x = x,
        .y = y,
    };
    for (int32_t i = 0; i < step->node->parameter_count; i++)
        pass.parameters[i] = step->parameters[i];
    step->node->op->forward(&pass);
    return PRUNE_OK;
}

int32_t pm_runner_execute(prune_runner *runner, const float *x, int64_t samples, int32_t output, float *y)
{
    const uint8_t *needed = runner->needed + (int64_t)output * runner->step_count;
    int32_t result = runner->storage[runner->outputs[output]];
    for (int32_t i = 0; i < runner->step_count; i++) {
        const struct pm_network_step *step = &runner->steps[i];
        if (!needed[i])
            continue;
        const float *from = step->input == runner->input ? x
                            : y && step->input == result ? y
                                                         : runner->slots[runner->slot[step->input]];
        float *to = y && step->output == result ? y : runner->slots[runner->slot[step->output]];
        PR_TRY(run_step(step, from, to, samples));
    }
    if (y && result == runner->input)
        memcpy(y, x, (size_t)(samples * runner->sizes[runner->input]) * sizeof *y);
    return PRUNE_OK;
}

const float *pm_runner_value(const prune_runner *runner, int32_t value, const float *x)
{
    int32_t storage = runner->storage[value];
    return storage == runner->input ? x : runner->slots[runner->slot[storage]];
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Both take turns; the best time of each counts. A layer is tried for a hundredth of a second at most. */
static void try_both(struct pm_network_step *step, const float *x, float *y)
{
    double best[2] = {1e9, 1e9}, start = seconds();
    for (int round = 0; round < 40 && (round < 4 || seconds() - start < 0.01); round++)
        for (int i = 0; i < 2; i++) {
            step->how = i ? PM_BY_SGEMM : PM_BY_SGEMV;
            double begin = seconds();
            run_step(step, x, y, 1);
            double taken = seconds() - begin;
            best[i] = taken < best[i] ? taken : best[i];
        }
    step->how = best[1] < best[0] ? PM_BY_SGEMM : PM_BY_SGEMV;
}

static int32_t try_products(prune_runner *runner)
{
    float *x;
    int64_t most = 1;
    for (int32_t i = 0; i < runner->step_count; i++)
        most = runner->steps[i].in > most ? runner->steps[i].in : most;
    PR_TRY(pr_alloc_zero(runner->context, most, sizeof *x, &x));
    for (int32_t i = 0; i < runner->step_count; i++)
        if (runner->steps[i].how == PM_BY_SGEMM)
            try_both(&runner->steps[i], x, runner->slots[runner->slot[runner->steps[i].output]]);
    pr_release(runner->context, x);
    return PRUNE_OK;
}

static int32_t load_sparse(prune_runner *runner, struct pm_network_step *step,
                           const struct pm_network_parameter *weights)
{
    char spec[64];
    snprintf(spec, sizeof spec, "columns=%lld", (long long)runner->batch);
    int32_t status = prune_packed_from_sparse(&step->packed, weights->sparse, spec);
    if (status)
        return pr_fail_in(status, "packing \"%s\"", weights->name);
    step->how = PM_BY_PACKED;
    return prune_epilogue_create(&step->epilogue, runner->context, NULL, step->parameters[1], step->out,
                                 step->relu ? "activation=relu" : "");
}

/* Copies what the step needs, so that the network may change or go. */
static int32_t load_step(prune_runner *runner, struct pm_network_step *step, const prune_network *network)
{
    const struct pm_network_node *node = step->node;
    for (int32_t i = node->parameter_count - 1; i >= 0; i--) {
        const struct pm_network_parameter *parameter = &network->parameters[node->parameter + i];
        if (parameter->sparse)
            continue;
        int64_t count = prune_tensor_count(parameter->dense);
        PR_TRY(pr_alloc(runner->context, count, sizeof(float), &step->parameters[i]));
        memcpy(step->parameters[i], prune_tensor_const_data(parameter->dense), (size_t)count * sizeof(float));
    }
    if (node->op->role != PM_PRODUCT)
        return PRUNE_OK;
    if (network->parameters[node->parameter].sparse)
        return load_sparse(runner, step, &network->parameters[node->parameter]);
    step->how = PM_BY_SGEMM;
    return PRUNE_OK;
}

/* What runs each product. "sgemv" holds for single samples, which is all that such a runner takes. */
static int32_t describe(prune_runner *runner)
{
    char word[200];
    size_t used = 0;
    PR_TRY(pr_alloc_zero(runner->context, runner->step_count + 1, sizeof word, &runner->kernels));
    for (int32_t i = 0; i < runner->step_count; i++) {
        const struct pm_network_step *step = &runner->steps[i];
        if (step->how == PM_BY_LINK)
            continue;
        if (step->how == PM_BY_PACKED)
            snprintf(word, sizeof word, "%s/%s", prune_packed_form(step->packed),
                     prune_packed_kernels(step->packed, runner->batch));
        else
            snprintf(word, sizeof word, "%s", step->how == PM_BY_SGEMV ? "sgemv" : "sgemm");
        /* Each step has room for a comma and the longest word. */
        used += (size_t)snprintf(runner->kernels + used, sizeof word + 1, "%s%s", used ? "," : "", word);
    }
    return PRUNE_OK;
}

static int32_t set_up(prune_runner *runner, const prune_network *network, int keep_values)
{
    prune_context *context = runner->context;
    PR_TRY(pr_alloc_zero(context, network->node_count, sizeof *runner->nodes, &runner->nodes));
    PR_TRY(pr_alloc_zero(context, network->node_count, sizeof *runner->steps, &runner->steps));
    PR_TRY(pr_alloc_zero(context, network->value_count, sizeof *runner->sizes, &runner->sizes));
    PR_TRY(pr_alloc_zero(context, network->value_count, sizeof *runner->storage, &runner->storage));
    PR_TRY(pr_alloc_zero(context, network->value_count, sizeof *runner->slot, &runner->slot));
    PR_TRY(pr_alloc_zero(context, network->output_count, sizeof *runner->outputs, &runner->outputs));
    for (int32_t i = 0; i < network->node_count; i++) {
        runner->nodes[i] = network->nodes[i];
        runner->nodes[i].name = runner->nodes[i].spec = NULL; /* the network's memory */
    }
    for (int32_t i = 0; i < network->value_count; i++)
        runner->sizes[i] = network->values[i].shape.count;
    for (int32_t i = 0; i < network->output_count; i++)
        runner->outputs[i] = network->outputs[i];
    PR_TRY(pm_runner_plan(runner, network, keep_values));
    for (int32_t i = 0; i < runner->step_count; i++)
        PR_TRY(load_step(runner, &runner->steps[i], network));
    if (runner->batch == 1)
        PR_TRY(try_products(runner));
    return describe(runner);
}

int32_t pm_runner_create(prune_runner **out, const prune_network *network, int64_t batch, int keep_values)
{
    prune_runner *runner;
    int32_t input = 0;
    if (batch < 1 || batch > PM_MAX_EXTENT)
        return pr_fail(PRUNE_E_ARGUMENT, "a batch of %lld is outside 1 to %d", (long long)batch, PM_MAX_EXTENT);
    PR_TRY(pm_single_input(network, "running", &input));
    PR_TRY(pr_alloc_zero(network->context, 1, sizeof *runner, &runner));
    runner->context = prune_context_retain(network->context);
    runner->batch = batch;
    runner->input = input;
    runner->value_count = network->value_count;
    runner->node_count = network->node_count;
    runner->output_count = network->output_count;
    int32_t status = set_up(runner, network, keep_values);
    if (status) {
        prune_runner_free(runner);
        return status;
    }
    *out = runner;
    return PRUNE_OK;
}

void prune_runner_free(prune_runner *runner)
{
    if (!runner)
        return;
    prune_context *context = runner->context;
    for (int32_t i = 0; i < runner->step_count; i++) {
        for (int j = 0; j < PM_MAX_NODE_PARAMETERS; j++)
            pr_release(context, runner->steps[i].parameters[j]);
        prune_packed_free(runner->steps[i].packed);
        prune_epilogue_free(runner->steps[i].epilogue);
    }
    for (int32_t i = 0; i < runner->slot_count; i++)
        pr_release(context, runner->slots[i]);
    pr_release(context, runner->nodes);
    pr_release(context, runner->steps);
    pr_release(context, runner->sizes);
    pr_release(context, runner->storage);
    pr_release(context, runner->slot);
    pr_release(context, runner->slots);
    pr_release(context, runner->outputs);
    pr_release(context, runner->needed);
    pr_release(context, runner->kernels);
    pr_release(context, runner);
    prune_context_free(context);
}

int32_t prune_runner_create(prune_runner **out, const prune_network *network, int64_t batch)
{
    PR_REQUIRE(out);
    PR_REQUIRE(network);
    return pm_runner_create(out, network, batch, 0);
}

int32_t prune_runner_run(prune_runner *runner, const float *x, int64_t samples, int32_t output, float *y)
{
    PR_REQUIRE(runner);
    PR_REQUIRE(x);
    PR_REQUIRE(y);
    if (samples < 0 || samples > runner->batch)
        return pr_fail(PRUNE_E_ARGUMENT, "%lld samples; this runner takes 0 to %lld at once", (long long)samples,
                       (long long)runner->batch);
    if (output < 0 || output >= runner->output_count)
        return pr_fail(PRUNE_E_ARGUMENT, "there is no output %d; the network has %d, from 0", (int)output,
                       (int)runner->output_count);
    return samples ? pm_runner_execute(runner, x, samples, output, y) : PRUNE_OK;
}

int64_t prune_runner_input_size(const prune_runner *runner)
{
    return runner ? runner->sizes[runner->input] : 0;
}

int64_t prune_runner_output_size(const prune_runner *runner, int32_t output)
{
    return runner && output >= 0 && output < runner->output_count ? runner->sizes[runner->outputs[output]] : 0;
}

const char *prune_runner_kernels(const prune_runner *runner)
{
    return runner ? runner->kernels : "";
}
