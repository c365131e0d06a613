/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kinds of layers and of granularities as the pruner sees them, and what it refuses.
 */
#include <math.h>

#include "allocator.h"
#include "graphs.h"

#include "prune/model.h"

static prune_criterion *criterion;
static prune_granularity *granularity;
static prune_recovery *recovery;

static void set_method(prune_pruner *pruner, const char *score, const char *unit, const char *repair)
{
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    prune_recovery_free(recovery);
    criterion = NULL;
    granularity = NULL;
    recovery = NULL;
    if (score)
        OK(prune_criterion_create(&criterion, NULL, score));
    OK(prune_granularity_create(&granularity, NULL, unit));
    if (repair)
        OK(prune_recovery_create(&recovery, NULL, repair));
    OK(prune_pruner_set_method(pruner, criterion, granularity, recovery));
}

static void free_all(prune_pruner *pruner, prune_graph *graph, prune_tensor *x)
{
    prune_pruner_free(pruner);
    prune_graph_free(graph);
    prune_tensor_free(x);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    prune_recovery_free(recovery);
    criterion = NULL;
    granularity = NULL;
    recovery = NULL;
}

/* Numbers of both signs, none twice. */
static void fill(float *out, int64_t count, int seed)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)sin(1.7 * (double)i + seed) + 0.001f * (float)(i % 7);
}

static prune_tensor *tensor(int32_t rank, const int64_t *shape, int seed)
{
    prune_tensor *out;
    OK(prune_tensor_create(&out, NULL, PRUNE_F32, rank, shape));
    fill(prune_tensor_data(out), prune_tensor_count(out), seed);
    return out;
}

static prune_graph *begin(int32_t rank, const int64_t *shape)
{
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, rank, shape);
    return graph;
}

static void end(prune_graph *graph)
{
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
}

static prune_pruner *pruner_of(prune_graph *graph, const prune_tensor *x)
{
    prune_pruner *pruner;
    OK(prune_pruner_create(&pruner, graph, 1, (const char *const[]){"x"}, &x, NULL));
    return pruner;
}

static void run_quota(prune_pruner *pruner, const char *score, const char *unit, const char *repair)
{
    set_method(pruner, score, unit, repair);
    OK(prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform"));
    OK(prune_pruner_run(pruner));
}

static void run_half(prune_pruner *pruner, const char *score, const char *unit, const char *repair)
{
    set_method(pruner, score, unit, repair);
    OK(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform"));
    OK(prune_pruner_run(pruner));
}

static const float *weights_of(const prune_graph *graph, const char *name)
{
    return prune_tensor_const_data(prune_graph_parameter(graph, name));
}

enum { O = 6, I = 8, K = 9 };
static const int64_t image[] = {5, I, 6, 6}, kernels[] = {O, I, 3, 3};
static float w[O * I * K];

static prune_graph *convolution(void)
{
    prune_graph *graph = begin(4, image);
    fill(w, O * I * K, 5);
    add_parameter(graph->body, "w", PRUNE_F32, 4, kernels, w);
    OK(add_node(graph->body, "conv", "Conv", "x,w", "y", NULL));
    end(graph);
    return graph;
}

/* Which of the elements of a kernel's place, or of a row, of 4 neighbours are larger. */
static int is_kept(int o, int i, int k)
{
    int larger = 0;
    for (int other = i / 4 * 4; other < i / 4 * 4 + 4; other++)
        larger += fabsf(w[(o * I + other) * K + k]) > fabsf(w[(o * I + i) * K + k]);
    return larger < 2;
}

START_TEST(channels_last_keeps_2_of_4_input_channels_at_each_place)
{
    for (int repairs = 0; repairs < 3; repairs++) {
        static const char *const repair[] = {NULL, "sparsegpt", "obc"};
        prune_graph *graph = convolution();
        prune_tensor *x = tensor(4, image, 3);
        prune_pruner *pruner = pruner_of(graph, x);
        OK(prune_pruner_set_columns(pruner, "channels-last"));
        run_quota(pruner, repairs ? NULL : "l1", "nm:keep_n=2,group_m=4", repair[repairs]);
        const float *pruned = weights_of(graph, "w");
        int moved = 0;
        for (int o = 0; o < O; o++)
            for (int k = 0; k < K; k++)
                for (int i = 0; i < I; i += 4) {
                    int kept = 0;
                    for (int j = i; j < i + 4; j++) {
                        float is = pruned[(o * I + j) * K + k], was = w[(o * I + j) * K + k];
                        kept += is != 0;
                        moved += is != 0 && is != was;
                        if (!repairs)
                            ck_assert(is == (is_kept(o, j, k) ? was : 0));
                    }
                    ck_assert_int_eq(kept, 2);
                }
        ck_assert(repairs ? moved > 0 : moved == 0);
        ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT), O * I * K / 2);
        free_all(pruner, graph, x);
    }
}
END_TEST

/* Least squares takes each row's best values for its mask, so the order of the columns must not matter: what it reads
 * of the inputs has to be turned as the weights are. */
START_TEST(the_order_of_columns_does_not_change_what_a_mask_is_repaired_to)
{
    float repaired[O * I * K];
    for (int last = 0; last < 2; last++) {
        prune_graph *graph = convolution();
        prune_tensor *x = tensor(4, image, 3);
        prune_pruner *pruner = pruner_of(graph, x);
        OK(prune_pruner_set_columns(pruner, last ? "channels-last" : "kernel-last"));
        run_half(pruner, "l1", "element", "least-squares");
        if (!last)
            memcpy(repaired, weights_of(graph, "w"), sizeof repaired);
        for (int i = 0; i < O * I * K; i++)
            ck_assert_double_eq_tol((double)weights_of(graph, "w")[i], (double)repaired[i], 1e-3);
        free_all(pruner, graph, x);
    }
}
END_TEST

START_TEST(filters_kernels_vectors_and_blocks_go_whole)
{
    static const struct {
        const char *unit;
        int elements, step; /* of a unit as the weights lie: how many, how far apart */
    } cases[] = {{"filter", I * K, 1}, {"kernel", K, 1}, {"vector:vector=4", 4, 1}, {"block:block=1x8", 8, 1}};
    for (int c = 0; c < 4; c++) {
        prune_graph *graph = convolution();
        prune_tensor *x = tensor(4, image, 3);
        prune_pruner *pruner = pruner_of(graph, x);
        run_half(pruner, "l1", cases[c].unit, NULL);
        const float *pruned = weights_of(graph, "w");
        int all = 0;
        for (int unit = 0; unit < O * I * K / cases[c].elements; unit++) {
            int kept = 0;
            for (int i = 0; i < cases[c].elements; i++)
                kept += pruned[unit * cases[c].elements + i] != 0;
            ck_assert_msg(kept == 0 || kept == cases[c].elements, "%s, unit %d: %d", cases[c].unit, unit, kept);
            all += kept;
        }
        ck_assert_int_eq(all, O * I * K / 2);
        free_all(pruner, graph, x);
    }
}
END_TEST

START_TEST(a_gemm_s_weights_may_lie_either_way_and_be_scaled)
{
    enum { ROWS = 20, IN = 8, OUT = 4 };
    static const int64_t shape[] = {IN, ROWS}; /* transA */
    for (int transposed = 0; transposed < 2; transposed++) {
        const int64_t out_in[] = {OUT, IN}, in_out[] = {IN, OUT};
        float dense[OUT * IN];
        fill(dense, OUT * IN, 4);
        prune_graph *graph = begin(2, shape);
        add_parameter(graph->body, "w", PRUNE_F32, 2, transposed ? out_in : in_out, dense);
        OK(add_node(graph->body, "gemm", "Gemm", "x,w", "y", "transA", PM_INT, 1, "transB", PM_INT, transposed, "alpha",
                    PM_FLOAT, 0.5, NULL));
        end(graph);
        prune_tensor *x = tensor(2, shape, 3);
        const float *samples = prune_tensor_const_data(x);
        prune_pruner *pruner = pruner_of(graph, x);
        ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_OUT), OUT);
        ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_IN), IN);
        run_quota(pruner, "wanda", "nm:keep_n=2,group_m=4", NULL);
        for (int o = 0; o < OUT; o++)
            for (int i = 0; i < IN; i++) {
                double score[IN];
                int larger = 0;
                for (int j = 0; j < IN; j++) {
                    double norm = 0;
                    for (int s = 0; s < ROWS; s++)
                        norm += (double)samples[j * ROWS + s] * (double)samples[j * ROWS + s];
                    score[j] = fabs((double)dense[transposed ? o * IN + j : j * OUT + o]) * sqrt(norm);
                }
                for (int j = i / 4 * 4; j < i / 4 * 4 + 4; j++)
                    larger += score[j] > score[i];
                int at = transposed ? o * IN + i : i * OUT + o;
                ck_assert(weights_of(graph, "w")[at] == (larger < 2 ? dense[at] : 0));
            }
        free_all(pruner, graph, x);
    }
}
END_TEST

START_TEST(convolutions_of_one_axis_and_depthwise_ones_are_layers)
{
    static const int64_t shape[] = {3, 4, 12}, one[] = {6, 4, 3}, deep[] = {6, 1, 4};
    float a[6 * 4 * 3], b[6 * 4];
    prune_graph *graph = begin(3, shape);
    fill(a, 6 * 4 * 3, 1);
    fill(b, 6 * 4, 2);
    add_parameter(graph->body, "a", PRUNE_F32, 3, one, a);
    add_parameter(graph->body, "b", PRUNE_F32, 3, deep, b);
    OK(add_node(graph->body, "one", "Conv", "x,a", "h", NULL));
    OK(add_node(graph->body, "deep", "Conv", "h,b", "y", "group", PM_INT, 6, NULL));
    end(graph);
    prune_tensor *x = tensor(3, shape, 3);
    prune_pruner *pruner = pruner_of(graph, x);
    ck_assert_str_eq(prune_pruner_layer_kind(pruner, 1), "depthwise");
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 1, PRUNE_LAYER_INCLUDED), 0);
    OK(prune_pruner_include(pruner, "deep", 1, NULL));
    run_quota(pruner, NULL, "nm:keep_n=2,group_m=4", "obc");
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT), 36);
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 1, PRUNE_LAYER_KEPT), 12);
    free_all(pruner, graph, x);
}
END_TEST

START_TEST(a_recurrent_node_has_two_layers)
{
    enum { H = 4, IN = 4 };
    static const int64_t shape[] = {5, 3, IN}, to[] = {1, 4 * H, IN}, of_state[] = {1, 4 * H, H};
    float a[4 * H * IN], b[4 * H * H];
    prune_graph *graph = begin(3, shape);
    fill(a, 4 * H * IN, 1);
    fill(b, 4 * H * H, 2);
    add_parameter(graph->body, "a", PRUNE_F32, 3, to, a);
    add_parameter(graph->body, "b", PRUNE_F32, 3, of_state, b);
    OK(add_node(graph->body, "lstm", "LSTM", "x,a,b", "y", "hidden_size", PM_INT, H, NULL));
    end(graph);
    prune_tensor *x = tensor(3, shape, 3);
    prune_pruner *pruner = pruner_of(graph, x);
    ck_assert_int_eq(prune_pruner_layer_count(pruner), 2);
    run_quota(pruner, NULL, "nm:keep_n=2,group_m=4", "sparsegpt");
    for (int i = 0; i < 4 * H * IN; i += 4) {
        int kept[2] = {0, 0};
        for (int j = i; j < i + 4; j++) {
            kept[0] += weights_of(graph, "a")[j] != 0;
            kept[1] += weights_of(graph, "b")[j] != 0;
        }
        ck_assert_int_eq(kept[0], 2);
        ck_assert_int_eq(kept[1], 2);
    }
    free_all(pruner, graph, x);
}
END_TEST

static const int64_t rows[] = {6, 8}, square[] = {8, 8};

/* y = relu(x a) a: one parameter, two nodes. */
static prune_graph *shared(prune_context *context, const float *a)
{
    prune_graph *graph;
    OK(pm_graph_create(&graph, context, 13));
    add_input(graph->body, "x", PRUNE_F32, 2, rows);
    add_parameter(graph->body, "a", PRUNE_F32, 2, square, a);
    OK(add_node(graph->body, "one", "MatMul", "x,a", "h", NULL));
    OK(add_node(graph->body, "relu", "Relu", "h", "r", NULL));
    OK(add_node(graph->body, "two", "MatMul", "r,a", "y", NULL));
    end(graph);
    return graph;
}

START_TEST(weights_of_two_nodes_are_one_layer)
{
    float a[64];
    fill(a, 64, 1);
    prune_graph *graph = shared(NULL, a);
    prune_tensor *x = tensor(2, rows, 3);
    prune_pruner *pruner = pruner_of(graph, x);
    int32_t matched = -1;
    ck_assert_int_eq(prune_pruner_layer_count(pruner), 1);
    ck_assert_str_eq(prune_pruner_layer_node(pruner, 0), "one");
    OK(prune_pruner_include(pruner, "nothing*", 0, &matched));
    ck_assert_int_eq(matched, 0);
    run_quota(pruner, NULL, "nm:keep_n=2,group_m=4", "sparsegpt");
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT), 32);
    free_all(pruner, graph, x);
}
END_TEST

START_TEST(weights_in_a_branch_are_pruned_where_the_branch_is_known)
{
    static const uint8_t yes = 1;
    float a[64];
    struct pm_body *branches[2];
    fill(a, 64, 1);
    prune_graph *graph = begin(2, rows);
    add_parameter(graph->body, "c", PRUNE_BOOL, 0, NULL, &yes);
    for (int i = 0; i < 2; i++) {
        OK(pm_body_create(&branches[i], NULL, graph->body));
        add_parameter(branches[i], i ? "b" : "a", PRUNE_F32, 2, square, a);
        OK(add_node(branches[i], i ? "other" : "taken", "MatMul", i ? "x,b" : "x,a", "z", NULL));
        add_output(branches[i], "z");
    }
    OK(add_node(graph->body, "choice", "If", "c", "y", "then_branch", PM_BODY, branches[0], "else_branch", PM_BODY,
                branches[1], NULL));
    end(graph);
    prune_tensor *x = tensor(2, rows, 3);
    prune_pruner *pruner = pruner_of(graph, x);
    ck_assert_int_eq(prune_pruner_layer_count(pruner), 1);
    ck_assert_str_eq(prune_pruner_layer_node(pruner, 0), "taken");
    run_half(pruner, "l1", "element", NULL);
    ck_assert_int_eq(prune_mask_kept(prune_graph_mask(graph, prune_pruner_layer_name(pruner, 0))), 32);
    free_all(pruner, graph, x);
}
END_TEST

START_TEST(numbers_that_are_none_are_refused_with_their_place)
{
    float a[64];
    fill(a, 64, 1);
    a[13] = NAN;
    prune_graph *graph = shared(NULL, a);
    prune_tensor *x = tensor(2, rows, 3);
    prune_pruner *pruner = UNTOUCHED;
    FAILS(prune_pruner_create(&pruner, graph, 1, (const char *const[]){"x"}, (const prune_tensor *const[]){x}, NULL),
          PRUNE_E_VALUE, "node \"one\" (MatMul): weights: element (5, 1) is NaN");
    ck_assert_ptr_eq(pruner, UNTOUCHED);
    free_all(NULL, graph, x);
    a[13] = 0.5f;
    graph = shared(NULL, a);
    x = tensor(2, rows, 3);
    ((float *)prune_tensor_data(x))[9] = INFINITY;
    pruner = pruner_of(graph, x);
    set_method(pruner, NULL, "element", "sparsegpt");
    OK(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform"));
    FAILS(prune_pruner_run(pruner), PRUNE_E_VALUE, "\"a\" of node \"one\"");
    ck_assert_ptr_null(prune_graph_mask(graph, "a"));
    ck_assert_int_eq(memcmp(weights_of(graph, "a"), a, sizeof a), 0);
    free_all(pruner, graph, x);
}
END_TEST

START_TEST(too_few_samples_are_refused_where_nothing_damps)
{
    float a[64];
    fill(a, 64, 1);
    prune_graph *graph = shared(NULL, a);
    prune_tensor *x = tensor(2, rows, 3); /* 6 samples of 8 numbers */
    prune_pruner *pruner = pruner_of(graph, x);
    set_method(pruner, NULL, "element", "sparsegpt:damping=0");
    OK(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform"));
    FAILS(prune_pruner_run(pruner), PRUNE_E_VALUE, "layer \"a\" of node \"one\"");
    ck_assert_int_eq(memcmp(weights_of(graph, "a"), a, sizeof a), 0);
    free_all(pruner, graph, x);
}
END_TEST

START_TEST(a_model_without_layers_and_unknown_orders_are_refused)
{
    prune_graph *graph = begin(2, rows);
    prune_pruner *pruner = UNTOUCHED;
    prune_tensor *x = tensor(2, rows, 3);
    OK(add_node(graph->body, "relu", "Relu", "x", "y", NULL));
    end(graph);
    FAILS(prune_pruner_create(&pruner, graph, 1, (const char *const[]){"x"}, (const prune_tensor *const[]){x}, NULL),
          PRUNE_E_UNSUPPORTED, "no layer");
    ck_assert_ptr_eq(pruner, UNTOUCHED);
    prune_graph_free(graph);
    graph = convolution();
    prune_tensor_free(x);
    x = tensor(4, image, 3);
    pruner = pruner_of(graph, x);
    FAILS(prune_pruner_set_columns(pruner, "nhwc"), PRUNE_E_SPEC, "channels-last");
    FAILS(prune_pruner_set_columns(NULL, "kernel-last"), PRUNE_E_ARGUMENT, "pruner");
    set_method(pruner, "l1", "element", NULL);
    OK(prune_pruner_set_target(pruner, PRUNE_BUDGET, 0, "macs"));
    FAILS(prune_pruner_run(pruner), PRUNE_E_INFEASIBLE, "0");
    OK(prune_pruner_set_target(pruner, PRUNE_BUDGET, 16 * 100, "macs")); /* 4 x 4 places a weight */
    OK(prune_pruner_run(pruner));
    ck_assert_double_eq(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT), 100);
    free_all(pruner, graph, x);
}
END_TEST

static int32_t stop(void *user, const char *what, int64_t done, int64_t total)
{
    (void)what;
    return total == 2 && done == *(const int64_t *)user;
}

START_TEST(progress_can_cancel_between_layers)
{
    float a[64];
    int64_t at = 1;
    prune_context *context;
    prune_graph *graph;
    fill(a, 64, 1);
    OK(prune_context_create(&context));
    OK(prune_context_set_progress(context, stop, &at));
    OK(pm_graph_create(&graph, context, 13));
    prune_context_free(context);
    add_input(graph->body, "x", PRUNE_F32, 2, rows);
    add_parameter(graph->body, "a", PRUNE_F32, 2, square, a);
    add_parameter(graph->body, "b", PRUNE_F32, 2, square, a);
    OK(add_node(graph->body, "one", "MatMul", "x,a", "h", NULL));
    OK(add_node(graph->body, "two", "MatMul", "h,b", "y", NULL));
    end(graph);
    prune_tensor *x = tensor(2, rows, 3);
    prune_pruner *pruner = pruner_of(graph, x);
    set_method(pruner, NULL, "element", "sparsegpt");
    OK(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform"));
    FAILS(prune_pruner_run(pruner), PRUNE_E_CANCELLED, "1 of 2");
    ck_assert_ptr_nonnull(prune_graph_mask(graph, "a"));
    ck_assert_ptr_null(prune_graph_mask(graph, "b"));
    ck_assert_int_eq(memcmp(weights_of(graph, "b"), a, sizeof a), 0);
    free_all(pruner, graph, x);
}
END_TEST

enum { GROUPS = 6 };

/* Peak bytes of pruning a convolution in groups within a memory; its weights go to `out`. */
static int64_t peak_within(int64_t memory, float *out)
{
    static const int64_t shape[] = {2, GROUPS * 4, 6, 6}, grouped[] = {GROUPS * 2, 4, 3, 3};
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    float dense[GROUPS * 2 * 36];
    prune_graph *graph;
    fill(dense, GROUPS * 2 * 36, 5);
    OK(pm_graph_create(&graph, context, 13));
    add_input(graph->body, "x", PRUNE_F32, 4, shape);
    add_parameter(graph->body, "w", PRUNE_F32, 4, grouped, dense);
    OK(add_node(graph->body, "conv", "Conv", "x,w", "y", "group", PM_INT, GROUPS, NULL));
    end(graph);
    prune_tensor *x = tensor(4, shape, 3);
    prune_pruner *pruner = pruner_of(graph, x);
    OK(prune_pruner_set_memory(pruner, memory));
    set_method(pruner, NULL, "nm:keep_n=2,group_m=4", "sparsegpt");
    OK(prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform"));
    allocator.peak = allocator.bytes;
    int64_t before = allocator.bytes;
    OK(prune_pruner_run(pruner));
    int64_t peak = allocator.peak - before;
    memcpy(out, weights_of(graph, "w"), sizeof dense);
    free_all(pruner, graph, x);
    prune_context_free(context);
    return peak; /* what the graph's nodes hold is malloc's, so that nothing else can be counted */
}

START_TEST(observations_stay_in_their_memory)
{
    float all[GROUPS * 2 * 36], some[GROUPS * 2 * 36];
    int64_t each;
    OK(prune_observations_memory(PRUNE_OBSERVE_GRAM, 2, (const int64_t[]){2, 36}, 0, &each));
    int64_t whole = peak_within(0, all);
    for (int64_t room = 1; room <= GROUPS; room++) {
        int64_t peak = peak_within(room * each + each / 2, some);
        ck_assert_int_eq(memcmp(all, some, sizeof all), 0);
        /* Blocks of samples are given back after each part, so a Gram matrix is what each group holds. */
        ck_assert_int_le(peak, whole - (GROUPS - room) * 36 * 36 * (int64_t)sizeof(double));
    }
}
END_TEST

START_TEST(a_layer_that_cannot_be_observed_in_its_memory_is_refused)
{
    char sentence[64];
    int64_t each;
    prune_graph *graph = convolution();
    prune_tensor *x = tensor(4, image, 3);
    prune_pruner *pruner = pruner_of(graph, x);
    OK(prune_observations_memory(PRUNE_OBSERVE_GRAM, 2, (const int64_t[]){O, I * K}, 0, &each));
    FAILS(prune_pruner_set_memory(pruner, -1), PRUNE_E_ARGUMENT, "-1");
    OK(prune_pruner_set_memory(pruner, each - 1));
    set_method(pruner, NULL, "element", "sparsegpt");
    OK(prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform"));
    snprintf(sentence, sizeof sentence, "72 inputs takes %lld bytes", (long long)each);
    FAILS(prune_pruner_run(pruner), PRUNE_E_INFEASIBLE, sentence);
    FAILS(prune_pruner_run(pruner), PRUNE_E_INFEASIBLE, "layer \"w\" of node \"conv\"");
    ck_assert_ptr_null(prune_graph_mask(graph, "w"));
    OK(prune_pruner_set_memory(pruner, each));
    OK(prune_pruner_run(pruner));
    free_all(pruner, graph, x);
}
END_TEST

TEST_MAIN("pruner_layers", channels_last_keeps_2_of_4_input_channels_at_each_place,
          the_order_of_columns_does_not_change_what_a_mask_is_repaired_to, filters_kernels_vectors_and_blocks_go_whole,
          a_gemm_s_weights_may_lie_either_way_and_be_scaled, convolutions_of_one_axis_and_depthwise_ones_are_layers,
          a_recurrent_node_has_two_layers, weights_of_two_nodes_are_one_layer,
          weights_in_a_branch_are_pruned_where_the_branch_is_known, numbers_that_are_none_are_refused_with_their_place,
          too_few_samples_are_refused_where_nothing_damps, a_model_without_layers_and_unknown_orders_are_refused,
          progress_can_cancel_between_layers, observations_stay_in_their_memory,
          a_layer_that_cannot_be_observed_in_its_memory_is_refused)
