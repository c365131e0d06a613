/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Do two networks that should compute the same function choose the same classes, rounding apart?
 *
 * Let f be the function in exact arithmetic and x^ the value that a network has computed for the exact x, with
 * |x^ - x| <= e element by element; e = 0 for the input. A product is computed as y^ = fl(W x^ + b). Whatever the order
 * of its k products and the addition of the bias, and fused or not (Higham 2002, 3.1, with u = 2^-24),
 *
 *     |y^ - (W x^ + b)| <= gamma(k + 1) (|W| |x^| + |b|),   gamma(n) = n u / (1 - n u)
 *     |(W x^ + b) - (W x + b)| <= |W| e
 *
 * so that e_y = |W| e + gamma(k + 1) (|W| |x^| + |b|) bounds the error of y^. (Results below the normal range add at
 * most 2^-149 for each operation.) ReLU is exact and |relu(a) - relu(b)| <= |a - b|: it hands e on, as views do.
 *
 * Let r and o be the logits of reference and other, E the sum of both their bounds. Both stand for the same f, so
 * |r - o| <= E. If reference chooses i and other chooses k, then o_k >= o_i, and
 *
 *     r_i - r_k <= (o_i + E_i) - (o_k - E_k) <= E_i + E_k.
 *
 * A difference is explained when this holds for the classes chosen, and a sample is within the bound when it holds for
 * i and any other class: there a difference could be explained.
 */
#include <math.h>

#include "model/network/runner.h"

/* One network: what it computes, and how far off that may be. */
struct side {
    const prune_network *network;
    prune_runner *runner;
    double **magnitudes; /* of each parameter of a node with a bound */
    double **errors;     /* of each value; NULL for exact */
    uint8_t *owned;      /* whether errors[i] is its own memory */
    double *scratch;
};

static void close_side(struct side *side)
{
    prune_context *context = side->network->context;
    for (int32_t i = 0; side->magnitudes && i < side->network->parameter_count; i++)
        pr_release(context, side->magnitudes[i]);
    for (int32_t i = 0; side->owned && i < side->network->value_count; i++)
        if (side->owned[i])
            pr_release(context, side->errors[i]);
    pr_release(context, side->magnitudes);
    pr_release(context, side->errors);
    pr_release(context, side->owned);
    pr_release(context, side->scratch);
    prune_runner_free(side->runner);
}

static int32_t load_magnitudes(double **out, prune_context *context, const struct pm_network_parameter *parameter)
{
    prune_tensor *made = NULL;
    double *magnitudes;
    if (parameter->sparse)
        PR_TRY(prune_sparse_to_tensor(&made, parameter->sparse));
    const prune_tensor *dense = made ? made : parameter->dense;
    const float *numbers = prune_tensor_const_data(dense);
    int64_t count = prune_tensor_count(dense);
    int32_t status = pr_alloc(context, count, sizeof *magnitudes, &magnitudes);
    if (!status) {
        for (int64_t i = 0; i < count; i++)
            magnitudes[i] = fabs((double)numbers[i]);
        *out = magnitudes;
    }
    prune_tensor_free(made);
    return status;
}

static int32_t open_node(struct side *side, const struct pm_network_node *node, int64_t batch, int64_t *widest)
{
    prune_context *context = side->network->context;
    int64_t in = side->network->values[node->input].shape.count, numbers = 0;
    if (!node->op->bound) {
        side->errors[node->output] = side->errors[node->input];
        return PRUNE_OK;
    }
    for (int32_t i = 0; i < node->parameter_count; i++)
        PR_TRY(load_magnitudes(&side->magnitudes[node->parameter + i], context,
                               &side->network->parameters[node->parameter + i]));
    PR_TRY(pr_mul(side->network->values[node->output].shape.count, batch, &numbers));
    PR_TRY(pr_alloc(context, numbers, sizeof(double), &side->errors[node->output]));
    side->owned[node->output] = 1;
    *widest = in > *widest ? in : *widest;
    return PRUNE_OK;
}

static int32_t open_side(struct side *side, const prune_network *network, int64_t batch)
{
    prune_context *context = network->context;
    int64_t widest = 1, numbers = 0;
    *side = (struct side){.network = network};
    PR_TRY(pm_runner_create(&side->runner, network, batch, 1));
    PR_TRY(pr_alloc_zero(context, network->parameter_count, sizeof *side->magnitudes, &side->magnitudes));
    PR_TRY(pr_alloc_zero(context, network->value_count, sizeof *side->errors, &side->errors));
    PR_TRY(pr_alloc_zero(context, network->value_count, 1, &side->owned));
    for (int32_t i = 0; i < network->node_count; i++)
        PR_TRY(open_node(side, &network->nodes[i], batch, &widest));
    PR_TRY(pr_mul(widest, batch, &numbers));
    return pr_alloc(context, numbers, sizeof *side->scratch, &side->scratch);
}

/* Logits and their bounds for some samples. Nodes that the first output does not need are left out. */
static int32_t run_side(struct side *side, const float *x, int64_t samples, const float **logits)
{
    const prune_network *network = side->network;
    const prune_runner *runner = side->runner;
    PR_TRY(pm_runner_execute(side->runner, x, samples, 0, NULL));
    for (int32_t i = 0; i < runner->step_count; i++) {
        const struct pm_network_node *node = runner->steps[i].node;
        if (!node->op->bound || !runner->needed[i])
            continue;
        struct pm_bound bound = {
            .samples = samples,
            .in = runner->sizes[node->input],
            .out = runner->sizes[node->output],
            .x = pm_runner_value(runner, node->input, x),
            .x_error = side->errors[node->input],
            .y_error = side->errors[node->output],
            .scratch = side->scratch,
        };
        for (int32_t j = 0; j < node->parameter_count; j++)
            bound.magnitudes[j] = side->magnitudes[node->parameter + j];
        node->op->bound(&bound);
    }
    *logits = pm_runner_value(runner, network->outputs[0], x);
    return PRUNE_OK;
}

struct counts {
    int64_t differing, within, unexplained;
};

static double error_at(const struct side *side, int64_t index)
{
    const double *errors = side->errors[side->network->outputs[0]];
    return errors ? errors[index] : 0;
}

static void count_sample(struct counts *counts, const struct side *sides, const float *r, const float *o, int64_t first,
                         int64_t classes)
{
    int64_t i = pm_choose(r, classes), k = pm_choose(o, classes);
    int within = 0, explained = 0;
    for (int64_t c = 0; i >= 0 && c < classes; c++) {
        double allowed = error_at(&sides[0], first + i) + error_at(&sides[0], first + c) +
                         error_at(&sides[1], first + i) + error_at(&sides[1], first + c);
        if (c == i || !((double)r[i] - (double)r[c] <= allowed))
            continue;
        within = 1;
        explained |= c == k;
    }
    counts->differing += i != k;
    counts->within += within;
    counts->unexplained += i != k && !explained;
}

static int32_t compare(struct side *sides, const float *x, int64_t count, int64_t batch, struct counts *counts)
{
    int64_t size = prune_runner_input_size(sides[0].runner), classes = prune_runner_output_size(sides[0].runner, 0);
    for (int64_t first = 0; first < count; first += batch) {
        int64_t n = count - first < batch ? count - first : batch;
        const float *r, *o;
        PR_TRY(run_side(&sides[0], x + first * size, n, &r));
        PR_TRY(run_side(&sides[1], x + first * size, n, &o));
        for (int64_t i = 0; i < n; i++)
            count_sample(counts, sides, r + i * classes, o + i * classes, i * classes, classes);
        PR_TRY(prune_context_progress(sides[0].network->context, "comparing", first + n, count));
    }
    return PRUNE_OK;
}

static int32_t open_both(struct side *sides, const prune_network *reference, const prune_network *other, int64_t batch)
{
    PR_TRY(open_side(&sides[0], reference, batch));
    PR_TRY(open_side(&sides[1], other, batch));
    int64_t in[2], out[2];
    for (int i = 0; i < 2; i++) {
        in[i] = prune_runner_input_size(sides[i].runner);
        out[i] = prune_runner_output_size(sides[i].runner, 0);
    }
    if (in[0] != in[1] || out[0] != out[1])
        return pr_fail(PRUNE_E_SHAPE,
                       "the networks take %lld and %lld numbers and give %lld and %lld; both must be equal",
                       (long long)in[0], (long long)in[1], (long long)out[0], (long long)out[1]);
    return PRUNE_OK;
}

int32_t prune_network_compare(const prune_network *reference, const prune_network *other, const prune_tensor *images,
                              int64_t batch, int64_t *differing, int64_t *within_bound, int64_t *unexplained)
{
    struct side sides[2] = {{.network = reference}, {.network = other}};
    struct counts counts = {0};
    const float *x;
    int64_t count;
    prune_tensor *copy = NULL;
    PR_REQUIRE(reference);
    PR_REQUIRE(other);
    PR_REQUIRE(images);
    PR_REQUIRE(differing);
    PR_REQUIRE(within_bound);
    PR_REQUIRE(unexplained);
    int32_t status = open_both(sides, reference, other, batch);
    if (!status)
        status = pm_samples(images, prune_runner_input_size(sides[0].runner), &x, &count, &copy);
    if (!status)
        status = compare(sides, x, count, batch, &counts);
    prune_tensor_free(copy);
    close_side(&sides[0]);
    close_side(&sides[1]);
    if (status)
        return status;
    *differing = counts.differing;
    *within_bound = counts.within;
    *unexplained = counts.unexplained;
    return PRUNE_OK;
}
