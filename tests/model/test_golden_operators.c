/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operators in the forms of opsets 13 to 21 against what onnxruntime made of them: tests/golden/operators.json, which
 * operators.js beside it writes.
 */
#include <jansson.h>

#include "operator_inputs.h"
#include "prune/session.h"

#define MOST 8 /* inputs or outputs */

static int32_t dtype_named(const char *name)
{
    for (int32_t dtype = 1; dtype <= 12; dtype++)
        if (strcmp(prune_dtype_name(dtype), name) == 0)
            return dtype;
    ck_abort_msg("no dtype %s", name);
    return 0;
}

static prune_tensor *read_tensor(const json_t *from)
{
    int64_t shape[PRUNE_MAX_RANK];
    const json_t *extents = json_object_get(from, "shape"), *data = json_object_get(from, "data");
    int32_t rank = (int32_t)json_array_size(extents);
    for (int32_t i = 0; i < rank; i++)
        shape[i] = json_integer_value(json_array_get(extents, (size_t)i));
    double *numbers = calloc(json_array_size(data) + 1, sizeof *numbers);
    for (size_t i = 0; i < json_array_size(data); i++)
        numbers[i] = json_number_value(json_array_get(data, i));
    prune_tensor *tensor =
        tensor_of(dtype_named(json_string_value(json_object_get(from, "dtype"))), rank, shape, numbers);
    free(numbers);
    return tensor;
}

static void read_list(struct pm_attribute *to, const json_t *list)
{
    size_t count = json_array_size(list);
    int is_real = count > 0 && json_is_real(json_array_get(list, 0));
    to->count = (int64_t)count;
    to->kind = is_real ? PM_FLOATS : PM_INTS;
    if (is_real)
        OK(pr_alloc(NULL, to->count, sizeof *to->reals, &to->reals));
    else
        OK(pr_alloc(NULL, to->count, sizeof *to->wholes, &to->wholes));
    for (size_t i = 0; i < count; i++)
        if (is_real)
            to->reals[i] = (float)json_real_value(json_array_get(list, i));
        else
            to->wholes[i] = json_integer_value(json_array_get(list, i));
}

static void read_attributes(struct pm_node *node, json_t *from)
{
    const char *name;
    json_t *value;
    OK(pr_alloc_zero(NULL, (int64_t)json_object_size(from), sizeof *node->attributes, &node->attributes));
    json_object_foreach(from, name, value)
    {
        struct pm_attribute *to = &node->attributes[node->attribute_count++];
        to->name = text_of(name);
        if (json_is_integer(value)) {
            to->kind = PM_INT;
            to->whole = json_integer_value(value);
        } else if (json_is_real(value)) {
            to->kind = PM_FLOAT;
            to->real = (float)json_real_value(value);
        } else if (json_is_string(value)) {
            to->kind = PM_STRING;
            to->text = text_of(json_string_value(value));
            to->count = (int64_t)strlen(to->text);
        } else if (json_is_object(value)) {
            to->kind = PM_TENSOR;
            to->tensor = read_tensor(value);
        } else {
            read_list(to, value);
        }
    }
}

/* 1 where the output is what it should be: the same dtype, shape and whole numbers; real ones within 1e-5 of the
 * largest. */
static int is_right(const prune_tensor *got, const prune_tensor *wanted, const char *what, int32_t index)
{
    int32_t dtype = prune_tensor_dtype(wanted), rank = prune_tensor_rank(wanted);
    int fits = prune_tensor_dtype(got) == dtype && prune_tensor_rank(got) == rank;
    double largest = 0;
    for (int32_t i = 0; fits && i < rank; i++)
        fits = prune_tensor_shape(got)[i] == prune_tensor_shape(wanted)[i];
    if (!fits) {
        printf("    %s: output %d has another dtype or shape\n", what, (int)index);
        return 0;
    }
    double *is = doubles_of(got), *should_be = doubles_of(wanted);
    for (int64_t i = 0; i < prune_tensor_count(wanted); i++)
        largest = fabs(should_be[i]) > largest ? fabs(should_be[i]) : largest;
    for (int64_t i = 0; i < prune_tensor_count(wanted) && fits; i++) {
        fits = is[i] == should_be[i] || (is_floating(dtype) && fabs(is[i] - should_be[i]) <= 1e-5 * largest);
        if (!fits)
            printf("    %s: output %d, element %lld is %.9g instead of %.9g\n", what, (int)index, (long long)i, is[i],
                   should_be[i]);
    }
    free(is);
    free(should_be);
    return fits;
}

static int is_as_wanted(json_t *from, const char *what)
{
    const json_t *inputs = json_object_get(from, "inputs"), *outputs = json_object_get(from, "outputs");
    prune_tensor *in[MOST] = {NULL}, *made[MOST] = {NULL};
    int32_t in_count = (int32_t)json_array_size(inputs), out_count = (int32_t)json_array_size(outputs);
    int fits;
    ck_assert(in_count <= MOST && out_count <= MOST);
    struct pm_node node = {.name = text_of("node"),
                           .op = text_of(json_string_value(json_object_get(from, "op"))),
                           .domain = text_of(""),
                           .output_count = out_count};
    for (int32_t i = 0; i < in_count; i++)
        if (!json_is_null(json_array_get(inputs, (size_t)i)))
            in[i] = read_tensor(json_array_get(inputs, (size_t)i));
    OK(pr_alloc(NULL, out_count, sizeof *node.outputs, &node.outputs));
    for (int32_t i = 0; i < out_count; i++)
        node.outputs[i] = i;
    read_attributes(&node, json_object_get(from, "attributes"));
    node.kind = pm_operator_find("", node.op);
    fits = pm_operator_call(NULL, &node, json_integer_value(json_object_get(from, "opset")), in_count,
                            (const prune_tensor *const *)in, out_count, made) == PRUNE_OK;
    if (!fits)
        printf("    %s: %s\n", what, prune_error());
    for (int32_t i = 0; i < out_count && fits; i++) {
        prune_tensor *wanted = read_tensor(json_array_get(outputs, (size_t)i));
        fits = is_right(made[i], wanted, what, i);
        prune_tensor_free(wanted);
    }
    for (int32_t i = 0; i < MOST; i++) {
        prune_tensor_free(in[i]);
        prune_tensor_free(made[i]);
    }
    pm_node_release(NULL, &node);
    return fits;
}

START_TEST(operators_give_what_onnxruntime_gives)
{
    json_error_t error;
    json_t *cases = json_load_file("tests/golden/operators.json", JSON_REJECT_DUPLICATES, &error);
    int wrong = 0;
    ck_assert_msg(cases != NULL, "tests/golden/operators.json: %s in line %d", error.text, error.line);
    ck_assert_uint_ge(json_array_size(cases), 170);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        json_t *one = json_array_get(cases, i);
        char what[400], *attributes = json_dumps(json_object_get(one, "attributes"), JSON_COMPACT);
        snprintf(what, sizeof what, "%s of opset %d %s", json_string_value(json_object_get(one, "op")),
                 (int)json_integer_value(json_object_get(one, "opset")), attributes);
        wrong += !is_as_wanted(one, what);
        free(attributes);
    }
    json_decref(cases);
    fflush(stdout);
    ck_assert_int_eq(wrong, 0);
}
END_TEST

static prune_graph *begin(int64_t opset, int32_t dtype, int32_t rank, const int64_t *shape)
{
    static const float numbers[] = {1, 1, 2, 2};
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, opset));
    add_input(graph->body, "x", dtype, rank, shape);
    add_parameter(graph->body, "scales", PRUNE_F32, SHAPE(4), numbers);
    add_parameter(graph->body, "half", PRUNE_F32, 0, NULL, &numbers[0]);
    add_parameter(graph->body, "w", PRUNE_F32, SHAPE(1, 4, 2), (const float[]){1, 2, 3, 4, 5, 6, 7, 8});
    add_parameter(graph->body, "r", PRUNE_F32, SHAPE(1, 4, 1), numbers);
    return graph;
}

/* No session is made; the sentence has the node, its operator and the word. */
static void refused(prune_graph *graph, int32_t status, const char *op, const char *word)
{
    char node[100];
    static const char *const name[] = {"x"};
    prune_session *session = UNTOUCHED;
    prune_tensor *x;
    const struct pm_type *type = &graph->body->values[graph->body->inputs[0]].type;
    OK(prune_tensor_create(&x, NULL, type->dtype, type->rank, type->extents));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    FAILS(prune_session_create(&session, graph, 1, name, (const prune_tensor *const[]){x}, NULL, NULL), status, word);
    snprintf(node, sizeof node, "node \"odd one\" (%s)", op);
    ck_assert_msg(strstr(prune_error(), node) != NULL, "no %s in: %s", node, prune_error());
    ck_assert_ptr_eq(session, UNTOUCHED);
    prune_tensor_free(x);
    prune_graph_free(graph);
}

START_TEST(what_is_not_run_is_refused_with_node_and_attribute)
{
    prune_graph *graph = begin(18, PRUNE_F32, SHAPE(1, 1, 4, 4));
    OK(add_node(graph->body, "odd one", "Resize", "x,,scales", "y", "antialias", PM_INT, 1, NULL));
    refused(graph, PRUNE_E_UNSUPPORTED, "Resize", "antialias is 1");
    graph = begin(19, PRUNE_F32, SHAPE(1, 1, 4, 4));
    OK(add_node(graph->body, "odd one", "Resize", "x,,scales", "y", "mode", PM_STRING, "lanczos", NULL));
    refused(graph, PRUNE_E_UNSUPPORTED, "Resize", "mode is \"lanczos\"");
    for (int to = 17; to <= 22; to++) { /* 8 and 4 bits */
        char word[40];
        graph = begin(to < 21 ? 19 : 21, PRUNE_F32, SHAPE(4));
        OK(add_node(graph->body, "odd one", "Cast", "x", "y", "to", PM_INT, to, NULL));
        snprintf(word, sizeof word, "element type %d", to);
        refused(graph, PRUNE_E_DTYPE, "Cast", word);
        graph = begin(21, PRUNE_F32, SHAPE(4));
        OK(add_node(graph->body, "odd one", "QuantizeLinear", "x,half", "y", "output_dtype", PM_INT, to, NULL));
        snprintf(word, sizeof word, "output_dtype is %d", to);
        refused(graph, PRUNE_E_UNSUPPORTED, "QuantizeLinear", word);
    }
    graph = begin(20, PRUNE_F32, SHAPE(4));
    OK(add_node(graph->body, "odd one", "Gelu", "x", "y", "approximate", PM_STRING, "erf", NULL));
    refused(graph, PRUNE_E_FORMAT, "Gelu", "approximate is \"erf\"");
    graph = begin(19, PRUNE_F32, SHAPE(4));
    OK(add_node(graph->body, "odd one", "Pad", "x", "y", "mode", PM_STRING, "mirror", NULL));
    refused(graph, PRUNE_E_UNSUPPORTED, "Pad", "mode is \"mirror\"");
    graph = begin(17, PRUNE_F32, SHAPE(2, 4));
    OK(add_node(graph->body, "odd one", "LayerNormalization", "x,scales", "y", "stash_type", PM_INT, 11, NULL));
    refused(graph, PRUNE_E_UNSUPPORTED, "LayerNormalization", "stash_type is 11");
    graph = begin(15, PRUNE_F32, SHAPE(2, 4));
    OK(add_node(graph->body, "odd one", "BatchNormalization", "x,scales,scales,scales,scales", "y", "training_mode",
                PM_INT, 1, NULL));
    refused(graph, PRUNE_E_UNSUPPORTED, "BatchNormalization", "training");
    graph = begin(14, PRUNE_F32, SHAPE(3, 1, 2));
    OK(add_node(graph->body, "odd one", "LSTM", "x,w,r", "y", "hidden_size", PM_INT, 1, "direction", PM_STRING, "up",
                NULL));
    refused(graph, PRUNE_E_FORMAT, "LSTM", "direction is up");
    graph = begin(18, PRUNE_F32, SHAPE(2, 4));
    OK(add_node(graph->body, "odd one", "ReduceMean", "x", "y", "axes", PM_INTS, 1, (const int64_t[]){1}, NULL));
    refused(graph, PRUNE_E_FORMAT, "ReduceMean", "axes is an attribute; from opset 18 on");
    graph = begin(18, PRUNE_BOOL, SHAPE(2, 4));
    OK(add_node(graph->body, "odd one", "ReduceMax", "x", "y", NULL));
    refused(graph, PRUNE_E_DTYPE, "ReduceMax", "input 0 is bool");
}
END_TEST

/* The least of nothing is the type's largest number, the largest its least. */
START_TEST(extremes_of_nothing_are_those_of_the_type)
{
    static const struct {
        int32_t dtype;
        double least, most;
    } types[] = {{PRUNE_F32, -INFINITY, INFINITY},
                 {PRUNE_BOOL, 0, 1},
                 {PRUNE_U8, 0, 255},
                 {PRUNE_I8, -128, 127},
                 {PRUNE_U16, 0, 65535},
                 {PRUNE_I16, -32768, 32767},
                 {PRUNE_U32, 0, 4294967295.0},
                 {PRUNE_I32, -2147483648.0, 2147483647.0}};
    for (int i = 0; i < COUNT_OF(types); i++) {
        prune_tensor *x = tensor_of(types[i].dtype, SHAPE(0, 2), (const double[]){0}),
                     *axes = wholes(1, (const int64_t[]){0}), *y;
        OK(apply(&y, 20, "ReduceMax", INPUTS(x, axes), NULL));
        expect_numbers(y, SHAPE(1, 2), (const double[]){types[i].least, types[i].least}, "ReduceMax");
        prune_tensor_free(y);
        OK(apply(&y, 20, "ReduceMin", INPUTS(x, axes), NULL));
        expect_numbers(y, SHAPE(1, 2), (const double[]){types[i].most, types[i].most}, "ReduceMin");
        prune_tensor_free(y);
        prune_tensor_free(x);
        prune_tensor_free(axes);
    }
}
END_TEST

TEST_MAIN("golden operators", operators_give_what_onnxruntime_gives, what_is_not_run_is_refused_with_node_and_attribute,
          extremes_of_nothing_are_those_of_the_type)
