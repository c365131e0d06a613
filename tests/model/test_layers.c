/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Layers of every kind with pruned weights: in every format what they give is what the zeros give, what is pruned is
 * not looked at, and the rows that a layer says it multiplies are those.
 */
#include "operator_inputs.h"

#include "model/graph/session.h"

/* x into one layer whose output is y; W is the parameter "w", R of a recurrent layer "r". */
static const struct layer {
    const char *name, *op, *inputs;
    int32_t rank, weight_rank, recurrent_rank;
    int64_t x[4], w[4], r[3];
    int transpose_a, transpose_b; /* Gemm */
    int64_t group, gates;         /* Conv; LSTM and GRU */
    const char *direction;
    int linear_before_reset;
} layers[] = {
    {.name = "Gemm", .op = "Gemm", .inputs = "x,w", .rank = 2, .weight_rank = 2, .x = {9, 16}, .w = {16, 12}},
    {.name = "Gemm, A transposed",
     .op = "Gemm",
     .inputs = "x,w",
     .rank = 2,
     .weight_rank = 2,
     .x = {16, 9},
     .w = {16, 12},
     .transpose_a = 1},
    {.name = "Gemm, B transposed",
     .op = "Gemm",
     .inputs = "x,w",
     .rank = 2,
     .weight_rank = 2,
     .x = {9, 16},
     .w = {12, 16},
     .transpose_b = 1},
    {.name = "Gemm, both transposed",
     .op = "Gemm",
     .inputs = "x,w",
     .rank = 2,
     .weight_rank = 2,
     .x = {16, 300},
     .w = {12, 16},
     .transpose_a = 1,
     .transpose_b = 1},
    {.name = "MatMul", .op = "MatMul", .inputs = "x,w", .rank = 2, .weight_rank = 2, .x = {7, 16}, .w = {16, 12}},
    {.name = "MatMul of a vector",
     .op = "MatMul",
     .inputs = "x,w",
     .rank = 1,
     .weight_rank = 2,
     .x = {16},
     .w = {16, 12}},
    {.name = "MatMul of many",
     .op = "MatMul",
     .inputs = "x,w",
     .rank = 4,
     .weight_rank = 2,
     .x = {2, 3, 5, 16},
     .w = {16, 12}},
    {.name = "Conv 1x1",
     .op = "Conv",
     .inputs = "x,w",
     .rank = 4,
     .weight_rank = 4,
     .x = {2, 16, 5, 4},
     .w = {12, 16, 1, 1},
     .group = 1},
    {.name = "Conv in groups",
     .op = "Conv",
     .inputs = "x,w",
     .rank = 4,
     .weight_rank = 4,
     .x = {2, 16, 6, 7},
     .w = {12, 8, 3, 2},
     .group = 2},
    {.name = "Conv of one axis",
     .op = "Conv",
     .inputs = "x,w",
     .rank = 3,
     .weight_rank = 3,
     .x = {2, 8, 19},
     .w = {12, 8, 2},
     .group = 1},
    {.name = "Conv, depthwise",
     .op = "Conv",
     .inputs = "x,w",
     .rank = 4,
     .weight_rank = 4,
     .x = {2, 8, 9, 8},
     .w = {8, 1, 4, 4},
     .group = 8},
    {.name = "LSTM",
     .op = "LSTM",
     .inputs = "x,w,r",
     .rank = 3,
     .weight_rank = 3,
     .x = {5, 2, 8},
     .w = {1, 16, 8},
     .r = {1, 16, 4},
     .gates = 4,
     .direction = "forward"},
    {.name = "LSTM in both directions",
     .op = "LSTM",
     .inputs = "x,w,r",
     .rank = 3,
     .weight_rank = 3,
     .x = {5, 2, 8},
     .w = {2, 16, 8},
     .r = {2, 16, 4},
     .gates = 4,
     .direction = "bidirectional"},
    {.name = "GRU, reversed",
     .op = "GRU",
     .inputs = "x,w,r",
     .rank = 3,
     .weight_rank = 3,
     .x = {5, 2, 8},
     .w = {1, 12, 8},
     .r = {1, 12, 4},
     .gates = 3,
     .direction = "reverse"},
    {.name = "GRU, linear before reset",
     .op = "GRU",
     .inputs = "x,w,r",
     .rank = 3,
     .weight_rank = 3,
     .x = {5, 2, 8},
     .w = {2, 12, 8},
     .r = {2, 12, 4},
     .gates = 3,
     .direction = "bidirectional",
     .linear_before_reset = 1},
};

/* Of few numbers, which a codebook holds. */
static void add_random(struct pm_body *body, const char *name, int32_t rank, const int64_t *shape, uint64_t seed)
{
    prune_tensor *numbers = random_of(PRUNE_F32, rank, shape, seed, 0);
    float *values = prune_tensor_data(numbers);
    for (int64_t i = 0; i < prune_tensor_count(numbers); i++)
        values[i] = 0.7f * roundf(values[i]) + 0.1f;
    add_parameter(body, name, PRUNE_F32, rank, shape, prune_tensor_const_data(numbers));
    prune_tensor_free(numbers);
}

static prune_graph *graph_of(const struct layer *layer)
{
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, 14));
    add_input(graph->body, "x", PRUNE_F32, layer->rank, layer->x);
    add_random(graph->body, "w", layer->weight_rank, layer->w, 1);
    if (layer->direction) {
        add_random(graph->body, "r", 3, layer->r, 2);
        OK(add_node(graph->body, "layer", layer->op, layer->inputs, "y", "hidden_size", PM_INT, (int)layer->r[2],
                    "direction", PM_STRING, layer->direction, "linear_before_reset", PM_INT, layer->linear_before_reset,
                    NULL));
    } else if (layer->group) {
        OK(add_node(graph->body, "layer", layer->op, layer->inputs, "y", "group", PM_INT, (int)layer->group, NULL));
    } else if (strcmp(layer->op, "Gemm") == 0) {
        OK(add_node(graph->body, "layer", layer->op, layer->inputs, "y", "transA", PM_INT, layer->transpose_a, "transB",
                    PM_INT, layer->transpose_b, NULL));
    } else {
        OK(add_node(graph->body, "layer", layer->op, layer->inputs, "y", NULL));
    }
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    return graph;
}

/* Two of four neighbours along the axis that is summed over, or about a third of all; never none. */
static void prune(prune_graph *graph, const struct layer *layer, const char *name, int in_fours)
{
    prune_mask *mask;
    const prune_tensor *tensor = prune_graph_parameter(graph, name);
    uint64_t seed = 5;
    int is_in_by_out = strcmp(layer->op, "MatMul") == 0 || (strcmp(layer->op, "Gemm") == 0 && !layer->transpose_b);
    int64_t step = is_in_by_out ? prune_tensor_shape(tensor)[1] : 1;
    OK(prune_mask_create(&mask, NULL, prune_tensor_rank(tensor), prune_tensor_shape(tensor), 1));
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++) {
        int kept = in_fours ? i / step % 4 % 3 == 0 : next_random(&seed) % 3 == 0;
        OK(prune_mask_set(mask, i, kept || i == 0));
    }
    OK(prune_graph_set_mask(graph, name, mask));
    prune_mask_free(mask);
}

static const char *const x_alone[] = {"x"};

static prune_session *session_of(const prune_graph *graph, const prune_tensor *x, const char *spec)
{
    prune_session *session;
    OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, spec));
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
    return session;
}

static void expect_close(const prune_session *a, const prune_session *b, const char *name, const char *spec)
{
    const prune_tensor *y = prune_session_output(a, 0), *z = prune_session_output(b, 0);
    const float *p = prune_tensor_const_data(y), *q = prune_tensor_const_data(z);
    float largest = 0;
    for (int64_t i = 0; i < prune_tensor_count(y); i++)
        largest = fabsf(q[i]) > largest ? fabsf(q[i]) : largest;
    for (int64_t i = 0; i < prune_tensor_count(y); i++)
        if (!(fabsf(p[i] - q[i]) <= 1e-5f * largest))
            ck_abort_msg("%s, %s: element %lld is %.9g instead of %.9g", name, spec, (long long)i, (double)p[i],
                         (double)q[i]);
}

START_TEST(pruned_weights_give_in_every_format_what_the_zeros_give)
{
    static const char *const specs[] = {"weights=auto", "weights=dense",  "weights=csr",      "weights=bsr",
                                        "weights=csc",  "weights=bitmap", "weights=codebook", "weights=nm"};
    const struct layer *layer = &layers[_i];
    prune_tensor *x = random_of(PRUNE_F32, layer->rank, layer->x, 3, 0);
    for (int in_fours = 0; in_fours < 2; in_fours++) {
        prune_graph *zeros = graph_of(layer), *pruned = graph_of(layer);
        for (int i = 0; i < (layer->direction ? 2 : 1); i++) {
            const char *name = i ? "r" : "w";
            prune(pruned, layer, name, in_fours);
            OK(prune_graph_set_parameter(zeros, name, prune_graph_parameter(pruned, name)));
        }
        prune_session *reference = session_of(zeros, x, "fuse=no");
        for (int s = 0; s < COUNT_OF(specs) - !in_fours; s++) {
            prune_session *session = session_of(pruned, x, specs[s]);
            const char *kernels = prune_session_step_kernels(session, 0);
            expect_close(session, reference, layer->name, specs[s]);
            if (kernels[0] && s > 1 && s < 7)
                ck_assert_msg(strncmp(kernels, "dense", 5) != 0, "%s, %s runs %s", layer->name, specs[s], kernels);
            prune_session_free(session);
        }
        prune_session_free(reference);
        prune_graph_free(zeros);
        prune_graph_free(pruned);
    }
    prune_tensor_free(x);
}
END_TEST

/* NaN and infinity where every weight is pruned reach no output of a sparse format. */
START_TEST(what_is_pruned_is_not_looked_at)
{
    for (int transposed = 0; transposed < 2; transposed++)
        for (int op = 0; op < 2; op++) {
            const struct layer *layer = &layers[op ? 4 : 2 * transposed];
            if (op && transposed)
                continue;
            prune_graph *graph = graph_of(layer);
            prune_tensor *x = random_of(PRUNE_F32, layer->rank, layer->x, 3, 0);
            prune_mask *mask;
            int64_t in = layer->x[1], out = layer->w[layer->transpose_b ? 0 : 1];
            OK(prune_mask_create(&mask, NULL, 2, layer->w, 1));
            for (int64_t o = 0; o < out; o++) /* inputs 3 and 5 */
                for (int64_t i = 3; i < 7; i += 2)
                    OK(prune_mask_set(mask, layer->transpose_b ? o * in + i : i * out + o, 0));
            OK(prune_graph_set_mask(graph, "w", mask));
            prune_mask_free(mask);
            for (int64_t row = 0; row < layer->x[0]; row++) {
                ((float *)prune_tensor_data(x))[row * in + 3] = NAN;
                ((float *)prune_tensor_data(x))[row * in + 5] = INFINITY;
            }
            prune_session *session = session_of(graph, x, "weights=csr");
            const prune_tensor *y = prune_session_output(session, 0);
            for (int64_t i = 0; i < prune_tensor_count(y); i++)
                ck_assert_msg(isfinite(((const float *)prune_tensor_const_data(y))[i]), "%s", layer->name);
            prune_session_free(session);
            prune_tensor_free(x);
            prune_graph_free(graph);
        }
}
END_TEST

/* Rows as they come, each with its group. */
struct taken {
    int64_t count, in, groups[700];
    float *rows;
};

static int32_t take(void *user, int64_t group, int64_t rows, const float *x)
{
    struct taken *taken = user;
    for (int64_t r = 0; r < rows; r++) {
        ck_assert_int_lt(taken->count, 700);
        taken->groups[taken->count] = group;
        memcpy(taken->rows + taken->count++ * taken->in, x + r * taken->in, (size_t)taken->in * sizeof *x);
    }
    return PRUNE_OK;
}

static struct taken take_rows(const struct pm_call *call, int32_t index, struct pm_layer *layer)
{
    struct taken taken = {0};
    ck_assert_int_eq(call->node->kind->layer(call, index, layer), 1);
    taken.in = layer->in;
    taken.rows = calloc((size_t)(700 * layer->in), sizeof *taken.rows);
    OK(call->node->kind->rows(call, index, take, &taken));
    return taken;
}

/* Output `o` of the layer for row `r`: which number of y that is. */
static int64_t place_of(const struct layer *layer, const struct pm_layer *facts, const struct pm_type *y, int64_t r,
                        int64_t o)
{
    if (!layer->group)
        return r * facts->out + o;
    int64_t places = y->count / (y->extents[0] * y->extents[1]);
    return (r / places * y->extents[1] + o) * places + r % places;
}

START_TEST(rows_times_the_matrix_are_the_outputs)
{
    const struct layer *layer = &layers[_i];
    if (layer->direction)
        return;
    prune_graph *graph = graph_of(layer);
    prune_tensor *x = random_of(PRUNE_F32, layer->rank, layer->x, 3, 0);
    prune_session *session = session_of(graph, x, NULL);
    const float *y = prune_tensor_const_data(prune_session_output(session, 0)),
                *w = prune_tensor_const_data(prune_graph_parameter(graph, "w"));
    OK(pm_session_begin(session, (const prune_tensor *const[]){x}));
    const struct pm_call *call = pm_session_call(session, 0);
    struct pm_layer facts;
    struct taken taken = take_rows(call, 0, &facts);
    int64_t each = facts.out / facts.groups, next[16] = {0}, rows = taken.count / facts.groups;
    ck_assert_int_eq(call->node->kind->layer(call, 1, &facts), 0);
    ck_assert_int_eq(facts.input, 1);
    ck_assert_int_eq(rows * facts.out, call->outputs[0].type.count);
    ck_assert_int_eq(facts.macs, rows * facts.out * facts.in);
    for (int64_t n = 0; n < taken.count; n++) {
        int64_t group = taken.groups[n], r = next[group]++;
        for (int64_t o = group * each; o < (group + 1) * each; o++) {
            double sum = 0, magnitude = 0;
            for (int64_t k = 0; k < facts.in; k++) {
                double product = (double)w[facts.is_transposed ? k * facts.out + o : o * facts.in + k] *
                                 (double)taken.rows[n * facts.in + k];
                sum += product;
                magnitude += fabs(product);
            }
            double is = (double)y[place_of(layer, &facts, &call->outputs[0].type, r, o)];
            if (!(fabs(is - sum) <= 1e-6 * magnitude))
                ck_abort_msg("%s: row %lld, output %lld: %.9g instead of %.9g", layer->name, (long long)r, (long long)o,
                             is, sum);
        }
    }
    free(taken.rows);
    prune_session_free(session);
    prune_tensor_free(x);
    prune_graph_free(graph);
}
END_TEST

/* Of W a recurrent layer multiplies x, of R the state before each step: what Y held after the step before. */
START_TEST(recurrent_rows_are_inputs_and_states)
{
    const struct layer *layer = &layers[_i];
    if (!layer->direction)
        return;
    prune_graph *graph = graph_of(layer);
    prune_tensor *x = random_of(PRUNE_F32, layer->rank, layer->x, 3, 0);
    prune_session *session = session_of(graph, x, NULL);
    int64_t steps = layer->x[0], batch = layer->x[1], in = layer->x[2], hidden = layer->r[2], ways = layer->w[0];
    int64_t count = steps * batch;
    float *y = malloc((size_t)(count * ways * hidden) * sizeof *y);
    memcpy(y, prune_tensor_const_data(prune_session_output(session, 0)), (size_t)(count * ways * hidden) * sizeof *y);
    OK(pm_session_begin(session, (const prune_tensor *const[]){x}));
    const struct pm_call *call = pm_session_call(session, 0);
    struct pm_layer facts;
    struct taken of_w = take_rows(call, 0, &facts);
    ck_assert_int_eq(facts.in, in);
    struct taken of_r = take_rows(call, 1, &facts);
    ck_assert_int_eq(facts.in, hidden);
    ck_assert_int_eq(facts.out, ways * layer->gates * hidden);
    ck_assert_int_eq(facts.groups, ways);
    ck_assert_int_eq(of_w.count, ways * count);
    ck_assert_int_eq(of_r.count, ways * count);
    for (int64_t n = 0; n < ways * count; n++) {
        int64_t way = n / count, step = n % count / batch, b = n % batch;
        int backwards = way == 1 || strcmp(layer->direction, "reverse") == 0;
        ck_assert_int_eq(of_w.groups[n], way);
        ck_assert_int_eq(of_r.groups[n], way);
        ck_assert_mem_eq(of_w.rows + n * in, (const float *)prune_tensor_const_data(x) + n % count * in,
                         (size_t)in * sizeof *y);
        for (int64_t k = 0; k < hidden; k++) {
            int64_t before = backwards ? steps - step : step - 1;
            float state = step == 0 ? 0 : y[((before * ways + way) * batch + b) * hidden + k];
            ck_assert_msg(of_r.rows[n * hidden + k] == state, "%s: direction %lld, step %lld", layer->name,
                          (long long)way, (long long)step);
        }
    }
    free(of_w.rows);
    free(of_r.rows);
    free(y);
    prune_session_free(session);
    prune_tensor_free(x);
    prune_graph_free(graph);
}
END_TEST

/* What stands behind the end of a sequence is multiplied with nothing. */
START_TEST(recurrent_rows_end_with_their_sequence)
{
    static const int32_t lengths[] = {2, 5};
    const struct layer *layer = &layers[_i];
    for (int batch_first = 0; layer->direction && batch_first < 2; batch_first++) {
        prune_graph *graph;
        prune_session *session;
        int64_t steps = 5, batch = 2, in = layer->x[2], hidden = layer->r[2], ways = layer->w[0];
        const int64_t shape[] = {batch_first ? batch : steps, batch_first ? steps : batch, in};
        prune_tensor *x = random_of(PRUNE_F32, 3, shape, 3, 0);
        const float *numbers = prune_tensor_const_data(x);
        OK(pm_graph_create(&graph, NULL, 14));
        add_input(graph->body, "x", PRUNE_F32, 3, shape);
        add_random(graph->body, "w", 3, layer->w, 1);
        add_random(graph->body, "r", 3, layer->r, 2);
        add_parameter(graph->body, "lengths", PRUNE_I32, SHAPE(2), lengths);
        OK(add_node(graph->body, "layer", layer->op, "x,w,r,,lengths", "y", "hidden_size", PM_INT, (int)hidden,
                    "direction", PM_STRING, layer->direction, "linear_before_reset", PM_INT, layer->linear_before_reset,
                    "layout", PM_INT, batch_first, NULL));
        add_output(graph->body, "y");
        OK(pm_graph_finish(graph));
        session = session_of(graph, x, NULL);
        OK(pm_session_begin(session, (const prune_tensor *const[]){x}));
        const struct pm_call *call = pm_session_call(session, 0);
        for (int32_t index = 0; index < 2; index++) {
            struct pm_layer facts;
            struct taken taken = take_rows(call, index, &facts);
            ck_assert_int_eq(taken.count, ways * (lengths[0] + lengths[1]));
            int64_t n = 0;
            for (int64_t way = 0; index == 0 && way < ways; way++)
                for (int64_t row = 0; row < steps * batch; row++) {
                    int64_t step = batch_first ? row % steps : row / batch, b = batch_first ? row / steps : row % batch;
                    if (step < lengths[b])
                        ck_assert_mem_eq(taken.rows + n++ * in, numbers + row * in, (size_t)in * sizeof *numbers);
                }
            free(taken.rows);
        }
        prune_session_free(session);
        prune_tensor_free(x);
        prune_graph_free(graph);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layers");
    TCase *all = tcase_create("layers");
    tcase_set_timeout(all, 120);
    tcase_add_loop_test(all, pruned_weights_give_in_every_format_what_the_zeros_give, 0, COUNT_OF(layers));
    tcase_add_test(all, what_is_pruned_is_not_looked_at);
    tcase_add_loop_test(all, rows_times_the_matrix_are_the_outputs, 0, COUNT_OF(layers));
    tcase_add_loop_test(all, recurrent_rows_are_inputs_and_states, 0, COUNT_OF(layers));
    tcase_add_loop_test(all, recurrent_rows_end_with_their_sequence, 0, COUNT_OF(layers));
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
