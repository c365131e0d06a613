/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole models pruned layer by layer: graphs built by hand against what was worked out in double precision, and a
 * trained network where its file is there.
 */
#include <math.h>

#include "data.h"
#include "graphs.h"

#include "prune/model.h"

enum { SAMPLES = 40, IN = 8, HIDDEN = 12, OUT = 4 };

static prune_criterion *criterion;
static prune_granularity *granularity;
static prune_recovery *recovery;

static void set_method(prune_pruner *pruner, const char *score, const char *unit, const char *repair)
{
    criterion = NULL;
    recovery = NULL;
    if (score)
        OK(prune_criterion_create(&criterion, NULL, score));
    OK(prune_granularity_create(&granularity, NULL, unit));
    if (repair)
        OK(prune_recovery_create(&recovery, NULL, repair));
    OK(prune_pruner_set_method(pruner, criterion, granularity, recovery));
}

static void free_kinds(void)
{
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    prune_recovery_free(recovery);
    criterion = NULL;
    granularity = NULL;
    recovery = NULL;
}

static void free_all(prune_pruner *pruner, prune_graph *graph)
{
    prune_pruner_free(pruner);
    prune_graph_free(graph);
    free_kinds();
}

/* Numbers of both signs, none twice. */
static float number(int seed, int i)
{
    return (float)sin(1.7 * i + seed) + 0.001f * (float)(i % 7);
}

static void fill(float *out, int count, int seed)
{
    for (int i = 0; i < count; i++)
        out[i] = number(seed, i);
}

static const int64_t x_shape[] = {SAMPLES, IN};
static float first[IN * HIDDEN], second[OUT * HIDDEN], samples[SAMPLES * IN];

/* y = relu(x first) second': the first has its weights transposed, [in, out]. */
static prune_graph *two_layers(void)
{
    prune_graph *graph;
    fill(first, IN * HIDDEN, 1);
    fill(second, OUT * HIDDEN, 2);
    fill(samples, SAMPLES * IN, 3);
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 2, x_shape);
    add_parameter(graph->body, "first", PRUNE_F32, 2, (const int64_t[]){IN, HIDDEN}, first);
    add_parameter(graph->body, "second", PRUNE_F32, 2, (const int64_t[]){OUT, HIDDEN}, second);
    OK(add_node(graph->body, "one", "MatMul", "x,first", "h", NULL));
    OK(add_node(graph->body, "relu", "Relu", "h", "r", NULL));
    OK(add_node(graph->body, "two", "Gemm", "r,second", "y", "transB", PM_INT, 1, NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    return graph;
}

static prune_tensor *x_tensor(int32_t rank, const int64_t *shape)
{
    prune_tensor *x;
    OK(prune_tensor_create(&x, NULL, PRUNE_F32, rank, shape));
    fill(prune_tensor_data(x), (int)prune_tensor_count(x), 3);
    return x;
}

static prune_pruner *pruner_of(prune_graph *graph, const prune_tensor *x)
{
    prune_pruner *pruner;
    OK(prune_pruner_create(&pruner, graph, 1, (const char *const[]){"x"}, &x, NULL));
    return pruner;
}

static const float *weights_of(const prune_graph *graph, const char *name)
{
    return prune_tensor_const_data(prune_graph_parameter(graph, name));
}

START_TEST(layers_are_listed_in_order)
{
    prune_graph *graph = two_layers();
    prune_tensor *x = x_tensor(2, x_shape);
    prune_pruner *pruner = pruner_of(graph, x);
    int32_t matched = -1;
    ck_assert_int_eq(prune_pruner_layer_count(pruner), 2);
    ck_assert_str_eq(prune_pruner_layer_name(pruner, 0), "first");
    ck_assert_str_eq(prune_pruner_layer_node(pruner, 1), "two");
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_OUT), HIDDEN);
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_IN), IN);
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 1, PRUNE_LAYER_PARAMETERS), OUT * HIDDEN);
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 1, PRUNE_LAYER_MACS), SAMPLES * OUT * HIDDEN);
    ck_assert_ptr_null(prune_pruner_layer_name(pruner, 2));
    OK(prune_pruner_include(pruner, "s*d", 0, &matched));
    ck_assert_int_eq(matched, 1);
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 1, PRUNE_LAYER_INCLUDED), 0);
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

START_TEST(transposed_weights_keep_2_of_4_along_their_inputs)
{
    prune_graph *graph = two_layers();
    prune_tensor *x = x_tensor(2, x_shape);
    prune_pruner *pruner = pruner_of(graph, x);
    set_method(pruner, "l1", "nm:keep_n=2,group_m=4", NULL);
    OK(prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform"));
    OK(prune_pruner_run(pruner));
    const float *w = weights_of(graph, "first");
    for (int out = 0; out < HIDDEN; out++)
        for (int in = 0; in < IN; in++) {
            float held = first[in * HIDDEN + out];
            int larger = 0;
            for (int other = in / 4 * 4; other < in / 4 * 4 + 4; other++)
                larger += fabsf(first[other * HIDDEN + out]) > fabsf(held);
            ck_assert_msg(w[in * HIDDEN + out] == (larger < 2 ? held : 0), "row %d, column %d", in, out);
        }
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT), IN * HIDDEN / 2);
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

/* Norms of the second layer's inputs when the first has these weights. */
static void hidden_norms(const float *w, double *norms)
{
    for (int h = 0; h < HIDDEN; h++) {
        double sum = 0;
        for (int s = 0; s < SAMPLES; s++) {
            double value = 0;
            for (int in = 0; in < IN; in++)
                value += (double)samples[s * IN + in] * (double)w[in * HIDDEN + h];
            sum += value > 0 ? value * value : 0;
        }
        norms[h] = sqrt(sum);
    }
}

/* Does |weight| norm say that this one of the second layer stays, 2 of 4? */
static int wanda_keeps(const double *norms, int out, int in)
{
    int larger = 0;
    for (int other = in / 4 * 4; other < in / 4 * 4 + 4; other++)
        larger += fabs((double)second[out * HIDDEN + other]) * norms[other] >
                  fabs((double)second[out * HIDDEN + in]) * norms[in];
    return larger < 2;
}

START_TEST(a_layer_is_observed_on_what_the_pruned_layers_before_it_make)
{
    double pruned[HIDDEN], dense[HIDDEN];
    int differ = 0;
    prune_graph *graph = two_layers();
    prune_tensor *x = x_tensor(2, x_shape);
    prune_pruner *pruner = pruner_of(graph, x);
    set_method(pruner, "wanda", "nm:keep_n=2,group_m=4", NULL);
    OK(prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform"));
    OK(prune_pruner_run(pruner));
    hidden_norms(weights_of(graph, "first"), pruned);
    hidden_norms(first, dense);
    const float *w = weights_of(graph, "second");
    for (int out = 0; out < OUT; out++)
        for (int in = 0; in < HIDDEN; in++) {
            ck_assert_msg((w[out * HIDDEN + in] != 0) == wanda_keeps(pruned, out, in), "row %d, column %d", out, in);
            differ += wanda_keeps(dense, out, in) != wanda_keeps(pruned, out, in);
        }
    ck_assert_msg(differ > 0, "the dense network would have chosen the same: this tests nothing");
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

/* Squared error of the first layer's outputs after a method. */
static double error_after(const char *score, const char *repair)
{
    double error = 0;
    prune_graph *graph = two_layers();
    prune_tensor *x = x_tensor(2, x_shape);
    prune_pruner *pruner = pruner_of(graph, x);
    set_method(pruner, score, "element", repair);
    OK(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform"));
    OK(prune_pruner_run(pruner));
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT), IN * HIDDEN / 2);
    const float *w = weights_of(graph, "first");
    for (int s = 0; s < SAMPLES; s++)
        for (int h = 0; h < HIDDEN; h++) {
            double apart = 0;
            for (int in = 0; in < IN; in++)
                apart += (double)samples[s * IN + in] * ((double)w[in * HIDDEN + h] - (double)first[in * HIDDEN + h]);
            error += apart * apart;
        }
    free_all(pruner, graph);
    prune_tensor_free(x);
    return error;
}

START_TEST(repaired_layers_are_nearer_to_the_dense_ones)
{
    double magnitude = error_after("l1", NULL);
    ck_assert_double_gt(magnitude, 0);
    ck_assert_double_lt(error_after("l1", "least-squares"), 0.9 * magnitude);
    ck_assert_double_lt(error_after(NULL, "sparsegpt"), 0.9 * magnitude);
    ck_assert_double_lt(error_after(NULL, "obc"), 0.9 * magnitude);
}
END_TEST

START_TEST(a_budget_ranks_all_layers_together)
{
    enum { ALL = IN * HIDDEN + OUT * HIDDEN, KEPT = 50 };
    prune_graph *graph = two_layers();
    prune_tensor *x = x_tensor(2, x_shape);
    prune_pruner *pruner = pruner_of(graph, x);
    float all[ALL];
    set_method(pruner, "l1", "element", NULL);
    OK(prune_pruner_set_target(pruner, PRUNE_BUDGET, KEPT, "parameters"));
    OK(prune_pruner_plan(pruner));
    ck_assert_int_eq(memcmp(weights_of(graph, "first"), first, sizeof first), 0); /* a plan changes nothing */
    ck_assert_ptr_null(prune_graph_mask(graph, "first"));
    OK(prune_pruner_run(pruner));
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT) +
                            prune_pruner_layer_number(pruner, 1, PRUNE_LAYER_KEPT),
                        KEPT);
    memcpy(all, first, sizeof first);
    memcpy(all + IN * HIDDEN, second, sizeof second);
    for (int i = 0; i < ALL; i++) {
        int larger = 0;
        for (int j = 0; j < ALL; j++)
            larger += fabsf(all[j]) > fabsf(all[i]);
        float is = i < IN * HIDDEN ? weights_of(graph, "first")[i] : weights_of(graph, "second")[i - IN * HIDDEN];
        ck_assert_msg(is == (larger < KEPT ? all[i] : 0), "weight %d", i);
    }
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

/* 8 x 12 and 4 x 12 in out x in: 12 rows of 8 and 4 rows of 12 weights. */
static double bytes_of(int64_t kept, int64_t count, int64_t rows)
{
    double dense = 4 * (double)count, csr = 8 * (double)kept + 4 * (double)rows + 4;
    double bitmap = 4 * (double)kept + (double)((count + 7) / 8);
    return fmin(dense, fmin(csr, bitmap));
}

START_TEST(a_budget_of_bytes_is_used_and_not_passed)
{
    for (double budget = 40; budget < 620; budget += 57) {
        prune_graph *graph = two_layers();
        prune_tensor *x = x_tensor(2, x_shape);
        prune_pruner *pruner = pruner_of(graph, x);
        double sum = 0, planned = 0;
        set_method(pruner, "l1", "element", NULL);
        OK(prune_pruner_set_target(pruner, PRUNE_BUDGET, budget, "bytes"));
        OK(prune_pruner_plan(pruner));
        for (int32_t i = 0; i < 2; i++)
            planned += prune_pruner_layer_number(pruner, i, PRUNE_LAYER_BYTES);
        OK(prune_pruner_run(pruner));
        for (int32_t i = 0; i < 2; i++) {
            double bytes = prune_pruner_layer_number(pruner, i, PRUNE_LAYER_BYTES);
            int64_t kept = (int64_t)prune_pruner_layer_number(pruner, i, PRUNE_LAYER_KEPT);
            ck_assert_double_eq(bytes, bytes_of(kept, i ? OUT * HIDDEN : IN * HIDDEN, i ? OUT : HIDDEN));
            sum += bytes;
        }
        ck_assert_double_eq(planned, sum);
        ck_assert_msg(sum <= budget && (sum > budget - 9 || sum == 4 * (IN + OUT) * HIDDEN), "%g of %g", sum, budget);
        free_all(pruner, graph);
        prune_tensor_free(x);
    }
}
END_TEST

START_TEST(a_convolution_in_groups_is_repaired_group_by_group)
{
    static const int64_t shape[] = {6, 8, 5, 5};
    float w[4 * 4 * 9];
    prune_graph *graph;
    fill(w, 4 * 4 * 9, 5);
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 4, shape);
    add_parameter(graph->body, "w", PRUNE_F32, 4, (const int64_t[]){4, 4, 3, 3}, w);
    OK(add_node(graph->body, "conv", "Conv", "x,w", "y", "group", PM_INT, 2, NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    prune_tensor *x = x_tensor(4, shape);
    prune_pruner *pruner = pruner_of(graph, x);
    set_method(pruner, NULL, "nm:keep_n=2,group_m=4", "sparsegpt");
    OK(prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform"));
    OK(prune_pruner_run(pruner));
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_GROUPS), 2);
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_IN), 36);
    const float *pruned = weights_of(graph, "w");
    int moved = 0;
    for (int i = 0; i < 4 * 4 * 9; i += 4) {
        int kept = 0;
        for (int j = i; j < i + 4; j++) {
            kept += pruned[j] != 0;
            moved += pruned[j] != 0 && pruned[j] != w[j];
        }
        ck_assert_int_eq(kept, 2);
    }
    ck_assert_int_gt(moved, 0);
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

START_TEST(a_budget_holds_where_groups_share_it)
{
    static const int64_t shape[] = {2, 8, 5, 5};
    enum { ALL = 4 * 2 * 9, BUDGET = 35 }; /* 37 go, which 4 groups cannot share evenly */
    float w[ALL];
    prune_graph *graph;
    fill(w, ALL, 6);
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 4, shape);
    add_parameter(graph->body, "w", PRUNE_F32, 4, (const int64_t[]){4, 2, 3, 3}, w);
    OK(add_node(graph->body, "conv", "Conv", "x,w", "y", "group", PM_INT, 4, NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    prune_tensor *x = x_tensor(4, shape);
    prune_pruner *pruner = pruner_of(graph, x);
    set_method(pruner, "l1", "element", NULL);
    OK(prune_pruner_include(pruner, "w", 1, NULL));
    OK(prune_pruner_set_target(pruner, PRUNE_BUDGET, BUDGET, "parameters"));
    OK(prune_pruner_run(pruner));
    ck_assert_double_le(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT), BUDGET);
    ck_assert_double_gt(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT), BUDGET - 4);
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

START_TEST(batch_normalisation_gets_the_statistics_of_the_pruned_network)
{
    float ones[HIDDEN], zeros[HIDDEN] = {0};
    int32_t count = -1;
    prune_graph *graph;
    fill(first, IN * HIDDEN, 1);
    fill(samples, SAMPLES * IN, 3);
    for (int i = 0; i < HIDDEN; i++)
        ones[i] = 1;
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 2, x_shape);
    add_parameter(graph->body, "first", PRUNE_F32, 2, (const int64_t[]){IN, HIDDEN}, first);
    add_parameter(graph->body, "scale", PRUNE_F32, 1, (const int64_t[]){HIDDEN}, ones);
    add_parameter(graph->body, "shift", PRUNE_F32, 1, (const int64_t[]){HIDDEN}, zeros);
    add_parameter(graph->body, "mean", PRUNE_F32, 1, (const int64_t[]){HIDDEN}, zeros);
    add_parameter(graph->body, "variance", PRUNE_F32, 1, (const int64_t[]){HIDDEN}, ones);
    OK(add_node(graph->body, "one", "MatMul", "x,first", "h", NULL));
    OK(add_node(graph->body, "bn", "BatchNormalization", "h,scale,shift,mean,variance", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    prune_tensor *x = x_tensor(2, x_shape);
    prune_pruner *pruner = pruner_of(graph, x);
    set_method(pruner, "l1", "element", NULL);
    OK(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform"));
    OK(prune_pruner_run(pruner));
    OK(prune_pruner_recalibrate(pruner, &count));
    ck_assert_int_eq(count, 1);
    const float *w = weights_of(graph, "first");
    for (int h = 0; h < HIDDEN; h++) {
        double value[SAMPLES], mean = 0, variance = 0;
        for (int s = 0; s < SAMPLES; s++) {
            value[s] = 0;
            for (int in = 0; in < IN; in++)
                value[s] += (double)samples[s * IN + in] * (double)w[in * HIDDEN + h];
            mean += value[s] / SAMPLES;
        }
        for (int s = 0; s < SAMPLES; s++)
            variance += (value[s] - mean) * (value[s] - mean) / (SAMPLES - 1);
        ck_assert_double_eq_tol(weights_of(graph, "mean")[h], mean, 1e-5);
        ck_assert_double_eq_tol(weights_of(graph, "variance")[h], variance, 1e-5);
    }
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

START_TEST(what_cannot_be_pruned_is_refused)
{
    prune_graph *graph = two_layers();
    prune_tensor *x = x_tensor(2, x_shape);
    prune_pruner *pruner = pruner_of(graph, x), *none = UNTOUCHED;
    FAILS(prune_pruner_plan(pruner), PRUNE_E_ARGUMENT, "no method");
    FAILS(prune_pruner_create(&none, graph, 0, (const char *const[]){"x"}, (const prune_tensor *const[]){x}, NULL),
          PRUNE_E_ARGUMENT, "x");
    ck_assert_ptr_eq(none, UNTOUCHED);
    FAILS(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 1.5, "uniform"), PRUNE_E_ARGUMENT, "1.5");
    FAILS(prune_pruner_set_target(pruner, PRUNE_SPARSITY, (double)NAN, "uniform"), PRUNE_E_ARGUMENT, "nan");
    FAILS(prune_pruner_set_target(pruner, PRUNE_BUDGET, 5, "uniform"), PRUNE_E_ARGUMENT, "uniform");
    FAILS(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "bytes"), PRUNE_E_ARGUMENT, "bytes are for a budget");
    OK(prune_pruner_set_target(pruner, PRUNE_BUDGET, 3, "bytes"));
    set_method(pruner, "l1", "element", NULL);
    FAILS(prune_pruner_run(pruner), PRUNE_E_INFEASIBLE, "budget of 3 bytes");
    free_kinds();
    FAILS(prune_pruner_set_target(pruner, PRUNE_BUDGET, 5, "bytes!"), PRUNE_E_SPEC, "bytes!");
    set_method(pruner, "taylor", "element", NULL);
    OK(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform"));
    FAILS(prune_pruner_run(pruner), PRUNE_E_UNSUPPORTED, "gradients");
    OK(prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform"));
    FAILS(prune_pruner_run(pruner), PRUNE_E_ARGUMENT, "no quota");
    ck_assert_int_eq(memcmp(weights_of(graph, "first"), first, sizeof first), 0);
    ck_assert_ptr_null(prune_graph_mask(graph, "first"));
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

START_TEST(resnet20_keeps_half_of_every_layer)
{
    enum { IMAGES = 16 };
    const char *path = data_path("resnet/resnet20.onnx");
    const char *input;
    prune_graph *graph;
    prune_pruner *pruner;
    int32_t count = 0;
    if (!path)
        return;
    OK(prune_graph_read(&graph, NULL, path, NULL));
    input = prune_graph_input_name(graph, 0);
    prune_tensor *x = x_tensor(4, (const int64_t[]){IMAGES, 3, 32, 32});
    OK(prune_pruner_create(&pruner, graph, 1, &input, (const prune_tensor *const[]){x}, NULL));
    ck_assert_int_eq(prune_pruner_layer_count(pruner), 20);
    set_method(pruner, NULL, "nm:keep_n=2,group_m=4", "sparsegpt");
    OK(prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform"));
    OK(prune_pruner_include(pruner, "conv1.weight", 0, NULL)); /* 27 inputs: no whole groups of 4 */
    OK(prune_pruner_run(pruner));
    for (int32_t i = 1; i < 20; i++)
        ck_assert_double_eq(prune_pruner_layer_number(pruner, i, PRUNE_LAYER_KEPT),
                            prune_pruner_layer_number(pruner, i, PRUNE_LAYER_PARAMETERS) / 2);
    OK(prune_pruner_recalibrate(pruner, &count));
    ck_assert_int_eq(count, 19);
    free_all(pruner, graph);
    prune_tensor_free(x);
}
END_TEST

TEST_MAIN("pruner", layers_are_listed_in_order, transposed_weights_keep_2_of_4_along_their_inputs,
          a_layer_is_observed_on_what_the_pruned_layers_before_it_make, repaired_layers_are_nearer_to_the_dense_ones,
          a_budget_ranks_all_layers_together, a_budget_of_bytes_is_used_and_not_passed,
          a_budget_holds_where_groups_share_it, a_convolution_in_groups_is_repaired_group_by_group,
          batch_normalisation_gets_the_statistics_of_the_pruned_network, what_cannot_be_pruned_is_refused,
          resnet20_keeps_half_of_every_layer)
